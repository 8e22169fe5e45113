"""One field of a spec: parse and format it; each is the inverse of the other."""

import datetime as dt
import json
import string
import uuid
from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.planning.entities import SCALARS, Entity, Field, FieldType, Scalar
from bot.planning.field_grammar import format_field, parse_field, split_fields
from bot.planning.names import FIELD_NAME, NAME_LIMIT
from bot.planning.plan_checks import find_problems
from bot.text import CONTROL

_HOSTILE = st.text(
    st.one_of(st.sampled_from(" ,\"'=?|()[]{}:\\->#\n\t"), st.characters(exclude_categories=["Cs", "Cc"])), max_size=40
).filter(lambda text: not CONTROL.search(text))
_NAMES = st.from_regex(FIELD_NAME, fullmatch=True).filter(lambda name: len(name) <= NAME_LIMIT)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _HOSTILE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_HOSTILE, inner, max_size=3),
    max_leaves=6,
)
_TYPES: tuple[FieldType, ...] = (*get_args(Scalar), "enum", "relation")
_DEFAULTS: dict[str, st.SearchStrategy[str]] = {
    "string": _HOSTILE,
    "text": _HOSTILE,
    "integer": st.integers(-(2**63), 2**63 - 1).map(str),
    "float": st.floats(-1e9, 1e9).map("{:.6f}".format) | st.sampled_from(["1e99", "-.5", "2."]),
    "decimal": st.decimals(-999_999, 999_999, places=2).map(str),
    "boolean": st.sampled_from(["true", "false", "True"]),
    "date": st.dates().map(dt.date.isoformat) | st.just("today"),
    "datetime": st.datetimes(timezones=st.just(dt.UTC)).map(dt.datetime.isoformat) | st.just("now"),
    "uuid": st.uuids().map(str),
    "email": st.just("someone@example.com"),
    "url": st.just("https://example.com/a,b?c=d#e"),
    "time": st.times().map(dt.time.isoformat),
    "json": st.builds(json.dumps, _JSON, ensure_ascii=st.booleans()),
}


@st.composite
def valid_fields(draw: st.DrawFn) -> Field:
    """Draw any field that a plan could hold."""
    kind = draw(st.sampled_from(_TYPES))
    choices: tuple[str, ...] = ()
    default = None
    if kind == "enum":
        letters = st.text(string.ascii_letters + string.digits + "_.-", min_size=1, max_size=8)
        choices = tuple(draw(st.lists(letters, min_size=1, max_size=5, unique=True)))
        default = draw(st.none() | st.sampled_from(choices))
    elif kind in _DEFAULTS:
        default = draw(st.none() | _DEFAULTS[kind])
    elif kind == "relation":
        default = draw(st.sampled_from([None, "me"]))
    compared = kind not in ("json", "bytes", "password")
    name = draw(_NAMES)
    field = Field(
        name=name,
        type=kind,
        unique=compared and draw(st.booleans()),
        index=compared and kind != "relation" and draw(st.booleans()),
        optional=draw(st.booleans()),
        default=default,
        choices=choices,
        target="Post" if kind == "relation" else None,
        doc=" ".join(draw(_HOSTILE).split()),
        was=draw(st.none() | _NAMES.filter(lambda other: other != name)),
        **draw(_later(kind, default)),
    )
    if kind == "relation" and draw(st.booleans()):
        return Field(name=name, type=kind, target="Post", many=True)
    if field.on_delete == "set null":
        return field.model_copy(update={"optional": True})
    if field.auto == "delete":
        return field.model_copy(update={"optional": True, "default": None, "unique": False, "secret": False})
    return field.model_copy(update={"optional": False, "default": None}) if field.auto else field


def _later(kind: str, default: str | None) -> st.SearchStrategy[dict[str, Any]]:
    """Draw what only some types take; limits are wide enough for every default."""
    if kind == "relation":
        return st.fixed_dictionaries({"on_delete": st.sampled_from([None, "cascade", "set null"])})
    drawn: dict[str, st.SearchStrategy[Any]] = {"secret": st.booleans() if kind != "password" else st.just(value=False)}
    if kind in ("date", "datetime"):
        drawn["auto"] = st.sampled_from([None, "create", "update", *(["delete"] * (kind == "datetime"))])
    if kind in ("string", "text", "password"):
        drawn |= {"minimum": st.sampled_from([None, "0"]), "maximum": st.sampled_from([None, "255"])}
    if kind in ("string", "text") and default is None:
        drawn["pattern"] = st.none() | st.sampled_from(["[a-z0-9-]+", "a/b", r"a\\/b", "a, (b|c)?", '"x" = 1'])
    if kind in ("integer", "float", "decimal"):
        drawn |= {"minimum": st.sampled_from([None, "-9e30" if kind == "float" else "-99"]), "maximum": st.none()}
    if kind in ("integer", "decimal") and default is not None:
        drawn["minimum"] = st.none()
    if kind == "decimal" and default is None:
        drawn |= {"digits": st.just(10), "places": st.sampled_from([0, 2])}
    return st.fixed_dictionaries(drawn)


@given(valid_fields())
@example(Field(name="a", type="json", default='"quoted"'))
@example(Field(name="a", type="string", default='", b string = "'))
@example(Field(name="a", type="string", default=""))
def test_a_field_that_is_written_reads_back_as_itself(field: Field) -> None:
    written = format_field(field)

    assert parse_field(written) == field


