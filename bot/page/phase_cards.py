"""One card for each phase: its state, commit, files with sizes, causes, findings and cost.  Pure."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from bot.assessment.finding import Finding
from bot.history.causes import Cause, sentence
from bot.history.explanation_words import OUTDATED
from bot.history.reasons import meaning
from bot.history.run_state import Commit, PhaseState
from bot.page.page_facts import PageFacts
from bot.page.web_address import page_of
from bot.page.wording import count
from bot.planning.phases import PLAN_PHASE

Tone = Literal["good", "warn", "bad", "idle"]

_SHORT, _MAX_CAUSES, _MAX_FINDINGS = 7, 20, 50


class FileRow(NamedTuple):
    """A file of a phase."""

    path: str
    size: int | None
    """None if it is not there, or not known."""
    mark: str
    """``edited``, ``conflict``, ``missing: timed out`` …"""
    tone: Tone
    url: str


class PhaseCard(NamedTuple):
    """A phase."""

    anchor: str
    place: int
    key: str
    title: str
    word: str
    tone: Tone
    commit: str
    url: str
    time: int
    made_by: str
    files: Sequence[FileRow]
    total: int
    """How many files it has when it is done."""
    size: int
    causes: Sequence[tuple[str, str]]
    """Label and words."""
    findings: Sequence[Finding]
    tokens: int
    cost: str
    rules: Sequence[str]

    @property
    def made(self) -> int:
        """How many files are there."""
        return sum(each.size is not None or not each.mark.startswith("missing") for each in self.files)

    @property
    def is_notable(self) -> bool:
        return self.tone != "good" or bool(self.causes or self.findings)


def phase_cards(facts: PageFacts) -> Sequence[PhaseCard]:
    """Return the cards in plan order."""
    commits = {each.oid: each for each in facts.commits}
    return [_card(each, facts, commits) for each in facts.state.phases]


def _card(state: PhaseState, facts: PageFacts, commits: Mapping[str, Commit]) -> PhaseCard:
    key = state.phase.key
    commit = commits.get(state.commit or "")
    explained = facts.explained.get(key)
    causes = explained.causes if explained else ()
    errors = facts.verified.errors.get(key, ()) if facts.verified else ()
    files = _files(state, facts)
    word, tone = _word(state, has_errors=bool(errors))
    return PhaseCard(
        anchor=f"p{state.phase.place}",
        place=state.phase.place,
        key=key,
        title=state.phase.title,
        word=word,
        tone=tone,
        commit=(state.commit or "")[:_SHORT],
        url=page_of(facts.repository, "commit", state.commit) if state.commit else "",
        time=commit.time if commit else 0,
        made_by="people" if state.by_people else facts.makers.get(key, ""),
        files=files,
        total=state.total,
        size=sum(each.size or 0 for each in files),
        causes=_causes(state, causes),
        findings=errors[:_MAX_FINDINGS],
        tokens=sum(state.tokens),
        cost=facts.costs.get(key, ""),
        rules=state.phase.rules if key != PLAN_PHASE else (),
    )


def _word(state: PhaseState, *, has_errors: bool) -> tuple[str, Tone]:
    """Return the most important thing to say of a phase."""
    is_pending = state.status == "pending" and not state.by_people and not state.unmet
    said: Sequence[tuple[bool, str, Tone]] = (
        (bool(state.open_conflicts), "conflict", "bad"),
        (has_errors, "errors found", "bad"),
        (state.findings_left > 0, f"{count(state.findings_left, 'error')} left", "bad"),
        (state.status == "partial" or (state.status == "complete" and bool(state.missing)), "partial", "warn"),
        (state.status == "reverted", "rolled back", "idle"),
        (is_pending, "pending", "idle"),
        (bool(state.unmet), "not all carried out", "warn"),
        (state.stale is not None, "outdated", "warn"),
    )
    return next(((word, tone) for applies, word, tone in said if applies), ("complete", "good"))


def _files(state: PhaseState, facts: PageFacts) -> Sequence[FileRow]:
    here = dict.fromkeys((*state.files, *state.kept, *state.edited))
    listed = [*here, *(path for path in dict.fromkeys((*state.missing, *state.wanted)) if path not in here)]
    return [_file(path, state, facts, is_here=path in here) for path in listed]


def _file(path: str, state: PhaseState, facts: PageFacts, *, is_here: bool) -> FileRow:
    mark, tone = _mark(path, state, is_here=is_here)
    found = facts.sizes.get(path)
    url = page_of(facts.repository, "blob", facts.state.head, path) if found is not None else ""
    return FileRow(path, found, mark, tone, url)


def _mark(path: str, state: PhaseState, *, is_here: bool) -> tuple[str, Tone]:
    if path in state.removed:
        return "removed by people", "idle"
    if path in state.open_conflicts:
        return "conflict: people's version stays", "bad"
    if path in state.missing or not is_here:
        code = state.reasons.get(path, "")
        return ("missing" + (f": {meaning(code).words}" if code else ""), "warn")
    if path in state.kept:
        return "people's own file", "idle"
    if path in state.edited:
        return "edited by people", "idle"
    return ("from the template" if path in state.fallback else "", "good")


def _causes(state: PhaseState, causes: Sequence[Cause]) -> Sequence[tuple[str, str]]:
    told = [(each.label, sentence(each)) for each in causes[:_MAX_CAUSES]]
    if state.stale and not any(each.kind in ("plan", "newer-need", "recipe", "unknown-plan") for each in causes):
        told.insert(0, ("outdated", OUTDATED[state.stale]))
    more = len(causes) - _MAX_CAUSES
    return [*told, *([("", f"and {more} more")] if more > 0 else [])]
