"""The branch of one run: read it into a ledger, put phases on it, keep worktrees and the remote in step.

Every method leaves the repository in a state that a fresh process continues from; see the crash table in
``bot/README.md``.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from bot.errors import PushError, RepositoryError
from bot.history import worktree_sync
from bot.history.commits import CommitContent, PhaseCommit, RevertCommit
from bot.history.fast_import import EXECUTABLE, NewCommit, RefMovedError, write_commits
from bot.history.ledger import Ledger, derive_state
from bot.history.merged_runs import RenderPhase, nothing
from bot.history.plan_reader import PlanFile, Plans
from bot.history.rebase import rebase
from bot.history.remote import RejectedError, Remote
from bot.history.repository import BRANCHES, Identity, Repository, branch_ref, object_id
from bot.history.run_state import Commit, Entry, RunState
from bot.history.stop_request import StopRef
from bot.planning.phases import Phase, plan_path
from bot.planning.resolved_plan import ResolvedPlan

ATTEMPTS = 5
"""How often a commit or push is carried onto a branch that others moved before it is given up."""

_PACKS = 32


class Committed(NamedTuple):
    """A commit that was put on head."""

    oid: str
    kept: tuple[str, ...]
    """Paths that were to be taken back and stay, because people edited them."""


class RunBranch:
    """``phasebot/<run>``, from the base it left."""

    def __init__(  # noqa: PLR0913  # collaborators are arguments
        self,
        repository: Repository,
        run: str,
        *,
        base: str,
        remote: Remote | None,
        push: bool,
        now: Callable[[], datetime],
        committer: Identity | None = None,
        recall: RenderPhase = nothing,
    ) -> None:
        """Name the branch; nothing is read yet.  Without *push* the network is left alone.

        *committer* is who commits, if that is not whom git's configuration says; *recall* see :mod:`.inheritance`.
        """
        self.run = run
        self.name = f"{BRANCHES}{run}"
        self.base = base
        self.pushes = push and remote is not None
        self._remote = remote
        self.head: str | None = None
        self.commits: list[Commit] = []
        self._repository = repository
        self._ref = branch_ref(run)
        self._now = now
        self.fork: str | None = None
        """The commit that the branch left the base at, or is to start from."""
        self._ledger: Ledger | None = None
        self._phases: Sequence[Phase] = ()
        self._plans = Plans(repository, run, recall)
        self._people = [committer or repository.identity(role) for role in ("AUTHOR", "COMMITTER")]
        self.stops = StopRef(repository, remote, run, self._people[1], now) if remote and push else None
        """Where the run is asked to stop; None where nobody else can see it."""
        self._known: str | None = None
        """Where the remote's branch stood before it was fetched."""
        self._tidied = 0
        self._followed: dict[Path, str] = {}

    # Reading

    def read(self) -> None:
        """Look at the branch anew: the local one, else what is known of the remote's."""
        tracked = self._repository.oid(self._remote.tracking(self.name)) if self._remote else None
        self.head = self._repository.oid(self._ref) or tracked
        self.fork = self._fork_of(self.head)
        self.commits = self._repository.log(self.fork, self.head) if self.head else []
        self._ledger = None

    def _fork_of(self, head: str | None) -> str | None:
        base = self._repository.base_oid(self.base, self._remote.name if self._remote else None)
        if head is None:
            return base
        fork = self._repository.merge_base(base, head) if base else None
        if fork in (None, head):  # nothing in common, or merged already: the run says where it began
            return self._repository.before_run(self.run, head)
        return fork

    def plan_file(self) -> PlanFile | None:
        """Return the plan at head; None when the history holds none.

        Raises:
            UsageError: A later commit removed the plan file, or made it no text.
        """
        return self._plans.at_head(self.name, self.fork, self.commits)

    def base_plan(self, output_dir: str) -> ResolvedPlan | None:
        """Return the plan of a project that the base holds in *output_dir*, merged there by an earlier run.

        Raises:
            UsageError: It is broken.
        """
        return self._plans.in_base(self.fork, plan_path(output_dir), strict=True)

    def ledger(self, phases: Sequence[Phase]) -> Ledger:
        """Return what the history adds up to for *phases*; kept until the branch is read anew."""
        if self._ledger is None or self._phases is not phases:
            self._ledger, self._phases = self._plans.ledger(self.fork, self.commits, phases), phases
        return self._ledger

    def gone(self, phases: Sequence[Phase]) -> Mapping[str, Sequence[str]]:
        """Return the phases that were made and are in the plan no more → their files that are still there."""
        return self._plans.gone(self.ledger(phases), self.fork, self.commits, phases)

    def spent(self) -> Sequence[int]:
        """Return the tokens of each commit of the run that cost some."""
        ours = (commit.trailers for commit in self.commits if commit.trailers and commit.trailers.run == self.run)
        return [sum(trailers.tokens) for trailers in ours if trailers.tokens]

    def texts(self, phases: Sequence[Phase], paths: Sequence[str]) -> dict[str, str]:
        """Return the files at *paths* as they are at head; what is not there, or no text, is left out."""
        ledger = self.ledger(phases)
        entries = {path: entry for path in paths if (entry := ledger.file(path).head) and entry.is_file}
        found = self._repository.blobs([entry.oid for entry in entries.values()])
        texts = {path: _text(content) for path, content in zip(entries, found, strict=True)}
        return {path: text for path, text in texts.items() if text is not None}

    @property
    def pushed(self) -> bool:
        """Whether the remote is known to have the head."""
        return self._remote is not None and self._repository.oid(self._remote.tracking(self.name)) == self.head

    def state(self, phases: Sequence[Phase]) -> RunState:
        """Return the whole state of the run, in plan order."""
        ledger = self.ledger(phases)
        return RunState(
            run=self.run,
            branch=self.name,
            base=self.base,
            head=self.head or "",
            phases=[ledger.state(phase) for phase in phases],
            tokens=ledger.tokens,
            models=ledger.models,
            pushed=self.pushed,
        )

    # Starting

    def start(self) -> None:
        """Arrange a repository that has no commit yet, so that the run has a base to be merged into.

        One without files, too, gets the run's branch checked out: the files appear as they come.
        """
        if self._repository.is_empty():
            self._repository.point_head(self._ref)
            self._repository.start(self.base, self._now())
        elif self._repository.oid("HEAD") is None and (unborn := self._repository.checked_out()):
            self._repository.start(unborn, self._now())

    def lock(self, on_wait: Callable[[], None]) -> AbstractContextManager[object]:
        """Hold the run on this clone, waiting for another process to end; the system frees it if this one dies."""
        from filelock import FileLock, Timeout

        path = self._repository.git.common_dir / "phasebot" / f"{self.run.replace('/', '--')}.lock"
        try:
            path.parent.mkdir(exist_ok=True)
            try:
                return FileLock(path).acquire(timeout=0)
            except Timeout:
                on_wait()
                return FileLock(path).acquire()
        except OSError as exc:
            raise RepositoryError(f"locking the run {self.run}: {exc}") from exc

    # Writing

    def commit(self, work: PhaseCommit | RevertCommit, phases: Sequence[Phase]) -> Committed | None:
        """Put one commit on head; None when there is nothing left to do, because others did it meanwhile.

        Raises:
            RepositoryError: Git refused; nothing moved.
        """
        for _ in range(ATTEMPTS):
            ledger, parent = self.ledger(phases), self.head or self.fork
            composed = work.compose(self._repository, ledger, parent)
            if composed is None:
                return None
            author, committer = (person.at(self._now()) for person in self._people)
            try:
                new = [NewCommit(composed.message, author, committer, composed.files, composed.executable)]
                oid = write_commits(self._repository.git, self._ref, parent, new)[0]
            except RefMovedError:
                self.read()
                continue
            changes = {path: _entry(path, composed, oid) for path in composed.files}
            self.commits.append(Commit(oid, composed.trailers, "", changes))
            self.head = oid
            ledger.add(self.commits[-1])
            return Committed(oid, composed.kept)
        raise RepositoryError(f"committing: {self.name} moved {ATTEMPTS} times meanwhile; run generate again")

    # Keeping others in step

    def fetch(self) -> str | None:
        """Fetch the remote's branch and return its commit; None when it has none, or pushing is off.

        Safe to call beside :meth:`commit`.

        Raises:
            PushError: The remote can't be reached.
        """
        if not (self._remote and self.pushes):
            return None
        self._known = self._repository.oid(self._remote.tracking(self.name))
        return self._remote.fetch(self.name)

    def take_in(self, theirs: str | None) -> None:
        """Bring the local branch on top of what was fetched, and read it, whatever became of that.

        Raises:
            CannotReplayError: A person's unpushed commit is in the way; the local branch is as it was.
        """
        try:
            for _ in range(ATTEMPTS):
                ours = self._repository.oid(self._ref)
                if theirs is None or theirs == ours:
                    break
                tip = self._on_top_of(ours, theirs) if ours else theirs
                if tip == ours or self._repository.move(self._ref, tip, ours):
                    break
        finally:
            self.read()

    def _on_top_of(self, ours: str, theirs: str) -> str:
        ledger = derive_state(self.run, {}, self._repository.log(self._fork_of(theirs), theirs))
        return rebase(self._repository, ours, theirs, self._known, ledger)

    def push(self, oid: str) -> None:
        """Push the commit *oid*, which is or was the head.  Safe to call beside :meth:`commit`.

        Raises:
            RejectedError: Others pushed meanwhile: :meth:`fetch`, :meth:`take_in`, then push the new head.
            PushError: The remote can't be reached or refuses.
        """
        if self._remote and self.pushes:
            self._remote.push(oid, self.name)

    def keep_apart(self) -> str:
        """Push head to a branch of its own, ``…-recovered-<n>``, since it can't go on the run's; return its name.

        Raises:
            PushError: That fails too; the commits stay on the local branch.
        """
        for number in range(1, 100):
            name = f"{self.name}-recovered-{number}"
            if self._remote and self.head and self._remote.fetch(name) in (None, self.head):
                try:
                    self._remote.push(self.head, name)
                except RejectedError:
                    continue
                return name
        raise PushError(f"pushing {self.name}: no free name to keep the commits under; they are on the local branch")

    def follow(self) -> None:
        """Bring every worktree that has the branch checked out to the head.  Safe to call beside :meth:`commit`."""
        head, git = self.head, self._repository.git
        if head is None:
            return
        for folder in worktree_sync.worktrees_on(git, self._ref):
            before = self._followed.get(folder)
            if before != head:
                worktree_sync.follow(git, folder, self._ref, head, base=self.fork, before=before)
                self._followed[folder] = head

    def tidy(self) -> None:
        """Roll up the packs of many phases, one each, into few: git searches them all for every object.

        Safe to call beside :meth:`commit`, and to kill: git writes the new pack before it removes an old one.
        """
        if len(self.commits) - self._tidied >= _PACKS:
            self._tidied = len(self.commits)
            self._repository.roll_up_packs()


def _entry(path: str, composed: CommitContent, like: str) -> Entry | None:
    content = composed.files[path]
    if not isinstance(content, bytes):
        return content
    return Entry(EXECUTABLE if path in composed.executable else "100644", object_id(content, like))


def _text(content: bytes) -> str | None:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None
