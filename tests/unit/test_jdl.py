"""JDL: fields with validations, relationships, options, and what is wrong with each."""

import pytest

from tests.unit.schemas import fields, read, refused


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("name String required minlength(3) maxlength(30)", "name string(3..30)"),
        ("code String pattern(/^[A-Z]{3}$/) unique", "code string unique? matches /[A-Z]{3}/"),
        ("age Integer min(0) max(150)", "age integer(0..150)?"),
        ("price BigDecimal required min(0.5)", "price decimal(0.5..)"),
        ("photo ImageBlob required maxbytes(1000)", "photo bytes(1000)"),
        ("at Instant", "at datetime?"),
        ("day LocalDate", "day date?"),
        ("kind Kind required", "kind enum(A|B)"),
        ("/** its name */ name String", 'name string? "its name"'),
        ("length Duration", "length string?"),
        ("limit Integer max(MOST)", "limit integer(..9)?"),
    ],
)
def test_a_field_is_carried_over(line: str, field: str) -> None:
    assert fields(f"MOST = 9\nentity A {{\n {line}\n}}\nenum Kind {{ A (a), B }}", "JDL") == [field]


@pytest.mark.parametrize(
    ("relationship", "of_a", "of_b"),
    [
        ("OneToMany { A{bs} to B{a required} }", [], ["a -> A"]),
        ("ManyToOne { A{b(name)} to B }", ["b -> B?"], []),
        ("OneToOne { A{b required} to B{a} }", ["b -> B unique"], []),
        ("ManyToMany { A{bs(name)} to B{as} }", ["bs -> B*"], []),
        ("ManyToMany { A to B }", ["bs -> B*"], []),
        ("OneToMany { A to B, A{more} to B{other} }", [], ["a -> A?", "other -> A?"]),
    ],
)
def test_a_relationship_is_on_the_side_that_holds_the_key(relationship: str, of_a: list[str], of_b: list[str]) -> None:
    text = f"entity A {{ x Integer }}\nentity B\n{{\n y Integer\n}}\nrelationship {relationship}"

    assert fields(text, "JDL") == ["x integer?", *of_a]
    assert fields(text, "JDL", 1) == ["y integer?", *of_b]


def test_options_are_left_out_and_named() -> None:
    spec = read(
        "application { config { baseName shop } }\n@dto(x)\nentity A { x Integer }\npaginate A with pager", "JDL"
    )

    assert spec.project == "shop"
    assert spec.left_out == ["line 1: the application block", "line 2: @dto(x)", "line 4: paginate A with pager"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("entity A {\n b String", "line 1: the block of entity A is not closed; add a '}'"),
        ("entity A {\n b Strin\n}", "line 2: A.b: there is no type or enum 'Strin'"),
        ("entity A {\n b\n}", "line 2: 'b' of A is not 'name Type'"),
        ("entity A {\n b String minlen(3)\n}", "line 2: 'minlen 3' of A.b is no validation"),
        ("entity A {\n b String maxlength(x)\n}", "line 2: 'maxlength x' of A.b is no validation"),
        ("entity A { b String }\nentity A { b String }", "line 2: entity A is defined twice; rename one"),
        (
            "entity A { b String }\nrelationship OneToFew { A to A }",
            "line 2: 'OneToFew' is none of OneToMany, ManyToOne, OneToOne and ManyToMany",
        ),
        (
            "entity A { b String }\nrelationship OneToOne { A A }",
            "line 2: a relationship is written 'A{name} to B{name}'",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, message: str) -> None:
    assert message in refused(text, "JDL").split("\n")


def test_the_words_for_the_values_of_an_enum_are_listed() -> None:
    found = read("entity A { kind Kind }\nenum Kind { A (first), B }", "JDL")

    assert found.left_out == ["line 2: the words in brackets behind the values of Kind"]
