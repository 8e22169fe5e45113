"""What people do to a branch in random histories: edit, revert, change the plan, rebase, and recover."""

import re
import subprocess
from collections.abc import Callable, Sequence
from random import Random

from bot.errors import UsageError
from bot.planning.resolved_plan import ResolvedPlan, resolve_plan_file
from tests.crash.history_world import World
from tests.crash.interruptions import BRANCH, PLAN, Place, read_ref
from tests.repositories import git

_NAMES = ("Post", "Tag", "Item", "Order", "Note")
_ADDED = re.compile(r"\+  (\w+):")
_ENTITY = re.compile(r"^  (\w+):\n(?:    .*\n)+", re.MULTILINE)
_FIELD = re.compile(r"^    (\w+): (.*)\n", re.MULTILINE)


def read_plan(place: Place) -> ResolvedPlan | None:
    """Return the plan at head of *place*, None where there is none or it is broken."""
    text = git(place.folder, "show", f"{BRANCH}:{PLAN}", check=False)
    try:
        return resolve_plan_file(text + "\n", source="the plan", output_dir=".") if text else None
    except UsageError:
        return None


class Person:
    """Who sits at a place; everything they do is theirs, whatever is lost by it."""

    def __init__(self, world: World, place: Place, dice: Random) -> None:
        self.world, self.place, self.dice = world, place, dice

    def git(self, *words: str, check: bool = True) -> str:
        return git(self.place.folder, *words, check=check)

    def well(self, *words: str) -> bool:
        """Run git and return whether it went well."""
        command = ["git", "-C", str(self.place.folder), *words]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def act(self, what: Callable[[], None], *, sync: bool = True, push: bool = True, force: bool = False) -> None:
        """Do *what* on a clean worktree, with *sync* on top of what others pushed."""
        self.world.observe(self.place)
        self.world.observe(self.world.origin)
        if not self.arrive(sync=sync):
            return
        what()
        self.world.observe(self.place, by=self.place.name)
        if push:
            self.well("push", "--quiet", *(("--force",) if force else ()), "origin", BRANCH)
            self.world.observe(self.world.origin, by=self.place.name if force else "bot")

    def arrive(self, *, sync: bool) -> bool:
        """Stand on the branch with a clean worktree; return whether there is a branch."""
        self.git("fetch", "--quiet", "--prune")
        there = read_ref(self.place.folder, f"refs/remotes/origin/{BRANCH}")
        if not read_ref(self.place.folder, f"refs/heads/{BRANCH}"):
            if not there:
                return False
            self.git("switch", "--quiet", "-C", BRANCH, f"origin/{BRANCH}")
        if read_ref(self.place.folder, "HEAD") != f"ref: refs/heads/{BRANCH}":
            self.git("switch", "--quiet", "--force", BRANCH)
        self.git("reset", "--quiet", "--hard")
        if self.world.happened["killed"]:
            self.git("clean", "-fdq")
        if sync and there and not self.well("merge-base", "--is-ancestor", f"origin/{BRANCH}", "HEAD"):
            # git pull --rebase, as git's own documentation advises after others rewrote a branch
            if not self.well("rebase", "--quiet", "--fork-point", f"origin/{BRANCH}"):
                self.well("rebase", "--abort")
                self.git("reset", "--quiet", "--hard", f"origin/{BRANCH}")
            self.world.touched |= self.world.reverted
        self.world.observe(self.place, by=self.place.name)
        return True

    def commit(self, files: dict[str, str | None], why: str = "edits") -> None:
        self.world.told.append(f"  {self.place.name} {why} {sorted(files)}")
        for name, content in files.items():
            path = self.place.folder / name
            if content is None:
                path.unlink(missing_ok=True)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content, newline="")
        self.git("add", "--all", "--", *files)
        self.git("commit", "--quiet", "--allow-empty", "-m", f"Human {self.world.number()} {why}")

    # Editing

    def edit(self) -> None:
        """Change a file of a phase, or put one where a phase has its own."""
        found = read_plan(self.place)
        paths = [path for phase in found.phases[1:] for path in phase.files] if found else ["main.py"]
        path = self.dice.choice([*paths, f"notes/{self.world.number()}.md"])
        self.world.touched.add(path)
        file, line = self.place.folder / path, f"# human {self.world.number()}"
        text = file.read_bytes().decode() if file.is_file() else ""
        how = self.dice.choice(["top", "end", "instead", "instead", "middle", "delete", "crlf", "whole"])
        lines = text.split("\n")
        if how == "delete" and text:
            self.commit({path: None}, "deletes")
        elif how == "crlf":
            self.commit({path: f"{line}\n{text}".replace("\r", "").replace("\n", "\r\n")}, "breaks lines")
        elif how == "top" or not text:
            self.commit({path: f"{line}\n{text}"})
        elif how == "end":
            self.commit({path: f"{text}{line}\n"})
        elif how == "instead":
            self.commit({path: re.sub(r"(?m)^# Edition .*$", line, text, count=1)}, "puts instead")
        elif how == "whole":
            self.commit({path: f"{line}\n"}, "writes anew")
        else:
            place = self.dice.randrange(len(lines))
            self.commit({path: "\n".join([*lines[:place], line, *lines[place:]])})

    def write_phase(self) -> None:
        """Write all files of a phase that lacks some, as whoever does not wait for the bot."""
        found = read_plan(self.place)
        phases = found.phases[1:] if found else ()
        lacking = [each for each in phases if not all((self.place.folder / path).is_file() for path in each.files)]
        if not lacking:
            return
        line = f"# human {self.world.number()}\n"
        files: dict[str, str | None] = dict.fromkeys(self.dice.choice(lacking).files, line)
        self.world.touched.update(files)
        self.commit(files, "writes a phase")

    def revert(self) -> None:
        """Revert a commit that is not the first one, as git revert and GitHub's button do."""
        recent = self._without_first(self._own_commits())[:12]
        if not recent:
            return
        oid = self.dice.choice(recent)
        if self.well("revert", "--no-commit", oid):
            said = f"This reverts commit {oid}."
            self.git("commit", "--quiet", "--allow-empty", "-m", f"Human {self.world.number()} reverts", "-m", said)
            self.world.told.append(f"  {self.place.name} reverts {self.git('log', '-1', '--format=%s', oid)}")
            self.world.happened["reverted"] += 1
            self.world.reverted |= set(self.git("diff", "--name-only", "HEAD~1", "HEAD").split("\n"))
        else:
            self.well("revert", "--abort")
            self.git("reset", "--quiet", "--hard")

    def _without_first(self, oids: Sequence[str]) -> list[str]:
        """Leave out the commits without which there is no run: those that put a plan there, or mended it."""
        made = self.git("log", "--first-parent", "--diff-filter=A", "--format=%H", BRANCH, "--", PLAN).split("\n")
        made += self.git(
            "log", "--first-parent", "--grep=the plan$", "--grep=mends", "--all-match", "--format=%H"
        ).split("\n")
        return [oid for oid in oids if oid not in made]

    def edit_plan(self) -> None:
        """Change the plan in a way that works."""
        file = self.place.folder / PLAN
        if not file.is_file():
            return
        text = file.read_text()
        for _ in range(5):
            changed = self.dice.choice([self._with_entity, self._without_entity, self._with_field, self._renamed])(text)
            if self.dice.random() < 0.3:
                changed = f"# human {self.world.number()}\n{changed}"
            try:
                resolve_plan_file(changed, source="the plan", output_dir=".")
            except UsageError:
                continue
            self.commit({PLAN: changed}, "edits the plan")
            return

    def break_plan(self) -> None:
        file = self.place.folder / PLAN
        if file.is_file():
            self.commit({PLAN: file.read_text().replace("entities:", "entities: [", 1)}, "breaks the plan")

    def mend_plan(self) -> None:
        file = self.place.folder / PLAN
        if file.is_file():
            self.commit({PLAN: file.read_text().replace("entities: [", "entities:", 1)}, "mends the plan")

    def _with_entity(self, text: str) -> str:
        absent = [name for name in _NAMES if f"\n  {name}:\n" not in text]
        added = f"  {self.dice.choice(absent or ['Post'])}:\n    size: integer\n"
        return text.replace("entities:\n", f"entities:\n{added}", 1)

    def _without_entity(self, text: str) -> str:
        found = [match[0] for match in _ENTITY.finditer(text)]
        return text.replace(self.dice.choice(found), "", 1) if len(found) > 1 else text

    def _with_field(self, text: str) -> str:
        found = self.dice.choice([match[0] for match in _FIELD.finditer(text)])
        return text.replace(found, f"{found}    f{self.world.number()}: string\n", 1)

    def _renamed(self, text: str) -> str:
        match = self.dice.choice(list(_FIELD.finditer(text)))
        return text.replace(match[0], f"    f{self.world.number()}: {match[2]}\n", 1)

    # Rewriting

    def rewrite(self) -> None:
        """Rebase, drop, squash or merge."""
        how = self.dice.choice([self._onto_main, self._onto_main, self._drop, self._drop, self._squash, self._merge])
        self.world.told.append(f"  {self.place.name} will{how.__name__.replace('_', ' ')}")
        how()
        self.world.touched |= self.world.reverted
        self.world.happened[f"rewrite {how.__name__[1:]}"] += 1

    def _advance_main(self) -> None:
        """Have somebody else push to main."""
        number = self.world.number()
        message, content = f"Main {number}\n", f"# human {number}\n"
        path = self.dice.choice([f"docs/{number}.md", f"docs/{number}.md", "README.md"])
        if path == "README.md":
            self.world.touched.add(path)
        stream = (
            f"commit refs/heads/main\ncommitter Eve <eve@example.com> 1764000000 +0000\n"
            f"data {len(message)}\n{message}from refs/heads/main^0\nM 100644 inline {path}\n"
            f"data {len(content)}\n{content}\n"
        )
        command = ["git", "-C", str(self.world.origin.folder), "fast-import", "--quiet"]
        subprocess.run(command, input=stream.encode(), check=True, capture_output=True)
        self.git("fetch", "--quiet")

    def _onto_main(self) -> None:
        self._advance_main()
        if not self.well("rebase", "--quiet", "origin/main"):
            self.well("rebase", "--abort")

    def _drop(self) -> None:
        recent = self._without_first(self._own_commits()[:-1])
        if recent:
            oid = self.dice.choice(recent)
            self.world.told.append(f"  drops {self.git('log', '-1', '--format=%s', oid)}")
            self._forget(oid)
            if not self.well("rebase", "--quiet", "--onto", f"{oid}^", oid):
                self.well("rebase", "--abort")

    def _forget(self, oid: str) -> None:
        """Note what the history does not tell any more once *oid* is dropped.

        What an entity's files are, where its plan goes; that a phase which was made twice has files, where it was
        the first of the two that brought them.
        """
        self.world.touched |= set(self.git("diff", "--name-only", f"{oid}~1", oid, "--", ":!.phasebot").split("\n"))
        for line in self.git("show", "--format=", "--unified=0", oid, "--", PLAN).split("\n"):
            if added := _ADDED.fullmatch(line):
                self.world.touched |= {f"app/{kind}/{added[1].lower()}.py" for kind in ("models", "routers")}

    def _own_commits(self) -> Sequence[str]:
        """Return the commits of the branch, newest first."""
        return self.git("log", "--first-parent", "--format=%H", "origin/main..HEAD").split("\n")

    def _squash(self) -> None:
        """Make one of the last two commits, if both are the bot's or both are people's."""
        own = self._own_commits()
        rows = self.git("log", "-2", "--first-parent", "--format=%s").split("\n")
        if len(own) < 4 or rows[0].startswith("Human ") != rows[1].startswith("Human "):
            return
        message = self.git("log", "-2", "--reverse", "--format=%B")
        self.world.touched |= set(self.git("diff", "--name-only", "HEAD~2", "HEAD").split("\n"))
        self.git("reset", "--quiet", "--soft", "HEAD~2")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)

    def _merge(self) -> None:
        self._advance_main()
        if not self.well("merge", "--quiet", "--no-ff", "-m", f"Human {self.world.number()} merges", "origin/main"):
            self.well("merge", "--abort")
