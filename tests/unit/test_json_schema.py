"""How schemas refer to each other: relations, lists, extensions."""

from tests.unit.schemas import fields, read, refused

_HEAD = "openapi: 3.0.0\ncomponents:\n  schemas:\n    B: {type: object, properties: {n: {type: integer}%s}}\n"
_A = "    A: {type: object, properties: {%s}}\n"
_REF = "{$ref: '#/components/schemas/%s'}"


def document(of_a: str, of_b: str = "") -> str:
    return _HEAD % of_b + _A % of_a


def test_references_are_relations() -> None:
    nullable = "{anyOf: [" + _REF % "B" + ", {type: 'null'}]}"

    assert fields(document("b: " + _REF % "B"), entity=1) == ["b -> B?"]
    assert fields(document(f"other: {nullable}"), entity=1) == ["other -> B?"]
    assert fields(document("bId: {type: integer}"), entity=1) == ["b -> B?"]


def test_a_list_of_others_is_many_to_many_or_the_other_side() -> None:
    many = "bs: {type: array, items: " + _REF % "B" + "}"

    assert fields(document(many), entity=1) == ["bs -> B*"]
    spec = read(document(f"x: {{type: integer}}, {many}", ", a: " + _REF % "A"))
    assert [field for field, _ in spec.entities[1].fields] == ["x integer?"]
    assert "bs of A is the other side of a of B" in spec.notes


def test_two_lists_are_one_relation() -> None:
    spec = read(
        document(
            "x: {}, bs: {type: array, items: " + _REF % "B" + "}", ", as: {type: array, items: " + _REF % "A" + "}"
        )
    )

    assert [field for entity in spec.entities for field, _ in entity.fields if "->" in field] == ["as_value -> A*"]


def test_a_reference_to_nothing_is_refused() -> None:
    assert refused(document("b: " + _REF % "C")) == "line 5: A.b: there is no schema 'C'"


def test_references_in_a_circle_end() -> None:
    text = document("b: " + _REF % "C") + "    C: {$ref: '#/components/schemas/C'}\n"

    assert read(text).entities[1].name == "A"
