"""What the migration of a run starts from: the plan and the migrations of the commit that it builds on.

That is the commit at which the run starts.  Once the base has the run's migration, people's databases may have it, too:
it stays as it is, and a later change of the plan gets a migration of its own, on top of the base.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from bot.errors import UsageError
from bot.history.repository import Repository
from bot.planning.migration_files import read_migrations
from bot.planning.path_rules import inside
from bot.planning.phases import plan_path
from bot.planning.recipe import Recipe
from bot.planning.recipe_model import CHANGES
from bot.planning.resolved_plan import ResolvedPlan
from bot.planning.schema_changes import MigrationStart, is_same_schema

_MAX_MIGRATIONS = 2_000
_SHORT = 10

ReadBase = Callable[[str | None, str], ResolvedPlan | None]
"""Reads the plan in an output folder of a commit of the base; raises UsageError if it is invalid."""


@dataclass(frozen=True, slots=True)
class BranchPoints:
    """Where the branch of a run and its base meet."""

    fork: str | None
    """The commit at which the run starts."""
    base: str | None
    """The newest commit of the base."""
    writers: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Path and blob of every file that the run's commits wrote → the last such commit."""
    is_up_to_date: bool = False
    """Whether the branch contains all of the base."""


class MigrationStarts:
    """Finds what migrations start from; each commit is read once."""

    def __init__(self, repository: Repository, read_base: ReadBase) -> None:
        self._repository, self._read_base = repository, read_base
        self._points = BranchPoints(None, None)
        self._found: dict[tuple[str | None, str, str], MigrationStart] = {}
        self._placed: dict[int, tuple[ResolvedPlan, ResolvedPlan]] = {}

    @property
    def points(self) -> BranchPoints:
        """Where branch and base meet now."""
        return self._points

    @points.setter
    def points(self, points: BranchPoints) -> None:
        if points != self._points:
            self._points = points
            self._placed.clear()

    def place(self, planned: ResolvedPlan) -> ResolvedPlan:
        """Return *planned*, a plan of the run's branch, with the migration that it needs.

        Raises:
            UsageError: The base has the run's migration and has moved on since, and the branch does not know how.
        """
        if id(planned) not in self._placed:
            self._placed[id(planned)] = (planned, self._place(planned))
        return self._placed[id(planned)][1]

    def _place(self, planned: ResolvedPlan) -> ResolvedPlan:
        folder = _folder(planned.recipe)
        if folder is None:
            return planned
        root, points = planned.plan.output_dir, self.points
        start = self._start(points.fork, root, folder)
        writer = self._merged(inside(root, f"{folder}/{start.revision}.py"))
        if writer is None:
            return planned.on(start)
        later = self._start(points.base, root, folder)
        if is_same_schema(later.entities, planned.plan.entities):
            merged = self._read_base(writer, root)
            return planned.on(replace(start, merged=merged.plan if merged else None))
        if not (points.is_up_to_date or self._writer(plan_path(root))):
            raise UsageError(
                f"the migration of this run is merged, and the plan of the base has changed since, in commit "
                f"{(points.base or '')[:_SHORT]} or before; merge the base into the branch, then run generate again"
            )
        return planned.on(later)

    def _merged(self, path: str) -> str | None:
        """Return the run's commit that wrote the file *path*, if the base has got it since."""
        points = self.points
        before = self._repository.entries(points.fork, [path]) if points.fork else {}
        return None if points.base == points.fork or path in before else self._writer(path)

    def _writer(self, path: str) -> str | None:
        """Return the run's commit that wrote *path* as the base has it."""
        base = self.points.base
        entry = self._repository.entries(base, [path]).get(path) if base else None
        return self.points.writers.get((path, entry.oid)) if entry else None

    def _start(self, commit: str | None, root: str, folder: str) -> MigrationStart:
        key = (commit, root, folder)
        if key not in self._found:
            self._found[key] = self._read(commit, root, folder)
        return self._found[key]

    def _read(self, commit: str | None, root: str, folder: str) -> MigrationStart:
        if commit is None:
            return MigrationStart()
        path = inside(root, folder)
        files = [
            entry
            for name, entry in self._repository.children(commit, [path]).items()
            if name.startswith(f"{path}/") and name.endswith(".py") and entry.is_file
        ][:_MAX_MIGRATIONS]
        texts = self._repository.blobs([entry.oid for entry in files])
        found = read_migrations({str(n): text.decode("utf-8", "replace") for n, text in enumerate(texts)})
        planned = self._read_base(commit, root)
        if not found.newest or planned is None:
            return MigrationStart()
        return MigrationStart(planned.plan.entities, found.newest, found.highest + 1)


def _folder(recipe: Recipe) -> str | None:
    """Return the folder of the migrations in a project of *recipe*; None if it has none."""
    for phase in recipe.phases:
        if CHANGES in phase.seen:
            return next((str(PurePosixPath(path).parent) for path in phase.templates), None)
    return None
