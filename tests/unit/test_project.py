"""A project as checks across its files see it."""

import pytest

from bot.assessment.project import Project, absolute, module_name


@pytest.mark.parametrize(
    ("path", "name"),
    [("main.py", "main"), ("app/__init__.py", "app"), ("app/models/user.py", "app.models.user")],
)
def test_a_file_has_the_name_that_python_gives_it(path: str, name: str) -> None:
    assert module_name(path) == name


@pytest.mark.parametrize(
    ("module", "path", "name"),
    [
        ("app.models", "main.py", "app.models"),
        (".user", "app/models/post.py", "app.models.user"),
        (".", "app/models/__init__.py", "app.models"),
        ("..core.db", "app/models/post.py", "app.core.db"),
        ("....x", "app/a.py", "x"),
    ],
)
def test_a_relative_import_is_read_from_where_it_stands(module: str, path: str, name: str) -> None:
    assert absolute(module, path) == name


def test_modules_and_packages_are_those_that_stand_or_come() -> None:
    project = Project({}, {"app/a.py": "", "app/b/c.py": "", "x.md": ""}, {}, coming=frozenset({"app/d.py"}))

    assert [*project.modules] == ["app.a", "app.b.c", "app.d"]
    assert project.packages == {"app", "app.b"}
    assert project.is_own("app.unknown")
    assert not project.is_own("x")


def test_a_finding_has_its_place_in_the_repository_and_the_phase_of_its_file() -> None:
    project = Project({}, {}, {"app/a.py": "core"}, folder="back-end")

    found = project.finding("app/a.py", "F821", "no", line=3)

    assert (found.path, found.line, found.phase, found.severity) == ("back-end/app/a.py", 3, "core", "error")
    assert project.finding("other.py", "F821", "no").phase is None
