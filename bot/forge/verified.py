"""What a verification came to, in words: for a commit's status, and as Markdown.  Pure.

A job that executes generated code hands over what it found, so every text of it is untrusted.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from bot.assessment.finding import Finding
from bot.forge.client import StatusState
from bot.forge.markdown import code, line
from bot.text import count, one_line, truncate
from bot.verification.verdict import IN_WORDS, Verification, Verified

_MAX_DESCRIPTION = 140
"""Characters; GitHub refuses longer ones."""
_MAX_COMMAND, _MAX_PLACE, _MAX_MESSAGE, _MAX_FINDINGS = 60, 200, 300, 5


class CommitStatus(NamedTuple):
    """What stands beside a commit."""

    state: StatusState
    description: str


def status_of(found: Verification, *, is_complete: bool) -> CommitStatus:
    """Return the status of the commit whose files *found* is about."""
    state: StatusState = "success" if found.is_verified else "failure" if found.is_telling else "error"
    unfinished = "" if is_complete else "; the run is not complete"
    return CommitStatus(state, f"{truncate(_in_words(found), _MAX_DESCRIPTION - len(unfinished))}{unfinished}")


def status_without(problem: str) -> CommitStatus:
    """Return the status of a commit that could not be verified because of *problem*."""
    return CommitStatus("error", one_line(f"could not be verified: {problem}", _MAX_DESCRIPTION))


def errors_of(verified: Verified | None, phase: str) -> Sequence[Finding]:
    """Return the errors in the files at head that are in *phase*."""
    return verified.errors.get(phase, ()) if verified else ()


def shown(errors: Sequence[Finding]) -> tuple[Sequence[tuple[str, str]], int]:
    """Return place and message of the first of *errors*, and how many more there are."""
    first = [
        (truncate(each.place, _MAX_PLACE), truncate(each.message, _MAX_MESSAGE)) for each in errors[:_MAX_FINDINGS]
    ]
    return first, len(errors) - len(first)


def render_verdict(verified: Verified | None, phases: Collection[str]) -> str:
    """Return what was verified of the files at head, and the errors that are in no phase; empty if nothing was."""
    if verified is None:
        return ""
    if not verified.is_current:
        return "**Not yet verified:** files changed since the last verification."
    found = verified.verification
    words = line(_in_words(found))
    if found.is_verified:
        return f"**Verified:** {words}."
    tests = f" ({found.tests})" if found.tests else ""
    others = [each for phase, group in verified.errors.items() if phase not in phases for each in group]
    listed, more = shown(others)
    rows = [f"- {code(place)} {line(message)}" for place, message in listed]
    rows += [f"- and {count(more, 'more error')}"] if more else []
    remedy = f" Comment {code('/fix')} to let a model mend what it can." if found.errors else ""
    return "\n".join([f"**Not verified:** {words}{tests}.{remedy}", *(["", *rows] if rows else [])])


def _in_words(found: Verification) -> str:
    """Return ``75 tests passed``, ``3 errors in 2 phases``, or why nothing can be said."""
    errors = found.errors
    if found.is_verified:
        warnings = len(found.findings)
        told = str(found.tests) if found.tests else f"{count(len(found.commands), 'command')} passed"
        return f"{told}, {count(warnings, 'warning')}" if warnings else told
    if errors:
        phases = {each.phase for each in errors if each.phase}
        return count(len(errors), "error") + (f" in {count(len(phases), 'phase')}" if phases else "")
    last = next((each for each in found.commands if each.ending != "passed"), None)
    why = f"{one_line(last.name, _MAX_COMMAND)!r} {IN_WORDS[last.ending]}" if last else "not all commands were run"
    return f"could not be verified: {why}"
