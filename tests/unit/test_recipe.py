"""Recipes: a sound one loads, a broken one is refused at once with one message."""

from pathlib import Path

import pytest

from bot.errors import UsageError
from bot.planning.path_rules import inside
from bot.planning.phases import derive_phases
from bot.planning.plan_checks import Reserved
from bot.planning.recipe import Recipe, digest, load_recipe
from tests.unit.values import BLOG, SMALL, SMALL_TEMPLATES, read_plan, write_recipe

_ONE = "name: one\nphases: [{key: a, title: a, files: {x: t.j2}}]\n"


def test_a_recipe_is_its_phases_and_the_text_of_its_templates(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path)

    assert recipe.name == "small"
    assert [phase.key for phase in recipe.phases] == ["core", "entity/${name}", "support", "main"]
    assert [phase.sees for phase in recipe.phases] == ["nothing", "nothing", "entities", "names"]
    assert recipe.phases[1].for_each == "entity"
    assert recipe.templates == SMALL_TEMPLATES


def test_a_recipe_reserves_names(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, _ONE + "reserved: {entities: [Doc], fields: [id]}\n", {"t.j2": ""})

    assert recipe.reserved == Reserved(frozenset({"Doc"}), frozenset({"id"}))


def test_templates_that_no_phase_uses_are_not_read(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, _ONE, {"t.j2": "", "other.j2": "x"})

    assert list(recipe.templates) == ["t.j2"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "recipe.yaml, line 1: it is empty"),
        ("name: [", "recipe.yaml, line "),
        ("a: &x 1\nb: *x\n", "recipe.yaml, line 1: YAML anchors, aliases and tags"),
        ("!!python/name:os.system x", "YAML anchors, aliases and tags"),
        ("[" * 100_000, "nested too deeply"),
        ("- a\n", "recipe.yaml, line 1: a recipe must be a mapping ('key: value' lines), not a list"),
        ("name: one\n", "line 1: 'phases' is missing; add it"),
        ("name: one\nphases: []\n", "line 2: 'phases' is empty"),
        (_ONE + "colour: red\n", "line 3: unknown key 'colour'; the keys are: name, description"),
        (_ONE.replace("name: one", "name: ''"), "line 1: 'name' is empty"),
        (_ONE.replace("name: one", "name: 2026-99-99"), "month must be in 1..12"),
        (_ONE.replace("name: one", 'name: "a\\nPhasebot-Run: b"'), "'name': it must be one line"),
        (_ONE.replace("key: a", 'key: "a\\tb"'), "'key': it must be one line"),
        (_ONE.replace("key: a", "key: ' a'"), "'key': it must be one line"),
        (_ONE.replace("title: a", 'title: "a\\n\\nb"'), "'title': it must be one line"),
        (_ONE.replace("key: a, ", ""), "line 2: 'key' is missing in 'phases'; add it"),
        (_ONE.replace("{x: t.j2}", "{}"), "'files': it lists 0 files"),
        (_ONE.replace("title: a", "title: a, sees: all"), "line 2: phase 'a' can't see 'all'"),
        (
            _ONE.replace("title: a", "title: a, for-each: field"),
            "line 2: 'field' is not a collection; collections are: entities",
        ),
        (_ONE.replace("name: one", "name: one\n<<: [1]"), "recipe.yaml"),
        (_ONE.replace("t.j2", "none.j2"), "can't read 'none.j2'"),
        (_ONE.replace("t.j2", "../recipe.yaml"), "'../recipe.yaml' is outside the recipe's folder"),
        (_ONE.replace("t.j2", "/etc/passwd"), "'/etc/passwd' is outside the recipe's folder"),
        (_ONE.replace("t.j2", "'.'"), "can't read '.'"),
        (_ONE.replace("t.j2", "x" * 300), "can't read "),
        (_ONE.replace("t.j2", '"a\\0b"'), "U+0000"),
        (_ONE + "shared: [none.j2]\n", "can't read 'none.j2'"),
    ],
)
def test_a_broken_recipe_is_refused_with_what_is_wrong(content: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        write_recipe(tmp_path, content, {"t.j2": ""})

    assert str(caught.value).startswith(f"recipe {str(tmp_path)!r}")
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_template_that_is_a_link_out_of_the_recipe_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    folder = tmp_path / "recipe"
    (folder / "templates").mkdir(parents=True)
    (folder / "templates" / "t.j2").symlink_to(tmp_path / "secret")

    with pytest.raises(UsageError, match="is outside the recipe's folder"):
        write_recipe(folder, _ONE, {})


def test_a_template_that_is_no_text_or_too_large_is_refused(tmp_path: Path) -> None:
    write_recipe(tmp_path, _ONE, {"t.j2": ""})
    template = tmp_path / "templates" / "t.j2"

    template.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"can't read 't\.j2'"):
        load_recipe(str(tmp_path))

    template.write_text("x" * (1 << 20) + "x")
    with pytest.raises(UsageError, match=r"'t\.j2' is larger than 1,048,576 characters"):
        load_recipe(str(tmp_path))


