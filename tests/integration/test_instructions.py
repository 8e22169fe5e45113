"""Instructions are edits of the plan: each is saved once, and impossible ones are refused."""

from pathlib import Path

import pytest

from bot.engine.requests import Requester, RunRequest
from bot.generation.provider import GenerationRequest, GenerationResult
from tests.history_picture import (
    assert_settled,
    bot,
    commits,
    content,
    finished,
    head,
    person,
    phase_commit,
    unmet,
    well,
    work,
)
from tests.repositories import ScriptedProvider, git, new_repository, phasebot

PLAN = ".phasebot/plan.yaml"
ALICE = Requester("alice", "2381234567")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A complete run, with its branch checked out."""
    return finished(tmp_path / "shop")


def told(folder: Path) -> str:
    """Return the plan's part on instructions."""
    return content(folder, PLAN).partition("instructions:\n")[2]


# ---- an instruction is a plan edit


def test_an_instruction_is_committed_into_the_plan_first(shop: Path) -> None:
    before, plan = head(shop), content(shop, PLAN)

    told = unmet(shop, "regenerate", "entity/Item", "--instruction", "  Keep prices in cents.\n")

    assert told.err.splitlines()[-1] == (
        'phasebot: templates can\'t carry out what is asked of entity/Item ("Keep prices in cents."); '
        "set GEMINI_API_KEY or use --provider gemini, or do it yourself and take the rule out of plan.yaml, "
        f"then run 'phasebot generate --repo {shop}' again"
    )
    assert (
        commits(shop, before)
        == """\
Generate plan [1/6]  Phase: plan  Status: complete
  M .phasebot/plan.yaml
Generate entity Item [3/6]  Phase: entity/Item  Status: complete
"""
    )
    assert git(shop, "log", "-1", "--format=%b", "HEAD~1").startswith(
        "Added an instruction for entity/Item.\n\nPhasebot-Run: shop\n"
    )
    assert content(shop, PLAN) == plan + "instructions:\n  entity/Item: Keep prices in cents.\n"
    assert_settled(shop, 3)


def test_the_phase_is_told_it_from_then_on(shop: Path) -> None:
    slices: list[object] = []

    async def listen(request: GenerationRequest) -> GenerationResult:
        slices.append(request.phase.slice.get("instruction"))
        return GenerationResult(dict.fromkeys(request.paths, ""), {})

    provider = ScriptedProvider({"entity/Item": listen, "core": listen})
    work(shop, provider, request=RunRequest(regenerate=["entity/Item"], instruction="Cents."))
    work(shop, provider, request=RunRequest(regenerate=["entity/Item", "core"]))

    assert sorted(map(str, slices)) == ["Cents.", "Cents.", "None"]


def test_a_kill_after_the_plan_was_told_loses_nothing(shop: Path) -> None:
    async def killed(_: GenerationRequest) -> GenerationResult:
        raise KeyboardInterrupt

    before = head(shop)
    request = RunRequest(regenerate=["entity/Item", "core"], instruction="Keep prices in cents.")
    with pytest.raises(KeyboardInterrupt):
        work(shop, ScriptedProvider(dict.fromkeys(("core", "entity/Item"), killed)), request=request)
    state = well(shop, "status", "--format", "json")
    assert state.stale() == {"core": "plan", "entity/Item": "plan"}

    unmet(shop, "generate", "--jobs", 1)

    assert (
        commits(shop, before)
        == """\
Generate plan [1/6]  Phase: plan  Status: complete
  M .phasebot/plan.yaml
Generate core [2/6]  Phase: core  Status: complete
Generate entity Item [3/6]  Phase: entity/Item  Status: complete
"""
    )


def test_what_is_told_twice_changes_the_plan_once(shop: Path) -> None:
    unmet(shop, "regenerate", "entity/Item", "--instruction", "Cents.")
    before, plan = head(shop), content(shop, PLAN)

    unmet(shop, "regenerate", "entity/Item", "--instruction", "Cents.")

    assert content(shop, PLAN) == plan
    assert commits(shop, before) == "Generate entity Item [3/6]  Phase: entity/Item  Status: complete\n"


def test_what_is_told_twice_in_paragraphs_changes_the_plan_once(shop: Path) -> None:
    unmet(shop, "regenerate", "entity/Item", "--instruction", "Cents.\n\nNo floats.")
    plan = content(shop, PLAN)

    unmet(shop, "regenerate", "entity/Item", "--instruction", "Cents.\n\nNo floats.")

    assert content(shop, PLAN) == plan


