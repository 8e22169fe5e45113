"""Keeps what was verified of a run in this clone: a ref that points to a blob.  It is never pushed."""

from bot.errors import RepositoryError
from bot.history.repository import Repository

_REFS = "refs/phasebot/verified/"
"""Prefix of ``refs/phasebot/verified/<run>``."""


class VerifiedRef:
    """The ref of one run."""

    def __init__(self, repository: Repository, run: str) -> None:
        self._repository, self._ref = repository, f"{_REFS}{run}"

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
