"""Repair: a model mends what checks found, in as many rounds as it may, and only while the errors get fewer."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.gemini_client import phasebot, spoiling
from tests.gemini_server import Asked, Author, FakeGemini, Reply, files
from tests.repositories import commit, git
from tests.unit.test_assess import FAULTS
from tests.unit.values import BLOG

RECIPES = Path(__file__).parents[1] / "data" / "recipes"
_POST, _TAG = "app/models/post.py", "app/models/tag.py"


def worse(made: dict[str, str], path: str, number: int) -> None:
    """Break a file in *number* places, if it is there."""
    if path in made:
        made[path] += "".join(f"\n\nX{place} = missing_{place}\n" for place in range(number))


def mending_when_asked(times: int) -> Callable[[Asked, dict[str, str]], dict[str, str]]:
    """Return a model that writes two errors in one file, and mends them when it is asked so often."""
    asked_for = 0

    def spoil(asked: Asked, made: dict[str, str]) -> dict[str, str]:
        nonlocal asked_for
        if _POST in asked.paths:
            asked_for += 1
            worse(made, _POST, 2 if asked_for < times else 0)
        return made

    return spoil


def generate(folder: Path, fake: FakeGemini, *options: object) -> tuple[int, str]:
    done = phasebot("generate", BLOG, "--repo", folder, *options, fake=fake)
    return done.returncode, done.stderr


def requests_for(fake: FakeGemini, path: str) -> list[Asked]:
    return [asked for asked in fake.requests if path in asked.paths]


def test_what_is_left_of_a_review_is_repaired_once_all_is_made(tmp_path: Path) -> None:
    with FakeGemini(spoiling(mending_when_asked(3))) as fake:
        code, told = generate(tmp_path / "blog", fake)

    assert code == 0
    assert "note: round 1 of repair, 2 errors in entity/Post\n" in told
    assert "left in" not in told
    first, again, repair = requests_for(fake, _POST)
    assert len(first.paths) > 1
    assert (again.paths, repair.paths) == ((_POST,), (_POST,))
    assert re.search(rf"- {_POST}:\d+: Undefined name `missing_0`", repair.prompt)
    assert "X0 = missing_0" in repair.prompt, "it sees the file"
    message = git(tmp_path / "blog", "log", "-1", "--format=%B")
    assert "Phasebot-Findings: given=2 left=0\nPhasebot-Repair: round=1 errors=2 phases=1" in message
    assert "1 of 1 file, " in message, "the others stay as they are"


def test_a_model_that_never_mends_is_left_alone_and_what_is_left_is_told(tmp_path: Path) -> None:
    with FakeGemini(spoiling(mending_when_asked(99))) as fake:
        code, told = generate(tmp_path / "blog", fake, "--repairs", 5)

    assert code == 0, "a finding blocks nothing"
    assert "round 1 of repair" in told
    assert "round 2 of repair" not in told, "the errors did not get fewer"
    assert len(requests_for(fake, _POST)) == 4, "each time it is asked once more before the commit"
    where = f"--repo {tmp_path / 'blog'}"
    assert f"2 errors left in entity/Post; 'phasebot assess {where}' lists them, 'phasebot fix {where}' lets " in told


def test_without_repairs_nothing_is_looked_for_at_the_end(tmp_path: Path) -> None:
    with FakeGemini(spoiling(mending_when_asked(3))) as fake:
        code, told = generate(tmp_path / "blog", fake, "--repairs", 0)

    assert (code, len(requests_for(fake, _POST))) == (0, 2)
    assert "of repair" not in told


def test_a_rerun_repairs_no_more_than_a_run_may(tmp_path: Path) -> None:
    with FakeGemini(spoiling(mending_when_asked(99))) as fake:
        generate(tmp_path / "blog", fake)
        before = len(fake.requests)
        code, told = generate(tmp_path / "blog", fake)

    assert (code, len(fake.requests)) == (0, before)
    assert "2 errors left in entity/Post" in told


def test_a_round_that_was_interrupted_goes_on_with_the_phases_it_has_left(tmp_path: Path) -> None:
    folder, mends = tmp_path / "blog", False

    def spoil(_: Asked, made: dict[str, str]) -> dict[str, str]:
        for path in () if mends else (_POST, _TAG):
            worse(made, path, 1)
        return made

    with FakeGemini(spoiling(spoil)) as fake:
        generate(folder, fake, "--repairs", 0)
        mends = True
        assert generate(folder, fake, "--jobs", 1)[0] == 0
        git(folder, "reset", "--hard", "-q", "HEAD^")  # as if it had died after the first of the two
        assert "entity Post" in git(folder, "log", "-1", "--format=%s")
        before = len(fake.requests)
        code, told = generate(folder, fake)

    assert code == 0
    assert "round 1 of repair, 1 error in entity/Tag" in told
    assert [asked.paths for asked in fake.requests[before:]] == [(_TAG,)]
    assert "Phasebot-Repair: round=1 errors=2 phases=2" in git(folder, "log", "-1", "--format=%B")
    assert "left in" not in told


def test_rounds_go_on_while_the_errors_get_fewer(tmp_path: Path) -> None:
    asked_for = 0

    def spoil(asked: Asked, made: dict[str, str]) -> dict[str, str]:
        nonlocal asked_for
        if _POST in asked.paths:
            asked_for += 1
            worse(made, _POST, max(0, 4 - asked_for // 2))
        return made

    with FakeGemini(spoiling(spoil)) as fake:
        _, told = generate(tmp_path / "blog", fake, "--repairs", 9)

    rounds = re.findall(r"round (\d) of repair, (\d) errors? in entity/Post", told)
    assert [number for number, _ in rounds] == [str(each + 1) for each in range(len(rounds))]
    assert [int(errors) for _, errors in rounds] == sorted((int(errors) for _, errors in rounds), reverse=True)
    assert "left in" not in told


def test_people_s_errors_are_theirs_unless_they_give_their_lines_away(tmp_path: Path) -> None:
    folder = tmp_path / "blog"
    with FakeGemini(spoiling(lambda _, made: made)) as fake:
        generate(folder, fake)
        commit(folder, "Use what is not there", {_TAG: (folder / _TAG).read_text() + "\n\nX = missing\n"})
        before = len(fake.requests)
        code, told = generate(folder, fake)
        assert (code, len(fake.requests)) == (0, before), "nobody asked for a repair of it"
        assert "1 error left in entity/Tag" in told

        done = phasebot("fix", "--repo", folder, fake=fake)

    assert done.returncode == 1
    assert [asked.paths for asked in fake.requests[before:]] == [(_TAG,)]
    assert "X = missing" in (folder / _TAG).read_text()
    assert (
        f"people's lines stay, but for 'phasebot regenerate --repo {folder} entity/Tag --discard-edits'" in done.stderr
    )


def test_fix_takes_the_phases_that_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "blog"
    mends = False

    def spoil(_: Asked, made: dict[str, str]) -> dict[str, str]:
        for path in () if mends else (_POST, _TAG):
            worse(made, path, 1)
        return made

    with FakeGemini(spoiling(spoil)) as fake:
        generate(folder, fake, "--repairs", 0)
        mends = True

        first = phasebot("fix", "entity/Tag", "--repo", folder, fake=fake)
        second = phasebot("fix", "--repo", folder, fake=fake)

    assert first.returncode == 1
    assert "1 error left in entity/Post" in first.stderr
    assert second.returncode == 0
    assert "'phasebot assess' finds no error any more" in second.stderr
    assert phasebot("assess", "--repo", folder).returncode == 0


def test_there_has_to_be_something_to_fix_and_somebody_who_can(tmp_path: Path) -> None:
    folder = tmp_path / "blog"
    with FakeGemini(spoiling(lambda _, made: made)) as fake:
        generate(folder, fake)
        nothing = phasebot("fix", "--repo", folder, fake=fake)
        unknown = phasebot("fix", "entity/Pots", "--repo", folder, fake=fake)
    nobody = phasebot("fix", "--repo", folder)

    assert (nothing.returncode, unknown.returncode, nobody.returncode) == (2, 2, 2)
    assert "no error is known; 'phasebot verify' runs the tests to find some" in nothing.stderr
    assert "did you mean entity/Post" in unknown.stderr or "entity/Post" in unknown.stderr
    assert "templates would write the same again; set GEMINI_API_KEY" in nobody.stderr


_WARNINGS = ("a mutable default", "a requirement that nothing needs")
_IN_BLOG = [name for name, fault in FAULTS.items() if fault.project == "blog" and name not in _WARNINGS]
_FAST = ("a router that nothing imports", "a requirement is missing", "a function that others expect")


@pytest.mark.parametrize(
    "name", [pytest.param(each, marks=() if each in _FAST else pytest.mark.slow) for each in _IN_BLOG]
)
def test_a_fault_that_a_model_writes_once_costs_one_more_request(tmp_path: Path, name: str) -> None:
    fault, is_written = FAULTS[name], False

    def spoil(_: Asked, made: dict[str, str]) -> dict[str, str]:
        nonlocal is_written
        if fault.path in made and not is_written:
            is_written = True
            made[fault.path] = made[fault.path].replace(fault.old, fault.new, 1)
        return made

    with FakeGemini(spoiling(spoil)) as fake:
        code, told = generate(tmp_path / "blog", fake)

    assert (code, is_written) == (0, True)
    assert "left in" not in told
    assert len(fake.requests) == 9 + 1, "nine phases, and the file with the fault"
    assert phasebot("assess", "--repo", tmp_path / "blog").stdout == "0 errors, 0 warnings\n"


_CHECK = """\
from pathlib import Path

