"""Whether the imports of a project resolve: inside it, in the standard library, and in its requirements."""

import sys
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches

from bot.assessment.finding import Finding
from bot.assessment.outline import Import, Outline
from bot.assessment.project import TESTS, Project, absolute, module_name
from bot.text import shown

_RUN_BY_TOOLS = ("migrations/", "alembic/", "setup.py", "conftest.py")
"""Files that tools load by their place."""


def find_broken_imports(project: Project, lost: Collection[tuple[str, str]] = frozenset()) -> Iterator[Finding]:
    """Yield imports of modules and names that the project does not have, and uses of names that a module lacks.

    *lost* are paths with names that the files there should have: that is their fault, and not of those who use them.
    """
    for path, outline in project.outlines.items():
        bound: dict[str, str] = {}
        for each in outline.imports:
            module = absolute(each.module, path)
            if not project.is_own(module):
                continue
            if (project.modules.get(module, ""), each.name) in lost:
                continue
            if message := _problem(project, module, each.name):
                yield project.finding(path, "unknown-import", message, line=each.line)
            elif target := _bound_module(project, each, module):
                bound[each.bound] = target
        for use in outline.uses:
            target = bound.get(use.bound)
            if (
                target
                and (project.modules.get(target, ""), use.name) not in lost
                and not _has(project, target, use.name)
            ):
                message = f"{target} has no {shown(use.name)}{_near(project, target, use.name)}"
                yield project.finding(path, "unknown-name", message, line=use.line)


def _problem(project: Project, module: str, name: str | None) -> str | None:
    """Return what is wrong with an import; None if nothing is."""
    if module not in project.modules and module not in project.packages:
        near = get_close_matches(module, [*project.modules], n=1, cutoff=0.7)
        return f"there is no module {shown(module)}" + (f"; did you mean {near[0]}?" if near else "")
    if name is None or name == "*" or _has(project, module, name):
        return None
    return f"{module} has no {shown(name)}{_near(project, module, name)}"


def _has(project: Project, module: str, name: str) -> bool:
    """Whether *module* has *name*; also if that can't be known."""
    if f"{module}.{name}" in project.modules or f"{module}.{name}" in project.packages:
        return True
    path = project.modules.get(module)
    if path is None:  # a folder without code
        return False
    outline = project.outlines.get(path)
    return outline is None or outline.is_open or name in outline.names or name.startswith("__")


def _near(project: Project, module: str, name: str) -> str:
    outline = project.outlines.get(project.modules.get(module, ""))
    near = get_close_matches(name, [*outline.names], n=1) if outline else []
    return f"; did you mean {near[0]}?" if near else ""


def _bound_module(project: Project, each: Import, module: str) -> str | None:
    """Return the module that the name of an import stands for; None if it stands for something else."""
    if each.name is None:
        return module if each.bound != module.partition(".")[0] or "." not in module else None
    inner = f"{module}.{each.name}"
    return inner if inner in project.modules else None


def find_circles(project: Project) -> Iterator[Finding]:
    """Yield one import of each circle of files that take names from each other while they are being imported."""
    graph = {path: dict(_taken_early(project, path, outline)) for path, outline in project.outlines.items()}
    for circle in _circles({path: [*targets] for path, targets in graph.items()}):
        first = min(circle)
        target = next(each for each in graph[first] if each in circle)
        names = " → ".join(module_name(each) for each in [*sorted(circle), first])
        message = f"circular import: {names}; import one of them where it is used, or for type checkers only"
        yield project.finding(first, "circular-import", message, line=graph[first][target])


def _taken_early(project: Project, path: str, outline: Outline) -> Iterator[tuple[str, int]]:
    for each in outline.imports:
        module = absolute(each.module, path)
        target = project.modules.get(module)
        is_module = f"{module}.{each.name}" in project.modules
        if each.is_early and each.name and target and target != path and not is_module:
            yield target, each.line


def _circles(graph: Mapping[str, Sequence[str]]) -> Iterator[frozenset[str]]:
    """Yield the strongly connected components of more than one file; without recursion, because chains can be long."""
    order: list[str] = []
    seen = set[str]()
    for start in graph:
        _visit(start, graph, seen, order)
    back = defaultdict[str, list[str]](list)
    for source, targets in graph.items():
        for target in targets:
            back[target].append(source)
    seen = set()
    for start in reversed(order):
        circle: list[str] = []
        _visit(start, back, seen, circle)
        if len(circle) > 1:
            yield frozenset(circle)


