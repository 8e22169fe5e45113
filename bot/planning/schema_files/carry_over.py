"""Carry a schema over into entities: names, keys, relations, and what is unique or indexed together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bot.planning.entities import Field
from bot.planning.field_grammar import format_field
from bot.planning.names import FIELD_NAME, NAME_LIMIT, snake_case
from bot.planning.plurals import plural, singular
from bot.planning.schema_files import naming
from bot.planning.schema_files.keys import carry_over_keys
from bot.planning.schema_files.schema_fields import make_field
from bot.planning.schema_files.source import MAX_COLUMNS, MAX_TABLES, Column, Group, SchemaError, Source, Table

_NOT_COMPARED = ("json", "bytes", "password")


@dataclass(slots=True)
class Entity:
    """An entity on its way: its fields by the names of their columns."""

    name: str
    table: Table
    fields: dict[str, tuple[Field, int]] = field(default_factory=dict)
    options: list[tuple[str, int]] = field(default_factory=list)


def carry_over(source: Source) -> list[Entity]:
    """Return the entities of *source*; what they can't hold is in its lists then.

    Raises:
        SchemaError: It had problems, or has no tables or too many.
    """
    _check(source)
    entities = _name_entities(source)
    find = _Targets(entities)
    referenced = _resolve(source, entities, find)
    for entity in entities:
        carry_over_keys(source, entity.table, referenced=id(entity) in referenced)
    for entity in entities:
        _make_fields(source, entity, find)
    entities = _without_empty(source, entities, referenced)
    _open_circles(source, entities)
    for entity in entities:
        _make_options(source, entity)
    if not entities:
        raise SchemaError([(0, "it has no table with a column")])
    return entities


def text_of(each: Field) -> str:
    """Return *each* field in the grammar of specs."""
    return format_field(each)


def _check(source: Source) -> None:
    problems = sorted(source.problems)
    if not source.tables and not problems:
        problems.append((0, "it has no table with a column"))
    if len(source.tables) > MAX_TABLES:
        line = source.tables[MAX_TABLES].line
        problems.append((line, f"{len(source.tables):,} tables are too many; the limit is {MAX_TABLES}"))
    for table in source.tables:
        if len(table.columns) > MAX_COLUMNS:
            line = table.columns[MAX_COLUMNS].line
            problems.append((line, f"{table.name} has {len(table.columns):,} columns; the limit is {MAX_COLUMNS}"))
    if problems:
        raise SchemaError(problems)


def _name_entities(source: Source) -> list[Entity]:
    """Name an entity for each table; two never share a name, a module or a table."""
    entities: list[Entity] = []
    taken: set[str] = set()
    last_parts = [_last_part(table.name).lower() for table in source.tables]
    for number, table in enumerate(source.tables, 1):
        own = _last_part(table.name)
        alone = last_parts.count(own.lower()) == 1 if len(last_parts) <= MAX_TABLES else True
        plain = naming.entity_name(own if alone else table.name.replace(".", "_"), is_class=table.is_class)
        name = naming.working_entity(plain or f"Entity{number}")
        while {name.lower(), plural(snake_case(name))} & taken:
            name = f"{name.rstrip('0123456789')}{len(entities) + 1}"
        taken |= {name.lower(), plural(snake_case(name))}
        entities.append(Entity(name, table))
        if name != own:
            source.note(table.line, f"{'class' if table.is_class else 'table'} {own} is {name}")
        _name_table(entities[-1], table.table_name or ("" if table.is_class else own))
    return entities


def _name_table(entity: Entity, table: str) -> None:
    """Keep the name of a table where it is one that a plan may have."""
    if table and table != plural(snake_case(entity.name)) and FIELD_NAME.fullmatch(table) and len(table) <= NAME_LIMIT:
        entity.options.append((f"table: {table}", entity.table.line))


def _last_part(name: str) -> str:
    return name.rpartition(".")[2] or name


class _Targets:
    """Finds the entity of a table by the names under which a relation may know it."""

    def __init__(self, entities: Sequence[Entity]) -> None:
        self._found: dict[str, Entity] = {}
        for entity in entities:
            own = _last_part(entity.table.name).lower()
            for name in (entity.table.name.lower(), own, entity.name.lower(), snake_case(entity.name)):
                self._found.setdefault(name, entity)
        for entity in entities:
            self._found[entity.table.name.lower()] = entity

    def __call__(self, name: str) -> Entity | None:
        return self._found.get(name.lower()) or self._found.get(_last_part(name).lower())


def _resolve(source: Source, entities: Sequence[Entity], find: _Targets) -> set[int]:
    """Give columns the enums and targets that the file declares; return which entities are referred to."""
    referenced: set[int] = set()
    for entity in entities:
        for column in list(entity.table.columns):
            if column.target and (target := find(column.target)):
                referenced.add(id(target))
            elif column.target:
                what = (
                    f"the reference of {entity.table.name}.{column.name} to {column.target}, which is not in this file"
                )
                source.leave_out(column.line, what)
                column.target = ""
                if column.kind == "relation" or column.many:
                    entity.table.columns.remove(column)
    return referenced


def _make_fields(source: Source, entity: Entity, find: _Targets) -> None:
    taken: set[str] = set()
    for column in entity.table.columns:
        target = find(column.target) if column.target else None
        name = _field_name(source, entity, column, target, taken)
        made = make_field(source, entity.table.name, column, name, target.name if target else None)
        taken |= {made.name, made.column}
        entity.fields[column.name.lower()] = (made, column.line)


def _field_name(source: Source, entity: Entity, column: Column, target: Entity | None, taken: set[str]) -> str:
    name = column.field_name or naming.snake(column.name)
    plain = name
    if target and not column.many and not column.exact_name:
        plain = name = _without_suffix(name, column, target)
    if target and name in {"id", ""}:
        name = snake_case(target.name)
    name = naming.working_field(name or f"field_{len(entity.fields) + 1}")
    wanted, number = name, 1
    while taken & _names(name, column):
        number += 1
        name = (
            f"{wanted[: NAME_LIMIT - 8]}_{snake_case(target.name)[:20]}"
            if target and number == 2  # noqa: PLR2004
            else f"{wanted}_{number}"
        )
        name = naming.working_field(name)
    if name not in {column.name, column.name.lower(), column.field_name} and not (
        target and name == plain == naming.snake(column.name).removesuffix("_id")
    ):
        source.note(
            column.line,
            f"{column.name} is {name}" if name == plain else f"{column.name} of {entity.table.name} is {name}",
        )
    return name


def _names(name: str, column: Column) -> set[str]:
    """Return the names that a field uses up: its own, and that of its column."""
    if not column.target:
        return {name}
    return {name, f"{singular(name)}_ids" if column.many else f"{name}_id"}


def _without_suffix(name: str, column: Column, target: Entity) -> str:
    endings = ["_id", "_uuid", "_fk", "_ref"]
    key = naming.snake(column.target_column)
    if key and key == name and not key.endswith("id"):
        return snake_case(target.name)
    if key and not key.endswith("id"):
        endings.insert(0, f"_{key}")
    for ending in endings:
        if name.endswith(ending) and name != ending:
            return name.removesuffix(ending)
    return name.removeprefix("id_") or name


def _without_empty(source: Source, entities: Sequence[Entity], referenced: set[int]) -> list[Entity]:
    """Leave out entities without fields; one that others refer to gets a field instead."""
    kept = []
    for entity in entities:
        if entity.fields:
            kept.append(entity)
        elif id(entity) in referenced:
            entity.fields["name"] = (Field(name="name", type="string", optional=True), entity.table.line)
            source.note(entity.table.line, f"{entity.table.name} has no columns but its key, so it gets 'name string?'")
            kept.append(entity)
        else:
            source.leave_out(entity.table.line, f"{entity.table.name}, because it has no columns but its key")
    return kept


def _open_circles(source: Source, entities: Sequence[Entity]) -> None:
    """Make the relation optional that closes a circle of required ones, because no row could be made first."""
    by_name = {entity.name: entity for entity in entities}
    is_done: dict[str, bool] = {}
    for start in entities:
        if start.name in is_done:
            continue
        is_done[start.name] = False
        stack = [(start, _required(start))]
        while stack:
            entity, needs = stack[-1]
            key = next(needs, None)
            if key is None:
                is_done[entity.name] = True
                stack.pop()
                continue
            made, line = entity.fields[key]
            target = by_name[made.target or ""]
            if is_done.get(target.name) is False:
                entity.fields[key] = (made.model_copy(update={"optional": True}), line)
                source.note(line, f"{made.name} of {entity.name} is optional, because it closes a circle of relations")
            elif target.name not in is_done:
                is_done[target.name] = False
                stack.append((target, _required(target)))


def _required(entity: Entity) -> Iterator[str]:
    keys = [key for key, (made, _) in entity.fields.items() if made.is_relation and not (made.optional or made.many)]
    return iter(keys)


def _make_options(source: Source, entity: Entity) -> None:
    seen: set[tuple[str, ...]] = set()
    for kind, groups in (("unique", entity.table.uniques), ("index", entity.table.indexes)):
        for group in groups:
            _add_group(source, entity, kind, group, seen)


def _add_group(source: Source, entity: Entity, kind: str, group: Group, seen: set[tuple[str, ...]]) -> None:
    columns = ", ".join(group.columns)
    found = [entity.fields.get(name.lower()) for name in dict.fromkeys(group.columns)]
    names = [each[0].name for each in found if each and not each[0].many and each[0].type not in _NOT_COMPARED]
    if len(names) < len(found) or not names:
        if not _is_key(entity, group):
            source.leave_out(group.line, f"{kind} ({columns}) of {entity.table.name}, because not all of it are fields")
        return
    if len(names) == 1:
        _mark(entity, kind, group.columns[0].lower())
        return
    same = (kind, *(sorted(names) if kind == "unique" else names))
    if same not in seen:
        entity.options.append((f"{kind} {', '.join(names)}", group.line))
        seen.add(same)


def _is_key(entity: Entity, group: Group) -> bool:
    """Whether the group is only the key, which is unique anyway."""
    return len(group.columns) == 1 and group.columns[0].lower() in {
        "id",
        *(each.lower() for each in entity.table.primary),
    }


def _mark(entity: Entity, kind: str, key: str) -> None:
    made, line = entity.fields[key]
    if kind == "unique":
        made = made.model_copy(update={"unique": True, "index": False})
    elif not made.unique and not made.is_relation:
        made = made.model_copy(update={"index": True})
    entity.fields[key] = (made, line)