@given(st.lists(valid_fields(), min_size=1, max_size=4))
def test_fields_joined_by_commas_are_split_where_they_were_joined(fields: list[Field]) -> None:
    written = [format_field(field) for field in fields]

    assert split_fields(", ".join(written)) == written


@given(valid_fields().filter(lambda field: field.name != "id"))
def test_every_field_the_strategy_draws_is_one_a_plan_may_hold(field: Field) -> None:
    problems = find_problems([Entity(name="Post", fields=(Field(name="zz_top", type="string"), field))])

    for problem in problems:
        assert any(word in problem.message for word in ("keyword", "used twice", "cycle"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("title string", Field(name="title", type="string")),
        ("  title   string  ", Field(name="title", type="string")),
        ("title: string", Field(name="title", type="string")),
        ("bio text?", Field(name="bio", type="text", optional=True)),
        ("gone datetime auto delete", Field(name="gone", type="datetime", optional=True, auto="delete")),
        ("gone datetime? auto delete", Field(name="gone", type="datetime", optional=True, auto="delete")),
        ("bio text ?", Field(name="bio", type="text", optional=True)),
        ("email email unique index", Field(name="email", type="email", unique=True, index=True)),
        ("email email index unique?", Field(name="email", type="email", unique=True, index=True, optional=True)),
        ("published boolean = false", Field(name="published", type="boolean", default="false")),
        ("n integer=-3", Field(name="n", type="integer", default="-3")),
        ("price decimal = 9.99", Field(name="price", type="decimal", default="9.99")),
        ('title string = "a, b = c"', Field(name="title", type="string", default="a, b = c")),
        ("title string = 'it''s'", Field(name="title", type="string", default="it''s")),
        ("title string = two words", Field(name="title", type="string", default="two words")),
        ("state enum(draft|published)", Field(name="state", type="enum", choices=("draft", "published"))),
        ("state enum ( a | b ) = b", Field(name="state", type="enum", choices=("a", "b"), default="b")),
        ("author -> User", Field(name="author", type="relation", target="User")),
        ("author->User?", Field(name="author", type="relation", target="User", optional=True)),
        ("owner -> User unique ?", Field(name="owner", type="relation", target="User", unique=True, optional=True)),
        ('data json = {"a": [1, 2]}', Field(name="data", type="json", default='{"a": [1, 2]}')),
        ('data json = "text"', Field(name="data", type="json", default='"text"')),
    ],
)
def test_each_form_of_the_grammar_is_read(text: str, expected: Field) -> None:
    assert parse_field(text) == expected


@pytest.mark.parametrize("kind", SCALARS)
def test_every_scalar_type_is_a_type(kind: str) -> None:
    assert parse_field(f"a {kind}").type == kind


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "has no type: write 'name type'"),
        ("title", "field 'title' has no type: write 'name type'"),
        ("title strin", "unknown type 'strin'; did you mean 'string'?"),
        ("title zzz", "types are string text integer"),
        ("title string uniq", "'uniq' is not a modifier: after the type, write unique, index"),
        ("title string unique unique", "a modifier is given twice"),
        ("title string ??", "a modifier is given twice"),
        ("author -> ?", "a relation is written 'name -> Entity'"),
        ("title string =", "there is no value after '='"),
        ("title string =  ", "there is no value after '='"),
        ('title string = "open', "is not a valid quoted string"),
        ('title string = "a" b', "'b' is not a modifier"),
    ],
)
def test_a_field_that_does_not_parse_is_refused_with_what_was_expected(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parse_field(text)

    assert reason in str(caught.value)


def test_a_hostile_word_is_cut_in_the_message() -> None:
    with pytest.raises(ValueError, match="unknown type") as caught:
        parse_field("title " + "x" * 100_000)

    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a text", ["a text"]),
        ("a text, b text", ["a text", "b text"]),
        ("a text,b text,", ["a text", "b text"]),
        ("a string = 'x, y', b text", ["a string = 'x, y'", "b text"]),
        ('a string = "x\\", y", b text', ['a string = "x\\", y"', "b text"]),
        ('a json = {"k": "}, {"}, b text', ['a json = {"k": "}, {"}', "b text"]),
        ("a json = [1, [2, 3]], b text", ["a json = [1, [2, 3]]", "b text"]),
        ("a string = :), b text", ["a string = :)", "b text"]),
        ("a string = don't, b text", ["a string = don't", "b text"]),
    ],
)
def test_fields_are_split_at_the_commas_outside_quotes_and_brackets(text: str, expected: list[str]) -> None:
    assert split_fields(text) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "a field is empty"),
        (",", "a field is empty"),
        ("a text,, b text", "a field is empty"),
        (", a text", "a field is empty"),
        ("a enum(x|y", "a bracket is not closed"),
        ("a json = [1", "a bracket is not closed"),
    ],
)
def test_an_empty_field_or_an_open_bracket_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        split_fields(text)


def test_a_default_is_a_value_of_the_fields_type() -> None:
    fields = [
        parse_field(text)
        for text in (
            "a integer = 3",
            "a decimal = 9.90",
            "a boolean = True",
            "a date = 2026-01-31",
            "a datetime = 2026-01-31T12:00:00",
            "a uuid = 00000000-0000-0000-0000-000000000001",
            "a datetime = now",
            'a json = {"k": null}',
            "a text",
        )
    ]

    assert [field.default_value for field in fields] == [
        3,
        Decimal("9.90"),
        True,
        dt.date(2026, 1, 31),
        dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC),
        uuid.UUID(int=1),
        "now",
        {"k": None},
        None,
    ]
