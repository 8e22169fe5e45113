"""What stands at head, as far as it matters to a run, and what is in the way of a path.  Pure."""

from collections.abc import Iterable, Mapping, Sequence

from bot.history.run_state import FOLDER, Entry


class HeadTree:
    """The entries at head: those of the base at the paths of the run, and those of every path that a commit changed."""

    def __init__(self, owned: Iterable[str]) -> None:
        """Start empty; *owned* are the paths that the run's phases own or did once."""
        self._owned = {name.casefold() for path in owned for name in (*folders_of(path), path)}
        self._entries: dict[str, Entry | None] = {}
        self._spellings: dict[str, dict[str, set[str]]] = {}
        """Owned path or folder, case folded → spelling → the paths at head that spell it so, or once did."""

    def update(self, changes: Mapping[str, Entry | None]) -> None:
        """Take up the changes of a commit; None removes a path."""
        self._entries.update(changes)
        for path in changes:
            for name in (*folders_of(path), path):
                if name.casefold() in self._owned:
                    self._spellings.setdefault(name.casefold(), {}).setdefault(name, set()).add(path)

    def get(self, path: str) -> Entry | None:
        """Return the entry at *path*; None if there is none."""
        return self._entries.get(path)

    def blocked_by(self, path: str) -> str | None:
        """Return what is in the way of *path*: something other than a file, or a parent that is not a folder.

        A path that differs from it only in case counts as the same path: on many file systems it is.
        """
        for folder in folders_of(path):
            entry = self.get(folder)
            if entry is not None and entry.mode != FOLDER:
                return folder
        for name in (*folders_of(path), path):
            if other := self._other_spelling(name):
                return other
        head = self.get(path)
        below = self._spellings.get(path.casefold(), {}).get(path, ())
        is_folder = any(self.get(each) for each in below if each != path)
        return path if is_folder or (head is not None and not head.is_file) else None

    def _other_spelling(self, name: str) -> str | None:
        spellings = self._spellings.get(name.casefold(), {})
        return next((other for other, paths in spellings.items() if other != name and any(map(self.get, paths))), None)


def folders_of(path: str) -> Sequence[str]:
    """Return the folders above *path*, the top one first."""
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]
