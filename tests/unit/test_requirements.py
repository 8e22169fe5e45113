"""Requirements of a generated project, and what they bring."""

import pytest

from bot.assessment.outline import Outline, outline_file
from bot.assessment.project import Project
from bot.assessment.requirements import find_unused_requirements, provided_names, read_requirements


def project(**texts: str) -> Project:
    files = {
        name.replace("__", "/").replace("_", ".", 1) if "/" not in name else name: text for name, text in texts.items()
    }
    found = {path: outline_file(text) for path, text in files.items() if path.endswith(".py")}
    return Project({path: Outline.read(each) for path, each in found.items() if each}, files, {})


def test_requirements_are_read_from_each_file_that_names_some() -> None:
    files = {
        "requirements.txt": "# all\nFast_API>=1,<2  # web\n-r other.txt\n\npydantic[email]\n",
        "pyproject.toml": '[project]\ndependencies = ["click"]\n[dependency-groups]\ndev = ["pytest>=8", {x = "y"}]\n',
        "notes.txt": "requests\n",
    }

    found = list(read_requirements(Project({}, files, {})))

    assert [(each.path, each.line, each.name) for each in found] == [
        ("requirements.txt", 2, "fast-api"),
        ("requirements.txt", 5, "pydantic"),
        ("pyproject.toml", None, "click"),
        ("pyproject.toml", None, "pytest"),
    ]


@pytest.mark.parametrize(
    ("requirement", "name"),
    [
        ("PyJWT>=2", "jwt"), ("fastapi", "starlette"), ("pydantic[email]", "email_validator"), ("PyYAML", "yaml"),
        ("pydantic-settings", "pydantic_settings"), ("pwdlib[argon2]", "pwdlib"),
    ],
)  # fmt: skip
def test_a_requirement_brings_its_own_name_and_those_of_what_comes_with_it(requirement: str, name: str) -> None:
    assert name in provided_names(Project({}, {"requirements.txt": requirement}, {}))


def test_a_requirement_that_nothing_imports_or_names_is_a_warning() -> None:
    files = {
        "requirements.txt": "click\ncelery\nuvicorn\npython-multipart\npyjwt\n",
        "main.py": "import click, jwt\nf: UploadFile\n",
        "Dockerfile": 'CMD ["uvicorn"]',
    }
    outlines = {"main.py": Outline.read(outline_file(files["main.py"]) or {})}

    (found,) = find_unused_requirements(Project(outlines, files, {}))

    assert (found.line, found.severity) == (2, "warning")
    assert found.message == "nothing imports or names celery; remove it, or use it"


def test_a_pyproject_that_does_not_parse_names_nothing() -> None:
    assert list(read_requirements(Project({}, {"pyproject.toml": "["}, {}))) == []