@pytest.mark.parametrize("name", ["nope", "./nope", "", "/", "a\x00b", "x" * 5000, "../" * 40, "fastapi/../nope"])
def test_an_unknown_recipe_is_answered_with_the_built_in_ones(name: str) -> None:
    with pytest.raises(UsageError, match="is not known: built-in recipes are fastapi") as caught:
        load_recipe(name)

    assert len(str(caught.value)) < 300


def test_a_digest_is_that_of_the_content_not_of_its_order() -> None:
    assert digest({"a": 1, "b": ["\u00fc"]}) == digest({"b": ["\u00fc"], "a": 1})
    assert digest(["a", "b"]) != digest(["b", "a"])
    assert digest({}) == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def test_a_phases_digest_covers_its_own_entry(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    old = write_recipe(tmp_path / "a")
    new = write_recipe(tmp_path / "b", SMALL.replace("title: core", "title: the core"))

    changed = [
        before.key
        for before, after in zip(old.phases, new.phases, strict=True)
        if old.digest(before) != new.digest(after)
    ]
    assert changed == ["core"]


_TOLD = """\
name: told
prompts: {system: s.j2, plan: p.j2}
phases:
  - {key: core, title: core, files: {app/db.py: t.j2, app/errors.py: t.j2, README.md: t.j2}}
  - key: more
    title: more
    needs: [core]
    prompt: more.j2
    reads: [app/*.py]
    files: {main.py: t.j2}
"""


def _with_prompts(folder: Path, content: str = _TOLD) -> Recipe:
    (folder / "prompts").mkdir()
    for name in ("s.j2", "p.j2", "more.j2"):
        (folder / "prompts" / name).write_text(f"the text of {name}")
    return write_recipe(folder, content, {"t.j2": ""})


def test_prompts_are_part_of_a_recipe_and_of_its_digest(tmp_path: Path) -> None:
    recipe = _with_prompts(tmp_path)
    before = [recipe.digest(phase) for phase in recipe.phases]

    (tmp_path / "prompts" / "more.j2").write_text("another text")
    after = [load_recipe(str(tmp_path)).digest(phase) for phase in recipe.phases]

    assert recipe.templates["prompts/more.j2"] == "the text of more.j2"
    assert before[0] == after[0]
    assert before[1] != after[1]


@pytest.mark.parametrize("folder", [".", "back[end]/x"])
def test_a_phase_reads_files_of_the_phases_it_needs(tmp_path: Path, folder: str) -> None:
    recipe = _with_prompts(tmp_path)
    plan = read_plan(BLOG).model_copy(update={"output_dir": folder})

    core, more = derive_phases(plan, recipe)[1:]

    assert (core.prompt, core.reads) == (None, ())
    assert more.prompt == "prompts/more.j2"
    assert more.reads == (inside(folder, "app/db.py"), inside(folder, "app/errors.py"))


def test_a_phase_can_t_read_what_no_phase_before_it_makes(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"line 9: phase 'more' reads 'app/none.py', which none of the phases it needs"
    ):
        _with_prompts(tmp_path, _TOLD.replace("app/*.py", "app/none.py"))


def test_a_prompt_needs_the_prompts_that_go_with_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="phase 'more' has a prompt, but the recipe has no 'prompts' section"):
        _with_prompts(tmp_path, _TOLD.replace("prompts: {system: s.j2, plan: p.j2}\n", ""))


