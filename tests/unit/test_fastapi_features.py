"""Features of the recipe `fastapi`: their phases, what a model is told of them, and how the application mounts them."""

import ast

import pytest

from bot.generation.llm.prompts import files_request
from bot.generation.plan_views import phase_context
from bot.generation.provider import GenerationRequest
from bot.generation.rendering import render_files
from bot.planning.entities import Item
from bot.planning.phases import Phase, derive_phases, find_phase
from bot.planning.plan import Plan
from bot.planning.recipe import load_recipe
from tests.unit.values import BLOG, read_plan, run_here

_FASTAPI = load_recipe("fastapi")
_BLOG = read_plan(BLOG)
_FEED = Item(name="Feed", does="`GET /feed` returns <b>posts</b>.", uses=("Post", "Follow"), rules=("Newest first.",))
_FOLLOW = Item(name="Follow", does="A user follows another.", uses=("User",))
_PLAN = _BLOG.model_copy(update={"collections": {"features": (_FEED, _FOLLOW)}, "rules": ("Pages hold 20.",)})


def _phases(plan: Plan) -> dict[str, Phase]:
    return {phase.key: phase for phase in derive_phases(plan, _FASTAPI)}


def _api(plan: Plan) -> str:
    phase = find_phase(derive_phases(plan, _FASTAPI), "main")
    text = render_files(run_here, _FASTAPI, {"app/api.py": phase.files["app/api.py"]}, phase_context(plan, phase))
    return str(text["app/api.py"])


def test_a_feature_needs_core_and_what_it_uses_and_comes_after_it() -> None:
    phases = _phases(_PLAN)

    assert [key for key in phases if key.startswith("feature/")] == ["feature/Follow", "feature/Feed"]
    assert phases["feature/Feed"].needs == ("core", "entity/Post", "feature/Follow")
    assert phases["feature/Feed"].without_template == (
        "app/features/feed/service.py", "app/features/feed/router.py", "tests/test_feed.py",
    )  # fmt: skip
    assert phases["feature/Feed"].reads[-9:] == (
        *("app/models/post.py", "app/schemas/post.py", "app/repositories/post_repository.py", "app/routers/posts.py"),
        *("tests/samples/post.py", "tests/test_post.py"),
        *phases["feature/Follow"].files,
    )
    assert phases["main"].needs[-2:] == ("feature/Follow", "feature/Feed")


def test_a_plan_without_features_keeps_its_digests() -> None:
    assert {phase.key: phase.inputs.removeprefix("sha256:")[:12] for phase in derive_phases(_BLOG, _FASTAPI)[1:]} == {
        "core": "9f54fb5da6a4",
        "entity/User": "a1121743c076",
        "entity/Post": "d63f3b935cb6",
        "entity/Comment": "20063124054e",
        "entity/Tag": "f13e77cf6ee6",
        "entity/PostTag": "5c039f112482",
        "support": "ddacdebcb61a",
        "main": "6a364eb49ac0",
    }


def test_a_feature_changes_its_own_phases_the_readme_and_main_only() -> None:
    old, new = _phases(_PLAN), _phases(_PLAN.model_copy(update={"collections": {"features": (_FOLLOW,)}}))

    assert {key for key in old.keys() & new.keys() if old[key].inputs != new[key].inputs} == {
        "plan",
        "support",
        "main",
    }


def test_routers_of_features_come_before_those_of_entities() -> None:
    tree = ast.parse(_api(_PLAN))
    routers = next(each.value for each in tree.body if isinstance(each, ast.Assign))

    assert isinstance(routers, ast.List)
    assert [ast.unparse(each) for each in routers.elts] == [
        f"{name}_router" for name in ("feed", "follow", "user", "post", "comment", "tag", "post_tag")
    ]
    modules = [each.module for each in tree.body if isinstance(each, ast.ImportFrom)]
    assert modules == sorted(modules, key=str)
    assert len(modules) == 7


def test_a_model_is_told_the_sentence_the_rules_and_what_the_feature_uses() -> None:
    phase = find_phase(derive_phases(_PLAN, _FASTAPI), "feature/Feed")
    request = GenerationRequest(_PLAN, _FASTAPI, phase, tuple(phase.files))
    at_head = dict.fromkeys(phase.reads, "# as it is\n")

    asked = "\n".join(
        files_request(request, request.paths, at_head=at_head, generated={}, faults={}, run=run_here).parts
    )

    assert "`GET /feed` returns &lt;b>posts&lt;/b>." in asked
    assert "- Newest first.\n- Pages hold 20. (of the whole project" in asked
    assert "- Entity Post: `from app.models.post import Post`" in asked
    assert "- Feature Follow: `from app.features.follow.service import …`" in asked
    assert '<file path="app/routers/posts.py">\n# as it is\n' in asked
    assert "<reference" not in asked


@pytest.mark.parametrize("name", ["Crud", "Service", "Samples", "Resource", "Support", "Conftest"])
def test_no_name_of_a_feature_takes_the_file_of_another_phase(name: str) -> None:
    plan = _BLOG.model_copy(update={"collections": {"features": (Item(name=name, does="Tests."),)}})

    assert f"feature/{name}" in {phase.key for phase in derive_phases(plan, _FASTAPI)}


def test_two_relations_to_one_entity_name_different_rows_in_each_sample() -> None:
    plan = read_plan(
        "- User: name string\n- Follow: follower -> User, followed -> User\n"
        "- Match: home -> User, guest -> User, day date\n"
    )
    texts = {}
    for name in ("Follow", "Match"):
        phase = find_phase(derive_phases(plan, _FASTAPI), f"entity/{name}")
        path = f"tests/samples/{name.lower()}.py"
        texts[name] = str(render_files(run_here, _FASTAPI, {path: phase.files[path]}, phase_context(plan, phase))[path])

    assert '"follower_id": samples.id("User", n),\n        "followed_id": samples.id("User", n + 1),' in texts["Follow"]
    assert '"home_id": samples.id("User"),\n        "guest_id": samples.id("User", 1),' in texts["Match"]