def test_what_is_told_then_is_told_as_well(shop: Path) -> None:
    unmet(shop, "regenerate", "entity/Item", "--instruction", "Cents.")
    unmet(shop, "regenerate", "entity/Item", "entity/Order", "--instruction", "No floats: 1.")

    assert (
        told(shop)
        == """\
  entity/Item: |-
    Cents.

    No floats: 1.
  entity/Order: 'No floats: 1.'
"""
    )
    assert_settled(shop, 3)


@pytest.mark.parametrize(
    "text",
    ["a: b", "- a\n- b", "#a", "'", '"', "---", "...", "no", "1", "~", "{x}", "*a", "&a", "!a", "%a", "|", ">", "a\tb",
     "a\n  b\n\n\nc", "instructions:\n  core: x", "ü 🙂", "x" * 3000, "a \nb", "\\n", "@a", "`a`", "? a"],
)  # fmt: skip
def test_any_text_is_told_as_it_is(shop: Path, text: str) -> None:
    heard: list[object] = []

    async def listen(request: GenerationRequest) -> GenerationResult:
        heard.append(request.phase.slice.get("instruction"))
        return GenerationResult(dict.fromkeys(request.paths, ""), {})

    work(shop, ScriptedProvider({"main": listen}), request=RunRequest(regenerate=["main"], instruction=text))

    assert heard == [text]


def test_comments_and_format_of_the_plan_stay(shop: Path) -> None:
    plan = (
        content(shop, PLAN).partition("project: Shop\n")[2].replace("Item:\n    name: string", "Item: {name: string}")
    )
    above = "# ours\nproject:   'Shop'   # a name\n\n\n" + plan + "\n# about what follows\n"
    below = "\n  # the last\n\n# the end\n"
    person(shop, "Ours", {PLAN: f"{above}instructions:\n  core: 'Be brief.'\n{below}"})
    unmet(shop, "generate")

    unmet(shop, "regenerate", "entity/Item", "--instruction", "Cents.")

    assert git(shop, "show", f"HEAD:{PLAN}") + "\n" == (
        f"{above}instructions:\n  core: Be brief.\n  entity/Item: Cents.\n{below}"
    )
    assert_settled(shop, 3)


def test_a_plan_in_dos_format_is_told_too(shop: Path) -> None:
    person(shop, "Ours", {PLAN: content(shop, PLAN).replace("\n", "\r\n")})

    unmet(shop, "regenerate", "entity/Item", "--instruction", "Cents.")

    assert "entity/Item: Cents." in content(shop, PLAN)
    assert_settled(shop, 3)


def test_a_plan_that_ends_as_a_document_is_refused_and_stays(shop: Path) -> None:
    person(shop, "Ours", {PLAN: content(shop, PLAN) + "...\n"})
    before = head(shop)

    answer = bot(shop, "regenerate", "entity/Item", "--instruction", "Cents.")

    assert answer.code == 2
    assert "the plan with the instruction, line 13" in answer.err
    assert head(shop) == before


def test_a_plan_in_flow_style_is_told_too(shop: Path) -> None:
    flow = "entities: {Item: {name: string}, Order: {amount: integer, item: -> Item}}\n"
    person(shop, "Ours", {PLAN: flow + content(shop, PLAN).partition("entities:")[0] + "instructions: {core: Brief.}"})
    unmet(shop, "generate")

    unmet(shop, "regenerate", "entity/Item", "--instruction", "Cents.")

    assert content(shop, PLAN).startswith(flow)
    assert told(shop) == "  core: Brief.\n  entity/Item: Cents.\n"
    assert_settled(shop, 3)


# ---- asked twice


def test_the_same_comment_makes_a_phase_once(shop: Path) -> None:
    before = head(shop)
    work(shop, request=RunRequest(regenerate=["entity/Item"]), requested=ALICE)
    provider = ScriptedProvider()

    outcome = work(shop, provider, request=RunRequest(regenerate=["entity/Item"]), requested=ALICE)

    assert provider.asked == []
    assert outcome.remaining == []
    assert commits(shop, before) == "Generate entity Item [3/6]  Phase: entity/Item  Status: complete\n"
    work(shop, provider, request=RunRequest(regenerate=["entity/Item"]), requested=Requester("alice", "2"))
    assert [key for key, _ in provider.asked] == ["entity/Item"]
    work(shop, provider, request=RunRequest(regenerate=["entity/Item"]), requested=ALICE)
    assert len(provider.asked) == 1, "nor once more after another one"


