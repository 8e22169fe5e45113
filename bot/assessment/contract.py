"""Whether a file has what other phases rely on: the names, fields and endpoints that the recipe's templates make.

A template is rendered with the same plan, so it says what the plan asks for, whoever wrote the file.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from bot.assessment.finding import Finding
from bot.assessment.outline import Outline
from bot.assessment.project import TESTS, Project
from bot.text import shown

_REFERENCE = re.compile(r"[a-z][a-z0-9_]*\.id")
"""The text of a foreign key."""


def find_broken_contracts(project: Project, references: Mapping[str, Outline]) -> Iterator[Finding]:
    """Yield what files lack of *references*, the outlines of what templates make for their paths."""
    for path, reference in references.items():
        outline = project.outlines.get(path)
        if outline is None or path.startswith(f"{TESTS}/"):
            continue
        yield from _missing_names(project, path, outline, reference)
        yield from _missing_fields(project, path, outline, reference)
        yield from _other_references(project, path, outline, reference)
        yield from _missing_routes(project, path, outline, reference)


def lost_names(project: Project, references: Mapping[str, Outline]) -> frozenset[tuple[str, str]]:
    """Return paths with names that the files there don't define and that others expect of them."""
    return frozenset(
        (path, name)
        for path, reference in references.items()
        if (outline := project.outlines.get(path)) and not path.startswith(f"{TESTS}/")
        for name in _lost(outline, reference)
    )


def _lost(outline: Outline, reference: Outline) -> Iterator[str]:
    imported = {each.bound for each in reference.imports}
    for name in reference.names:
        if not (name in imported or name.startswith("_") or name in outline.names or outline.is_open):
            yield name


def _missing_names(project: Project, path: str, outline: Outline, reference: Outline) -> Iterator[Finding]:
    for name in _lost(outline, reference):
        yield project.finding(path, "missing-name", f"it does not define {shown(name)}, which other files expect")


def _missing_fields(project: Project, path: str, outline: Outline, reference: Outline) -> Iterator[Finding]:
    for name, expected in reference.classes.items():
        found = outline.classes.get(name)
        own = _fields(outline, name, expected.bases) if found else None
        if found is None or own is None:
            continue
        for field in expected.names:
            if not field.startswith("_") and field not in own:
                message = f"{name} has no {shown(field)}, which the plan asks for"
                yield project.finding(path, "missing-field", message, line=found.line)


def _fields(outline: Outline, name: str, known: Sequence[str]) -> set[str] | None:
    """Return what a class and its bases in the same file define.

    None if it has another base than the *known* ones, which may define anything.
    """
    names, waiting, seen = set[str](), [name], set[str]()
    while waiting:
        current = waiting.pop()
        each = outline.classes.get(current)
        if each is None and current not in known:
            return None
        if each is None or current in seen:
            continue
        seen.add(current)
        names |= {*each.names}
        waiting += each.bases
    return names


def _other_references(project: Project, path: str, outline: Outline, reference: Outline) -> Iterator[Finding]:
    """Yield foreign keys that refer to another table than the plan says."""
    for name, texts in reference.texts_of.items():
        for wanted in filter(_REFERENCE.fullmatch, texts):
            found = outline.texts_of.get(name)
            if found is not None and wanted not in found:
                other = next(filter(_REFERENCE.fullmatch, found), None)
                message = f"{name} refers to {shown(other) if other else 'nothing'}; by the plan it is {shown(wanted)}"
                line = outline.classes[name.partition(".")[0]].line
                yield project.finding(path, "wrong-reference", message, line=line)


def _missing_routes(project: Project, path: str, outline: Outline, reference: Outline) -> Iterator[Finding]:
    found = {(each.method, each.path) for each in outline.routes}
    for each in reference.routes:
        if (each.method, each.path) not in found:
            yield project.finding(path, "missing-endpoint", f"there is no endpoint {each.method} {each.path}")
