"""Assess a run: read what stands at head, and find what is wrong with it, without executing anything of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.assessment.assess import find_all
from bot.assessment.coverage import Asked
from bot.assessment.finding import Finding
from bot.assessment.outline import read_outlines
from bot.assessment.project import Project
from bot.assessment.ruff import diagnose
from bot.assessment.syntax import is_installed
from bot.assessment.syntax_faults import find_syntax_faults
from bot.generation.templates import render_phase
from bot.history.checkout import OpenRun
from bot.history.reasons import Reason
from bot.history.run_state import PhaseState, RunState
from bot.planning.path_rules import outside
from bot.planning.phases import PLAN_PHASE
from bot.planning.resolved_plan import ResolvedPlan
from bot.sandbox.protocol import Failure, Run
from bot.sandbox.worker import shared_worker

_TEMPLATE = "template"


@dataclass(frozen=True, slots=True)
class Assessment:
    """The findings about the head of a run."""

    state: RunState
    findings: Sequence[Finding]
    notes: Sequence[str] = ()
    """What could not be checked, and what to do about it."""

    @property
    def errors(self) -> Sequence[Finding]:
        return [each for each in self.findings if each.severity == "error"]


def assess_run(run: OpenRun) -> Assessment:
    """Assess the head of *run*.

    Raises:
        UsageError: The run has no plan.
        PhasebotError: ruff gave no answer.
    """
    run.branch.read()
    planned = run.branch.existing_plan()
    state = run.branch.state(planned.phases)
    work = shared_worker().run
    folder = planned.plan.output_dir
    texts = run.branch.project_texts(folder, planned.phases)
    owners = {outside(folder, path): each.phase.key for each in state.phases for path in each.phase.files}
    code = {path: text for path, text in texts.items() if path.endswith(".py")}
    project = Project(
        outlines=read_outlines(work, code),
        texts=texts,
        owners=owners,
        folder=folder,
        coming=frozenset(outside(folder, path) for each in state.phases for path in _coming(each)) - texts.keys(),
        as_made=frozenset(outside(folder, path) for path in _as_made(run, planned, state)),
    )
    owned = {path: text for path, text in texts.items() if path in owners}
    patterns = planned.recipe.languages
    syntax, notes = find_syntax_faults(owned, patterns, work, has_grammars=bool(patterns) and is_installed())
    findings = find_all(
        project,
        references=read_outlines(work, dict(_references(run, planned, state, texts))),
        asked=[_asked(each, folder) for each in state.phases if each.status == "complete"],
        rules=planned.plan.rules,
        faults=_faults(work, owned),
        diagnoses=diagnose(code),
        syntax=syntax,
    )
    return Assessment(state, findings, notes)


def _coming(each: PhaseState) -> Sequence[str]:
    return each.wanted if each.status != "complete" else ()


def _as_made(run: OpenRun, planned: ResolvedPlan, state: RunState) -> Iterator[str]:
    """Yield the files that templates made and nobody edited."""
    ledger = run.branch.ledger(planned.phases)
    for each in state.phases:
        record = ledger.record(each.phase.key)
        if record and record.trailers.provider == _TEMPLATE:
            yield from (path for path in each.files if path not in each.edited)


def _faults(work: Run, texts: Mapping[str, str]) -> Mapping[str, Reason]:
    """Return why files could not be committed if a model wrote them; what breaks a limit is one of the reasons."""
    found = zip(texts, work("judge", None, [*texts.items()]), strict=True)
    return {
        path: Reason("unfit", each.what) if isinstance(each, Failure) else Reason(*each) for path, each in found if each
    }


def _references(
    run: OpenRun, planned: ResolvedPlan, state: RunState, texts: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield what templates make for Python files that a model wrote or a person edited: path → text."""
    ledger = run.branch.ledger(planned.phases)
    for each in state.phases:
        record = ledger.record(each.phase.key)
        if each.phase.key == PLAN_PHASE or record is None or each.status in ("pending", "reverted"):
            continue
        by_template = record.trailers.provider == _TEMPLATE
        if by_template and not each.edited:
            continue
        for path, text in render_phase(planned, each.phase).items():
            within = outside(planned.plan.output_dir, path)
            if path.endswith(".py") and within in texts and (path in each.edited or not by_template):
                yield within, text


def _asked(each: PhaseState, folder: str) -> Asked:
    item = each.phase.slice.get("item") or {}
    return Asked(
        each.phase.key,
        [outside(folder, path) for path in each.phase.files],
        each.phase.rules if not each.unmet else (),
        item.get("does", ""),
    )
