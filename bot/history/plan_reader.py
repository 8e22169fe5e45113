"""The plans that a branch holds and has held, at head, before and in its base; and what its history adds up to."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from bot.errors import UsageError
from bot.history.ledger import InheritedPhases, Ledger, derive_state
from bot.history.merged_runs import RenderPhase, inherited_phases
from bot.history.repository import Repository
from bot.history.run_state import Commit, Entry
from bot.planning.phases import PLAN_FILE, PLAN_PHASE, Phase
from bot.planning.resolved_plan import ResolvedPlan, resolve_plan_file


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A plan as it stands in a commit."""

    path: str
    text: str
    commit: str
    """The newest commit that touched it, so that an error can name it."""
    blob: str = ""

    @property
    def output_dir(self) -> str:
        return _output_dir(self.path)


class Plans:
    """Reads the plans of one run; each version once."""

    def __init__(self, repository: Repository, run: str, recall: RenderPhase) -> None:
        """Read for *run*; *recall* see :mod:`bot.history.merged_runs`."""
        self._repository, self._run, self._recall = repository, run, recall
        self._inherited: tuple[str, InheritedPhases] | None = None
        self._read: dict[str, ResolvedPlan | None] = {}
        self._found: PlanFile | None = None

    def at_head(self, branch: str, fork: str | None, commits: Sequence[Commit]) -> PlanFile | None:
        """Return the plan at the head of *commits*, oldest first and on top of *fork*; None when they hold none.

        A plan that the base holds is the run's only once a commit of the run says so.

        Raises:
            UsageError: A later commit removed the plan file, or made it no text.
        """
        path = self._find(fork, commits)
        if path is None:
            return None
        changes = ((each.oid, each.changes[path]) for each in reversed(commits) if path in each.changes)
        inherited = (fork or "", self._repository.entries(fork, [path]).get(path) if fork else None)
        oid, entry = next(changes, None) or inherited
        touched = oid[:10]
        if self._found and self._found.commit == touched:
            return self._found
        if entry is None or not entry.is_file:
            raise UsageError(
                f"reading the plan of {branch}: commit {touched} removed {path}; "
                f"bring it back with 'git revert {touched}'"
            )
        try:
            self._found = PlanFile(path, self._repository.blob(entry.oid).decode(), touched, entry.oid)
        except UnicodeDecodeError as exc:
            raise UsageError(f"reading {path} at commit {touched}: it is not UTF-8 text") from exc
        return self._found

    def _find(self, fork: str | None, commits: Sequence[Commit]) -> str | None:
        """Return the plan's path: as the run's commits have it, else others; in the base if it is unchanged."""
        ours = [each for each in commits if each.trailers and each.trailers.run == self._run]
        planned = [each for each in ours if each.trailers and each.trailers.phase == PLAN_PHASE]
        for commit in (*reversed(planned), *reversed(commits)):
            for path, entry in commit.changes.items():
                if path.endswith(PLAN_FILE) and (entry or commit in planned):
                    return path
        return min(self._repository.find(fork, PLAN_FILE), key=len, default=None) if planned and fork else None

    def in_base(self, fork: str | None, path: str, *, strict: bool = False) -> ResolvedPlan | None:
        """Return the plan that the commit *fork* holds at *path*, if it can be read.

        Raises:
            UsageError: It is *strict*, and the plan is broken.
        """
        entry = self._repository.entries(fork, [path]).get(path) if fork else None
        found = self._read_at(path, entry)
        if found is None and strict and entry and entry.is_file:
            text = self._repository.blob(entry.oid).decode("utf-8", "replace")
            return resolve_plan_file(text, source=f"the plan {path} in the base", output_dir=_output_dir(path))
        return found

    def ledger(self, fork: str | None, commits: Sequence[Commit], phases: Sequence[Phase]) -> Ledger:
        """Return what *commits*, on top of *fork*, add up to for *phases*."""
        owned = _owners(self._former(fork, commits, phases), phases)
        parts = [path.split("/") for path in owned]
        folders = {"/".join(part[:depth]) for part in parts for depth in range(1, len(part))}
        base = self._repository.entries(fork, sorted({*owned, *folders})) if fork else {}
        laid_out = self.in_base(fork, _path_in(phases)) if phases else None
        if fork and laid_out and (self._inherited is None or self._inherited[0] != fork):
            self._inherited = (fork, inherited_phases(self._repository, fork, laid_out, self._recall))
        inherited = self._inherited[1] if laid_out and self._inherited else None
        return derive_state(self._run, base, commits, owners=owned, inherited=inherited)

    def gone(
        self, ledger: Ledger, fork: str | None, commits: Sequence[Commit], phases: Sequence[Phase]
    ) -> Mapping[str, Sequence[str]]:
        """Return the phases that were made and are not among *phases* any more → their files that are still there."""
        former = self._former(fork, commits, phases)
        known, found = {phase.key for phase in phases}, dict[str, Sequence[str]]()
        kept = {path for phase in phases for path in phase.files}
        for phase in (phase for plan in former for phase in plan.phases):
            if phase.key not in known and phase.key not in found and ledger.stands(phase.key, phase.files):
                found[phase.key] = [path for path in phase.files if path not in kept and ledger.file(path).head]
        return found

    def _former(self, fork: str | None, commits: Sequence[Commit], phases: Sequence[Phase]) -> Sequence[ResolvedPlan]:
        """Return the plans that there were before today's, newest first, the base's last; broken ones are left out."""
        if not phases:
            return []
        path = _path_in(phases)
        found = [self._read_at(path, commit.changes.get(path)) for commit in reversed(commits)]
        return [each for each in (*found, self.in_base(fork, path)) if each]

    def _read_at(self, path: str, entry: Entry | None) -> ResolvedPlan | None:
        """Return the plan that *entry* is, where it can be read as one that lies at *path*."""
        if entry is None or not entry.is_file:
            return None
        if entry.oid not in self._read:
            found = None
            with suppress(UsageError, UnicodeDecodeError):  # a plan that was broken said nothing
                text = self._repository.blob(entry.oid).decode()
                found = resolve_plan_file(text, source=f"the plan {path}", output_dir=_output_dir(path))
            self._read[entry.oid] = found
        return self._read[entry.oid]


def _path_in(phases: Sequence[Phase]) -> str:
    return next(iter(phases[0].files))


def _output_dir(path: str) -> str:
    return path.removesuffix(PLAN_FILE).rstrip("/") or "."


def _owners(former: Sequence[ResolvedPlan], phases: Sequence[Phase]) -> Mapping[str, set[str]]:
    """Return which phases each path belongs to, by today's *phases* and by the *former* plans."""
    owned: dict[str, set[str]] = {}
    for phase in (*phases, *(phase for plan in former for phase in plan.phases)):
        for path in phase.files:
            owned.setdefault(path, set()).add(phase.key)
    return owned
