"""A spec that adds to the plan of a project."""

import re

import pytest

from bot.errors import UsageError
from bot.planning.plan import Plan
from bot.planning.plan_additions import on_top_of
from bot.planning.spec_parser import read_spec
from tests.unit.values import SOURCE, read_plan


def on_top(text: str) -> Plan:
    """Add *text* to a plan of two entities."""
    base = read_plan("# Shop\n- User: name string\n- Order: amount integer, by -> User")
    return on_top_of(base, read_spec(text, source=SOURCE)).plan(project="x", recipe="x", output_dir="x")


def test_a_spec_on_top_of_a_plan_adds_entities_and_fields_and_keeps_the_rest() -> None:
    plan = on_top("# Another name\n- Order: note text\n- Item: name string, order -> Order")

    fields = {each.name: [field.name for field in each.fields] for each in plan.entities}
    assert fields == {"User": ["name"], "Order": ["amount", "by", "note"], "Item": ["name", "order"]}
    assert (plan.project, plan.recipe) == ("Shop", "fastapi")


def test_a_field_that_both_have_is_as_the_spec_says() -> None:
    (field,) = on_top("- User: name text?").entities[0].fields

    assert (field.type, field.optional) == ("text", True)


def test_a_field_with_a_new_name_takes_the_place_of_the_old_one() -> None:
    plan = on_top("- Order: total integer was amount, note text")
    fields = plan.entities[1].fields

    assert [(field.name, field.was) for field in fields] == [("total", "amount"), ("by", None), ("note", None)]


def test_a_field_is_not_renamed_while_the_old_one_is_named_too() -> None:
    plan = on_top("- Order: total integer was amount, amount integer")

    assert [field.name for field in plan.entities[1].fields] == ["amount", "by", "total"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- User: mail email, mail text", "line 1: '- User: mail email, mail text': name 'mail' is used twice in User"),
        ("- Item: name text\n- Item: size integer", "line 2: '- Item: size integer': entity Item is defined twice"),
        ("- User: name text\n- User: size integer", "line 2: '- User: size integer': entity User is defined twice"),
    ],
)
def test_what_a_spec_gives_twice_is_refused_on_top_of_a_plan_too(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        on_top(text)