from app import core, tag

is_right = tag.NAME == "Tag" and core.LIMIT
failure = '<failure message="it has no name">app/tag.py:1: in name</failure>'
Path("report.xml").write_text(
    f'<t><testcase classname="tests.test_tag" name="test_name">{"" if is_right else failure}</testcase></t>'
)
raise SystemExit(not is_right)
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A recipe with a check that is executed, for models."""
    folder = tmp_path / "checked"
    shutil.copytree(RECIPES / "checked", folder)
    (folder / "templates" / "check.j2").write_text(_CHECK)
    (folder / "prompts").mkdir()
    for name in ("system", "plan"):
        (folder / "prompts" / f"{name}.j2").write_text("Write it.\n")
    with (folder / "recipe.yaml").open("a") as file:
        file.write("prompts: {system: system.j2, plan: plan.j2}\n")
    return folder


def test_the_errors_of_a_verification_are_given_to_the_model(tmp_path: Path, recipe: Path) -> None:
    folder, spec = tmp_path / "blog", "# Blog\n- Tag: name string\n"
    author = Author(spec, str(recipe))

    def answer(asked: Asked) -> Reply:
        made = author.texts(asked.paths)
        if "What is wrong" not in asked.prompt and "app/tag.py" in made:
            made["app/tag.py"] = "NAME = None\n"
        return files(made)

    with FakeGemini(answer) as fake:
        options = ("--repo", folder, "--recipe", recipe)
        assert phasebot("generate", spec, *options, fake=fake).returncode == 0
        before = phasebot("fix", "entity/Tag", *options, fake=fake)
        failed = phasebot("verify", *options)
        phasebot("fix", "entity/Tag", *options, fake=fake)

    assert (before.returncode, failed.returncode) == (2, 1)
    assert "no error is known in entity/Tag" in before.stderr
    assert "Generate entity Tag" in git(folder, "log", "-1", "--format=%s")
    assert fake.requests[-1].paths == ("app/tag.py",)
    assert "it has no name" in fake.requests[-1].prompt
    assert phasebot("verify", *options).returncode == 0
