"""Ask a run to stop: a ref on the remote, which the run looks for between phases and takes away.

The ref names a commit of its own that says who asked, and by which comment.  A forge numbers comments in the order
in which they are written, so a stop that is older than the command it would stop can be told from one that is meant.
"""

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from bot.errors import PushError
from bot.history.remote import Remote
from bot.history.repository import Identity, Repository
from bot.history.trailers import Trailers

STOPS = "refs/phasebot/stop/"
"""``refs/phasebot/stop/<run>``; whoever may push may also set it by hand, on any commit."""


_LOOK_EVERY = 5.0
"""Seconds: about as long as people wait before they look themselves."""


@dataclass(frozen=True, slots=True)
class StopRequest:
    """That somebody asked a run to stop."""

    oid: str
    login: str | None
    """Who, if it was by a comment."""
    comment: int | None


class StopRef:
    """The place where one run is asked to stop."""

    def __init__(
        self, repository: Repository, remote: Remote, run: str, who: Identity, now: Callable[[], datetime]
    ) -> None:
        """Name the place; *who* commits what is asked."""
        self._repository, self._remote, self._run, self._who, self._now = repository, remote, run, who, now
        self._ref, self._subject = f"{STOPS}{run}", f"Stop {run}"

    def ask(self, login: str, comment: str | None) -> None:
        """Ask the run to stop, on behalf of *login*; an earlier request, if it is still there, is replaced.

        Raises:
            PushError: The remote can't be reached, or refuses.
        """
        told = Trailers(run=self._run, requested_by=login, comment=comment)
        message = f"{self._subject}\n\n{told.format()}"
        self._remote.put_ref(self._repository.root_commit(message, self._who, self._who, self._now()), self._ref)

    def look(self, since: int | None) -> StopRequest | None:
        """Return the request that is there, if there is one that is not older than the comment *since*; remove it.

        Safe to call while the run commits and pushes.

        Raises:
            PushError: The remote can't be reached, or refuses.
        """
        if self._remote.fetch_ref(self._ref) is None:
            return None
        oid = self._repository.git("rev-parse", self._ref)  # a tag's own id, if it is one
        stop = self._read(oid)
        with suppress(PushError):  # it was asked all the same
            self._remote.drop_ref(self._ref, oid)
        return None if since and stop.comment and stop.comment < since else stop

    def _read(self, oid: str) -> StopRequest:
        form = "%s%x00%(trailers:key=Phasebot-Requested-By,valueonly)%x00%(trailers:key=Phasebot-Comment,valueonly)"
        result = self._repository.git.run("log", "-1", f"--format={form}", oid, "--")
        subject, login, comment = [*map(str.strip, result.text.split("\0")), "", "", ""][:3]
        if subject != self._subject:  # a commit of another kind, which somebody pushed by hand
            return StopRequest(oid, None, None)
        return StopRequest(oid, login or None, int(comment) if re.fullmatch(r"[0-9]{1,18}", comment) else None)


class StopWatcher:
    """Looks for a request to stop, at first and then now and again, as long as its context lasts."""

    def __init__(self, look: Callable[[], StopRequest | None] | None, on_asked: Callable[[], None]) -> None:
        """Call *look* in a thread of its own, and *on_asked* once it has found something; without *look* do nothing."""
        self._look_once, self._on_asked = look, on_asked
        self._watching: asyncio.Task[None] | None = None
        self.request: StopRequest | None = None

    async def __aenter__(self) -> Self:
        await self._look()
        self._watching = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._watching:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def _watch(self) -> None:
        while self._look_once and not self.request:
            await asyncio.sleep(_LOOK_EVERY)
            await self._look()

    async def _look(self) -> None:
        if self._look_once:
            with suppress(PushError):  # a request that can't be heard is no reason to stop
                self.request = await asyncio.to_thread(self._look_once)
            if self.request:
                self._on_asked()
