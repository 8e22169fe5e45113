"""A project as checks across its files see it: outlines of its Python files, and the texts of the others."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from bot.assessment.finding import Finding, Severity
from bot.assessment.outline import Outline

TESTS = "tests"


@dataclass(frozen=True)
class Project:
    """What stands at head. Paths are those inside the project's folder."""

    outlines: Mapping[str, Outline]
    """Python files that parse."""
    texts: Mapping[str, str]
    """All files, those that don't parse among them."""
    owners: Mapping[str, str]
    """Path → key of the phase that owns it."""
    folder: str = "."
    """Where the project is in the repository."""
    coming: frozenset[str] = frozenset()
    """Files that pending phases will make."""
    as_made: frozenset[str] = frozenset()
    """Files that templates made, and nobody edited."""

    def finding(
        self,
        path: str,
        rule: str,
        message: str,
        *,
        line: int | None = None,
        severity: Severity = "error",
        phase: str | None = None,
    ) -> Finding:
        """Return a finding about the file *path*; *phase* has to change if that is not the file's own."""
        place = path if self.folder == "." else f"{self.folder}/{path}"
        return Finding(
            path=place, line=line, rule=rule, severity=severity, message=message, phase=phase or self.owners.get(path)
        )

    @cached_property
    def modules(self) -> Mapping[str, str]:
        """Name of each module, such as ``app.models.user`` → its path; a package has the name of its folder."""
        return {module_name(path): path for path in (*self.texts, *self.coming) if path.endswith(".py")}

    @cached_property
    def packages(self) -> frozenset[str]:
        """Names of all folders with Python files, also of those without an ``__init__.py``."""
        names = set[str]()
        for path in (*self.texts, *self.coming):
            parts = path.split("/")[:-1]
            if path.endswith(".py"):
                names |= {".".join(parts[:depth]) for depth in range(1, len(parts) + 1)}
        return frozenset(names)

    def is_own(self, module: str) -> bool:
        """Whether *module* can only be one of the project's, because its first part is."""
        first = module.partition(".")[0]
        return first in self.modules or first in self.packages


def module_name(path: str) -> str:
    """Return the name that Python has for the file *path*."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def absolute(module: str, path: str) -> str:
    """Return the full name of *module*, which the file *path* imports, maybe with leading dots."""
    name = module.lstrip(".")
    level = len(module) - len(name)
    if not level:
        return module
    package = path.split("/")[:-level] if level else []
    return ".".join([*package, *([name] if name else [])])
