"""Why a phase is as it is: one value per cause, each with its words, and a label to list it under.

Names and values of a plan, paths and authors are hostile text.  The words are one printable line each; what shows them
in Markdown escapes them once more.
"""

from dataclasses import dataclass
from typing import NamedTuple

from bot.history.reasons import meaning
from bot.text import one_line

_SHORT = 7
_MAX_VALUE, _MAX_PATH, _MAX_SENTENCE = 80, 200, 200
_SHOWN_COMMITS = 3


class Change(NamedTuple):
    """A commit that changed something."""

    oid: str
    who: str
    """Who asked for it, else who made it."""

    def __str__(self) -> str:
        """Return ``8c1d220 by alice``."""
        return f"{self.oid[:_SHORT]} by {one_line(self.who, _MAX_VALUE)}" if self.who else self.oid[:_SHORT]


def told(changes: tuple[Change, ...]) -> str:
    """Return commits for a sentence, the newest few: ``8c1d220 by alice, 77aa210 by bob``."""
    more = len(changes) - _SHOWN_COMMITS
    return ", ".join(map(str, changes[-_SHOWN_COMMITS:])) + (f" and {more} more" if more > 0 else "")


@dataclass(frozen=True, slots=True)
class PlanChange:
    """A field of the plan that differs from the plan that the phase was made from."""

    path: str
    """In the plan file: ``entities.Post.fields.title``."""
    subject: str
    """``Post.title``."""
    old: str | None
    """None if it was not there."""
    new: str | None
    by: tuple[Change, ...] = ()
    """The newest change of each property that differs, oldest first; none if only the base moved on."""

    kind = "plan"
    label = "plan"

    @property
    def words(self) -> str:
        subject = one_line(self.subject, _MAX_PATH)
        old, new = (None if each is None else one_line(each, _MAX_VALUE) for each in (self.old, self.new))
        if old is None or new is None:
            text = new if old is None else old
            return f"{subject}: {'added' if old is None else 'removed'}{f', {text}' if text else ''}"
        return f"{subject}: {old or 'nothing'} \u2192 {new or 'nothing'}"


@dataclass(frozen=True, slots=True)
class UnknownPlan:
    """The plan differs, but what the phase was made from can't be read any more."""

    kind = "unknown-plan"
    label = "plan"
    by: tuple[Change, ...] = ()

    @property
    def words(self) -> str:
        return "it differs, or the base has moved on; what the phase was made from can't be read any more"


@dataclass(frozen=True, slots=True)
class RecipeChange:
    """The recipe differs from the one that the phase was made with."""

    name: str
    files: tuple[str, ...] = ()
    """Which of the files that the phase uses differ; empty where only the digest is known."""
    old_name: str = ""
    """The name of the recipe that it was made with, if that is another one."""
    by: tuple[Change, ...] = ()

    kind = "recipe"
    label = "recipe"

    @property
    def words(self) -> str:
        name = one_line(self.name, _MAX_PATH)
        if self.old_name:
            return f"it was made with {one_line(self.old_name, _MAX_PATH)}, not with {name}"
        if self.files:
            return f"{name}: {', '.join(one_line(path, _MAX_PATH) for path in self.files)}"
        return f"{name}: other version than the one it was made with"


@dataclass(frozen=True, slots=True)
class NewerNeed:
    """A phase that this one needs was made after it, or is not there any more."""

    key: str
    by: tuple[Change, ...] = ()

    kind = "newer-need"
    label = "needs"

    @property
    def words(self) -> str:
        return f"{one_line(self.key, _MAX_PATH)} is {'newer' if self.by else 'not made'}"


@dataclass(frozen=True, slots=True)
class Edit:
    """A generated file that people changed or removed."""

    path: str
    by: tuple[Change, ...] = ()
    """Oldest first; none if that was before this run."""
    removed: bool = False

    kind = "edit"

    @property
    def label(self) -> str:
        return "removed" if self.removed else "edited"

    @property
    def words(self) -> str:
        return one_line(self.path, _MAX_PATH) + ("" if self.by else " (before this run)")


@dataclass(frozen=True, slots=True)
class Missing:
    """A file that is still to be made."""

    path: str
    code: str = ""
    """Of :mod:`bot.history.reasons`; empty if history does not say why."""
    by: tuple[Change, ...] = ()

    kind = "missing"
    label = "missing"

    @property
    def words(self) -> str:
        why = f": {meaning(self.code).words}" if self.code else ""
        return one_line(self.path, _MAX_PATH) + why


@dataclass(frozen=True, slots=True)
class Conflict:
    """A file whose new version was dropped for a person's."""

    path: str
    by: tuple[Change, ...] = ()

    kind = "conflict"
    label = "conflict"

    @property
    def words(self) -> str:
        return f"{one_line(self.path, _MAX_PATH)}: people's version stays, the new one was not written"


@dataclass(frozen=True, slots=True)
class Kept:
    """A person's own file that stands where the phase has one."""

    path: str
    by: tuple[Change, ...] = ()

    kind = "kept"
    label = "kept"

    @property
    def words(self) -> str:
        return f"{one_line(self.path, _MAX_PATH)}, a person's own file"


@dataclass(frozen=True, slots=True)
class Reverted:
    """The phase was taken back."""

    by: tuple[Change, ...] = ()

    kind = "reverted"
    label = "reverted"

    @property
    def words(self) -> str:
        return "it was rolled back"


@dataclass(frozen=True, slots=True)
class Unmet:
    """What people ask of the phase and templates, which made it, can't carry out."""

    text: str
    by: tuple[Change, ...] = ()

    kind = "unmet"
    label = "unmet"

    @property
    def words(self) -> str:
        return f"templates can't carry out: {one_line(self.text, _MAX_SENTENCE)}"


@dataclass(frozen=True, slots=True)
class ByPeople:
    """People wrote all of its files."""

    by: tuple[Change, ...] = ()

    kind = "by-people"
    label = "made"

    @property
    def words(self) -> str:
        return "by people, who wrote all of its files"


@dataclass(frozen=True, slots=True)
class NeverMade:
    """This run never made it, or its commit was dropped."""

    by: tuple[Change, ...] = ()

    kind = "never-made"
    label = "made"

    @property
    def words(self) -> str:
        return "never"


Cause = (
    PlanChange
    | UnknownPlan
    | RecipeChange
    | NewerNeed
    | Edit
    | Missing
    | Conflict
    | Kept
    | Reverted
    | Unmet
    | ByPeople
    | NeverMade
)


def sentence(cause: Cause) -> str:
    """Return a cause in one line, with the commits behind it: ``Post.title: string → text, in 8c1d220 by alice``."""
    return f"{cause.words}, in {told(cause.by)}" if cause.by else cause.words


OUTDATING = (PlanChange, UnknownPlan, NewerNeed, RecipeChange)
"""The causes that make a phase outdated, the most important first."""
