"""What was verified, for the page.  Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from bot.assessment.finding import Finding
from bot.history.run_state import RunState
from bot.page.wording import count, span
from bot.verification.verdict import IN_WORDS, Verified

_MAX_FINDINGS = 200


class CommandLine(NamedTuple):
    """What one command came to."""

    name: str
    told: str
    tone: str


class Verdict(NamedTuple):
    """What is known about the files at head."""

    word: str
    tone: str
    told: str
    commands: Sequence[CommandLine] = ()
    findings: Sequence[Finding] = ()
    more: int = 0
    """How many findings are not shown."""
    left: Sequence[tuple[str, int]] = ()
    """Phases whose commits record errors that a model left, and how many."""


def verdict(verified: Verified | None, state: RunState) -> Verdict:
    """Return what is known; of an earlier tree it is only told that there was a verification."""
    left = [(each.phase.key, each.findings_left) for each in state.phases if each.findings_left]
    if verified is None:
        return Verdict("not yet verified", "idle", "Nobody has run the project's own checks and tests.", left=left)
    if not verified.is_current:
        told = "Files changed since the last verification, so what it found may not hold any more."
        return Verdict("not yet verified", "idle", told, left=left)
    found = verified.verification
    commands = [
        CommandLine(
            each.name,
            ", ".join(filter(None, [IN_WORDS[each.ending], str(each.tests or ""), span(each.seconds)])),
            "good" if each.ending == "passed" and not each.findings else "bad",
        )
        for each in found.commands
    ]
    if found.is_verified:
        word, tone = "verified", "good"
    else:
        word, tone = (count(len(found.errors), "error"), "bad") if found.errors else ("could not be verified", "warn")
    told = f"{found.tests}." if found.tests else f"{count(len(found.commands), 'command')} executed."
    shown = found.findings[:_MAX_FINDINGS]
    return Verdict(word, tone, told, commands, shown, len(found.findings) - len(shown), left)
