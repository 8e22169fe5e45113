"""The branch of one run: read it into a ledger, put phases on it, keep worktrees and the remote in step.

Every method leaves the repository in a state that a fresh process continues from; see the crash table in
``bot/README.md``.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from bot.errors import PushError, RepositoryError, UsageError
from bot.history import worktree
from bot.history.merge import merge_files
from bot.history.remote import RejectedError, Remote
from bot.history.replaying import replay
from bot.history.repository import BRANCHES, Identity, Repository, branch_ref, object_id
from bot.history.state import Commit, Entry, Ledger, RunState, derive_state
from bot.history.stopping import StopRef
from bot.history.trailers import Trailers, format_message
from bot.history.writing import NewCommit, RefMovedError, write_commits
from bot.planning.phases import PLAN_FILE, PLAN_PHASE, Phase

ATTEMPTS = 5
"""How often a commit or push is carried onto a branch that others moved before it is given up."""

_PACKS = 32


@dataclass(frozen=True, slots=True)
class PlanFile:
    """The plan as it stands at head."""

    path: str
    text: str
    commit: str
    """The newest commit that touched it, so that an error can name it."""

    @property
    def output_dir(self) -> str:
        return self.path.removesuffix(PLAN_FILE).rstrip("/") or "."


class Branch:
    """``phasebot/<run>``, from the base it left."""

    def __init__(
        self,
        repository: Repository,
        run: str,
        *,
        base: str,
        remote: Remote | None,
        push: bool,
        now: Callable[[], datetime],
        committer: Identity | None = None,
    ) -> None:
        """Name the branch; nothing is read yet.  Without *push* the network is left alone.

        *committer* is who commits, if that is not whom git's configuration says.
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
        self._fork: str | None = None
        self._ledger: Ledger | None = None
        self._phases: Sequence[Phase] = ()
        self._plan: PlanFile | None = None
        self._people = [committer or repository.identity(role) for role in ("AUTHOR", "COMMITTER")]
        self.stops = StopRef(repository, remote, run, self._people[1], now) if remote and push else None
        """Where the run is asked to stop; None where nobody else can see it."""
        self._tidied = 0
        self._followed: dict[Path, str | None] = {}

    # Reading

    def read(self) -> None:
        """Look at the branch anew: the local one, else what is known of the remote's."""
        remote_name = self._remote.name if self._remote else None
        tracked = self._repository.oid(self._remote.tracking(self.name)) if self._remote else None
        self.head = self._repository.oid(self._ref) or tracked
        self._fork = self._repository.base_oid(self.base, remote_name)
        self.commits = []
        if self.head:
            self._fork = self._repository.merge_base(self._fork, self.head) if self._fork else None
            if self._fork in (None, self.head):  # nothing in common, or merged already: the run says where it began
                self._fork = self._repository.before_run(self.run, self.head)
            self.commits = self._repository.log(self._fork, self.head)
        self._ledger = None

    def plan_file(self) -> PlanFile | None:
        """Return the plan at head; None when the history holds none.

        Raises:
            UsageError: A later commit removed the plan file, or made it no text.
        """
        path = next(filter(None, map(self._plan_path, reversed(self.commits))), None)
        if path is None or self.head is None:
            return None
        oid, entry = next(
            (commit.oid, commit.changes[path]) for commit in reversed(self.commits) if path in commit.changes
        )
        touched = oid[:10]
        if self._plan and self._plan.commit == touched:
            return self._plan
        if entry is None or not entry.is_file:
            raise UsageError(
                f"reading the plan of {self.name}: commit {touched} removed {path}; "
                f"bring it back with 'git revert {touched}'"
            )
        try:
            self._plan = PlanFile(path, self._repository.blob(entry.oid).decode(), touched)
        except UnicodeDecodeError as exc:
            raise UsageError(f"reading {path} at commit {touched}: it is not UTF-8 text") from exc
        return self._plan

    def _plan_path(self, commit: Commit) -> str | None:
        if commit.trailers is None or commit.trailers.run != self.run or commit.trailers.phase != PLAN_PHASE:
            return None
        return next((path for path in commit.changes if path.endswith(PLAN_FILE)), None)

    def ledger(self, phases: Sequence[Phase]) -> Ledger:
        """Return what the history adds up to for *phases*; kept until the branch is read anew."""
        if self._ledger is None or self._phases is not phases:
            paths = {path for phase in phases for path in phase.files}
            parts = [path.split("/") for path in paths]
            folders = {"/".join(part[:depth]) for part in parts for depth in range(1, len(part))}
            base = self._repository.entries(self._fork, sorted(paths | folders)) if self._fork else {}
            self._ledger, self._phases = derive_state(self.run, base, self.commits), phases
        return self._ledger

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

    def commit(
        self, phase: Phase, phases: Sequence[Phase], files: Mapping[str, bytes], trailers: Trailers, body: Sequence[str]
    ) -> str | None:
        """Commit one phase on head and return the commit; None when somebody finished it meanwhile.

        *files* are merged with what people did; where that conflicts, the trailers name the path.

        Raises:
            RepositoryError: Git refused; nothing moved.
        """
        for _ in range(ATTEMPTS):
            ledger = self.ledger(phases)
            if not ledger.wanted(phase):
                return None
            parent = self.head or self._fork
            merged = merge_files(self._repository, ledger, files, like=parent or "0" * 40)
            said = replace(trailers, conflict=merged.conflicts)
            message = format_message(phase, len(phases), body, said)
            author, committer = (person.at(self._now()) for person in self._people)
            try:
                new = [NewCommit(message, author, committer, merged.files)]
                oid = write_commits(self._repository.git, self._ref, parent, new)[0]
            except RefMovedError:
                self.read()
                continue
            changes = {path: Entry("100644", object_id(content, oid)) for path, content in merged.files.items()}
            self.commits.append(Commit(oid, said, "", changes))
            self.head = oid
            ledger.add(self.commits[-1])
            return oid
        raise RepositoryError(
            f"committing {phase.key}: {self.name} moved {ATTEMPTS} times meanwhile; run generate again"
        )

    # Keeping others in step

    def fetch(self) -> str | None:
        """Fetch the remote's branch and return its commit; None when it has none, or pushing is off.

        Safe to call beside :meth:`commit`.

        Raises:
            PushError: The remote can't be reached.
        """
        return self._remote.fetch(self.name) if self._remote and self.pushes else None

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
                tip = replay(self._repository, ours, theirs) if ours else theirs
                if tip == ours or self._repository.move(self._ref, tip, ours):
                    break
        finally:
            self.read()

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
        for folder in worktree.worktrees_on(git, self._ref):
            if folder not in self._followed:
                self._followed[folder] = worktree.followed_to(git, folder, self._ref, head, self._fork)
            if self._followed[folder] != head:
                worktree.follow(git, folder, self._followed[folder], head)
                self._followed[folder] = head

    def tidy(self) -> None:
        """Roll up the packs of many phases, one each, into few: git searches them all for every object.

        Safe to call beside :meth:`commit`, and to kill: git writes the new pack before it removes an old one.
        """
        if len(self.commits) - self._tidied >= _PACKS:
            self._tidied = len(self.commits)
            self._repository.roll_up_packs()


def _text(content: bytes) -> str | None:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None
