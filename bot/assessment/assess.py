"""All static checks together: from what stands at head to findings, in order.  Pure."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from bot.assessment.contract import find_broken_contracts, lost_names
from bot.assessment.coverage import Asked, find_missing_endpoints, find_untested_rules
from bot.assessment.finding import Diagnosis, Finding, Severity, in_order
from bot.assessment.imports import (
    find_broken_imports,
    find_circles,
    find_missing_requirements,
    find_unused_modules,
)
from bot.assessment.outline import Outline
from bot.assessment.project import Project
from bot.assessment.requirements import find_unused_requirements, provided_names, read_requirements
from bot.assessment.syntax_faults import SyntaxFault
from bot.history.reasons import Reason

_UNUSED_IMPORT = "F401"
_SYNTAX = "invalid-syntax"
"""As ruff calls it in Python."""
_FAULTS: Mapping[str, Severity] = {"placeholder": "warning"}
"""Reasons for which a file is not committed when a model writes it; people may have others."""


def find_all(
    project: Project,
    *,
    references: Mapping[str, Outline] = MappingProxyType({}),
    asked: Sequence[Asked] = (),
    rules: Sequence[str] = (),
    faults: Mapping[str, Reason] = MappingProxyType({}),
    diagnoses: Sequence[Diagnosis] = (),
    syntax: Sequence[SyntaxFault] = (),
) -> list[Finding]:
    """Return the findings about *project*.

    *references* are the outlines of what templates make for paths, *asked* what the plan asks of finished phases in
    sentences, *rules* those of the whole project, *faults* why files can't be committed, *diagnoses* what ruff found,
    *syntax* what does not parse in other languages.
    """
    return in_order(
        [
            *_faults(project, faults),
            *_diagnoses(project, diagnoses),
            *_syntax(project, syntax),
            *find_broken_imports(project, lost_names(project, references)),
            *find_circles(project),
            *_requirements(project, references),
            *find_broken_contracts(project, references),
            *find_untested_rules(project, asked, rules),
            *find_missing_endpoints(project, asked),
            *find_unused_modules(project),
            *([] if project.coming else find_unused_requirements(project)),
        ]
    )


def _requirements(project: Project, references: Mapping[str, Outline]) -> Iterator[Finding]:
    """Yield what the requirements lack, once they are there."""
    if paths := {each.path for each in read_requirements(project)}:
        listed = min(paths, key=lambda path: (not path.endswith(".txt"), len(path)))
        expected = {each.module.partition(".")[0] for outline in references.values() for each in outline.imports}
        yield from find_missing_requirements(project, provided_names(project), listed, expected)


def _faults(project: Project, faults: Mapping[str, Reason]) -> Iterator[Finding]:
    for path, fault in faults.items():
        yield project.finding(path, fault.code, str(fault), severity=_FAULTS.get(fault.code, "error"))


def _syntax(project: Project, syntax: Sequence[SyntaxFault]) -> Iterator[Finding]:
    for each in syntax:
        severity: Severity = "error" if each.is_sure else "warning"
        yield project.finding(each.path, _SYNTAX, each.message, line=each.line, severity=severity)


def _diagnoses(project: Project, diagnoses: Sequence[Diagnosis]) -> Iterator[Finding]:
    """Yield what ruff found; an import of the project's own that is not used is an error, because it was wanted."""
    own = {
        (path, each.line): f"{each.module} import {each.name}" if each.name else each.module
        for path, outline in project.outlines.items()
        for each in outline.imports
        if project.is_own(each.module.partition(".")[0])
    }
    for each in diagnoses:
        is_own = each.rule == _UNUSED_IMPORT and (each.path, each.line) in own and not each.path.startswith("tests/")
        severity: Severity = "error" if each.is_error or is_own else "warning"
        yield project.finding(each.path, each.rule, each.message, line=each.line, severity=severity)
