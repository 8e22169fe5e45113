"""Random chains of edits, plan edits, merges and new runs, compared with ``git merge-file`` on the true versions.

The chain keeps, beside the repository, what the bot would have made alone of each file from the plan that the file at
head was last made from.  Every file must then be what git makes of that version, head's and the new one, and a conflict
is only where git has one.
"""

import random
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.generation.templates import render_phase
from bot.planning.phases import PLAN_FILE
from bot.planning.resolved_plan import resolve_plan_file
from tests.history_picture import bot, content, first_edition, person, work
from tests.integration.test_merged_projects import rebase, squash, squash_with_messages
from tests.repositories import ScriptedProvider, git, new_repository

FIELDS = ("name", "phone", "nickname", "title", "street", "town")
ITEM = "app/models/item.py"
STEPS = 8
FAST_SEEDS = (2,)


def merge_file(folder: Path, ours: str, base: str, theirs: str) -> str | None:
    """Merge by git's own command; None for a conflict."""
    names = []
    for name, text in (("ours", ours), ("base", base), ("theirs", theirs)):
        path = folder.parent / name
        path.write_text(text)
        names.append(str(path))
    done = subprocess.run(["git", "merge-file", "-p", *names], capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else None


class Chain:
    """One repository, and the true versions of its generated files."""

    def __init__(self, folder: Path, seed: int, provider: str) -> None:
        self.folder = new_repository(folder)
        self.random = random.Random(seed)  # noqa: S311  # a test, not cryptography
        self.provider = provider
        self.true: dict[str, str] = {}
        """Path → what the bot would have made alone from the plan that the file at head was last made from."""
        self.number = 0
        self.start_run()

    @property
    def run(self) -> str:
        return f"run{self.number}"

    @property
    def is_merged(self) -> bool:
        return git(self.folder, "branch", "--show-current") == "main"

    def start_run(self) -> None:
        self.number += 1
        field = self.random.choice(FIELDS)
        before = self.files()
        spec = f"# Shop\n\n- Item: {field} {self.random.choice(['string', 'text'])}?\n"
        arguments = ["--recipe", first_edition(), "--run", self.run, "--jobs", 1, "--provider", "template"]
        only = ["--only", "plan"] if self.provider != "template" else []
        self.tell(spec, *arguments, *only)
        git(self.folder, "switch", "--quiet", f"phasebot/{self.run}")
        if only:
            self.work()
        self.compare(before)

    def generate(self) -> None:
        before = self.files()
        if self.provider == "template":
            self.tell("--jobs", 1)
        else:
            self.work()
        self.compare(before)

    def tell(self, *arguments: object) -> None:
        told = bot(self.folder, "generate", *arguments)
        assert told.code in (0, 3), told.err  # 3 for a conflict

    def work(self) -> None:
        """Generate as if a model wrote what the templates write, so that nothing can be rendered again."""
        work(self.folder, ScriptedProvider(name=self.provider), run=self.run)

    def files(self) -> Mapping[str, str]:
        names = git(self.folder, "ls-tree", "-r", "--name-only", "HEAD").split("\n")
        return {name: content(self.folder, name) for name in names if name}

    def rendered(self) -> Mapping[str, str]:
        plan = resolve_plan_file(content(self.folder, PLAN_FILE), source="the plan", output_dir=".")
        return {path: text for phase in plan.phases[1:] for path, text in render_phase(plan, phase).items()}

    def compare(self, before: Mapping[str, str]) -> None:
        """Compare every file with what git makes of the true three versions."""
        after, rendered = self.files(), self.rendered()
        for path, new in rendered.items():
            if path not in before:
                expected: str | None = new
            elif new == self.true[path]:
                expected = before[path]
            else:
                expected = merge_file(self.folder, before[path], self.true[path], new)
            if expected is None:
                expected = before[path]
            else:
                self.true[path] = new
            assert after[path] == expected, path

    def edit(self) -> None:
        """Insert, change or remove a line, as a person."""
        lines = content(self.folder, ITEM).splitlines()
        place = self.random.randrange(len(lines))
        kind = self.random.choice(["insert", "change", "remove"])
        new = [f"# mine {self.random.randrange(1000)}"] if kind != "remove" else []
        lines[place : place + (kind != "insert")] = new
        person(self.folder, "Edit a file", {ITEM: "\n".join([*lines, ""])})

    def edit_plan(self) -> None:
        """Add a field, or take one away, and generate."""
        text = content(self.folder, PLAN_FILE)
        field = self.random.choice(FIELDS)
        line = f"    {field}: string?\n"
        if any(each.startswith(f"    {field}:") for each in text.split("\n")):
            kept = [each for each in text.split("\n") if not each.startswith(f"    {field}:")]
            text = "\n".join(kept)
        else:
            text = text.replace("  Item:\n", f"  Item:\n{line}")
        if "  Item:\n    " not in text:
            return
        person(self.folder, "Edit the plan", {PLAN_FILE: text})
        self.generate()

    def merge(self) -> None:
        """Merge the run into main in some way; after a squash, nothing says that a file is from an older plan."""
        git(self.folder, "switch", "--quiet", "main")
        squashes = ["squash", "squash with messages"] if self.provider == "template" else []
        way = self.random.choice(["ff", "no-ff", "rebase", *squashes])
        branch = f"phasebot/{self.run}"
        if way == "ff":
            git(self.folder, "merge", "--quiet", "--ff-only", branch)
        elif way == "no-ff":
            git(self.folder, "merge", "--quiet", "--no-ff", "--no-edit", branch)
        elif way == "rebase":
            rebase(self.folder, branch)
        else:
            (squash if way == "squash" else squash_with_messages)(self.folder, branch)
            self.true.update(self.rendered())
        if self.random.random() < 0.5:
            git(self.folder, "branch", "-D", branch)

    def play(self) -> None:
        for _ in range(STEPS):
            if self.is_merged:
                self.random.choice([self.edit, self.start_run])()
            else:
                self.random.choice([self.edit, self.edit, self.edit_plan, self.generate, self.merge])()


@pytest.mark.parametrize("provider", ["template", "gemini"])
@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=pytest.mark.slow if seed not in FAST_SEEDS else ()) for seed in range(60)]
)
def test_a_conflict_is_only_where_the_true_versions_have_one(tmp_path: Path, seed: int, provider: str) -> None:
    Chain(tmp_path / "shop", seed, provider).play()
