"""The branch of one run as it was last read: its commits, its plan and the state derived from them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from bot.errors import UsageError
from bot.history.base import Base, BaseChooser
from bot.history.head_tree import folders_of
from bot.history.ledger import Ledger
from bot.history.makers import notes_on_makers
from bot.history.migrations import BranchPoints
from bot.history.origins import Origins
from bot.history.plan_reader import BrokenPlanError, PlanFile, PlanReader
from bot.history.remote import Remote
from bot.history.repository import BRANCHES, Identity, Repository, branch_ref
from bot.history.run_history import RunHistory, find_start, read_history
from bot.history.run_state import FOLDER, Commit, Entry, Generated, RunState
from bot.history.three_way_merge import diff_content
from bot.planning.phases import Phase, misplaced_instructions
from bot.planning.resolved_plan import ResolvedPlan

_LARGE = 1_000_000
"""Files with more bytes than this are not read as texts of a project."""


class BranchView(NamedTuple):
    """A branch as people see it, also if its plan can't be read."""

    plan: ResolvedPlan | None
    """The plan at head, or the last one that could be read."""
    state: RunState
    error: BrokenPlanError | None


class RunBranch:
    """The branch ``phasebot/<run>``, which starts at a commit of its base."""

    def __init__(
        self,
        repository: Repository,
        plans: PlanReader,
        run: str,
        *,
        bases: BaseChooser,
        remote: Remote | None,
        bot: Identity | None = None,
    ) -> None:
        """Create an empty view of the branch; :meth:`read` fills it.

        *remote* has the remote-tracking branch.  If *bot* is given, only what it made counts as generated.
        """
        self.run = run
        self.name = f"{BRANCHES}{run}"
        self.ref = branch_ref(run)
        self.base = Base("")
        """What the branch starts from and is merged into."""
        self.plans = plans
        self.head: str | None = None
        self.fork: str | None = None
        """The commit of the base at which the branch starts or will start."""
        self.shared: str | None = None
        """The newest commit that the branch and the base have in common: the fork, until the run is merged."""
        self.merged: Collection[str] = ()
        """Those of the commits that the base has, because the run was merged into it."""
        self.commits: list[Commit] = []
        """The branch's own commits, oldest first."""
        self._unchecked: list[Commit] = []
        self._repository, self._remote = repository, remote
        self._bases, self._bot = bases, bot
        self._ledger: Ledger | None = None
        self._phases: Sequence[Phase] = ()

    def read(self) -> None:
        """Read the local branch again, or the remote-tracking branch if there is no local one.

        Raises:
            UsageError: See :meth:`bot.history.base.BaseChooser.decide`.
            PushError: The same.
        """
        self.head = self._repository.oid(self.ref) or self._tracked_oid or self._fetch_new()
        self.base, history = self._history(self.head)
        self.plans.base_files.commit = self.base.oid or history.fork
        self.fork, self.shared, self.merged = history.fork, history.shared, history.merged
        self.commits = list(history.commits)
        self.plans.migrations.points = BranchPoints(
            fork=history.fork,
            base=self.base.oid,
            writers={
                (path, entry.oid): commit.oid
                for commit in self.commits
                for path, entry in commit.changes.items()
                if entry
            },
            is_up_to_date=history.shared == self.base.oid,
        )
        self._unchecked = []
        self._ledger = None

    @property
    def has_remote(self) -> bool:
        return self._remote is not None

    @property
    def remote_url(self) -> str:
        """The URL of the remote, as the clone's configuration has it; empty without one."""
        return self._remote.url if self._remote else ""

    @property
    def _tracked_oid(self) -> str | None:
        return self._repository.oid(self._remote.tracking_ref(self.name)) if self._remote else None

    def _fetch_new(self) -> str | None:
        """Fetch the branch of a run that nothing here knows, if the remote has it."""
        look = self._bases.look()
        return self._remote.fetch(self.name) if self._remote and look and self.name in look.names else None

    def history(self, head: str) -> RunHistory:
        """Return the run's commits up to *head*."""
        return self._history(head)[1]

    def _history(self, head: str | None) -> tuple[Base, RunHistory]:
        """Return the base, and the run's commits up to *head*; without a head, none on top of the base."""
        start = find_start(self._repository, self.run, head, self._bot) if head else None
        if start and self._repository.is_cut_off(start.oid):
            raise UsageError(
                f"reading {self.name}: this clone is too shallow to hold the whole run; run 'git fetch --unshallow'"
            )
        base = self._bases.decide(self.run, start)
        if head is None:
            return base, RunHistory(base.oid, (), base.oid)
        return base, read_history(self._repository, self.run, head, base.oid, start, self._bot)

    @property
    def notes(self) -> Sequence[str]:
        """What people should know about the base, and about commits that say to be the bot's."""
        return [*self.base.notes, *notes_on_makers(self.name, self.commits, self._bot)]

    def append(self, commit: Commit) -> None:
        """Add a commit that was just made on top of head."""
        self.commits.append(commit)
        self._unchecked.append(commit)
        self.head = commit.oid
        if self._ledger:
            self._ledger.add(commit)

    def take_unchecked(self) -> Sequence[Commit]:
        """Return the commits that were added since the last call or :meth:`read`, with the changes they should have."""
        unchecked, self._unchecked = self._unchecked, []
        return unchecked

    def plan_file(self) -> PlanFile | None:
        """Return the plan file at head; None if there is none.

        Raises:
            BrokenPlanError: A later commit removed it, or it is not text.
        """
        return self.plans.at_head(self.name, self.run, self.fork, self.commits)

    def plan(self) -> ResolvedPlan | None:
        """Return the plan at head; None if there is none.

        Raises:
            BrokenPlanError: A later commit removed or broke the plan file.
        """
        found = self.plan_file()
        return self.plans.resolve(found) if found else None

    def versions(self, path: str) -> Collection[str]:
        """Return the blobs that the branch, or the commit it started from, ever had at *path*."""
        entries = [commit.changes.get(path) for commit in self.commits]
        entries += self._repository.entries(self.fork, [path]).values() if self.fork else []
        return {entry.oid for entry in entries if entry}

    def existing_plan(self) -> ResolvedPlan:
        """Return the plan at head.

        Raises:
            UsageError: There is no plan, or a later commit removed or broke it.
        """
        plan = self.plan()
        if plan is None:
            raise UsageError(f"reading {self.name}: it has no plan; start the run with 'phasebot generate SPEC'")
        return plan

    def base_plan(self, output_dir: str) -> ResolvedPlan | None:
        """Return the plan of an earlier, merged run in *output_dir* of the base; None if there is none.

        Raises:
            UsageError: The plan is invalid.
        """
        return self.plans.in_base(self.fork, output_dir)

    def ledger(self, phases: Sequence[Phase]) -> Ledger:
        """Return the ledger of the branch for *phases*; cached until the branch is read again."""
        if self._ledger is None or self._phases is not phases:
            self._ledger, self._phases = self._derive(phases), phases
        return self._ledger

    def _derive(self, phases: Sequence[Phase]) -> Ledger:
        ledger = self.first_ledger(phases)
        for commit in self.commits:
            ledger.add(commit)
        return ledger

    def first_ledger(self, phases: Sequence[Phase]) -> Ledger:
        """Return a ledger for *phases* that has read none of the commits yet."""
        owners = _owners([*phases, *self._earlier_phases(phases)])
        made = {path for commit in self.commits if commit.trailers for path in commit.changes}
        base = self._base_entries({*owners, *made}) if self.fork else {}
        inherited = self.plans.inherited(_plan_path(phases), self.fork) if phases else None
        return Ledger(self.run, base, owners=owners, inherited=inherited, phases=phases)

    def _base_entries(self, paths: Collection[str]) -> Mapping[str, Entry]:
        """Return what the base has at *paths* and their folders, also where only the case of a letter differs."""
        assert self.fork, "there is a base"  # noqa: S101
        folders = {folder for path in paths for folder in folders_of(path)}
        taken = {path.casefold() for path in (*paths, *folders)}
        found = self._repository.children(self.fork, sorted(folders))
        entries = {path: entry for path, entry in found.items() if path.casefold() in taken}
        of_folders = [path for path, entry in entries.items() if entry.mode == FOLDER]
        there = self._repository.entries(self.head, of_folders) if self.head else entries  # commits name files only
        return {path: entry for path, entry in entries.items() if entry.mode != FOLDER or path in there}

    def _earlier_phases(self, phases: Sequence[Phase]) -> Sequence[Phase]:
        """Return the phases of every plan that the branch or its base ever had, newest plan first."""
        plans = self.plans.all_plans(_plan_path(phases), self.fork, self.commits) if phases else ()
        return [phase for plan in plans for phase in plan.phases]

    def removed_phases(self, phases: Sequence[Phase]) -> Mapping[str, Sequence[str]]:
        """Return the generated phases that are no longer in the plan: key → files that still exist."""
        ledger, found = self.ledger(phases), dict[str, Sequence[str]]()
        known = {phase.key for phase in phases}
        kept = {path for phase in phases for path in phase.files}
        for phase in self._earlier_phases(phases):
            if phase.key not in known and phase.key not in found and ledger.is_present(phase.key, phase.files):
                found[phase.key] = [path for path in phase.files if path not in kept and ledger.file(path).head]
        return found

    def texts(self, phases: Sequence[Phase], paths: Sequence[str]) -> dict[str, str]:
        """Return the text files at *paths* in head; missing and binary ones are left out."""
        ledger = self.ledger(phases)
        entries = {path: entry for path in paths if (entry := ledger.file(path).head) and entry.is_file}
        found = self._repository.blobs([entry.oid for entry in entries.values()])
        texts = {path: _text(content) for path, content in zip(entries, found, strict=True)}
        return {path: text for path, text in texts.items() if text is not None}

    def project_texts(
        self, folder: str, phases: Sequence[Phase], known: dict[str, str | None] | None = None
    ) -> dict[str, str]:
        """Return the project in *folder* at head: all its Python files, and the text files that *phases* own.

        The paths are those inside *folder*. Links, binary files and what is larger than a megabyte are left out. Blobs
        whose texts are *known*, by their ids, are not read again; the others are added there.
        """
        known = {} if known is None else known
        prefix = "" if folder == "." else f"{folder}/"
        owned = [path for phase in phases[1:] for path in phase.files]
        code = self._repository.find_paths(self.head, ".py") if self.head else []
        wanted = dict.fromkeys(path for path in (*owned, *code) if path.startswith(prefix))
        entries = self._repository.entries(self.head, [*wanted]) if self.head else {}
        files = {path: entry for path, entry in entries.items() if entry.is_file}
        new = list({entry.oid for entry in files.values()} - known.keys())
        for oid, content in zip(new, self._repository.blobs(new), strict=True):
            known[oid] = _text(content) if len(content) <= _LARGE else None
        texts = {path.removeprefix(prefix): known[entry.oid] for path, entry in files.items()}
        return {path: text for path, text in texts.items() if text is not None}

    def render_again(self, path: str, made: Generated) -> bytes | None:
        """Return the text of *path* as the templates made it, from the plan and recipe of that time.

        None if a model made it, or the recipe is not the same any more.
        """
        found = self.plan_file()
        return self.plans.render_again(found.path, self.head, path, made) if found and self.head else None

    def origins(self, planned: ResolvedPlan) -> Origins:
        """Return what finds out what the phases of *planned* were made from; it is the newest plan that can be read."""
        heads = list(dict.fromkeys(filter(None, (self.head, self.base.oid))))
        fork, commits = self.fork, self.commits
        return Origins(self._repository, self.plans, planned, fork=fork, commits=commits, heads=heads)

    def rejected_change(self, phases: Sequence[Phase], key: str, path: str, generated: bytes | None) -> str | None:
        """Return the difference from the person's file at *path* to what the bot *generated* for the phase *key*.

        Without *generated*, the templates render it again; None if a model made it, or no file stands there.
        """
        ledger = self.ledger(phases)
        record, entry = ledger.record(key), ledger.file(ledger.persons_file(path) or path).head
        if generated is None and record:
            generated = self.render_again(path, Generated(None, (), record.trailers))
        if generated is None or entry is None or not entry.is_file:
            return None
        return diff_content(self._repository, self._repository.blob(entry.oid), generated)

    def token_counts(self) -> Sequence[int]:
        """Return the number of tokens of each commit of the run that used some."""
        ours = (commit.trailers for commit in self.commits if commit.trailers and commit.trailers.run == self.run)
        return [sum(trailers.tokens) for trailers in ours if trailers.tokens]

    def state(self, phases: Sequence[Phase]) -> RunState:
        """Return the whole state of the run, in plan order."""
        ledger = self.ledger(phases)
        return RunState(
            run=self.run,
            branch=self.name,
            base=self.base.name,
            base_problem=self.base.problem,
            head=self.head or "",
            phases=tuple(ledger.state(phase) for phase in phases),
            tokens=ledger.tokens,
            models=dict(ledger.models),
            pushed=self._remote is not None and self._tracked_oid == self.head,
            misplaced=misplaced_instructions(phases),
        )

    def view(self) -> BranchView:
        """Return plan and state; if a commit broke the plan, those of the last plan that could be read."""
        try:
            plan, error = self.plan(), None
        except BrokenPlanError as exc:
            plan, error = self.plans.newest_readable(self.run, self.fork, self.commits), exc
        state = self.state(plan.phases if plan else ())
        return BranchView(plan, replace(state, fault=error.fault if error else None), error)


def _plan_path(phases: Sequence[Phase]) -> str:
    return next(iter(phases[0].files))


def _owners(phases: Sequence[Phase]) -> Mapping[str, set[str]]:
    """Return each path with the keys of the phases that own it or did once."""
    owners: dict[str, set[str]] = {}
    for phase in phases:
        for path in phase.files:
            owners.setdefault(path, set()).add(phase.key)
    return owners


def _text(content: bytes) -> str | None:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None
