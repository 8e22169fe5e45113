"""Read the plan files of a branch: at head, in earlier commits and in the base."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bot.errors import UsageError
from bot.history.commit_ledger import InheritedPhases
from bot.history.merged_runs import RenderPhase, inherited_phases, render_nothing
from bot.history.migrations import MigrationStarts
from bot.history.recipe_files import BaseFiles, remember, remembered, worktree_file
from bot.history.repository import Identity, Repository
from bot.history.run_state import Commit, Entry, Generated, PlanFault
from bot.planning.phases import PLAN_FILE, PLAN_PHASE, plan_path
from bot.planning.recipe import Recipe, load_recipe
from bot.planning.recipe_names import RecipeFinder, given_name
from bot.planning.resolved_plan import ResolvedPlan, resolve_plan_file

_SHORT = 10
_LINE = re.compile(r", line ([0-9]{1,9}):")


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A plan file in a commit."""

    path: str
    text: str
    oid: str
    """The newest commit that changed the file."""
    blob: str = ""

    @property
    def commit(self) -> str:
        """The abbreviated id of the commit, for error messages."""
        return self.oid[:_SHORT]

    @property
    def output_dir(self) -> str:
        return _output_dir(self.path)


class BrokenPlanError(UsageError):
    """The plan file at head can't be read: a person's commit broke or removed it."""

    def __init__(self, fault: PlanFault) -> None:
        super().__init__(fault.message)
        self.fault = fault


