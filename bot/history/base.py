"""Decide the base of a run: the branch that it starts from and is merged into."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bot.errors import PushError, UsageError
from bot.history.remote import Remote, RemoteBranches
from bot.history.repository import BRANCHES, Repository
from bot.history.run_history import RunStart
from bot.history.run_name import check_run_is_free
from bot.text import is_printable

_MAX_CANDIDATES = 10
"""How many branches a message lists."""


@dataclass(frozen=True, slots=True)
class Base:
    """The base of a run as it is now."""

    name: str
    oid: str | None = None
    """Its newest commit; None if it is gone or can't be fetched, or the repository has no commits yet."""
    is_branch: bool = True
    """False for a commit that is no branch: a run can start from it, but can't be merged into it."""
    problem: str = ""
    """Why the run can't be merged into it, and what to do."""
    note: str = ""

    @property
    def notes(self) -> Sequence[str]:
        """What people should know about it."""
        return [text for text in (self.problem, self.note) if text]

    @property
    def recorded_name(self) -> str | None:
        """The name that the run's plan commit records; None if it can't be a trailer's value, or is no branch."""
        return self.name if self.is_branch and is_printable(self.name) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedBases:
    """The bases that a command names."""

    named: str | None = None
    """By an option of the command, or an input of the action."""
    default: str | None = None
    """The forge's default branch; passed over if there is no branch of that name."""
    for_new_runs: bool = False
    """Whether they are only for new runs, so that a run that has a base keeps it."""


