"""What people can do next about a run, each with its command.  Pure."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bot.history.reasons import count_reasons
from bot.history.run_state import RunState
from bot.history.shortfalls import find_shortfalls
from bot.page.page_facts import PageFacts
from bot.text import one_line

_MAX_KEY, _MAX_STEPS = 100, 12


class Step(NamedTuple):
    """One thing to do."""

    what: str
    why: str = ""
    command: str = ""


def headline(state: RunState) -> tuple[str, str]:
    """Return the state of the run in a word or two, and its tone: ``good``, ``warn`` or ``idle``."""
    if state.fault:
        return "the plan can't be read", "bad"
    if state.complete:
        return "complete", "good"
    if state.finished:
        number = len(state.conflicts)
        return f"complete with {number} conflict{'' if number == 1 else 's'}", "warn"
    return "incomplete", "warn" if any(each.files for each in state.phases) else "idle"


def next_steps(facts: PageFacts) -> Sequence[Step]:
    """Return what to do, the most important first; nothing if the run is complete and up to date."""
    found = [*_steps(facts)]
    more = len(found) - _MAX_STEPS
    return found if more <= 0 else [*found[:_MAX_STEPS], Step(f"and {more} more, which the phases below tell")]


def _steps(facts: PageFacts) -> Iterator[Step]:
    state, by_comments = facts.state, facts.by_comments
    base = "/" if by_comments else "phasebot "
    run = "" if by_comments else f" --run {state.run}"
    if state.fault:
        yield Step("Correct the plan file", state.fault.message)
        return
    for each in state.phases:
        if paths := [path for path in each.open_conflicts if path not in each.blocked]:
            key = one_line(each.phase.key, _MAX_KEY)
            what = f"Resolve the conflict in {', '.join(paths)}"
            why = "People's version stays. Edit and commit it, or take the new one, which drops all edits in this phase"
            yield Step(what, why, f"{base}regenerate {key}{run} --discard-edits")
    blocked = dict.fromkeys(name for each in state.phases for name in each.blocked.values())
    for name in blocked:
        yield Step(f"Move {name} on {state.branch}", "It is in the way of generated files", f"{base}generate{run}")
    left = sum(1 for each in state.phases if each.wanted)
    if left:
        reasons = "; ".join(each.words for each in count_reasons(state, {}))
        what = f"Generate what is left: {left} phase{'' if left == 1 else 's'}"
        yield Step(what, f"Files are missing: {reasons}" if reasons else "", f"{base}generate{run}")
    for short in find_shortfalls(state):
        yield Step(f"{short.words[0].upper()}{short.words[1:]}", short.on_forge if by_comments else short.remedy)
    outdated = [each.phase.key for each in state.phases if each.stale == "dependency" and not each.wanted]
    if outdated:
        names = ", ".join(one_line(key, _MAX_KEY) for key in outdated[:3])
        more = f" and {len(outdated) - 3} more" if len(outdated) > 3 else ""  # noqa: PLR2004
        yield Step(
            f"Bring up to date, if you like: {names}{more}",
            "A phase that they need is newer",
            f"{base}generate{run} --cascade",
        )
    if facts.verified and facts.verified.is_current and facts.verified.verification.errors:
        yield Step("Let a model mend what the verification found", "", f"{base}fix{run}")
