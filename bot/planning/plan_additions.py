"""Merge a spec into the plan of the project that it adds to."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.planning import field_grammar
from bot.planning.entities import Entity
from bot.planning.entity_grammar import Option, format_options, read_option
from bot.planning.plan import Plan
from bot.planning.spec_draft import DraftEntity, DraftItem, SpecDraft


def on_top_of(base: Plan, spec: SpecDraft) -> SpecDraft:
    """Return a draft of the plan *base* with the additions and changes of *spec*.

    If both have an entity, its new fields are added, and for a field in both *spec* wins.  A field that has another
    name by now (``was``) takes the place of the old one.  Nothing else is removed: people do that by editing the plan.
    """
    first: dict[str, DraftEntity] = {}  # a second definition is kept, so that validation reports it
    for entity in spec.entities:
        first.setdefault(entity.name, entity)
    known = {each.name for each in base.entities}
    entities = [_merge(each, first.get(each.name)) for each in base.entities]
    return replace(
        spec,
        project=base.project,
        description=base.description,
        entities=[
            *entities,
            *(each for each in spec.entities if each.name not in known or each is not first[each.name]),
        ],
        recipe=base.recipe,
        output_dir=base.output_dir,
        instructions={**base.instructions, **spec.instructions},
        options={**base.options, **spec.options},
        collections=_merge_collections(base, spec.collections),
        rules=list(dict.fromkeys((*base.rules, *spec.rules))),
        left_out=list(dict.fromkeys((*base.left_out, *spec.left_out))),
    )


def _merge(base: Entity, draft: DraftEntity | None) -> DraftEntity:
    at = draft.line if draft else 1
    fields = {field.name: (field_grammar.format_field(field), at) for field in base.fields}
    duplicates: list[tuple[str, int]] = []  # kept, so that validation reports them
    new: set[str] = set()
    for text, line in draft.fields if draft else ():
        name = _name_of(text)
        if name in new:
            duplicates.append((text, line))
        else:
            fields = _with(fields, name, (text, line), was=_old_name(text, draft))
            new.add(name)
    options = [(read_option(line), at) for line in format_options(base)]
    if base.unique == () and base.implied_unique:
        options.append((Option("unique", ""), at))
    added = [each for each in (draft.options if draft else ()) if each[0] not in [option for option, _ in options]]
    return DraftEntity(base.name, at, [*fields.values(), *duplicates], [*options, *added])


def _with(
    fields: Mapping[str, tuple[str, int]], name: str, field: tuple[str, int], *, was: str | None
) -> dict[str, tuple[str, int]]:
    """Return *fields* with one more, or another one of its *name*; it takes the place of the one that it *was*."""
    if was is None or was not in fields or name in fields:
        return {**fields, name: field}
    return {(name if each == was else each): (field if each == was else old) for each, old in fields.items()}


def _old_name(text: str, draft: DraftEntity | None) -> str | None:
    """Return the name that a field had before, unless *draft* has another field of that name."""
    try:
        was = field_grammar.parse_field(text).was
    except ValueError:
        return None
    still_there = {_name_of(each) for each, _ in draft.fields} if draft else set()
    return None if was in still_there else was


def _name_of(text: str) -> str:
    try:
        return field_grammar.parse_field(text).name
    except ValueError:
        return text.split(maxsplit=1)[0] if text.strip() else text


def _merge_collections(base: Plan, new: Mapping[str, Sequence[DraftItem]]) -> Mapping[str, Sequence[DraftItem]]:
    merged: dict[str, Sequence[DraftItem]] = {}
    for collection in (*base.collections, *(name for name in new if name not in base.collections)):
        added = {item.name: item for item in new.get(collection, ())}
        kept = [DraftItem(i.name, 1, i.does, i.uses, i.rules, i.files) for i in base.collections.get(collection, ())]
        names = [item.name for item in kept]
        changed = [added.get(item.name, item) for item in kept]
        merged[collection] = [*changed, *(item for item in new.get(collection, ()) if item.name not in names)]
    return merged