def _visit(start: str, graph: Mapping[str, Sequence[str]], seen: set[str], order: list[str]) -> None:
    """Add what is reached from *start* to *order*, each after all that is reached from it."""
    if start in seen:
        return
    seen.add(start)
    waiting = [(start, iter(graph.get(start, ())))]
    while waiting:
        node, targets = waiting[-1]
        target = next((each for each in targets if each not in seen), None)
        if target is None:
            order.append(node)
            waiting.pop()
        else:
            seen.add(target)
            waiting.append((target, iter(graph.get(target, ()))))


def find_unused_modules(project: Project) -> Iterator[Finding]:
    """Yield files that nothing imports, runs or names, and routers that no other file takes.

    As long as code is to come, nothing; then what has endpoints, and the rest once all files are there. An endpoint
    that is not reached is the fault of the phase that mounts the others.
    """
    if any(path.endswith(".py") and not _is_loaded(path) for path in project.coming):
        return
    used = set[str]()
    taken = set[tuple[str, str]]()
    for path, outline in project.outlines.items():
        modules: dict[str, str] = {}
        for each in outline.imports:
            module = absolute(each.module, path)
            used |= {module, f"{module}.{each.name}"}
            taken.add((module, each.name or ""))
            modules[each.bound] = f"{module}.{each.name}" if each.name else module
        taken |= {(modules[use.bound], use.name) for use in outline.uses if use.bound in modules}
    mounting = _mounting_phase(project)
    named = "\n".join(text for path, text in project.texts.items() if not path.endswith(".py"))
    for path, outline in project.outlines.items():
        module = module_name(path)
        is_expected = outline.routes or not project.coming
        if is_expected and not (_is_loaded(path) or outline.is_script or module in used or module in named):
            message = "nothing imports it, so nothing of it has an effect"
            yield project.finding(path, "unused-module", message, phase=mounting if outline.routes else None)
        elif not path.startswith(f"{TESTS}/"):
            for name, line in outline.routers.items():
                if (module, name) not in taken and outline.routes:
                    message = f"no other file takes {shown(name)}, so its endpoints are not part of the application"
                    yield project.finding(path, "unmounted-router", message, line=line, phase=mounting)


def _mounting_phase(project: Project) -> str | None:
    """Return the phase of the file that imports the most modules with endpoints."""
    routers = {module_name(path) for path, outline in project.outlines.items() if outline.routes}
    counts = {
        path: len(routers & {absolute(each.module, path) for each in outline.imports})
        for path, outline in project.outlines.items()
        if not _is_loaded(path)
    }
    most = max(counts, key=lambda path: counts[path], default="")
    return project.owners.get(most) if counts.get(most) else None


def _is_loaded(path: str) -> bool:
    """Whether a tool or Python itself loads a file by its place, so that no import names it."""
    return path.startswith((f"{TESTS}/", *_RUN_BY_TOOLS)) or path.endswith(("/__init__.py", "conftest.py"))


def find_missing_requirements(
    project: Project, provides: Mapping[str, str], listed_in: str, expected: Collection[str] = ()
) -> Iterator[Finding]:
    """Yield packages that are imported and that no requirement brings, once each.

    *provides* has the import names that the requirements of the file *listed_in* bring. What several phases import is
    missing there, what a template's file imports, and what is *expected*, because a template would import it; what else
    one phase alone imports is its own idea.
    """
    missing: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for path, outline in project.outlines.items():
        for each in outline.imports:
            first = absolute(each.module, path).partition(".")[0]
            if not (project.is_own(first) or first in sys.stdlib_module_names or first in provides or not first):
                missing[first].append((path, each.line))
    for name, places in missing.items():
        path, line = places[0]
        is_needed = name in expected or not project.as_made.isdisjoint(dict(places))
        if is_needed or len({project.owners.get(path) for path, _ in places}) > 1:
            message = f"no requirement brings {shown(name)}, which the project imports; add its package"
            yield project.finding(listed_in, "missing-requirement", message)
        else:
            message = f"no requirement brings {shown(name)}; do without it, or add its package to {listed_in}"
            yield project.finding(path, "missing-requirement", message, line=line)
