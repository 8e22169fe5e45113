"""Which phase is to blame for a test that failed: what was tested comes before the test."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from posixpath import join, normpath
from typing import NamedTuple

from bot.assessment.coverage import RULE, plain_rule
from bot.assessment.outline import Outline
from bot.assessment.project import TESTS, absolute, module_name
from bot.planning.plurals import plural
from bot.verification.remarks import Case, Remark, Spot
from bot.verification.verdict import Why


@dataclass(frozen=True)
class Ground:
    """The project that reports are about.  Paths are those inside its folder."""

    files: frozenset[str]
    owners: Mapping[str, str]
    """Path → key of the phase that owns it."""
    rules: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Key of a phase → its rules."""
    outlines: Mapping[str, Outline] = field(default_factory=dict)
    """Of the test files."""

    @cached_property
    def modules(self) -> Mapping[str, str]:
        """Name of each module → its path."""
        return {module_name(path): path for path in self.files if path.endswith(".py")}

    @cached_property
    def namesakes(self) -> Mapping[str, Sequence[str]]:
        """What files may be named after → their paths."""
        found: dict[str, list[str]] = {}
        for path in self.modules.values():
            for name in () if is_test(path) else {*_names(path)}:
                found.setdefault(name, []).append(path)
        return found

    @cached_property
    def phases_of_rules(self) -> Mapping[str, frozenset[str]]:
        """Each rule, as rules are compared → the phases that have it."""
        found: dict[str, set[str]] = {}
        for phase, rules in self.rules.items():
            for rule in rules:
                found.setdefault(plain_rule(rule), set()).add(phase)
        return {rule: frozenset(phases) for rule, phases in found.items()}

    def locate(self, path: str, folder: str, project: str) -> str | None:
        """Return the file that a report means by *path*; None if it is none of the project's.

        The command ran in *folder* of the project, which was in the folder *project*, an absolute path.
        """
        if path.startswith("/"):
            if not path.startswith(f"{project}/"):
                return None
            inner = normpath(path.removeprefix(f"{project}/"))
        else:
            inner = normpath(join(folder, path)) if path else ""
        return inner if inner in self.files else None

    def test_file(self, test: Remark | Case, folder: str, project: str) -> str | None:
        """Return the file of the test that a report names."""
        if found := self.locate(test.spot.path, folder, project):
            return found
        for name in (test.module, test.test):
            parts = name.split(".")[:20]
            for length in range(len(parts), 0, -1):
                if found := self.locate("/".join(parts[:length]).lstrip("/") + ".py", folder, project):
                    return found
        trace = test.trace if isinstance(test, Remark) else ()
        return next((path for each in trace if (path := self.locate(each.path, folder, project))), None)


class Blame(NamedTuple):
    """What is to blame."""

    path: str
    line: int | None
    phase: str | None
    why: Why
    certain: bool
    """False: another phase may be at fault as well."""


def is_test(path: str) -> bool:
    """Whether the file *path* tests others."""
    name = path.rpartition("/")[2]
    return path.startswith(f"{TESTS}/") or name.startswith(("test_", "conftest.")) or name.endswith("_test.py")


def blame(ground: Ground, test_file: str, test: str, trace: Sequence[Spot]) -> Blame:
    """Return what is to blame for the failure of *test* in *test_file*; *trace* has files of the project only."""
    own = next((each.line for each in trace if each.path == test_file), None)
    if phase := _phase_of_rule(ground, test_file, test):
        spot = next((each for each in trace if ground.owners.get(each.path) == phase), Spot(test_file, own))
        return Blame(spot.path, spot.line, phase, "rule", certain=True)
    if tested := [each for each in trace if not is_test(each.path)]:
        owners = {ground.owners.get(each.path) for each in tested}
        return Blame(*tested[0], ground.owners.get(tested[0].path), "trace", certain=len(owners) == 1)
    for candidates in (_namesakes(ground, test_file), _imported(ground, test_file)):
        phases = {ground.owners.get(path) for path in candidates}
        if len(phases) == 1 and (phase := next(iter(phases))):
            return Blame(next(iter(candidates)), None, phase, "module", certain=False)
    return Blame(test_file, own, ground.owners.get(test_file), "test", certain=False)


def likely_file(ground: Ground, test_file: str, changed: Sequence[str]) -> str:
    """Return the one of the *changed* files that *test_file* tests, as far as its name and imports tell."""
    tested = [path for path in (*_namesakes(ground, test_file), *_imported(ground, test_file)) if path in changed]
    return next(iter([*tested, *(path for path in changed if not is_test(path)), *changed]))


def _phase_of_rule(ground: Ground, test_file: str, test: str) -> str | None:
    """Return the only phase that has a rule that the test is marked with."""
    outline, name = ground.outlines.get(test_file), test.partition("[")[0].rpartition(".")[2]
    marked = set[str]()
    for each in outline.tests if outline else ():
        if each.name == name:
            marked |= {plain_rule(text) for mark, text in each.marks if mark == RULE}
    phases = frozenset[str]().union(*(ground.phases_of_rules.get(rule, frozenset()) for rule in marked))
    return next(iter(phases)) if len(phases) == 1 else None


def _namesakes(ground: Ground, test_file: str) -> Sequence[str]:
    """Return the files that are named like the test: ``app/routers/posts.py`` of ``tests/test_post.py``."""
    stem = PurePosixPath(test_file).stem.removeprefix("test_").removesuffix("_test")
    names = {stem, plural(stem)} if stem else set()
    return sorted({path for name in names for path in ground.namesakes.get(name, ())})


def _names(path: str) -> Iterator[str]:
    """Yield what a file may be named after: itself, also without its last word, and its folder; in both numbers."""
    parts = PurePosixPath(path)
    for name in (parts.stem, parts.stem.rpartition("_")[0], parts.parent.name):
        if name:
            yield from (name, plural(name))


def _imported(ground: Ground, test_file: str) -> Sequence[str]:
    outline, found = ground.outlines.get(test_file), list[str]()
    for each in outline.imports if outline else ():
        module = absolute(each.module, test_file)
        path = ground.modules.get(f"{module}.{each.name}") or ground.modules.get(module)
        if path and not is_test(path) and path in ground.owners:
            found.append(path)
    return sorted(dict.fromkeys(found))
