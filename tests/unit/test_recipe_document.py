"""Reading recipe.yaml: every problem has its line and plain words, and what is right is read all the same."""

import pytest

from bot.planning.recipe_document import MAX_PROBLEMS, RecipeError, RecipeProblem, nearest, read_document

_PHASE = "  - {key: a, title: a, files: {x: t.j2}}\n"
_ONE = f"name: one\nphases:\n{_PHASE}"


def _told(text: str) -> list[str]:
    return [str(each) for each in read_document(text)[1].problems]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (_ONE, []),
        (
            _ONE + "  - {key: b, tilte: b, for_each: entity, files: [x]}\nname: two\n",
            [
                "line 5: 'name' appears twice, first on line 1; rename one or merge them",
                "line 4: 'title' is missing in 'phases'; add it",
                "line 4: 'files': it must be a mapping of paths to templates, or the word 'planned'",
                "line 4: unknown key 'tilte' in 'phases'; did you mean 'title'?",
                "line 4: unknown key 'for_each' in 'phases'; did you mean 'for-each'?",
            ],
        ),
        (_ONE + "shared: macros.j2\n", ["line 4: 'shared' must be a list, such as [one, two], not text ('macros.j2')"]),
        (_ONE + "reserved: {entities: }\n", ["line 4: 'entities' must be a list, such as [one, two], not empty"]),
        (_ONE + "prompts: [a]\n", ["line 4: 'prompts' must be a mapping ('key: value' lines), not a list"]),
        (_ONE + "description: 2026-01-01\n", [("line 4: 'description' must be text; put it in quotes if it looks "
                                              "like a number or a date, not a date")]),
        (_ONE + "verify:\n  - {run: [x], seconds: 9999}\n", ["line 5: 'seconds' is '9999'; it must be at most 3600"]),
        (_ONE + "verify:\n  - {run: [x], findings: junti}\n", [("line 5: 'findings' can't be 'junti'; did you mean "
                                                                "'junit'?")]),
        (_ONE + "options: {type: {}}\n", [f"line 4: '{key}' is missing in 'options.type'; add it"
                                          for key in ("type", "default", "about")]),
        (_ONE + "options: {type: {type: text, default: a, abuot: b}}\n",
         ["line 4: 'about' is missing in 'options.type'; add it",
          "line 4: unknown key 'abuot' in 'options.type'; did you mean 'about'?"]),
        (_ONE + "limits: {names: {matches: '('}}\n",
         [("line 4: 'matches': the pattern '(' can't be used: it can't be read; use letters, sets, groups and repeats, "
          "without look-around or references")]),
        (_ONE + "name2: !!int x\n", ["line 4: YAML anchors, aliases and tags are not allowed; write the value out"]),
        ("name: one\nphases:\n" + _PHASE * 101, ["line 2: 'phases' has too many entries; the limit is 100"]),
    ],
)  # fmt: skip
def test_each_problem_is_told_in_plain_words_with_its_line(text: str, told: list[str]) -> None:
    assert _told(text) == [f"recipe.yaml, {each}" for each in told]


def test_what_is_right_is_read_beside_what_is_wrong() -> None:
    content, document = read_document(_ONE + "  - {key: b, title: 1, files: {y: t.j2}}\n  - {title: c}\nzzz: 1\n")

    assert content is not None
    assert [phase.key for phase in content.phases] == ["a", "b", "broken-2"]
    assert document.broken == {2}
    assert document.line(("phases", 1, "title")) == 4
    assert document.line(("phases", 9, "title")) == 2


def test_only_so_many_problems_are_told_at_once() -> None:
    error = RecipeError("recipe 'x'", [RecipeProblem("recipe.yaml", n, "bad") for n in range(1, 50)])

    assert str(error).startswith("recipe 'x' has 49 problems:\n  recipe.yaml, line 1: bad\n")
    assert str(error).endswith(f"line {MAX_PROBLEMS}: bad\n  and 29 more")
    assert str(RecipeError("recipe 'x'", [RecipeProblem("t.j2", None, "bad")])) == "recipe 'x', t.j2: bad"


def test_the_nearest_of_the_known_words_is_named() -> None:
    assert nearest("entitys", ["entities", "pages"], "they are") == "did you mean 'entities'?"
    assert nearest("zzz", ["a", "b"], "they are") == "they are: a, b"
    assert nearest("zzz", [], "they are") == "they are: none"
