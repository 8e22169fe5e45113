"""Builders of the values in unit tests: plans, recipes, phases, commits."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from bot.errors import UsageError
from bot.history.run_state import Commit, Entry
from bot.history.trailers import Status, Trailers
from bot.planning.phases import Phase
from bot.planning.plan import Plan
from bot.planning.plan_checks import NOTHING_RESERVED, Reserved
from bot.planning.recipe import BUILT_IN, Recipe, load_recipe
from bot.planning.spec_parser import read_spec
from bot.sandbox.tasks import perform

SOURCE = "the spec blog.md"

BLOG = (BUILT_IN / "fastapi" / "examples" / "blog.md").read_text()

SMALL = """\
name: small
shared: [macros.j2]
phases:
  - key: core
    title: core
    files: {app/core.py: core.j2}
  - key: entity/${name}
    title: entity ${name}
    for-each: entity
    needs: [core]
    files: {"app/models/${module}.py": model.j2, "app/routers/${plural}.py": router.j2}
  - key: support
    title: support files
    sees: entities
    files: {README.md: readme.j2, .gitignore: ignore.j2}
  - key: main
    title: main application
    needs: [core, entity/*]
    sees: names
    files: {main.py: main.j2}
"""
SMALL_TEMPLATES = {
    "macros.j2": "",
    "core.j2": "CORE = True\n",
    "model.j2": "class {{ entity.name }}: ...\n",
    "router.j2": "# {{ entity.plural }}\n",
    "readme.j2": "{{ project.description | markdown }}\n",
    "ignore.j2": "*.pyc\n",
    "main.j2": "{% for entity in entities %}import {{ entity.module }}\n{% endfor %}",
}


def run_here(task: str, shared: Any, items: Sequence[object]) -> Sequence[Any]:  # noqa: ANN401  # each task has its own
    """Perform a task of the bounded worker in this process."""
    return [json.loads(json.dumps(perform(task, shared, item))) for item in items]


def read_plan(text: str, *, reserved: Reserved = NOTHING_RESERVED) -> Plan:
    """Read *text* as the command line does."""
    return read_spec(text, source=SOURCE).plan(project="Untitled", recipe="fastapi", output_dir=".", reserved=reserved)


def refusal(text: str, *, reserved: Reserved = NOTHING_RESERVED) -> str:
    """Return the message with which *text* is refused."""
    with pytest.raises(UsageError) as caught:
        read_plan(text, reserved=reserved)
    return str(caught.value)


def write_recipe(folder: Path, content: str = SMALL, templates: Mapping[str, str] = SMALL_TEMPLATES) -> Recipe:
    """Write a recipe into *folder* and load it."""
    for name, text in templates.items():
        path = folder / "templates" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "recipe.yaml").write_text(content, encoding="utf-8")
    return load_recipe(str(folder))


def build_phase(
    key: str,
    *files: str,
    needs: Sequence[str] = (),
    inputs: str = "inputs-1",
    recipe: str = "recipe-1",
    rules: Sequence[str] = (),
    by_hand: Sequence[str] = (),
) -> Phase:
    """Build a phase that owns *files*, and those *by_hand*, which no template makes."""
    return Phase(
        key=key,
        title=key,
        place=2,
        files=dict.fromkeys(files, "template.j2") | dict.fromkeys(by_hand, ""),
        needs=tuple(needs),
        inputs=inputs,
        recipe=recipe,
        slice={"entity": {"rules": list(rules)}} if rules else {},
    )


def oid(number: int) -> str:
    """Return the object id that a commit or file of that *number* has here."""
    return f"{number:040x}"


def blob(number: int) -> Entry:
    """Return what stands at a path that holds version *number*."""
    return Entry("100644", oid(number))


def bot_commit(  # noqa: PLR0913  # a builder: one keyword per trailer
    number: int,
    phase: Phase,
    *,
    changes: Mapping[str, Entry | None] | None = None,
    run: str = "blog",
    status: Status = "complete",
    missing: Sequence[str] = (),
    conflict: Sequence[str] = (),
    fallback: Sequence[str] = (),
    inputs: str | None = None,
    recipe: str | None = None,
    model: str | None = None,
    tokens: tuple[int, int] | None = None,
    reason: str = "",
    provider: str | None = None,
) -> Commit:
    """Build the commit that made *phase*, as the plan now has it unless told otherwise."""
    trailers = Trailers(
        run=run,
        phase=phase.key,
        status=status,
        inputs=inputs or phase.inputs,
        recipe=recipe or phase.recipe,
        missing=tuple(missing),
        reason=tuple((reason, path) for path in missing if reason),
        fallback=tuple(fallback),
        conflict=tuple(conflict),
        provider=provider,
        model=model,
        tokens=tokens,
    )
    made = {path: blob(number) for path in phase.files if path not in missing}
    return Commit(oid(number), trailers, changes=made if changes is None else changes)


def rollback(number: int, *keys: str, changes: Mapping[str, Entry | None] | None = None, run: str = "blog") -> Commit:
    """Build the bot's commit that takes the phases *keys* back."""
    return Commit(oid(number), Trailers(run=run, reverts=keys), changes=changes or {})


def human_commit(number: int, changes: Mapping[str, Entry | None] | None = None, body: str = "") -> Commit:
    """Build a person's commit."""
    return Commit(oid(number), None, body=body, changes=changes or {})
