"""What stands at head, and what is in the way of a path."""

import pytest

from bot.history.head_tree import HeadTree, folders_of
from bot.history.run_state import Entry
from tests.unit.values import blob, oid

FOLDER = Entry("040000", oid(1))
LINK = Entry("120000", oid(1))


def test_folders_are_named_from_the_top() -> None:
    assert folders_of("a/b/c.py") == ["a", "a/b"]
    assert folders_of("c.py") == []


@pytest.mark.parametrize(
    ("there", "in_the_way"),
    [
        ({}, None),
        ({"app": FOLDER, "app/core.py": blob(1)}, None),
        ({"app": blob(1)}, "app"),
        ({"app": LINK}, "app"),
        ({"app/core.py": LINK}, "app/core.py"),
        ({"app/core.py": FOLDER}, "app/core.py"),
        ({"app/core.py/mine.txt": blob(1)}, "app/core.py"),
        ({"App": FOLDER}, "App"),
        ({"App/mine.py": blob(1)}, "App"),
        ({"app/Core.py": blob(1)}, "app/Core.py"),
        ({"app/other.py": LINK}, None),
    ],
)
def test_what_is_in_the_way_of_a_path_is_named(there: dict[str, Entry], in_the_way: str | None) -> None:
    tree = HeadTree(["app/core.py"])
    tree.update(there)

    assert tree.blocked_by("app/core.py") == in_the_way


def test_a_path_is_free_once_that_is_gone() -> None:
    tree = HeadTree(["app/core.py"])
    tree.update({"App/mine.py": blob(1)})
    tree.update({"App/mine.py": None})

    assert tree.blocked_by("app/core.py") is None
    assert tree.get("App/mine.py") is None
