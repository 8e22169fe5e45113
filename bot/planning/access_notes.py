"""What to tell people about access: words that name nobody, and doors that nobody can open."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from bot.planning.entities import ME, Entity, Field

_ANYWAY = frozenset(("anyone", "user", "owner"))


class AccessNote(NamedTuple):
    """A note about an entity."""

    entity: str
    text: str


def find_access_notes(entities: Mapping[str, Entity]) -> Iterator[AccessNote]:
    """Yield where ``access``, a password or ``= me`` has no effect.

    People log in as the first entity with a password.
    """
    accounts = [each.name for each in entities.values() if any(field.is_password for field in each.fields)]
    roles = {choice for each in entities.values() for field in each.fields for choice in _roles(field)}
    for entity in entities.values():
        notes = _with_a_login(entity, accounts) if accounts else _without_a_login(entity)
        yield from (AccessNote(entity.name, note) for note in notes)
        named = {each for who in entity.access.values() for each in who}
        if unknown := named - _ANYWAY - roles:
            what = f"access names {', '.join(sorted(unknown))}, which is no choice of a field role"
            yield AccessNote(entity.name, what)


def _with_a_login(entity: Entity, accounts: Sequence[str]) -> Iterator[str]:
    login = f"people log in as {accounts[0]}, the first entity with a password"
    named = {each for who in entity.access.values() for each in who}
    mine = [field for field in entity.fields if field.default == ME]
    others = [field for field in mine if field.target != accounts[0]]
    if "owner" in named and len(mine) == len(others) and entity.name != accounts[0]:
        yield f"no field of {entity.name} is '= me', so its rows have no owner, whom access names"
    if others:
        yield f"{login}, so '= me' says nothing of {others[0].name} -> {others[0].target}"
    if entity.name in accounts[1:]:
        yield f"{login}, not as {entity.name}"


def _without_a_login(entity: Entity) -> Iterator[str]:
    mine = [field for field in entity.fields if field.default == ME]
    if mine or any({*who} - {"anyone"} for who in entity.access.values()):
        what = "'= me'" if mine else "access"
        whom = mine[0].target if mine else "the entity that people are"
        yield f"{what} needs a login, and no entity has a password: add 'password password' to {whom}"


def _roles(field: Field) -> Sequence[str]:
    return field.choices if field.name == "role" else ()
