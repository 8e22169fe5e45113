"""What templates can't do is named and pending; a model or people make it complete."""

import dataclasses
import json
from pathlib import Path

import pytest

from bot.engine.requests import RunRequest
from bot.generation.provider import GenerationRequest, GenerationResult
from bot.planning import resolved_plan
from bot.planning.phases import Phase, derive_phases
from bot.planning.plan import Plan
from bot.planning.recipe import Recipe
from tests.history_picture import (
    assert_settled,
    bot,
    commits,
    content,
    finished,
    head,
    person,
    tree,
    unmet,
    well,
    work,
)
from tests.repositories import SMALL, ScriptedProvider, git, new_repository

PLAN = ".phasebot/plan.yaml"
NOTE = "# Shop\n\n- Item: name string\n- Order: amount integer, item -> Item\n"
MODELS = "app/models/order.py"
ORDER = [MODELS, "app/routers/order.py"]


class _Model(ScriptedProvider):
    """Makes what templates make, and a line in files without one, under the name of a model."""

    def __init__(self) -> None:
        super().__init__(name="gemini")

    async def generate(self, request: GenerationRequest) -> GenerationResult:
        made = await super().generate(request)
        return GenerationResult(
            {path: f"# by a model\n{made.files.get(path, '')}" for path in request.paths}, {}, "gemini-x"
        )


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A complete run, with its branch checked out."""
    return finished(tmp_path / "shop")


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Paths for which the recipe has no template."""
    paths = [*ORDER]

    def without(plan: Plan, recipe: Recipe) -> tuple[Phase, ...]:
        return tuple(
            dataclasses.replace(
                phase, files={path: "" if path in paths else name for path, name in phase.files.items()}
            )
            for phase in derive_phases(plan, recipe)
        )

    monkeypatch.setattr(resolved_plan, "derive_phases", without)
    return paths


def start(folder: Path, code: int = 3) -> str:
    """Start a run with templates in a new repository; return its last line."""
    told = bot(new_repository(folder), "generate", NOTE, "--run", "shop", "--recipe", SMALL, "--jobs", 1)
    assert told.code == code, told.err
    git(folder, "switch", "--quiet", "phasebot/shop")
    return told.err.splitlines()[-1]


# ---- what people ask in sentences


def test_a_phase_that_templates_made_is_pending_until_a_model_makes_it_again(shop: Path) -> None:
    person(shop, "Tell", {PLAN: content(shop, PLAN) + "instructions:\n  entity/Order: At least one.\n"})
    told = unmet(shop, "generate", "--format", "json")
    assert json.loads(told.out)["complete"] is False
    assert (told.phase("entity/Order")["status"], told.phase("entity/Order")["unmet"]) == ("pending", ["At least one."])
    assert_settled(shop, 3)
    before = person(shop, "Mine", {MODELS: content(shop, MODELS) + "# mine\n"})

    outcome = work(shop, _Model())

    assert outcome.is_success
    assert commits(shop, before) == (
        f"Generate entity Order [4/6]  Phase: entity/Order  Status: complete\n  M {ORDER[0]}\n  M {ORDER[1]}\n"
    )
    assert content(shop, MODELS).startswith("# by a model\n")
    assert "# mine\n" in content(shop, MODELS)
    assert well(shop, "status", "--format", "json").json()["complete"] is True
    assert_settled(shop)


def test_taking_the_rule_out_of_the_plan_completes_it_and_keeps_what_people_did(shop: Path) -> None:
    plan = content(shop, PLAN)
    person(shop, "Tell", {PLAN: plan + "instructions:\n  entity/Order: At least one.\n"})
    unmet(shop, "generate")
    person(shop, "Do it", {MODELS: content(shop, MODELS) + "# at least one\n", PLAN: plan})

    well(shop, "generate")

    assert "# at least one" in content(shop, MODELS)
    assert_settled(shop)


def test_other_phases_are_a_success_by_themselves(shop: Path) -> None:
    person(shop, "Tell", {PLAN: content(shop, PLAN) + "instructions:\n  entity/Order: At least one.\n"})
    unmet(shop, "generate", "--only", "entity/Order")

    well(shop, "generate", "--only", "core")


def test_an_instruction_for_a_phase_that_does_not_exist_is_no_success(shop: Path) -> None:
    person(shop, "Tell", {PLAN: content(shop, PLAN) + "instructions:\n  entity/Ordre: One.\n  plan: Two.\n"})
    before = head(shop)

    told = bot(shop, "generate", "--format", "json")

    assert (told.code, head(shop)) == (3, before)
    assert told.err.splitlines()[-1] == (
        "phasebot: the plan has instructions for 'entity/Ordre' (did you mean entity/Order?), "
        "'plan' (did you mean main?), which are no phases; correct the key in plan.yaml, "
        f"then run 'phasebot generate --repo {shop}' again"
    )
    assert (told.json()["complete"], told.json()["misplaced-instructions"]) == (False, ["entity/Ordre", "plan"])
    assert "did you mean entity/Order?" in well(shop, "status").out


