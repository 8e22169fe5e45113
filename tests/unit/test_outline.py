"""Outlines of Python files: what other files need to know of them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.assessment.outline import Class, Import, MarkedFunction, Outline, Route, Use, outline_file


def outline(text: str) -> Outline:
    return Outline.read(json.loads(json.dumps(outline_file(text))))


def test_imports_are_early_unless_they_wait_for_a_call_or_a_type_checker() -> None:
    found = outline(
        "import os.path\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from a.b import C as D\n"
        "def f():\n    from . import g\ntry:\n    import x as y\nexcept ImportError:\n    pass\n"
    ).imports

    assert sorted(found) == [
        Import(1, "os.path", None, "os", True),
        Import(2, "typing", "TYPE_CHECKING", "TYPE_CHECKING", True),
        Import(4, "a.b", "C", "D", False),
        Import(6, ".", "g", "g", False),
        Import(8, "x", None, "y", True),
    ]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("A = B = 1\nC: int\nD += 1\n", {"A": 1, "B": 1, "C": 2, "D": 3}),
        ("(A, [B, *C]) = x\n", {"A": 1, "B": 1, "C": 1}),
        ("try:\n    import a\nexcept E:\n    a = 0\nelse:\n    b = 1\n", {"a": 4, "b": 6}),
        ("if x:\n    def f(): ...\nelse:\n    class f: ...\n", {"f": 4}),
        ("import a.b\nfrom c import d as e\n", {"a": 1, "e": 2}),
        ("for x in y:\n    z = x\nwith a() as b:\n    c = 1\n", {"z": 2, "c": 4}),
    ],
)
def test_names_are_what_other_files_can_import(text: str, names: dict[str, int]) -> None:
    assert outline(text).names == names


@pytest.mark.parametrize("text", ["from x import *\n", "def __getattr__(name): ...\n"])
def test_some_files_have_names_that_nobody_can_see(text: str) -> None:
    assert outline(text).is_open
    assert not outline("A = 1\n").is_open


def test_classes_have_fields_with_the_texts_that_stand_there() -> None:
    found = outline(
        "class Post(orm.Base, Generic[T]):\n    author_id: int = column(ForeignKey('users.id'))\n"
        "    def f(self): ...\n    a, b = 1, 'x'\n"
    )

    assert found.classes == {"Post": Class(1, ["Base", "Generic"], ["author_id", "f", "a", "b"])}
    assert found.texts_of == {"Post.author_id": ["users.id"], "Post.a": ["x"], "Post.b": ["x"]}


def test_routers_endpoints_and_tests_are_found() -> None:
    found = outline(
        "from a import b\nrouter = APIRouter(tags=['x'])\n@router.get('/feed', status_code=200)\n"
        "async def feed(): return b.c\n@pytest.mark.rule('Be good.')\n@pytest.mark.slow\ndef test_it(): ...\n"
        "if __name__ == '__main__':\n    feed()\n"
    )

    assert found.routers == {"router": 2}
    assert found.routes == [Route(4, "GET", "/feed")]
    assert found.uses == [Use(4, "b", "c")]
    assert found.tests == [MarkedFunction(7, "test_it", [("rule", "Be good.")])]
    assert found.is_script


@pytest.mark.parametrize("text", ["def f(:\n", "\0", "x = " + "(" * 5000])
def test_a_file_that_does_not_parse_has_no_outline(text: str) -> None:
    assert outline_file(text) is None


@given(st.text(max_size=200))
def test_any_text_has_an_outline_or_none(text: str) -> None:
    found = outline_file(text)

    assert found is None or Outline.read(json.loads(json.dumps(found)))
