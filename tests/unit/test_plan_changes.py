"""What differs between two plans, as a phase sees them, in the words of the plan file."""

import random
from collections.abc import Callable, Sequence

import pytest

from bot.planning.entities import Entity, Item
from bot.planning.phases import derive_phases
from bot.planning.plan import Plan
from bot.planning.plan_changes import Facts, find_differences, newest_changes, phase_facts
from bot.planning.recipe import Recipe
from bot.planning.schema_changes import MigrationStart
from tests.unit.values import read_plan, write_recipe

_RECIPE = """\
name: x
options:
  auth: {type: boolean, default: false, about: x}
collections: {features: {singular: feature, about: x}}
phases:
  - {key: core, title: t, sees: [types/password/names, options/auth, project, description, rules], files: {core: t.j2}}
  - {key: "entity/${name}", title: t, for-each: entities, files: {"${module}": t.j2}}
  - {key: "feature/${name}", title: t, for-each: features, needs: [uses], sees: [uses], files: {"f/${module}": t.j2}}
  - {key: keys, title: t, sees: [types/password], files: {keys: t.j2}}
  - {key: whole, title: t, sees: [entities, features, options, rules], files: {whole: t.j2}}
  - {key: main, title: t, sees: [names, features/names], files: {main: t.j2}}
  - {key: migration, title: t, sees: [changes], files: {"migrations/${revision}.py": t.j2}}
"""


