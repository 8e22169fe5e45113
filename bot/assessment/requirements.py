"""The requirements of a Python project: what they are, and which names they bring to import."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from bot.assessment.finding import Finding
from bot.assessment.project import Project

_FILE = re.compile(r"(?:[\w./-]*/)?[\w-]*requirements[\w-]*\.txt")
_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_IMPORTED_AS: Mapping[str, tuple[str, ...]] = {
    "attrs": ("attr", "attrs"),
    "beautifulsoup4": ("bs4",),
    "djangorestframework": ("rest_framework",),
    "email-validator": ("email_validator",),
    "fastapi": ("starlette", "pydantic", "pydantic_core", "anyio", "typing_extensions", "annotated_types"),
    "google-genai": ("google",),
    "grpcio": ("grpc",),
    "httpx2": ("httpx2", "anyio", "httpcore2"),
    "itsdangerous": ("itsdangerous",),
    "msgpack-python": ("msgpack",),
    "mysqlclient": ("MySQLdb",),
    "opencv-python": ("cv2",),
    "pillow": ("PIL",),
    "psycopg2-binary": ("psycopg2",),
    "pydantic": ("pydantic_core", "annotated_types", "typing_extensions"),
    "pyjwt": ("jwt",),
    "python-dateutil": ("dateutil",),
    "python-dotenv": ("dotenv",),
    "python-jose": ("jose",),
    "python-multipart": ("multipart", "python_multipart"),
    "python-slugify": ("slugify",),
    "pytest": ("_pytest",),
    "pyyaml": ("yaml",),
    "scikit-learn": ("sklearn",),
    "sqlalchemy": ("typing_extensions",),
    "starlette": ("anyio",),
}
"""Distribution → import names that differ from its own, and those of packages that it always brings along."""
_EXTRAS: Mapping[str, tuple[str, ...]] = {"email": ("email_validator",), "argon2": ("argon2",), "binary": ()}
_WITHOUT_IMPORT: Mapping[str, tuple[str, ...]] = {
    "python-multipart": ("Form", "UploadFile", "OAuth2PasswordRequestForm"),
    "email-validator": ("EmailStr",),
}
"""Distribution → names whose users need it without importing it."""


class Requirement(NamedTuple):
    """One requirement, in the file that names it."""

    path: str
    line: int | None
    name: str
    """Normalised, as PyPI does: ``python-multipart``."""
    text: str


def read_requirements(project: Project) -> Iterator[Requirement]:
    """Yield the requirements of the files ``*requirements*.txt`` and of ``pyproject.toml``."""
    for path, text in project.texts.items():
        if _FILE.fullmatch(path):
            for number, line in enumerate(text.splitlines(), start=1):
                if requirement := _requirement(path, number, line.partition("#")[0]):
                    yield requirement
        elif path == "pyproject.toml":
            yield from _of_pyproject(path, text)


def _of_pyproject(path: str, text: str) -> Iterator[Requirement]:
    try:
        content = tomllib.loads(text)
    except ValueError:
        return  # told by another check
    project, groups = content.get("project", {}), content.get("dependency-groups", {})
    optional = project.get("optional-dependencies", {})
    for listed in (project.get("dependencies", ()), *optional.values(), *groups.values()):
        for each in listed if isinstance(listed, list) else ():
            if isinstance(each, str) and (requirement := _requirement(path, None, each)):
                yield requirement


def _requirement(path: str, number: int | None, line: str) -> Requirement | None:
    match = _NAME.match(line)
    if not match or line.strip().startswith("-"):
        return None
    return Requirement(path, number, re.sub(r"[-_.]+", "-", match[1]).lower(), line.strip())


def provided_names(project: Project) -> Mapping[str, str]:
    """Return each name that the requirements bring to import → the distribution that does."""
    found: dict[str, str] = {}
    for each in read_requirements(project):
        extras = re.findall(r"[\w-]+", each.text.partition("[")[2].partition("]")[0])
        names = [each.name.replace("-", "_"), *_IMPORTED_AS.get(each.name, ())]
        names += [name for extra in extras for name in _EXTRAS.get(extra, ())]
        for name in names:
            found.setdefault(name, each.name)
    return found


def find_unused_requirements(project: Project) -> Iterator[Finding]:
    """Yield requirements that no file imports or names."""
    imported = {each.module.partition(".")[0] for outline in project.outlines.values() for each in outline.imports}
    words = {word for outline in project.outlines.values() for word in outline.words}
    requirements = list(read_requirements(project))
    listed = {each.path for each in requirements}
    others = "\n".join(text for path, text in project.texts.items() if path not in listed and path != "pyproject.toml")
    for each in requirements:
        if each.path == "pyproject.toml":
            continue
        names = {each.name.replace("-", "_"), *_IMPORTED_AS.get(each.name, ())[:2]}
        is_needed = any(word in words for word in _WITHOUT_IMPORT.get(each.name, ()))
        if not (names & imported or is_needed or any(name in others for name in (each.name, *names))):
            message = f"nothing imports or names {each.name}; remove it, or use it"
            yield project.finding(each.path, "unused-requirement", message, line=each.line, severity="warning")