class BaseChooser:
    """Decides the base of runs in one repository; it asks the remote only what the repository can't tell."""

    def __init__(self, repository: Repository, remote: Remote | None, names: NamedBases, *, ask: bool) -> None:
        """Choose with the help of *names*; with *ask*, the *remote* may be asked and fetched from."""
        self._repository, self._remote, self._names = repository, remote, names
        self._ask = ask and remote is not None
        self._remote_branches: RemoteBranches | PushError | None = None
        self._missing: set[str] = set()
        """Branches that the remote does not have."""
        self._of_new_runs: Base | None = None

    def decide(self, run: str, start: RunStart | None) -> Base:
        """Return the base of *run*, which has begun at *start*; None for a new run.

        It is the first of these:

        1. the branch that the run's plan commit records, so that all commands agree;
        2. the base that the command names: ``--base``, ``base-branch``;
        3. the forge's default branch, from the event;
        4. the remote's default branch;
        5. ``main``, ``master`` or git's ``init.defaultBranch``; the checked-out branch; the only branch;
           the checked-out commit, if that is no branch.

        Each has to exist; a branch that only the remote has is fetched.

        Raises:
            UsageError: The command names a base that does not exist, or another one than the run has; a new run finds
                no base, although there are commits; or another branch is in the way of a new run's.
            PushError: The remote can't be asked, and without it there is no answer.
        """
        if start and start.base and self._repository.is_branch_name(start.base):
            return self._recorded(run, start.base)
        if start:
            return self._named() or self._event_default() or self._own_default() or Base(self._configured())
        look, remote = self.look(), self._remote if self._ask else None
        check_run_is_free(self._repository, remote, look, run, can_be_named=not self._names.for_new_runs)
        if self._of_new_runs is None:
            self._of_new_runs = self._new(run, look)
        found = self._of_new_runs
        return replace(found, oid=self._oid(found.name)) if found.is_branch else found

    def settings_commit(self) -> str | None:
        """Return the commit that has the repository's settings: of the named base, else of the event's default branch.

        Raises PushError if it is not here and can't be fetched.
        """
        named = self._names.named
        names = [*((named, *self._without_prefix(named)) if named else ()), self._names.default]
        found = next(filter(None, (self._branch(name) for name in names if name)), None)
        return found.oid if found else None

    def look(self) -> RemoteBranches | None:
        """Return the remote's branches, asked once per process; None if it can't or must not be asked."""
        if self._remote and self._ask and self._remote_branches is None:
            try:
                self._remote_branches = self._remote.branches()
            except PushError as exc:
                self._remote_branches = exc
        return None if isinstance(self._remote_branches, PushError) else self._remote_branches

    # A run that has a base

    def _recorded(self, run: str, name: str) -> Base:
        names, branch = self._names, f"{BRANCHES}{run}"
        given = names.named or (names.default if names.for_new_runs else None)
        differs = given is not None and name not in (given, *self._without_prefix(given))
        if differs and not names.for_new_runs:
            raise UsageError(
                f"continuing {branch}: it started from {name}, not from {given}; "
                "leave out --base, or start another run with --run"
            )
        note = f"{branch} started from {name} and is merged into it; {given} is for new runs" if differs else ""
        try:
            found = self._branch(name)
        except PushError:
            return Base(name, note=note)
        if found:
            return replace(found, note=note)
        cut_off = self._remote and not self._ask
        problem = (
            f"{branch} started from {name}, which was deleted or renamed: restore it, "
            f"or merge {branch} into another branch yourself"
        )
        return Base(name, problem="" if cut_off else problem, note=note)

    # What the command names

    def _named(self) -> Base | None:
        name = self._names.named
        if name is None:
            return None
        names, look = (name, *self._without_prefix(name)), self._remote_branches
        for each in names:
            if oid := self._oid(each):
                return Base(each, oid)
        on_remote = isinstance(look, RemoteBranches) and not look.names.isdisjoint(names)
        if not on_remote and (oid := self._repository.oid(name)):
            return Base(name, oid, is_branch=False)
        if found := next(filter(None, map(self._branch, names)), None):
            return found
        raise UsageError(
            f"base {name!r} is not a commit or branch of the repository; name an existing one{self._candidates()}"
        )

    def _without_prefix(self, name: str) -> Iterator[str]:
        """Yield the plain names of a branch that is named with a prefix: ``origin/main`` is ``main``."""
        prefixes = ["refs/heads/", "heads/"]
        for remote in self._repository.git("remote").split("\n"):
            prefixes += [f"refs/remotes/{remote}/", f"remotes/{remote}/", f"{remote}/"]
        yield from (name.removeprefix(prefix) for prefix in prefixes if name.startswith(prefix))

    def _event_default(self) -> Base | None:
        return self._branch(self._names.default) if self._names.default else None

    # What the repository says

    def _new(self, run: str, look: RemoteBranches | None) -> Base:
        if not (self._repository.has_commits() or (look and look.names)):
            return self._first()
        found = self._named() or self._event_default() or self._remote_default(look) or self._own_default(look)
        if found is None:
            how = "set base-branch to it" if self._names.for_new_runs else "name it with --base"
            raise UsageError(
                f"starting {BRANCHES}{run}: nothing says which branch to start from, because the default branch is "
                f"not there; {how}{self._candidates()}"
            )
        if self._remote and look and not look.names and not self._repository.is_bare_start(found.oid):
            remote, branch = self._remote.name, f"{BRANCHES}{run}"
            note = f"{remote} has no branch {found.name} yet: push it, too, or {branch} may become its default branch"
            return replace(found, note=note)
        return found

    def _first(self) -> Base:
        """Return the base of a repository that has no commits, and whose remote has none."""
        if isinstance(self._remote_branches, PushError):
            raise self._remote_branches
        head = self._repository.current_branch() or ""
        own = self._configured() if head.startswith(BRANCHES) else head
        name = self._names.named or self._names.default or own
        if not self._repository.is_branch_name(name):
            raise UsageError(f"base {name!r} can't be the name of the first branch; leave out --base, or name another")
        return Base(name)

    def _remote_default(self, look: RemoteBranches | None) -> Base | None:
        # A forge makes the first pushed branch its default, even a run's.
        name = look.default if look else None
        return self._branch(name) if name and not name.startswith(BRANCHES) else None

    def _own_default(self, look: RemoteBranches | None = None) -> Base | None:
        """Return the default branch as far as this clone knows it; one that *look* shows, if that shows any."""
        there = {name for name in look.names if not name.startswith(BRANCHES)} if look else set()
        for name in self._likely_names():
            if (not there or name in there) and not name.startswith(BRANCHES) and (oid := self._oid(name)):
                return Base(name, oid)
        if not there and self._repository.current_branch() is None and (oid := self._repository.oid("HEAD")):
            return Base("HEAD", oid, is_branch=False)
        return None

    def _likely_names(self) -> Iterator[str]:
        if self._remote and (ref := self._repository.symbolic_ref(self._remote.tracking_ref("HEAD"))):
            yield ref.removeprefix(self._remote.tracking_ref(""))
        yield from ("main", "master", self._configured(), self._repository.current_branch() or "")
        if self._remote is None or not self._repository.refs(self._remote.tracking_ref("")):
            local = self._branches()
            yield from local if len(local) == 1 else ()

    def _configured(self) -> str:
        return self._repository.git.run("config", "init.defaultBranch").text or "main"

    def _candidates(self) -> str:
        """Return the end of a message: the branches that could be the base."""
        found = self._branches()
        more = f" and {len(found) - _MAX_CANDIDATES} more" if len(found) > _MAX_CANDIDATES else ""
        return f": {', '.join(found[:_MAX_CANDIDATES])}{more}" if found else ""

    def _branches(self) -> list[str]:
        """Return the names of all branches here and on the remote, but for those of runs."""
        prefixes = ["refs/heads/", *([self._remote.tracking_ref("")] if self._remote else [])]
        names = {ref.removeprefix(prefix) for prefix in prefixes for ref in self._repository.refs(prefix)}
        look = self._remote_branches
        names |= look.names if isinstance(look, RemoteBranches) else frozenset()
        return sorted(name for name in names if name != "HEAD" and not name.startswith(BRANCHES))

    def _oid(self, name: str) -> str | None:
        """Return the commit of the branch *name*; the remote-tracking one wins, as the local one may be outdated."""
        refs = [self._remote.tracking_ref(name)] if self._remote else []
        refs.append(f"refs/heads/{name}")
        if name in ("", "HEAD"):
            return None
        return next((oid for ref in refs if (oid := self._repository.oid(ref))), None)

    def _branch(self, name: str) -> Base | None:
        """Return the branch *name*, fetched if only the remote has it; None if nobody has it.  Raises PushError."""
        oid = self._oid(name)
        if oid is None and self._remote and self._ask and self._may_be_there(name):
            oid = self._remote.fetch(name)
            if oid is None:
                self._missing.add(name)
        return Base(name, oid) if oid else None

    def _may_be_there(self, name: str) -> bool:
        look = self._remote_branches
        known_absent = name in self._missing or (isinstance(look, RemoteBranches) and name not in look.names)
        return not known_absent and self._repository.is_branch_name(name)
