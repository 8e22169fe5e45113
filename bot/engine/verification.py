"""Verify a run: execute the recipe's commands on the very tree at head, in a clean place, or read what they said."""

import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bot import __version__
from bot.assessment.outline import Outline
from bot.errors import PushError, UsageError
from bot.generation.templates import render_phase
from bot.history.checkout import OpenRun
from bot.history.run_state import RunState
from bot.planning.path_rules import inside, outside
from bot.planning.phases import PLAN_FILE, PLAN_PHASE
from bot.planning.recipe_model import VerifyCommand
from bot.planning.resolved_plan import ResolvedPlan
from bot.sandbox.protocol import Failure, Run
from bot.verification.blame import Ground, is_test
from bot.verification.faults import Findings
from bot.verification.place import Place, replace_file
from bot.verification.record import Record, format_record, parse_record
from bot.verification.stages import Stage, Staged, changes
from bot.verification.verdict import Verification, Verified
from bot.verification.verify import Project, Surroundings, verify_project

_EXAMPLE = "verify: [{run: [python, -m, pytest, -q], seconds: 300}]"


@dataclass(frozen=True, slots=True)
class VerifiedRun:
    """What the commands said about the head of a run."""

    state: RunState
    record: Record
    is_cached: bool
    """Whether the commands said it earlier, about the same tree."""

    @property
    def verification(self) -> Verification:
        return self.record.verification


class NothingToVerifyError(UsageError):
    """The recipe has no commands that verify."""


def verify_commit(run: OpenRun, head: str, around: Surroundings) -> VerifiedRun:
    """Verify *run* as it was at the commit *head*, whatever came later; the clone's own branch then ends there.

    Raises:
        NothingToVerifyError: The recipe has no commands for it.
        UsageError: The clone lacks the commit, or the run has no plan.
        PhasebotError: The commands can't be run here.
    """
    if run.repository.oid(head) is None:
        raise UsageError(
            f"verifying {run.branch.name}: this clone lacks the commit {head[:10]}; set 'fetch-depth: 0' for "
            "actions/checkout; if it is set, the branch was rewritten meanwhile, so comment /generate again"
        )
    run.repository.git("update-ref", "-m", "phasebot: verify", run.branch.ref, head)
    return verify_run(run, around, again=True)


def read_verified(run: OpenRun, head: str) -> Verified | None:
    """Return what this clone has kept of *run*, seen from the commit *head*; None if nothing was verified."""
    record = parse_record(run.verified.read() or b"") if head else None
    return Verified(record.verification, record.verification.tree == run.files.tree(head)) if record else None


def fetch_verified(run: OpenRun, head: str) -> Verified | None:
    """Do the same for what the remote has kept; None, too, if it does not answer."""
    with suppress(PushError):
        run.verified.fetch()
    return read_verified(run, head)


def verify_run(run: OpenRun, around: Surroundings, *, again: bool = False) -> VerifiedRun:
    """Verify the head of *run*; *again*: also if it was verified before.

    Raises:
        NothingToVerifyError: The recipe has no commands for it.
        UsageError: The run has no plan.
        PhasebotError: The commands can't be run here.
    """
    run.branch.read()
    planned = run.branch.existing_plan()
    state = run.branch.state(planned.phases)
    commands = planned.recipe.verify
    if not commands:
        raise NothingToVerifyError(
            f"verifying {state.branch}: the recipe {planned.recipe.name!r} has no commands for it; "
            f"add a list 'verify' to its recipe.yaml, such as {_EXAMPLE}"
        )
    tree, digest = run.files.tree(state.head), _digest(planned, commands)
    if not again and (kept := _kept(run, digest, tree)):
        return VerifiedRun(state, kept, is_cached=True)
    found = verify_project(commands, tree, partial(_open_project, run, planned, state.head, around.work), around)
    record = Record(digest, found)
    if found.is_conclusive and (text := format_record(record)):
        run.verified.write(text)
    return VerifiedRun(state, record, is_cached=False)


def _kept(run: OpenRun, digest: str, tree: str) -> Record | None:
    """Return what the commands said earlier about the same files, if they would say the same again."""
    kept = parse_record(run.verified.read() or b"")
    is_same = kept is not None and (kept.digest, kept.verification.tree) == (digest, tree)
    return kept if kept and is_same and kept.verification.is_conclusive else None


def _open_project(
    run: OpenRun, planned: ResolvedPlan, head: str, work: Run, place: Place
) -> tuple[Project, Sequence[str]]:
    """Write the project at *head* into *place*; return it with what was left out."""
    output_dir = planned.plan.output_dir
    exported, folder = run.files.export(head, place.tree), place.tree / output_dir

    def write_again(texts: Mapping[str, str]) -> None:
        run.files.export(head, place.tree)
        for path, text in texts.items():
            replace_file(folder, path, text)

    ground = _ground(planned, exported.paths, folder, work)
    project = Project(
        place=place,
        folder=output_dir,
        files=ground.files,
        findings=Findings(ground, output_dir, PLAN_FILE),
        write_again=write_again,
        stages=lambda: _stages(run, planned),
    )
    return project, exported.notes


def _digest(planned: ResolvedPlan, commands: Sequence[VerifyCommand]) -> str:
    """Return the digest of all but the tree that a verification depends on."""
    phases = [[each.key, [*each.files], [*each.rules], each.recipe, each.inputs] for each in planned.phases]
    content = [
        __version__,
        sys.version,
        [each.model_dump(mode="json") for each in commands],
        phases,
        planned.plan.rules,
    ]
    return f"sha256:{hashlib.sha256(json.dumps(content).encode()).hexdigest()}"


def _ground(planned: ResolvedPlan, paths: Sequence[str], folder: Path, work: Run) -> Ground:
    project = planned.plan.output_dir
    files = frozenset(outside(project, path) for path in paths if inside(project, outside(project, path)) == path)
    return Ground(
        files=files,
        owners={outside(project, path): each.key for each in planned.phases for path in each.files},
        rules={each.key: each.rules for each in planned.phases},
        outlines=dict(_outlines(work, folder, sorted(filter(is_test, files)))),
    )


def _stages(run: OpenRun, planned: ResolvedPlan) -> Staged:
    """Render all phases, and return those whose files are not as the templates make them."""
    phases = [each for each in planned.phases if each.key != PLAN_PHASE]
    head = run.branch.texts(planned.phases, [path for each in phases for path in each.files])
    stages, without = list[Stage](), [each.key for each in phases if each.without_template]
    for phase in phases:
        changed = changes(render_phase(planned, phase), head)
        if changed:
            files = {outside(planned.plan.output_dir, path): each for path, each in changed.items()}
            stages.append(Stage(phase.key, files))
    other = {*without, *(each.phase for each in stages)}
    return Staged(stages, without, frozenset(each.key for each in phases) - other)


def _outlines(work: Run, folder: Path, paths: Sequence[str]) -> Iterator[tuple[str, Outline]]:
    """Yield the outlines of the test files, which say what a test is about."""
    code = [path for path in paths if path.endswith(".py") and not (folder / path).is_symlink()]
    texts: Mapping[str, str] = {path: (folder / path).read_text("utf-8", "replace") for path in code}
    for path, found in zip(texts, work("outline", None, [*texts.values()]), strict=True):
        if found and not isinstance(found, Failure):
            yield path, Outline.read(found)
