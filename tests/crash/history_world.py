"""The world of random histories: an origin and two clones, with the bot running in either clone.

The bot runs in this process and its git calls are counted. At the n-th write the process dies, or somebody else acts.
Work for threads runs one after the other, so a history is the same each time.
"""

import asyncio
import re
import threading
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from bot.engine import factory
from bot.engine.requests import Requester, RollbackRequest, RunRequest, RunResult
from bot.engine.runner import Runner
from bot.errors import PhasebotError
from bot.generation.templates import render_phase
from bot.history.checkout import OpenRun
from bot.history.git import Git, Result
from bot.history.repository import Identity
from bot.history.run_state import RunState
from bot.planning.resolved_plan import ResolvedPlan
from tests.crash.commit_facts import made_commits, told_without_need
from tests.crash.interruptions import BRANCH, NOTHING, RUN, Author, Broken, Facts, Killed, Mishap, Place, read_ref
from tests.repositories import Recorder, git, open_run

_BEGUN = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()
_WRITES = ("update-ref", "fast-import", "update-index", "checkout-index", "push", "fetch", "symbolic-ref")
_UNCHANGING = frozenset({"cat-file", "ls-tree", "merge-base", "diff-tree", "log"})
"""Commands that the bot asks of objects by their ids."""
_MARKER = re.compile(r"^[^:]+:(.+?):# (human \d+)$", re.MULTILINE)
_GONE = re.compile(r"discarding people's edits in (.+); commit")

T = TypeVar("T")


