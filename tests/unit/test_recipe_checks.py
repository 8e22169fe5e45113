"""What the parts of a recipe have to do with each other."""

import pytest

from bot.planning import recipe_checks
from bot.planning.recipe_checks import as_pattern, find_problems
from bot.planning.recipe_document import read_document

_PAGES = "collections: {pages: {singular: page, about: x}, parts: {singular: part, about: x}}\n"


def _phase(key: str, more: str = "", files: str = "") -> str:
    path = files or "{'" + key.replace("${name}", "${module}") + ".txt': t.j2}"
    return f"  - {{key: '{key}', title: t, files: {path}{', ' if more else ''}{more}}}\n"


def _told(phases: str, head: str = _PAGES) -> list[str]:
    content, document = read_document(f"name: x\n{head}phases:\n{phases}")
    assert content is not None
    find_problems(content, document)
    return [each.message for each in document.problems]


@pytest.mark.parametrize(
    ("phases", "told"),
    [
        (_phase("page/${name}", "for-each: pages, needs: [uses], reads: [uses], sees: [pages, uses, parts/names]"), []),
        (_phase("page/${name}", "for-each: pages", "planned"), []),
        (_phase("p/${name}", "for-each: pages") + _phase("q/${name}", "for-each: parts, needs: ['p/*', pages/*]"), []),
        (_phase("p/${name}", "for-each: pages") + _phase("q/${name}", "for-each: pages, needs: ['p/${name}']"), []),
        (_phase("p/${name}", "for-each: pages") + _phase("q", "needs: [p/Home]"), []),
        # Names of items differ, so the same pattern means different files.
        (_phase("p/${name}", "for-each: pages", "{'${module}': t.j2}")
         + _phase("q/${name}", "for-each: parts", "{'${module}': t.j2, '${module}/x': t.j2}"),
         ["'${module}/x' of 'q/${name}' needs a folder where 'q/${name}' has a file"]),
        (_phase("p/${name}", "for-each: pages", "{'${module}': t.j2}")
         + _phase("q/${name}", "for-each: pages", "{'${MODULE}': t.j2, '${module}': t.j2}"),
         [("phase 'q/${name}': '${MODULE}' has a placeholder that is not defined for this phase: 'MODULE'; "
          "did you mean 'module'?"),
          *["'${MODULE}' belongs to both 'p/${name}' and 'q/${name}'; only one phase can own a path"],
          *["'${module}' belongs to both 'p/${name}' and 'q/${name}'; only one phase can own a path"]]),
        (_phase("p", "for-each: page"), ["'page' is not a collection; did you mean 'pages'?"]),
        (_phase("a", "needs: [uses]"), ["phase 'a' has no item that uses anything, so it can't need 'uses'"]),
        (_phase("a", "sees: [uses]"), ["phase 'a' has no item that uses anything, so it can't see 'uses'"]),
        (_phase("a", "", "planned"),
         ["only a phase for each item of another collection than entities has planned files; list them"]),
        (_phase("a", "sees: [page]"), ["phase 'a' can't see 'page'; did you mean 'pages'?"]),
        (_phase("p/${name}", "for-each: pages, reads: [uses]"),
         ["phase 'p/${name}' reads 'uses', but does not need it; add 'uses' to 'needs'"]),
        (_phase("a", "needs: [pages/*]"),
         ["phase 'a' needs 'pages/*', which is not the key of an earlier phase; earlier ones are: none"]),
        (_phase("p/${name}", "for-each: pages") + _phase("a", "needs: [page/*]"),
         ["phase 'a' needs 'page/*', which is not the key of an earlier phase; did you mean 'pages/*'?"]),
        (_phase("a", "needs: [b]") + _phase("b", "needs: [c]") + _phase("c", "needs: [a]"),
         ["phases need each other in a circle: a -> b -> c -> a; take one need out"]),
        (_phase("a", "needs: [b]") + _phase("b"),
         ["phase 'a' needs 'b', which is not the key of an earlier phase; move 'b' up"]),
        (_phase("p/${name}", "for-each: pages", "{x: t.j2}"),
         ["phase 'p/${name}': every item of pages would have the file 'x'; put ${name} or ${module} into it"]),
        (_phase("a", "", "{'$': t.j2}"),
         [("phase 'a': '$' has a placeholder that is not defined for this phase; write ${name}, or $$ for the "
          "character $")]),
        # What can't be read does not make others wrong.
        (_phase("p", "for-each: [pages]") + _phase("q", "needs: [p]"),
         ["'for-each' must be text; put it in quotes if it looks like a number or a date, not a list"]),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_told(phases: str, told: list[str]) -> None:
    assert _told(phases) == told


def test_one_item_at_most_can_have_a_file_without_a_placeholder() -> None:
    head = "collections: {pages: {singular: page, about: x, max: 1}}\n"

    assert _told(_phase("p", "for-each: pages", "{x: t.j2}"), head) == []


@pytest.mark.parametrize("name", ["rules", "entity", "options", "item"])
def test_a_collection_is_called_like_nothing_else(name: str) -> None:
    told = _told(_phase("a"), f"collections: {{{name}: {{singular: x, about: x}}}}\n")

    assert told == [f"a collection can't be called {name!r}, which means something else in a plan"]


def test_a_pattern_takes_only_placeholders_as_gaps() -> None:
    assert as_pattern("a[b]*/${name}?") == "a[[]b][*]/*[?]"


def test_a_recipe_with_too_many_files_is_refused_before_anything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe_checks, "_MAX_FILES", 2)

    assert _told(_phase("a", "needs: [zzz]", "{x: t, y: t}") + _phase("b")) == [
        "the phases list 3 files; a recipe has 2 at most"
    ]