class PlanReader:
    """Reads and resolves plan files.  Each text is resolved and each recipe loaded only once per process."""

    def __init__(
        self,
        repository: Repository,
        render: RenderPhase = render_nothing,
        bot: Identity | None = None,
        recipe: str | None = None,
        *,
        remembers: bool = True,
    ) -> None:
        """Read from *repository*; *render* renders a phase from the templates, *bot* is whose commits count.

        *recipe* is the one that a person named; the clone *remembers* it.  With a *bot*, recipes of the repository are
        read from the base.
        """
        self._repository, self._render, self._bot = repository, render, bot
        git = repository.git
        self.base_files = BaseFiles(repository)
        self.migrations = MigrationStarts(repository, self.in_base)
        self.recipe = given_name(recipe, git.worktree, relative_to=git.worktree if bot else Path()) if recipe else None
        given = {*(() if bot else remembered(git)), *((self.recipe,) if self.recipe else ())}
        self._find_recipe = RecipeFinder(
            given,
            self.base_files if bot else partial(worktree_file, git.worktree),
            load=lambda name: load_recipe(name),  # noqa: PLW0108  # looked up when called
            on_given=partial(remember, git) if remembers and not bot else None,
        )
        self._resolved: dict[tuple[str, str], ResolvedPlan] = {}
        self._blobs: dict[tuple[str, str], ResolvedPlan | None] = {}
        self._recipes: dict[str, Recipe] = {}
        self._at_head: PlanFile | None = None
        self._inherited: tuple[str, InheritedPhases] | None = None

    def at_head(self, branch: str, run: str, fork: str | None, commits: Sequence[Commit]) -> PlanFile | None:
        """Return the plan file of *run* after *commits*, oldest first, on top of *fork*; None if there is none.

        A plan that only the base has belongs to an earlier run, unless *commits* include this run's plan commit.

        Raises:
            BrokenPlanError: A later commit removed the plan file, or replaced it with something other than text.
        """
        path = self._find(run, fork, commits)
        if path is None:
            return None
        changes = ((each.oid, each.changes[path]) for each in reversed(commits) if path in each.changes)
        oid, entry = next(changes, None) or (fork or "", self._entry(fork, path))
        short = oid[:_SHORT]
        if self._at_head and self._at_head.oid == oid:
            return self._at_head
        if entry is None or not entry.is_file:
            message = f"reading the plan of {branch}: commit {short} removed {path}"
            message += f"; restore it with 'git revert {short}'"
            raise BrokenPlanError(PlanFault(message, path, oid, removed=True))
        try:
            self._at_head = PlanFile(path, self._repository.blob(entry.oid).decode(), oid, entry.oid)
        except UnicodeDecodeError as exc:
            message = f"reading {path} at commit {short}: it is not UTF-8 text; save it as UTF-8"
            raise BrokenPlanError(PlanFault(message, path, oid)) from exc
        return self._at_head

    def _find(self, run: str, fork: str | None, commits: Sequence[Commit]) -> str | None:
        """Return the plan's path, searched in the run's plan commits, then in all commits, then in the base."""
        ours = [each for each in commits if each.trailers and each.trailers.run == run]
        plan_commits = [each for each in ours if each.trailers and each.trailers.phase == PLAN_PHASE]
        for commit in (*reversed(plan_commits), *reversed(commits)):
            for path, entry in commit.changes.items():
                if path.endswith(PLAN_FILE) and (entry or commit in plan_commits):
                    return path
        if not (plan_commits and fork):
            return None
        return min(self._repository.find_paths(fork, PLAN_FILE), key=len, default=None)

    def resolve(self, found: PlanFile) -> ResolvedPlan:
        """Resolve a plan file.

        Raises:
            BrokenPlanError: The plan is invalid; the message names file, commit and line.
        """
        source = f"the plan {found.path} at commit {found.commit}"
        try:
            return self.migrations.place(self._resolve(found.text, found.path, source))
        except UsageError as exc:
            line = _LINE.match(str(exc).removeprefix(source))
            fault = PlanFault(str(exc), found.path, found.oid, int(line[1]) if line else None)
            raise BrokenPlanError(fault) from exc

    def newest_readable(self, run: str, fork: str | None, commits: Sequence[Commit]) -> ResolvedPlan | None:
        """Return the newest plan of *run* that can be read; None if there is none."""
        path = self._find(run, fork, commits)
        return next(iter(self.all_plans(path, fork, commits)), None) if path else None

    def cache(self, plan: ResolvedPlan) -> None:
        """Keep a plan that is about to be committed, so that it is not resolved again when it is read back."""
        self._resolved[plan.plan.output_dir, plan.text] = plan
        if Path(plan.plan.recipe).is_absolute() and self._bot is None:
            remember(self._repository.git, plan.plan.recipe)

    def in_base(self, fork: str | None, output_dir: str) -> ResolvedPlan | None:
        """Return the plan in *output_dir* of the commit *fork*; None if there is none.

        Raises:
            UsageError: The plan is invalid.
        """
        path = plan_path(output_dir)
        entry = self._entry(fork, path)
        if entry is None or not entry.is_file:
            return None
        text = self._repository.blob(entry.oid).decode("utf-8", "replace")
        return self._resolve(text, path, f"the plan {path} in the base")

    def all_plans(self, path: str, fork: str | None, commits: Sequence[Commit]) -> Sequence[ResolvedPlan]:
        """Return every valid plan that *path* ever had, newest first; the base's is the last."""
        return [self.placed(each) for _, each in reversed(self.versions(path, fork, commits))]

    def versions(self, path: str, fork: str | None, commits: Sequence[Commit]) -> Sequence[tuple[int, ResolvedPlan]]:
        """Return every valid plan that *path* ever had, oldest first, each with the position of its commit.

        The base is at 0, the first of *commits* at 1.  The plans are without migrations.
        """
        entries = [(0, self._entry(fork, path)), *((n, each.changes.get(path)) for n, each in enumerate(commits, 1))]
        found = [(place, self._resolve_or_none(path, entry)) for place, entry in entries]
        return [(place, plan) for place, plan in found if plan]

    def every_plan(self, path: str, head: str) -> Iterator[ResolvedPlan]:
        """Yield every valid plan that *path* has in the history of *head*, merged branches included; newest first."""
        for entry in self._repository.versions(head, path):
            if plan := self._resolve_or_none(path, entry):
                yield self.placed(plan)

    def placed(self, planned: ResolvedPlan) -> ResolvedPlan:
        """Return *planned* with its migration, as far as there can be one."""
        with suppress(UsageError):
            return self.migrations.place(planned)
        return planned

    def inherited(self, path: str, fork: str | None) -> InheritedPhases | None:
        """Return the phases that the commit *fork* contains, based on its plan at *path*; None without such a plan."""
        plan = self._resolve_or_none(path, self._entry(fork, path))
        if fork is None or plan is None:
            return None
        if self._inherited is None or self._inherited[0] != fork:
            phases = inherited_phases(self._repository, fork, plan, self._render, self._resolve_or_none, self._bot)
            self._inherited = (fork, phases)
        return self._inherited[1]

    def render_again(self, plan_path: str, head: str, path: str, made: Generated) -> bytes | None:
        """Return the text that the templates gave *path* in the commit of *made*; None if they did not or can't.

        The plan of that time is searched in all versions of *plan_path* in the history of *head*.
        """
        trailers = made.trailers
        if trailers is None or not (trailers.provider == "template" or path in trailers.fallback):
            return None
        for plan in self.every_plan(plan_path, head):
            for phase in plan.phases:
                if (phase.key, phase.inputs, phase.recipe) == (trailers.phase, trailers.inputs, trailers.recipe):
                    text = self._render(plan, phase).get(path)
                    return None if text is None else text.encode()
        return None

    def _entry(self, commit: str | None, path: str) -> Entry | None:
        return self._repository.entries(commit, [path]).get(path) if commit else None

    def _resolve_or_none(self, path: str, entry: Entry | None) -> ResolvedPlan | None:
        if entry is None or not entry.is_file:
            return None
        key, plan = (path, entry.oid), None
        if key not in self._blobs:
            with suppress(UsageError, UnicodeDecodeError):  # an invalid plan has no phases
                plan = self._resolve(self._repository.blob(entry.oid).decode(), path, f"the plan {path}")
            self._blobs[key] = plan
        return self._blobs[key]

    def _resolve(self, text: str, path: str, source: str) -> ResolvedPlan:
        output_dir = _output_dir(path)
        plan = self._resolved.get((output_dir, text))
        if plan is None:
            plan = resolve_plan_file(text, source=source, output_dir=output_dir, load=self.load)
            self._resolved[output_dir, text] = plan
        return plan

    def load(self, name: str) -> Recipe:
        """Load the recipe *name*; see :class:`bot.planning.recipe_names.RecipeFinder`.  Raises UsageError."""
        if name not in self._recipes:
            self._recipes[name] = self._find_recipe(name)
        return self._recipes[name]


def _output_dir(path: str) -> str:
    return path.removesuffix(PLAN_FILE).rstrip("/") or "."