@dataclass
class World:
    """All places, what people took away themselves, and what has happened."""

    folder: Path
    first: ResolvedPlan
    origin: Place = field(init=False)
    ada: Place = field(init=False)
    bob: Place = field(init=False)
    happened: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)
    """What happened, a line each, for whoever has to read it."""
    dropped: set[object] = field(default_factory=set)
    """Markers and commits that people took away themselves, or were told of."""
    touched: set[str] = field(default_factory=set)
    """Paths that a person had a hand in."""
    reverted: set[str] = field(default_factory=set)
    """Paths of what a person reverted: once it is rebased, nothing tells any more that this was a revert."""
    _read_once: dict[tuple[str, ...], Result] = field(default_factory=dict)
    _facts: dict[str, Facts] = field(default_factory=dict)
    _numbers: int = 100
    _mishap: Mishap | None = None
    _writes: int = 0
    _dead: bool = False
    _broken: BaseException | None = None

    def __post_init__(self) -> None:
        self.origin, self.ada, self.bob = (Place(n, self.folder / n) for n in ("origin.git", "ada", "bob"))
        for place in (self.origin, self.ada, self.bob):
            place.floor = self.look(place)

    def number(self) -> int:
        """Return a number that was not there before; time passes."""
        self._numbers += 1
        return self._numbers

    # Looking

    def look(self, place: Place) -> Facts:
        """Read what stands at the branch; nothing where the branch is yet to be made."""
        oid = read_ref(place.folder, f"refs/heads/{BRANCH}")
        if oid not in self._facts:
            self._facts[oid] = self._read(place, oid) if oid else NOTHING
        return self._facts[oid]

    def _read(self, place: Place, oid: str) -> Facts:
        form = "%H%x1f%s%x1f%(trailers:only,unfold,separator=%x1d)"
        rows = [
            row.split("\x1f") for row in git(place.folder, "log", "--first-parent", f"--format={form}", oid).split("\n")
        ]
        found = git(place.folder, "grep", "-I", "-E", "^# human [0-9]+\r?$", oid, check=False).replace("\r", "")
        answers = []
        undone = 0
        for row in reversed(rows):
            about = dict(line.partition(": ")[::2] for line in row[2].split("\x1d"))
            if "Phasebot-Comment" in about:
                what = [about.get(f"Phasebot-{key}", "") for key in ("Comment", "Phase", "Reverts", "Inputs")]
                answers.append(" ".join([*what, f"after {undone}"] if about.get("Phasebot-Phase") else what))
            undone += "Phasebot-Reverts" in about
        return Facts(
            oid,
            tuple(row[0] for row in rows),
            tuple(row[1] for row in rows if row[1].startswith("Human ")),
            tuple(answers),
            frozenset((path, line) for path, line in _MARKER.findall(found)),
        )

    def observe(self, place: Place, by: str = "bot") -> None:
        """Look at *place* again: what is gone was taken away by the person *by*, or the bot has done wrong."""
        was, now = place.floor, self.look(place)
        lost = {*was.markers, *was.people} - {*now.markers, *now.people}
        if by != "bot":
            self.dropped |= lost
        elif unexplained := lost - self.dropped:
            raise Broken(f"(a, d) {place.name} lost {sorted(map(str, unexplained))}")
        if len(set(now.people)) < len(now.people):
            raise Broken(f"(d) a person's commit is on {place.name} twice: {now.people}")
        if len(set(now.answers)) < len(now.answers):
            raise Broken(f"a comment was answered twice on {place.name}: {now.answers}")
        if place.is_origin and by == "bot" and was.oid and was.oid not in now.commits:
            raise Broken(f"(d) the origin went from {was.oid[:10]} to {now.oid[:10]}, which does not hold it")
        place.floor = now

    # The bot

    def open_run(self, folder: Path, *, push: bool = True) -> OpenRun:
        """Open the run in the clone at *folder*."""
        who = Identity(f"bot at {folder.name}", "bot@example.com")
        return open_run(folder, RUN, push=push, now=self.now, committer=who, render=render_phase)

    def now(self) -> datetime:
        return datetime.fromtimestamp(_BEGUN + self.number(), tz=UTC)

    def generate(  # noqa: PLR0913  # each is an option of the command
        self,
        place: Place,
        *,
        request: RunRequest | None = None,
        only: Sequence[str] = (),
        jobs: int = 8,
        push: bool = True,
        requested: Requester | None = None,
        mishap: Mishap | None = None,
        edition: int | None = 0,
    ) -> RunResult | None:
        """Have the bot work in *place*; None when it was killed or refused, see ``place.error``."""
        edition = self.number() if edition == 0 else edition

        def work() -> RunResult:
            runner = Runner(
                run=self.open_run(place.folder, push=push),
                provider=Author(edition),
                announcer=Recorder(),
                request=replace(request or RunRequest(), spec=self.first, only=only, jobs=jobs, requester=requested),
                timer=lambda: 0.0,
            )
            outcome = asyncio.run(runner.work(asyncio.Event()))
            place.error = outcome.error
            return outcome

        before, known = place.floor.oid, {*place.floor.commits, *self.origin.floor.commits}
        done = self._process(place, work, mishap, push=push)
        if done and not mishap and done.state.phases:
            self._compare(done.state, place.folder, "read anew")
        if done and not mishap and edition is not None:
            self._check_commits(place, before, known, edition)
        return done

    def _check_commits(self, place: Place, before: str, known: Collection[str], edition: int) -> None:
        """Hold the new phase commits of one *edition* against git; people may have squashed *known* ones."""
        history = made_commits(place.folder, before, place.floor.oid)
        for commit in history:
            if commit.oid in known or commit.model != f"edition-{edition}" or commit.phase is None:
                continue
            if strange := commit.changed - set(commit.phase.files):
                raise Broken(f"(h) {commit.oid[:10]} of {commit.phase.key} changed {sorted(strange)}")
            for path in commit.conflicts:
                self.happened["conflict"] += 1
                if told_without_need(place.folder, commit, path):
                    raise Broken(f"(g) {commit.oid[:10]} tells of a conflict at {path}, and git merges it")

    def compare_fresh_clone(self, state: RunState) -> None:
        """Hold *state* against what a clone says that was made just now."""
        name = f"fresh-{self.number()}"
        git(self.folder, "clone", "--quiet", "--shared", "--no-checkout", str(self.origin.folder), name)
        self._compare(state, self.folder / name, "a fresh clone")

    def _compare(self, state: RunState, folder: Path, how: str) -> None:
        branch = self.open_run(folder).branch
        branch.read()
        other = branch.view().state
        if (other.phases, other.tokens, other.head) != (state.phases, state.tokens, state.head):
            differing = [(one, two) for one, two in zip(other.phases, state.phases, strict=False) if one != two]
            raise Broken(f"(b) {how}, it says otherwise:\n{differing or (other.head, state.head)}")

    def check_base(self) -> None:
        """Hold the base that each clone says against the one that the run began with.

        By then the clone takes another branch for the default one, so that only the history can tell.
        """
        for place in (self.ada, self.bob):
            ref = read_ref(place.folder, f"refs/heads/{BRANCH}")
            if not (ref and git(place.folder, "log", "-1", "--format=%H", "--grep=^Phasebot-Base: ", ref)):
                continue  # it is yet to begin
            git(place.folder, "update-ref", "refs/remotes/origin/other", "refs/remotes/origin/main")
            git(place.folder, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/other")
            branch = self.open_run(place.folder, push=False).branch
            branch.read()
            if branch.base.name != "main":
                raise Broken(f"(f) the run at {place.name} started from main, and now says {branch.base.name}")

    def roll_back(
        self,
        place: Place,
        asked: RollbackRequest,
        mishap: Mishap | None = None,
    ) -> RunState | None:
        """Have the bot take phases back in *place*; None when it was killed or refused."""

        def tell(line: str) -> None:
            if found := _GONE.search(line):
                gone = set(found[1].split(", "))
                self.dropped |= {marker for marker in self.look(place).markers if marker[0] in gone}

        def work() -> RunState:
            run = self.open_run(place.folder)
            return asyncio.run(factory.roll_back_phases(run, asked, tell)).state

        return self._process(place, work, mishap)

    def _process(self, place: Place, work: Callable[[], T], mishap: Mishap | None, *, push: bool = True) -> T | None:
        """Do what one process does, and look whether the invariants hold after it."""
        outer, place.error = (self._mishap, self._writes, self._dead), None
        self._mishap, self._writes, self._dead = mishap, 0, False
        try:
            done = work()
        except Killed:
            done = None
        except PhasebotError as exc:
            place.error, done = exc, None
        finally:
            dead = self._dead
            self._mishap, self._writes, self._dead = outer
        if self._broken:
            raise self._broken
        if mishap and mishap.act is None:
            self.happened["killed" if dead else "outran the kill"] += 1
        self.observe(place)
        self.observe(self.origin)
        if dead:
            self.told.append(f"  killed at write {mishap.at if mishap else 0}")
            return None
        if place.error and "in another way than it was told" in str(place.error):
            raise Broken(f"(h) {place.error}")
        if place.error:
            self.happened[f"error {type(place.error).__name__}"] += 1
            self.told.append(f"  {type(place.error).__name__}: {place.error}")
        elif push and not mishap and place.floor.oid not in ("", *self.origin.floor.commits):
            raise Broken(f"{place.name} said all is well, but the origin does not have its head")
        return done

    def effect(self, run: Callable[..., Result], of: Git, *arguments: str, **options: Any) -> Result:  # noqa: ANN401  # as given
        """Stand in for git: count its writes, and let the mishap happen."""
        if self._dead:
            raise Killed
        self._note(arguments, options)
        mishap = self._mishap
        if not any(word in _WRITES for word in arguments):
            return self._look_up(run, of, *arguments, **options)
        if mishap is None:
            return run(of, *arguments, **options)
        self._writes += 1
        due = self._writes == mishap.at
        if due and mishap.before:
            self._befall(mishap)
        result = run(of, *arguments, **options)
        if due and not mishap.before:
            self._befall(mishap)
        return result

    def _look_up(self, run: Callable[..., Result], of: Git, *arguments: str, **options: Any) -> Result:  # noqa: ANN401
        """Read; what can't change is read once in a world, and refs are files: most of what git is asked is these."""
        if arguments[0] == "rev-parse" and arguments[-1].startswith("refs/"):
            oid = read_ref(of.worktree, arguments[-1].removesuffix("^{commit}"))
            return Result(0 if oid else 1, oid.encode(), "")
        if "-g" in arguments or any(options.values()) or not _UNCHANGING.intersection(arguments):
            return run(of, *arguments, **options)
        if arguments not in self._read_once:
            result = run(of, *arguments)
            if result.status != 0:
                return result
            self._read_once[arguments] = result
        return self._read_once[arguments]

    def _befall(self, mishap: Mishap) -> None:
        if mishap.act is None:
            self._dead = True
            raise Killed
        outer, self._mishap = (self._mishap, self._writes, self._dead), None
        failed: list[BaseException] = []

        def act() -> None:
            try:
                assert mishap.act
                mishap.act()
            except BaseException as exc:  # noqa: BLE001  # it is raised again below
                failed.append(exc)

        other = threading.Thread(target=act)  # a loop of its own
        other.start()
        other.join()
        self._mishap, self._writes, self._dead = outer
        if failed:
            self._broken = failed[0]
            raise failed[0]

    def _note(self, arguments: Sequence[str], options: dict[str, Any]) -> None:
        for word in ("merge-file", "push"):
            self.happened[f"git {word}"] += word in arguments
        self.happened["replayed"] += b"commit refs/phasebot/rewrite" in options.get("stdin", b"")