def test_a_prompt_stays_inside_the_recipe(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is outside the recipe's folder"):
        _with_prompts(tmp_path, _TOLD.replace("more.j2", "../../more.j2"))


def test_a_template_with_a_wrong_name_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"line 2: can't read 'tt\.j2': .*; did you mean 't\.j2'\?"):
        write_recipe(tmp_path, _ONE.replace("t.j2", "tt.j2"), {"t.j2": ""})


_CHOOSY = """\
name: choosy
options:
  auth: {type: choice, choices: [none, token], default: none, about: Who may call it.}
  pages: {type: boolean, default: false, about: Whether lists are paged.}
  size: {type: integer, minimum: 1, maximum: 9, default: 5, about: How long a page is.}
  motto: {type: text, default: "", about: The first line.}
phases:
  - {key: a, title: a, sees: [options/auth, options/size], files: {x: t.j2}}
  - {key: b, title: b, sees: [options], files: {y: t.j2}}
  - {key: c, title: c, files: {z: t.j2}}
"""


def test_options_are_read_and_defaults_left_out(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, _CHOOSY, {"t.j2": ""})

    assert recipe.read_options({"size": "3", "pages": "true", "auth": "none", "motto": "7"}) == {
        "pages": True, "size": 3, "motto": "7",
    }  # fmt: skip
    assert recipe.read_options({"pages": False, "size": 5}) == {}
    assert [recipe.seen_options(phase) for phase in recipe.phases] == [["auth", "size"], [*recipe.options], []]


def test_all_wrong_options_are_told_with_the_nearest_right_ones(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, _CHOOSY, {"t.j2": ""})

    with pytest.raises(UsageError) as caught:
        recipe.read_options({"auht": "x", "zzz": 1, "auth": "jwt", "pages": "maybe", "size": True, "motto": 1})

    assert str(caught.value) == (
        "recipe 'choosy': it has no option 'auht'; did you mean 'auth'?; "
        "it has no option 'zzz'; its options are auth, pages, size, motto; "
        "option auth: 'jwt' is not one of its choices: none, token; option pages: 'maybe' is not true or false; "
        "option size: 'True' is not a number without a point; option motto: '1' is not text"
    )


def test_only_the_digests_of_phases_that_see_an_option_change_with_its_default(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, _CHOOSY, {"t.j2": ""})
    before = [recipe.digest(phase) for phase in recipe.phases]

    recipe = write_recipe(tmp_path, _CHOOSY.replace('default: ""', "default: hello"), {"t.j2": ""})

    assert [recipe.digest(phase) != old for phase, old in zip(recipe.phases, before, strict=True)] == [
        False,
        True,
        False,
    ]


def test_people_are_warned_of_the_value_that_an_option_has(tmp_path: Path) -> None:
    text = """\
name: x
options:
  auth: {type: choice, choices: [none, jwt], default: none, about: x, warnings: {none: anybody may change it}}
phases: [{key: main, title: t, sees: [names, options], files: {main: t.j2}}]
"""
    recipe = write_recipe(tmp_path, text, {"t.j2": ""})

    assert recipe.warnings({}) == ["auth is none: anybody may change it"]
    assert recipe.warnings({"auth": "jwt"}) == []
    with pytest.raises(UsageError, match="'warnings': 'nobody' is not one of its choices"):
        write_recipe(tmp_path, text.replace("{none:", "{nobody:"), {"t.j2": ""})
