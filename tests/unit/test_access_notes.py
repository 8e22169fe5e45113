"""What people are told about access that nobody has."""

import pytest

from bot.planning.access_notes import find_access_notes
from tests.unit.values import read_plan

_USER = "- User: password password, role enum(member|admin) = member\n"
_LOGIN = "people log in as User, the first entity with a password"


def notes(text: str) -> list[tuple[str, str]]:
    plan = read_plan(text)
    return [(each.entity, each.text) for each in find_access_notes({each.name: each for each in plan.entities})]


@pytest.mark.parametrize(
    "text",
    [
        _USER + "  - access: read owner, admin\n- Post: title string, by -> User = me\n  - access: update owner\n",
        "- Post: title string\n  - access: read anyone\n",
        "- Post: title string\n",
    ],
)
def test_access_that_somebody_has_needs_no_note(text: str) -> None:
    assert notes(text) == []


@pytest.mark.parametrize(
    ("text", "entity", "told"),
    [
        (
            _USER + "- Post: a text\n  - access: read boss",
            "Post",
            "access names boss, which is no choice of a field role",
        ),
        (
            _USER + "- Post: a text\n  - access: read owner",
            "Post",
            "no field of Post is '= me', so its rows have no owner",
        ),
        (_USER + "- Shop: password password", "Shop", f"{_LOGIN}, not as Shop"),
        (_USER + "- Tag: a text\n- Post: tag -> Tag = me", "Post", f"{_LOGIN}, so '= me' says nothing of tag -> Tag"),
        ("- User: a text\n- Post: by -> User = me", "Post", "'= me' needs a login, and no entity has a password: add"),
        ("- Post: a text\n  - access: read user", "Post", "access needs a login, and no entity has a password: add"),
    ],
)
def test_access_that_nobody_has_is_told(text: str, entity: str, told: str) -> None:
    ((found, note),) = notes(text)

    assert found == entity
    assert told in note
