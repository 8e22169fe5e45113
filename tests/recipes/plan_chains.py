"""Random plans that grow out of each other, as a project with its migrations after each edit.

Every edit is one that rows survive: what would lose them, or fail on them, is not drawn.
"""

import json
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.errors import UsageError
from bot.generation.templates import PhaseRenderer
from bot.planning.migration_files import read_migrations
from bot.planning.resolved_plan import ResolvedPlan, resolve_plan_file
from bot.planning.schema_changes import MigrationStart, find_changes, is_same_schema

_WORDS = ["alpha", "bravo", "carat", "delta", "ember", "fable", "grove", "haven", "inlet", "joust"]
_NAMES = ["Author", "Book", "Copy", "Desk", "Event", "Floor"]
_DEFAULTS = {
    "string": "plain",
    "text": "words",
    "integer": "7",
    "float": "0.5",
    "decimal": "9.99",
    "boolean": "true",
    "date": "2026-01-31",
    "datetime": "now",
    "uuid": "00000000-0000-0000-0000-000000000001",
    "json": '{"a": [1]}',
    "email": "a@example.com",
    "url": "https://example.com/",
    "enum(red|green)": "red",
}
_WIDER = {
    "integer": ["decimal", "float", "text"],
    "date": ["datetime", "text"],
    "string": ["text"],
    "boolean": ["string", "integer"],
    "uuid": ["string"],
    "decimal": ["float", "text"],
    "enum(red|green)": ["enum(red|green|blue)", "string"],
    "time": ["text"],
    "datetime": ["text"],
}


@dataclass(frozen=True)
class _Field:
    kind: str
    """The type, or ``-> Target``, with ``*`` behind it for a relation to many."""
    is_optional: bool = False
    is_unique: bool = False
    is_indexed: bool = False
    default: str | None = None
    was: str | None = None

    def line(self) -> str:
        flags = [self.kind, "unique" * self.is_unique, "index" * self.is_indexed]
        flags += ["?" * self.is_optional, f"was {self.was}" if self.was else ""]
        return " ".join(filter(None, flags)) + (f" = {self.default}" if self.default else "")


@dataclass
class _Chain:
    random: random.Random
    entities: dict[str, dict[str, _Field]] = field(default_factory=dict)
    extras: dict[str, dict[str, str]] = field(default_factory=dict)
    before: dict[str, dict[str, _Field]] = field(default_factory=dict)
    """The entities before the edits, which can't be new once they are dropped."""

    def text(self) -> str:
        lines = ["project: Chain", "recipe: fastapi", "options: {migrations: alembic}", "entities:"]
        for name, fields in self.entities.items():
            lines.append(f"  {name}:")
            lines += [f"    {key}: {json.dumps(each.line())}" for key, each in fields.items()]
            lines += [f"    {key}: {value}" for key, value in self.extras.get(name, {}).items()]
        return "\n".join(lines) + "\n"

    def edit(self) -> None:
        """Change one thing, which may come out as a plan that is not valid."""
        edits = [self._add, self._add, self._drop, self._rename, self._retype, self._flag, self._relate]
        self.random.choice([*edits, self.new_entity, self._drop_entity, self._pluralize])()

    def _one(self) -> tuple[dict[str, _Field], str]:
        fields = self.entities[self.random.choice([*self.entities])]
        return fields, self.random.choice([*fields])

    def _free_word(self, fields: dict[str, _Field]) -> str:
        return self.random.choice([word for word in _WORDS if word not in fields] or ["kiosk"])

    def _new_field(self) -> _Field:
        kind = self.random.choice([*_DEFAULTS, "time", "bytes"])
        if kind not in _DEFAULTS or self.random.random() < 0.5:
            is_indexed = kind not in ("json", "bytes") and self.random.random() < 0.3
            return _Field(kind, is_optional=True, is_indexed=is_indexed)
        return _Field(kind, default=_DEFAULTS[kind])

    def _add(self) -> None:
        fields, _ = self._one()
        fields[self._free_word(fields)] = self._new_field()

    def _drop(self) -> None:
        fields, name = self._one()
        if len(fields) > 1:
            del fields[name]

    def _rename(self) -> None:
        fields, name = self._one()
        new = self._free_word(fields)
        entity = next(key for key, each in self.entities.items() if each is fields)
        if name not in self.before.get(entity, {}) or new in self.before[entity]:
            return  # a field has one earlier name
        renamed = {new if key == name else key: each for key, each in fields.items()}
        renamed[new] = replace(renamed[new], was=name)
        fields.clear()
        fields.update(renamed)

    def _retype(self) -> None:
        fields, name = self._one()
        if (kinds := _WIDER.get(fields[name].kind)) and not fields[name].is_unique:
            kind = self.random.choice(kinds)
            default = _DEFAULTS.get(kind, fields[name].default) if fields[name].default else None
            fields[name] = replace(fields[name], kind=kind, default=default)

    def _flag(self) -> None:
        fields, name = self._one()
        each = fields[name]
        if self.random.random() < 0.3:
            fields[name] = replace(each, is_unique=False)
        elif self.random.random() < 0.5 and each.kind not in ("json", "bytes") and not each.kind.endswith("*"):
            fields[name] = replace(each, is_indexed=not each.is_indexed)
        elif each.default and each.kind in _DEFAULTS:
            fields[name] = replace(each, is_optional=not each.is_optional)
        elif not each.kind.endswith("*"):
            fields[name] = replace(each, is_optional=True)

    def _relate(self) -> None:
        fields, _ = self._one()
        target = self.random.choice([*self.entities])
        many = self.random.random() < 0.4
        fields[self._free_word(fields)] = _Field(f"-> {target}{'*' * many}", is_optional=not many)

    def new_entity(self) -> None:
        name = self.random.choice(_NAMES)
        if name not in (*self.entities, *self.before):
            fields = {"title": _Field("string", is_unique=True), "size": self._new_field()}
            if self.entities and self.random.random() < 0.5:
                fields["owner"] = _Field(f"-> {self.random.choice([*self.entities])}")
            self.entities[name] = fields

    def _drop_entity(self) -> None:
        name = self.random.choice([*self.entities])
        used = [each.kind for other, fields in self.entities.items() if other != name for each in fields.values()]
        if len(self.entities) > 1 and not any(kind.startswith(f"-> {name}") for kind in used):
            del self.entities[name]
            self.extras.pop(name, None)

    def _pluralize(self) -> None:
        name = self.random.choice([*self.entities])
        self.extras[name] = {"plural": f"{name.lower()}_{self.random.choice(_WORDS)}"}


