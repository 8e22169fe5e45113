"""Requests to the engine and their result.  Plain values."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from bot.assessment.finding import Finding
from bot.engine.snapshot import Snapshot
from bot.errors import PhasebotError
from bot.generation.provider_factory import ProviderOptions
from bot.history.run_state import RunState
from bot.history.trailers import Round, Trailers
from bot.planning.resolved_plan import ProseSpec, ResolvedPlan

TEMPLATES = ProviderOptions(provider="template", models=(), thinking="medium")


@dataclass(frozen=True, slots=True)
class Requester:
    """The person on a forge who asked for a run; every commit names them."""

    login: str
    comment: str | None
    """The id of the comment, if there was one."""


def request_trailers(run: str, requester: Requester | None) -> Trailers:
    """Return the trailers that every commit of *run* has in common."""
    if requester is None:
        return Trailers(run=run)
    return Trailers(run=run, requested_by=requester.login, comment=requester.comment)


@dataclass(frozen=True, slots=True)
class Repair:
    """One round of repair."""

    round: Round
    errors: Mapping[str, Sequence[Finding]]
    """Key of a phase → what is wrong in its files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """A request to generate: what one process should do on a run."""

    spec: ResolvedPlan | ProseSpec | None = None
    """What to build; used only if the history has no plan yet."""
    provider: ProviderOptions = TEMPLATES
    only: Collection[str] = ()
    """Keys of the phases to generate; empty for all."""
    regenerate: Collection[str] = ()
    """Keys of finished phases to generate again."""
    instruction: str = ""
    """Extra instruction for the phases in *regenerate*; saved in the plan."""
    discard_edits: bool = False
    """Whether the phases in *regenerate* replace files that people edited or wrote."""
    cascade: bool = False
    """Whether to regenerate outdated phases, too."""
    jobs: int = 8
    """Phases to generate at the same time."""
    seconds: float | None = None
    """Time limit: no phase is started that would probably exceed it."""
    max_tokens: int | None = None
    """Token limit of the whole run, over all its processes."""
    repairs: int = 0
    """In how many rounds a model may mend errors once all is made."""
    repair: Repair | None = None
    """Set if the phases in *regenerate* are made again because of errors: only files that have to change."""
    requester: Requester | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackRequest:
    """A request to roll back phases."""

    phases: Sequence[str]
    to: bool = False
    """Whether to roll back every phase after the one in *phases* instead."""
    cascade: bool = False
    """Whether to roll back the phases that need them, too."""
    discard_edits: bool = False
    """Whether to remove people's edits in their files."""
    requester: Requester | None = None


@dataclass(frozen=True, slots=True)
class RunResult:
    """The result of one process's work on a run."""

    snapshot: Snapshot
    remaining: Sequence[str] = ()
    """Keys of the wanted phases that are not generated yet, in plan order."""
    error: PhasebotError | None = None
    unwritable: Sequence[str] = ()
    """Keys of the wanted phases with files that templates can't write; set only if templates wrote the others."""
    unmet: Sequence[str] = ()
    """Keys of the phases that are generated, but not as people ask, because templates can't do that."""
    notes: Sequence[str] = ()
    """What people should know about their worktrees at the end."""
    out_of_time: bool = False
    """Whether the time limit ended it after some phases were generated, so that another process can continue."""
    errors: Mapping[str, Sequence[Finding]] = field(default_factory=dict)
    """Key of a phase → the errors that checks found in it; only where they were looked for."""

    @property
    def state(self) -> RunState:
        return self.snapshot.state

    @property
    def is_success(self) -> bool:
        """Whether everything that was asked for is done, and nothing is left that people have to resolve."""
        state = self.state
        return not (self.error or self.remaining or self.unmet or state.misplaced or state.conflicts)

    @property
    def stuck(self) -> Sequence[str]:
        """Keys of the remaining phases that templates can't write, or that wait for one of those, in plan order."""
        found = set(self.unwritable)
        for each in self.state.phases:  # what a phase needs comes before it
            if each.phase.key in self.remaining and found.intersection(each.phase.needs):
                found.add(each.phase.key)
        return [key for key in self.remaining if key in found]

    @property
    def blocked_by(self) -> Sequence[str]:
        """Keys of unfinished phases that :attr:`remaining` needs and nobody asked for, in plan order."""
        needed = {need for each in self.state.phases if each.phase.key in self.remaining for need in each.phase.needs}
        unfinished = [each.phase.key for each in self.state.phases if each.wanted]
        return [key for key in unfinished if key in needed and key not in self.remaining]
