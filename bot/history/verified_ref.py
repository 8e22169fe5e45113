"""Keeps what was verified of a run: a ref that points to a blob.  Only a job that reports it pushes it."""

from bot.errors import RepositoryError
from bot.history.remote import Remote
from bot.history.repository import Repository

_REFS = "refs/phasebot/verified/"
"""Prefix of ``refs/phasebot/verified/<run>``.  Anybody with push access can also set the ref by hand, to any object."""


class VerifiedRef:
    """The ref of one run."""

    def __init__(self, repository: Repository, run: str, remote: Remote | None) -> None:
        self._repository, self._ref, self._remote = repository, f"{_REFS}{run}", remote

    def read(self) -> bytes | None:
        """Return what was kept; None if there is nothing, or nothing that can be read."""
        oid = self._repository.refs(self._ref).get(self._ref)
        try:
            return self._repository.blob(oid) if oid else None
        except RepositoryError:  # no blob, or its object is gone
            return None

    def write(self, content: bytes) -> None:
        """Keep *content* in place of what was kept before; nothing happens where the repository can't be written."""
        if self._repository.git.is_writable:
            oid = self._repository.git("hash-object", "-w", "--stdin", stdin=content)
            self._repository.git("update-ref", "-m", "phasebot: verified", self._ref, oid)

    def fetch(self) -> None:
        """Keep what the remote has, in place of what was kept before.

        Raises:
            PushError: The remote can't be reached, or refuses.
        """
        if self._remote:
            self._remote.fetch_ref(self._ref)

    def publish(self) -> None:
        """Push what is kept; the last one who does so wins.

        Raises:
            PushError: The remote can't be reached, or refuses.
        """
        oid = self._repository.refs(self._ref).get(self._ref)
        if self._remote and oid:
            self._remote.set_ref(oid, self._ref)