def chain_of_plans(seed: int, length: int = 5) -> Iterator[ResolvedPlan]:
    """Yield *length* valid plans, each made from the one before by one to three edits."""
    chain = _Chain(random.Random(seed))  # noqa: S311  # the same seed, the same chain
    for _ in range(2):
        chain.new_entity()
    if not chain.entities:
        chain.entities["Author"] = {"title": _Field("string", is_unique=True)}
    planned = resolve_plan_file(chain.text(), source="plan", output_dir=".")
    yield planned
    for _ in range(length - 1):
        while True:
            entities = {key: dict(each) for key, each in chain.entities.items()}
            after = _Chain(chain.random, entities, dict(chain.extras), chain.entities)
            for _ in range(chain.random.randint(1, 3)):
                after.edit()
            try:
                found = resolve_plan_file(after.text(), source="plan", output_dir=".")
            except UsageError:
                continue
            if not is_same_schema(planned.plan.entities, found.plan.entities):
                break
        chain, planned = after, found
        yield planned


def write_projects(folder: Path, seed: int, length: int = 5) -> None:
    """Write the project after each edit as ``folder/0``, ``folder/1``…; ``kept.json`` says which values stay."""
    render = PhaseRenderer()
    before: ResolvedPlan | None = None
    versions: dict[str, str] = {}
    for number, planned in enumerate(chain_of_plans(seed, length)):
        found = read_migrations(versions)
        start = MigrationStart(before.plan.entities, found.newest, found.highest + 1) if before else MigrationStart()
        placed = planned.on(start)
        root = folder / str(number)
        files = {path: text for phase in placed.phases[1:] for path, text in render(placed, phase).items()}
        versions |= {path: text for path, text in files.items() if path.startswith("migrations/versions/")}
        for path, text in (files | versions).items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        (root / "plan.yaml").write_text(planned.text)
        (root / "kept.json").write_text(json.dumps(_kept(before, planned)))
        before = planned


def _kept(before: ResolvedPlan | None, after: ResolvedPlan) -> dict[str, dict[str, str]]:
    """Return for each entity that stays: column before → column after, where the values have to stay."""
    changes = find_changes(before.plan.entities if before else (), after.plan.entities)
    return {
        each.after.name: {
            old.column: new.column
            for old, new in each.fields
            if old and new and old.type == new.type and not old.is_password and old.type != "bytes"
        }
        for each in changes.kept
    }


if __name__ == "__main__":
    import sys

    for wanted in range(int(sys.argv[2]), int(sys.argv[3])):
        shutil.rmtree(Path(sys.argv[1]) / str(wanted), ignore_errors=True)
        write_projects(Path(sys.argv[1]) / str(wanted), wanted)