# ---- files without a template


def test_a_phase_that_no_template_makes_waits_and_so_does_what_needs_it(tmp_path: Path, by_hand: list[str]) -> None:
    folder = tmp_path / "shop"

    assert start(folder) == (
        "phasebot: templates can't write entity/Order; main waits for that; "
        f"set GEMINI_API_KEY or use --provider gemini, write the files yourself: {', '.join(by_hand)}, "
        "or move it to left-out in plan.yaml, "
        f"then run 'phasebot generate --repo {folder} --run shop --jobs 1' again"
    )
    state = well(folder, "status", "--format", "json")
    assert [state.phase(key)["status"] for key in ("support", "entity/Order", "main")] == [
        "complete",
        "pending",
        "pending",
    ]
    before = head(folder)
    assert bot(folder, "generate").code == 3
    assert "templates can't write entity/Order" in bot(folder, "generate", "--only", "main").err
    assert head(folder) == before

    assert work(folder, _Model()).is_success


def test_files_that_people_write_make_a_phase_complete_without_a_commit(tmp_path: Path, by_hand: list[str]) -> None:
    start(tmp_path / "shop")
    folder = tmp_path / "shop"
    person(folder, "Half", {by_hand[0]: "mine\n"})
    assert bot(folder, "generate").code == 3
    before = person(folder, "Mine", {by_hand[1]: "mine\n"})

    well(folder, "generate")

    assert commits(folder, before) == "Generate main application [6/6]  Phase: main  Status: complete\n  A main.py\n"
    state = well(folder, "status", "--format", "json")
    order = state.phase("entity/Order")
    assert (order["status"], order["commit"], order["files"], order["made-by"]) == ("complete", None, by_hand, "people")
    assert (state.json()["complete"], state.stale()) == (True, {})
    assert "made by people" in well(folder, "status").out
    assert_settled(folder)


def test_what_people_made_can_t_be_rolled_back_but_made_again(tmp_path: Path, by_hand: list[str]) -> None:
    start(tmp_path / "shop")
    folder = tmp_path / "shop"
    person(folder, "Mine", dict.fromkeys(by_hand, "mine\n"))
    well(folder, "generate")

    refused = bot(folder, "rollback", "entity/Order")
    well(folder, "rollback", "core", "--cascade")

    assert refused.code == 2
    assert refused.err == (
        "phasebot: cannot roll back entity/Order: people wrote it, so there is no phase commit to roll back; "
        f"remove or revert the files yourself: {', '.join(by_hand)}\n"
    )
    assert [path for path in tree(folder) if path in (*by_hand, "main.py")] == by_hand
    assert bot(folder, "generate").code == 0
    assert bot(folder, "regenerate", "entity/Order").code == 3
    assert work(folder, _Model(), request=RunRequest(regenerate=["entity/Order"])).remaining == []
    assert content(folder, by_hand[0]) == "mine\n"
    request = RunRequest(regenerate=["entity/Order"], discard_edits=True)
    work(folder, _Model(), request=request)
    assert content(folder, by_hand[0]).startswith("# by a model")


def test_of_a_mixture_the_files_with_templates_are_made(tmp_path: Path, by_hand: list[str]) -> None:
    del by_hand[1]
    folder = tmp_path / "shop"

    last = start(folder)

    assert "templates can't write entity/Order; main waits for that" in last
    order = well(folder, "status", "--format", "json").phase("entity/Order")
    assert (order["status"], order["files"], order["missing"]) == ("partial", [ORDER[1]], [ORDER[0]])
    before = head(folder)
    assert bot(folder, "generate").code == 3
    assert head(folder) == before

    person(folder, "Mine", {ORDER[0]: "mine\n"})
    well(folder, "generate")
    assert_settled(folder)


# ---- the text of the spec


def test_the_text_of_the_spec_stands_beside_the_plan(shop: Path) -> None:
    assert content(shop, ".phasebot/spec.md").startswith("# Shop\n")
    assert "A .phasebot/spec.md" in commits(shop, "main").split("Generate core")[0]

    for change in ("edited\n", None):
        person(shop, "Mine", {".phasebot/spec.md": change})
        assert_settled(shop)
    unmet(shop, "regenerate", "main", "--instruction", "Be brief.")
    assert ".phasebot/spec.md" not in tree(shop)


def test_a_branch_of_an_earlier_release_continues_without_a_commit(shop: Path) -> None:
    git(shop, "rm", "--quiet", ".phasebot/spec.md")
    oids = git(shop, "rev-list", "--reverse", "main..HEAD").split("\n")
    git(shop, "reset", "--quiet", "--hard", oids[0])
    git(shop, "rm", "--quiet", ".phasebot/spec.md")
    git(shop, "commit", "--quiet", "--amend", "--no-edit")
    git(shop, "cherry-pick", *oids[1:])

    assert_settled(shop)
    assert " ".join(well(shop, "status").out.split()).startswith("[1/6] plan complete 1/1 file")