def test_the_same_comment_finishes_what_is_missing(shop: Path) -> None:
    async def killed(_: GenerationRequest) -> GenerationResult:
        raise KeyboardInterrupt

    request = RunRequest(regenerate=["core", "entity/Item"], cascade=True, instruction="Use cents.")
    before = head(shop)
    with pytest.raises(KeyboardInterrupt):
        work(shop, ScriptedProvider({"entity/Item": killed}), request=request, requested=ALICE)

    provider = ScriptedProvider()
    outcome = work(shop, provider, request=request, requested=ALICE)

    assert [key for key, _ in provider.asked] == ["entity/Item", "entity/Order", "main"]
    assert outcome.remaining == []
    assert (
        commits(shop, before)
        == """\
Generate plan [1/6]  Phase: plan  Status: complete
  M .phasebot/plan.yaml
Generate core [2/6]  Phase: core  Status: complete
Generate entity Item [3/6]  Phase: entity/Item  Status: complete
Generate entity Order [4/6]  Phase: entity/Order  Status: complete
Generate main application [6/6]  Phase: main  Status: complete
"""
    )


def test_the_same_comment_does_not_undo_what_a_person_did_since(shop: Path) -> None:
    request = RunRequest(regenerate=["entity/Item"])
    work(shop, request=request, requested=ALICE)
    git(shop, "revert", "--no-edit", phase_commit(shop, "entity/Item"), check=False)
    git(shop, "commit", "--quiet", "--allow-empty", "--no-edit", check=False)
    well(shop, "rollback", "main")
    provider = ScriptedProvider()

    work(shop, provider, request=request, requested=ALICE)

    assert "main" not in [key for key, _ in provider.asked]


# ---- what can't be done


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("entity/Itme",), "phase 'entity/Itme' is not in the plan; phases are: entity/Item, entity/Order"),
        (("core", "nope"), "phase 'nope' is not in the plan; phases are: core"),
        (("",), "phase '' is not in the plan"),
        (("plan",), "regenerating plan: the plan is never regenerated; edit plan.yaml and run generate"),
        (("plan", "--instruction", "More."), "regenerating plan"),
        ((), "no phase is named; 'phasebot status' lists them"),
        (("--instruction", "More."), "no phase is named"),
        (("core", "--run", "nothing"), "phasebot/nothing: it has no plan; start the run with"),
        (("core", "--run", "a b"), "not a valid branch name"),
        (("core", "--instruction", "a\0b"), "U+0000; remove it"),
        (("core", "--instruction", "a\u202eb"), "U+202E; remove it"),
        (("core", "--instruction", "x" * (1 << 20)), "characters are too many"),
        (("entity/Nope", "--instruction", "More."), "is not in the plan"),
    ],
)
def test_what_can_not_be_made_again_is_refused_and_nothing_is_written(
    shop: Path, arguments: tuple[str, ...], message: str
) -> None:
    before = git(shop, "for-each-ref")

    told = bot(shop, "regenerate", *arguments)

    assert told.code == 2
    assert message in told.err
    assert told.out == ""
    assert git(shop, "for-each-ref") == before
    assert git(shop, "status", "--porcelain") == ""


def test_outside_of_a_run_nothing_is_made_again(tmp_path: Path) -> None:
    empty = new_repository(tmp_path / "empty")

    told, nowhere = bot(empty, "regenerate", "core"), bot(tmp_path / "nowhere", "regenerate", "core")

    assert (told.code, nowhere.code) == (2, 2)
    assert "no phasebot/* branch" in told.err
    assert "there is no repository" in nowhere.err
    assert not (tmp_path / "nowhere").exists()


def test_from_outside_it_is_the_same(shop: Path) -> None:
    before = head(shop)

    done = phasebot("regenerate", "main", "--instruction", "- Be brief.", "--repo", shop)

    assert done.returncode == 3, done.stderr
    assert (
        commits(shop, before)
        == """\
Generate plan [1/6]  Phase: plan  Status: complete
  M .phasebot/plan.yaml
Generate main application [6/6]  Phase: main  Status: complete
"""
    )
    assert phasebot("regenerate", "entity/Itme", "--repo", shop).returncode == 2
