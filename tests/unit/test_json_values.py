"""Types, formats, limits and defaults of JSON Schema."""

import pytest

from tests.unit.schemas import fields, read


def schema(value: str, required: str = "") -> str:
    return f'$schema: "http://json-schema.org/schema"\ntitle: A\nrequired: [{required}]\nproperties:\n  x: {value}\n'


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ("{type: string, minLength: 2, maxLength: 9}", "x string(2..9)?"),
        ("{type: string, pattern: '^a+$'}", "x string? matches /a+/"),
        ("{type: string, pattern: a}", r"x string? matches /[\s\S]*a[\s\S]*/"),
        ("{type: string, format: email}", "x email?"),
        ("{type: string, format: date-time}", "x datetime?"),
        ("{type: string, format: binary}", "x bytes?"),
        ("{type: [string, 'null'], format: uri}", "x url?"),
        ("{anyOf: [{type: integer, minimum: 1}, {type: 'null'}]}", "x integer(1..)?"),
        ("{type: integer, exclusiveMinimum: 0, maximum: 5.0}", "x integer(1..5)?"),
        ("{type: integer, minimum: 0, exclusiveMinimum: true}", "x integer(1..)?"),
        ("{type: number, multipleOf: 0.01, default: 9.99}", "x decimal? = 9.99"),
        ("{enum: [a, b c]}", "x enum(a|b-c)?"),
        ("{type: object, default: {a: [1]}}", 'x json? = {"a": [1]}'),
        ("{type: array, items: {type: string}}", "x json?"),
        ("{}", "x json?"),
        ("{type: string, writeOnly: true}", "x string? secret"),
        ("{type: boolean, default: false, description: 'is it'}", 'x boolean? "is it" = false'),
    ],
)
def test_a_value_becomes_a_field(value: str, field: str) -> None:
    assert fields(schema(value)) == [field]


def test_what_is_required() -> None:
    assert fields(schema("{type: integer}", "x")) == ["x integer"]
    assert fields(schema("{type: integer, nullable: true}", "x")) == ["x integer?"]


@pytest.mark.parametrize(
    ("value", "left_out"),
    [
        ("{type: number, exclusiveMinimum: 0}", "line 5: exclusive minimum 0 of A.x"),
        ("{type: integer, enum: [1, 5]}", "line 5: the values 1, 5 of A.x"),
        ("{type: string, readOnly: true}", "line 5: readOnly of A.x; clients can set it"),
        ("{type: string, x-icon: a}", "line 5: x-icon of A.x"),
        ("{type: string, default: [a]}", "line 5: default of A.x"),
    ],
)
def test_what_a_field_cant_keep_is_listed(value: str, left_out: str) -> None:
    assert read(schema(value)).left_out == [left_out]