@pytest.fixture(name="recipe", scope="module")
def _recipe(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    return write_recipe(tmp_path_factory.mktemp("recipe"), _RECIPE, {"t.j2": ""})


_TEXT = """
- User: name string unique
- Post: title string(120), body text, author -> User
  - unique author, title
  - access: read anyone; delete owner
  - a published post stays published
"""
_PLAN = read_plan(_TEXT).model_copy(update={"collections": {"features": (Item(name="Feed", uses=("Post",)),)}})


def _see(recipe: Recipe, plan: Plan, key: str, start: MigrationStart | None = None) -> Facts:
    return phase_facts(next((each for each in derive_phases(plan, recipe, start) if each.key == key), None), plan)


def _said(recipe: Recipe, old: Plan, new: Plan, key: str) -> list[str]:
    found = find_differences(_see(recipe, old, key), _see(recipe, new, key))
    return [f"{each.subject}: {each.old} -> {each.new}" for each in found]


def _edited(old: str, new: str) -> Plan:
    assert old in _TEXT
    return read_plan(_TEXT.replace(old, new)).model_copy(update={"collections": _PLAN.collections})


@pytest.mark.parametrize(
    ("key", "old", "new", "said"),
    [
        ("entity/Post", "string(120)", "string(80)", ["Post.title: string(120) -> string(80)"]),
        ("entity/Post", "title string(120)", "title string?", ["Post.title: string(120) -> string?"]),
        ("entity/Post", "body text,", "body text, slug string,", ["Post.slug: None -> string"]),
        ("entity/Post", "body text, ", "", ["Post.body: text -> None"]),
        ("entity/Post", "title string(120), body text", "body text, title string(120)", ["order of Post.fields: *"]),
        (
            "entity/Post",
            "unique author, title",
            "unique title, body",
            ["Post.unique: (author, title) -> (title, body)"],
        ),
        ("entity/Post", "delete owner", "delete user", ["Post.access.delete: owner -> user"]),
        (
            "entity/Post",
            "a published post stays published",
            "no post is empty",
            ["Post.rules: None -> no post is empty", "Post.rules: a published post stays published -> None"],
        ),
        ("whole", "- Post:", "- Tag: name string\n- Post:", ["Tag: None -> "]),
        ("main", "- Post:", "- Tag: name string\n- Post:", ["Tag: None -> "]),
        ("main", "string(120)", "string(80)", []),
        (
            "core",
            "name string unique",
            "name string, secret password",
            ["entities with the type password: None -> User"],
        ),
        (
            "keys",
            "name string unique",
            "name string, secret password",
            ["entities with the type password: None -> User"],
        ),
        ("feature/Feed", "string(120)", "string(80)", ["Post.title: string(120) -> string(80)"]),
    ],
)
def test_a_difference_has_the_name_and_the_words_of_the_plan(
    recipe: Recipe, key: str, old: str, new: str, said: Sequence[str]
) -> None:
    found = _said(recipe, _PLAN, _edited(old, new), key)

    assert len(found) == len(said)
    assert all(is_.startswith(want.removesuffix("*")) for is_, want in zip(found, said, strict=True)), found


def test_what_is_no_entity_is_named_as_in_the_plan_file(recipe: Recipe) -> None:
    def said(key: str, **changes: object) -> list[str]:
        return _said(recipe, _PLAN, _PLAN.model_copy(update=changes), key)

    feed, other = Item(name="Feed", uses=("Post", "User"), does="Lists."), Item(name="Other")

    assert said("core", options={"auth": True}) == ["options.auth: false -> true"]
    assert said("core", project="Shop", description="A shop.") == [
        "project: Untitled -> Shop",
        "description:  -> A shop.",
    ]
    assert said("core", rules=("Be fast.",)) == ["rules: None -> Be fast."]
    assert said("main", instructions={"main": "Log."}) == ["instructions: None -> Log."]
    assert said("feature/Feed", collections={"features": (feed,)}) == [
        "Feed.does: None -> Lists.",
        "Feed.uses: Post -> Post, User",
    ]
    assert said("main", collections={"features": (feed, other)}) == ["Other: None -> "]


def test_a_field_that_is_called_like_a_part_of_a_plan_is_a_field(recipe: Recipe) -> None:
    old, new = (read_plan(f"- Line: order integer, fields string, rules {kind}") for kind in ("text", "string"))

    assert _said(recipe, old, new, "entity/Line") == ["Line.rules: text -> string"]


def test_a_migration_names_what_changed_in_the_plan_and_where_it_starts(recipe: Recipe) -> None:
    first, second = MigrationStart(_PLAN.entities, ("0001",), 2), MigrationStart(_PLAN.entities, ("0002",), 3)
    more, most = _edited("body text,", "body text, slug string,"), _edited("body text,", "body text, slug text,")

    def said(*places: tuple[Plan, MigrationStart]) -> list[str]:
        facts = [_see(recipe, plan, "migration", start) for plan, start in places]
        return [f"{each.subject}: {each.old} -> {each.new}" for each in find_differences(*facts)]

    assert said((more, first), (most, first)) == ["Post.slug: string -> text"]
    assert said((more, first), (more, second)) == ["migrations of the base: 0001 -> 0002"]


def test_the_newest_change_of_the_very_property_counts(recipe: Recipe) -> None:
    texts = ["string(120)", "string(80)", "string(80) unique", "string(80) unique", "string(80) unique index"]
    versions = [_see(recipe, _edited("string(120)", text), "entity/Post") for text in texts]

    (found,) = find_differences(versions[0], versions[-1])
    assert newest_changes(found, versions) == [1, 2, 4]

    back = [versions[0], versions[1], versions[0], versions[1]]
    (found,) = find_differences(back[0], back[-1])
    assert newest_changes(found, back) == [3]


def test_what_comes_after_another_addition_is_not_its_fault(recipe: Recipe) -> None:
    texts = ["body text,", "body text, slug string,", "body text, slug string, size integer,"]
    versions = [_see(recipe, _edited("body text,", text), "entity/Post") for text in texts]

    found = find_differences(versions[0], versions[-1])
    assert [(each.subject, newest_changes(each, versions)) for each in found] == [
        ("Post.slug", [1]),
        ("Post.size", [2]),
    ]


_EDITS: Sequence[Callable[[Plan, random.Random], Plan]] = (
    lambda plan, dice: plan.model_copy(update={"project": f"P{dice.randrange(2)}"}),
    lambda plan, dice: plan.model_copy(update={"rules": tuple(dice.sample(["a", "b", "c"], dice.randrange(3)))}),
    lambda plan, dice: plan.model_copy(update={"options": dice.choice([{}, {"auth": True}])}),
    lambda plan, dice: plan.model_copy(update={"entities": tuple(dice.sample(plan.entities, len(plan.entities)))}),
    lambda plan, dice: plan.model_copy(update={"entities": tuple(_other(entity, dice) for entity in plan.entities)}),
    lambda plan, dice: plan.model_copy(
        update={
            "collections": {
                "features": tuple(
                    Item(name=name, uses=tuple(dice.sample(["User", "Post"], dice.randrange(3))))
                    for name in dice.sample(["Feed", "Follow"], dice.randrange(3))
                )
            }
        }
    ),
)


def _other(entity: Entity, dice: random.Random) -> Entity:
    field = dice.choice(entity.fields)
    fields = [each for each in entity.fields if each is not field or dice.random() < 0.8]
    if field in fields and not field.is_relation:
        fields[fields.index(field)] = field.model_copy(
            update={"unique": dice.random() < 0.5, "type": dice.choice(["string", "password", "text"])}
        )
    dice.shuffle(fields)
    return entity.model_copy(
        update={"fields": tuple(fields or entity.fields), "unique": (), "table_name": dice.choice([None, "t"])}
    )


def test_every_difference_of_digests_has_a_name_and_nothing_else_has(recipe: Recipe) -> None:
    dice, differing = random.Random(1), 0  # noqa: S311  # a game, to be repeated
    for _ in range(300):
        old = new = _PLAN
        for _ in range(dice.randrange(1, 4)):
            old, new = new, dice.choice(_EDITS)(new, dice)
        before = {phase.key: phase for phase in derive_phases(old, recipe)}
        for phase in derive_phases(new, recipe):
            if phase.key != "plan" and (was := before.get(phase.key)):
                found = find_differences(phase_facts(was, old), phase_facts(phase, new))
                assert bool(found) == (was.inputs != phase.inputs), (was.slice, phase.slice)
                assert len({(each.subject, each.old, each.new) for each in found}) == len(found), found
                differing += bool(found)
    assert differing > 300
