"""Imports that do not resolve, circles, and files that nothing reaches."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import pytest

from bot.assessment.finding import Finding
from bot.assessment.imports import (
    find_broken_imports,
    find_circles,
    find_missing_requirements,
    find_unused_modules,
)
from bot.assessment.outline import Outline, outline_file
from bot.assessment.project import Project


def project(texts: Mapping[str, str], coming: frozenset[str] = frozenset()) -> Project:
    found = {path: outline_file(text) for path, text in texts.items() if path.endswith(".py")}
    return Project({path: Outline.read(each) for path, each in found.items() if each}, texts, {}, coming=coming)


def told(check: Callable[[Project], Iterator[Finding]], texts: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(each.path, each.message) for each in check(project(texts))]


_MODELS = {"app/__init__.py": "", "app/user.py": "class User: ...\nimport os\n"}


@pytest.mark.parametrize(
    "text",
    [
        "from app.user import User, os\n", "import app.user\napp.user.User\n", "from app import user\nuser.User\n",
        "import app.user as u\nu.User\n", "from app.user import *\n", "import json, fastapi\n",
        "from app import user\nuser.__name__\n",
    ],
)  # fmt: skip
def test_imports_that_resolve_are_no_findings(text: str) -> None:
    assert told(find_broken_imports, {**_MODELS, "main.py": text}) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("from app.user import Usr\n", "app.user has no 'Usr'; did you mean User?"),
        ("from app.users import User\n", "there is no module 'app.users'; did you mean app.user?"),
        ("import app.zzz\n", "there is no module 'app.zzz'"),
        ("from app import user\nuser.Usr()\n", "app.user has no 'Usr'; did you mean User?"),
        ("import app.user as u\nu.nothing\n", "app.user has no 'nothing'"),
        ("def f():\n    from app.user import Zzz\n", "app.user has no 'Zzz'"),
    ],
)
def test_an_import_that_does_not_resolve_is_told(text: str, message: str) -> None:
    assert told(find_broken_imports, {**_MODELS, "main.py": text}) == [("main.py", message)]


def test_a_file_that_is_still_to_come_may_have_any_name() -> None:
    found = project({"main.py": "from app.post import Post\n"}, frozenset({"app/post.py"}))

    assert list(find_broken_imports(found)) == []


def test_a_circle_is_told_once_and_only_if_names_are_taken_while_importing() -> None:
    circle = {
        "a.py": "from b import B\nA = 1\n",
        "b.py": "from c import C\nB = 1\n",
        "c.py": "from a import A\nC = 1\n",
    }
    late = circle | {"c.py": "def f():\n    from a import A\nC = 1\n"}
    whole = circle | {"c.py": "import a\nC = 1\n"}

    ((path, message),) = told(find_circles, circle)
    assert path == "a.py"
    assert message.startswith("circular import: a → b → c → a;")
    assert told(find_circles, late) == told(find_circles, whole) == []


def test_long_chains_of_imports_are_followed() -> None:
    chain = {f"m{n}.py": f"from m{n + 1} import x\nx = 1\n" for n in range(3000)} | {"m3000.py": "from m0 import x\n"}

    assert len(told(find_circles, chain)) == 1


def test_files_that_nothing_reaches_are_told() -> None:
    texts = {
        "main.py": "from app.a import x\nif __name__ == '__main__':\n    x\n",
        "app/a.py": "x = 1\n",
        "app/b.py": "router = APIRouter()\n@router.get('/x')\ndef f(): ...\n",
        "app/c.py": "",
        "tests/test_a.py": "from app import c\n",
        "app/named.py": "",
        "Dockerfile": 'CMD ["uvicorn", "app.named:app"]',
    }

    assert told(find_unused_modules, texts) == [("app/b.py", "nothing imports it, so nothing of it has an effect")]
    taken = texts | {"app/a.py": "from app import b\nx = 1\n"}
    assert told(find_unused_modules, taken) == [
        ("app/b.py", "no other file takes 'router', so its endpoints are not part of the application")
    ]
    assert told(find_unused_modules, texts | {"app/a.py": "from app import b\nx = b.router\n"}) == []


def test_a_package_that_no_requirement_brings_is_told() -> None:
    texts = {"main.py": "import os, fastapi, jwt\nfrom app import x\nimport jwt.x\n", "app/__init__.py": "x = 1\n"}
    of_one = project(texts)
    as_made = replace(of_one, as_made=frozenset(["main.py"]))
    assert "which the project imports" in next(iter(find_missing_requirements(as_made, {}, "requirements.txt"))).message
    of_two = Project(of_one.outlines, {**texts, "b.py": ""}, {"main.py": "main", "b.py": "core"})
    of_two = replace(of_two, outlines={**of_one.outlines, "b.py": of_one.outlines["main.py"]})

    (alone,) = find_missing_requirements(of_one, {"fastapi": "fastapi"}, "requirements.txt")
    (shared,) = find_missing_requirements(of_two, {"fastapi": "fastapi"}, "requirements.txt")

    assert (alone.path, alone.line) == ("main.py", 1)
    assert alone.message == "no requirement brings 'jwt'; do without it, or add its package to requirements.txt"
    assert (shared.path, shared.message) == (
        "requirements.txt",
        "no requirement brings 'jwt', which the project imports; add its package",
    )
