"""The branch of one run, as it was last read: its commits, its plan, and the state that they add up to."""

from collections.abc import Mapping, Sequence

from bot.errors import UsageError
from bot.history.ledger import Ledger, derive_state
from bot.history.plan_reader import PlanFile, PlanReader
from bot.history.remote import Remote
from bot.history.repository import BRANCHES, Repository, branch_ref
from bot.history.run_state import Commit, RunState
from bot.planning.phases import Phase
from bot.planning.resolved_plan import ResolvedPlan


class RunBranch:
    """``phasebot/<run>``, on top of the base it was started from."""

    def __init__(
        self, repository: Repository, plans: PlanReader, run: str, *, base: str, remote: Remote | None
    ) -> None:
        """Name the branch; :meth:`read` reads it.  *remote* is where it is pushed to, if anywhere."""
        self.run = run
        self.name = f"{BRANCHES}{run}"
        self.ref = branch_ref(run)
        self.base = base
        self.plans = plans
        self.head: str | None = None
        self.fork: str | None = None
        """The commit of the base that the branch starts from, or will start from."""
        self.commits: list[Commit] = []
        """The branch's own commits, oldest first."""
        self._repository, self._remote = repository, remote
        self._ledger: Ledger | None = None
        self._phases: Sequence[Phase] = ()

    def read(self) -> None:
        """Read the local branch again; where there is none, what is known of the remote's."""
        self.head = self._repository.oid(self.ref) or self._tracked
        self.fork = self.fork_of(self.head)
        self.commits = self._repository.log(self.fork, self.head) if self.head else []
        self._ledger = None

    @property
    def _tracked(self) -> str | None:
        return self._repository.oid(self._remote.tracking(self.name)) if self._remote else None

    def fork_of(self, head: str | None) -> str | None:
        """Return the commit at which *head* left the base; without a head, the base itself."""
        base = self._repository.base_oid(self.base, self._remote.name if self._remote else None)
        if head is None:
            return base
        fork = self._repository.merge_base(base, head) if base else None
        if fork in (None, head):  # unrelated, or merged already: the run's first commit says where it began
            return self._repository.before_run(self.run, head)
        return fork

    def append(self, commit: Commit) -> None:
        """Take note of a commit that was just put on head."""
        self.commits.append(commit)
        self.head = commit.oid
        if self._ledger:
            self._ledger.add(commit)

    def plan_file(self) -> PlanFile | None:
        """Return the plan file at head; None when the history holds none.

        Raises:
            UsageError: A later commit removed it, or it is not text.
        """
        return self.plans.at_head(self.name, self.run, self.fork, self.commits)

    def plan(self) -> ResolvedPlan | None:
        """Return the plan at head; None when the history holds none.

        Raises:
            UsageError: A later commit removed or broke the plan file.
        """
        found = self.plan_file()
        return self.plans.resolve(found) if found else None

    def existing_plan(self) -> ResolvedPlan:
        """Return the plan at head.

        Raises:
            UsageError: There is none, or a later commit removed or broke it.
        """
        plan = self.plan()
        if plan is None:
            raise UsageError(f"reading {self.name}: it holds no plan; start the run with 'phasebot generate SPEC'")
        return plan

    def base_plan(self, output_dir: str) -> ResolvedPlan | None:
        """Return the plan that the base holds in *output_dir*, merged there by an earlier run; None without one.

        Raises:
            UsageError: It is broken.
        """
        return self.plans.in_base(self.fork, output_dir)

    def ledger(self, phases: Sequence[Phase]) -> Ledger:
        """Return what the history adds up to for *phases*; kept until the branch is read again."""
        if self._ledger is None or self._phases is not phases:
            self._ledger, self._phases = self._derive(phases), phases
        return self._ledger

    def _derive(self, phases: Sequence[Phase]) -> Ledger:
        owned = _owners([*phases, *self._earlier_phases(phases)])
        parts = [path.split("/") for path in owned]
        folders = {"/".join(part[:depth]) for part in parts for depth in range(1, len(part))}
        base = self._repository.entries(self.fork, sorted({*owned, *folders})) if self.fork else {}
        inherited = self.plans.inherited(_plan_path(phases), self.fork) if phases else None
        return derive_state(self.run, base, self.commits, owners=owned, inherited=inherited)

    def _earlier_phases(self, phases: Sequence[Phase]) -> Sequence[Phase]:
        """Return the phases of every plan that the branch or its base has held, newest plan first."""
        plans = self.plans.earlier(_plan_path(phases), self.fork, self.commits) if phases else ()
        return [phase for plan in plans for phase in plan.phases]

    def removed_phases(self, phases: Sequence[Phase]) -> Mapping[str, Sequence[str]]:
        """Return the generated phases that the plan no longer has → their files that still exist."""
        ledger, found = self.ledger(phases), dict[str, Sequence[str]]()
        known = {phase.key for phase in phases}
        kept = {path for phase in phases for path in phase.files}
        for phase in self._earlier_phases(phases):
            if phase.key not in known and phase.key not in found and ledger.stands(phase.key, phase.files):
                found[phase.key] = [path for path in phase.files if path not in kept and ledger.file(path).head]
        return found

    def texts(self, phases: Sequence[Phase], paths: Sequence[str]) -> dict[str, str]:
        """Return the text files at *paths* as they are at head; missing and binary ones are left out."""
        ledger = self.ledger(phases)
        entries = {path: entry for path in paths if (entry := ledger.file(path).head) and entry.is_file}
        found = self._repository.blobs([entry.oid for entry in entries.values()])
        texts = {path: _text(content) for path, content in zip(entries, found, strict=True)}
        return {path: text for path, text in texts.items() if text is not None}

    def token_counts(self) -> Sequence[int]:
        """Return the tokens of each commit of the run that used some."""
        ours = (commit.trailers for commit in self.commits if commit.trailers and commit.trailers.run == self.run)
        return [sum(trailers.tokens) for trailers in ours if trailers.tokens]

    def state(self, phases: Sequence[Phase]) -> RunState:
        """Return the whole state of the run, in plan order."""
        ledger = self.ledger(phases)
        return RunState(
            run=self.run,
            branch=self.name,
            base=self.base,
            head=self.head or "",
            phases=tuple(ledger.state(phase) for phase in phases),
            tokens=ledger.tokens,
            models=dict(ledger.models),
            pushed=self._remote is not None and self._tracked == self.head,
        )


def _plan_path(phases: Sequence[Phase]) -> str:
    return next(iter(phases[0].files))


def _owners(phases: Sequence[Phase]) -> Mapping[str, set[str]]:
    """Return the keys of the phases that each path belongs to, or belonged to."""
    owned: dict[str, set[str]] = {}
    for phase in phases:
        for path in phase.files:
            owned.setdefault(path, set()).add(phase.key)
    return owned


def _text(content: bytes) -> str | None:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None
