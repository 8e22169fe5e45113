"""What one check of the doctor found."""

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple

from bot.errors import PhasebotError
from bot.text import one_line

State = Literal["ok", "problem", "unknown"]
_MAX = 400


class Check(NamedTuple):
    """One line of the doctor's."""

    state: State
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        line = f"{self.state:<7}  {one_line(self.what, _MAX)}"
        return f"{line}  — {one_line(self.remedy, _MAX)}" if self.remedy else line


def guarded(what: str, checks: Callable[[], Iterable[Check]]) -> Iterator[Check]:
    """Yield what *checks* finds; an error of theirs is a problem with *what*, and ends only them."""
    try:
        yield from checks()
    except PhasebotError as exc:
        yield Check("problem", f"{what}: {exc}")
