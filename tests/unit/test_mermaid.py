"""Mermaid's erDiagram: attributes, relationships, and what is wrong with each."""

import pytest

from tests.unit.schemas import fields, read, refused


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("string name", "name string"),
        ("varchar(20) name UK", "name string(20) unique"),
        ('int n "how many"', 'n integer "how many"'),
        ('string note "optional"', 'note text? "optional"'),
        ("decimal(8,2) price", "price decimal(8,2)"),
        ("enum(a,b) kind", "kind enum(a|b)"),
        ("string[] tags", "tags json"),
        ("datetime createdAt", "created_at datetime"),
    ],
)
def test_an_attribute_becomes_a_field(line: str, field: str) -> None:
    assert fields(f"erDiagram\nA {{\n int id PK\n {line}\n}}", "Mermaid") == [field]


@pytest.mark.parametrize(
    ("relationship", "of_a", "of_b"),
    [
        ("A ||--o{ B : has", [], ["a -> A"]),
        ("A |o--o{ B : has", [], ["a -> A?"]),
        ("A }o--|| B : of", ["b -> B"], []),
        ("A ||--o| B : has", [], ["a -> A unique"]),
        ("A }o--o{ B : has", ["bs -> B*"], []),
        ("A }|..|{ B : has", ["bs -> B*"], []),
        ("A only one to zero or more B : has", [], ["a -> A"]),
        ("A |o--o{ A : parent", ["parent -> A?"], []),
    ],
)
def test_a_relationship_is_on_the_side_that_holds_the_key(relationship: str, of_a: list[str], of_b: list[str]) -> None:
    text = f"erDiagram\n{relationship}\nA {{\n int x\n}}\nB {{ int y }}"

    assert fields(text, "Mermaid") == ["x integer", *of_a]
    assert fields(text, "Mermaid", 1) == ["y integer", *of_b]


def test_a_foreign_key_is_the_relation_that_it_belongs_to() -> None:
    text = """erDiagram
USER ||--o{ MAIL : sends
USER ||--o{ MAIL : receives
USER {
  string n
}
MAIL {
  int receiver_id FK
  int sender_id FK
}"""

    assert fields(text, "Mermaid", 1) == ["receiver -> User", "sender -> User"]


def test_a_foreign_key_without_a_relationship_is_found_by_name_or_left_out() -> None:
    spec = read("erDiagram\nA {\n int b_id FK\n int c_id FK\n}\nB {\n int x\n}", "Mermaid")

    assert [field for field, _ in spec.entities[0].fields] == ["b -> B", "c_id integer"]
    assert spec.left_out == ["line 4: FK of c_id of A, because no relationship says what it refers to"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("erDiagram\nA {\n int x", "line 2: the block of A is not closed; add a '}'"),
        ("erDiagram\nA {\n int\n}", "line 3: 'int' of A is not 'type name PK \"comment\"'"),
        ("erDiagram\nA {\n int x\n int x\n}", "line 4: A has x twice; rename one"),
        ("erDiagram\nA -- B", "line 2: 'A -- B' is neither an entity nor a relationship 'A ||--o{ B : label'"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, message: str) -> None:
    assert message in refused(text, "Mermaid").split("\n")
