"""Request that a run stops, with a ref on the remote that the run polls for and deletes.

The ref points to a root commit whose trailers name the person and the comment.  A forge numbers comments in the order
they are written, so a stop request older than the command that started the run can be told apart and ignored.
"""

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from bot.errors import PushError
from bot.history.inert_text import unquote
from bot.history.remote import Remote
from bot.history.repository import ACTIONS_BOT, Identity, Repository
from bot.history.trailers import Trailers

STOP_REFS = "refs/phasebot/stop/"
"""Prefix of ``refs/phasebot/stop/<run>``.  Anybody with push access can also set the ref by hand, to any commit."""


_POLL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class StopRequest:
    """A person's request that a run stops."""

    oid: str
    login: str | None
    """The person who commented; None if the ref was set by hand."""
    comment: int | None


class StopRef:
    """The ref that requests one run to stop."""

    def __init__(
        self, repository: Repository, remote: Remote, run: str, committer: Identity, now: Callable[[], datetime]
    ) -> None:
        self._repository, self._remote, self._run, self._committer, self._now = repository, remote, run, committer, now
        self._ref, self._subject = f"{STOP_REFS}{run}", f"Stop {run}"

    def request_stop(self, login: str, comment: str | None) -> None:
        """Request on behalf of *login* that the run stops; replaces an earlier request.

        Raises:
            PushError: The remote can't be reached, or refuses.
        """
        trailers = Trailers(run=self._run, requested_by=login, comment=comment)
        message = f"{self._subject}\n\n{trailers.format()}"
        oid = self._repository.write_root_commit(message, self._committer, self._committer, self._now())
        self._remote.set_ref(oid, self._ref)

    def take_request(self, not_before: int | None) -> StopRequest | None:
        """Fetch and delete the request; None if there is none, or it is older than the comment *not_before*.

        Safe to call while the run commits and pushes.

        Raises:
            PushError: The remote can't be reached, or refuses.
        """
        if self._remote.fetch_ref(self._ref) is None:
            return None
        oid = self._repository.git("rev-parse", self._ref)  # of the tag itself, if the ref points to a tag
        request = self._read(oid)
        with suppress(PushError):  # the request counts even if the ref can't be deleted
            self._remote.delete_ref(self._ref, oid)
        return None if not_before and request.comment and request.comment < not_before else request

    def _read(self, oid: str) -> StopRequest:
        log_format = (
            "%an <%ae>%x00%s%x00"
            "%(trailers:key=Phasebot-Requested-By,valueonly)%x00%(trailers:key=Phasebot-Comment,valueonly)"
        )
        result = self._repository.git.run("log", "-1", f"--format={log_format}", oid, "--")
        author, subject, login, comment = [*map(str.strip, result.text.split("\0")), "", "", "", ""][:4]
        if subject != self._subject or author not in map(str, (self._committer, ACTIONS_BOT)):  # set by hand
            return StopRequest(oid, None, None)
        return StopRequest(oid, unquote(login) or None, int(comment) if re.fullmatch(r"[0-9]{1,18}", comment) else None)


class StopWatcher:
    """Polls for a stop request: once at the start, then every few seconds, while its context is open."""

    def __init__(self, take_request: Callable[[], StopRequest | None] | None, on_request: Callable[[], None]) -> None:
        """Poll with *take_request*, called in a thread, and call *on_request* once; None for no polling."""
        self._take_request, self._on_request = take_request, on_request
        self._task: asyncio.Task[None] | None = None
        self.request: StopRequest | None = None

    async def __aenter__(self) -> Self:
        await self._poll()
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        while self._take_request and not self.request:
            await asyncio.sleep(_POLL_SECONDS)
            await self._poll()

    async def _poll(self) -> None:
        if self._take_request:
            with suppress(PushError):  # the run goes on if the remote can't be polled
                self.request = await asyncio.to_thread(self._take_request)
            if self.request:
                self._on_request()
