"""What a line of a Markdown spec can be."""

import pytest

from bot.planning.markdown_lines import entity_name, heading, is_field_or_table, read_body, split_name


@pytest.mark.parametrize(
    ("line", "text"),
    [("## Post", "Post"), ("#  Blog  API ##", "Blog API"), ("#hash", ""), ("    # code", ""), ("Post", "")],
)
def test_a_heading_has_its_text(line: str, text: str) -> None:
    assert heading(line) == text


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Post: title string", ("Post", "title string")),
        ("**Post** \u2014 title string", ("**Post** ", "title string")),
        ("**Post:** title string", ("**Post", "title string")),
        ("Post (title string)", ("Post ", "title string")),
        ("Post (draft) and more", ("Post (draft) and more", "")),
        ("Post", ("Post", "")),
    ],
)
def test_a_line_is_split_into_name_and_fields(text: str, parts: tuple[str, str]) -> None:
    assert split_name(text) == parts


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Post", "Post"),
        ("**Blog Post**", "BlogPost"),
        ("`order_line`", "OrderLine"),
        ("one two three four five", ""),
        ("4x", ""),
    ],
)
def test_a_name_is_read_in_other_forms(written: str, name: str) -> None:
    assert entity_name(written) == name


@pytest.mark.parametrize(
    ("text", "readable", "near"),
    [
        ("title string, body text", 2, 0),
        ("title strng", 0, 1),
        ("a small blog, with comments", 0, 0),
        ("the text of the post", 0, 0),
        ("title string, and more", 1, 0),
        ("author -> ", 0, 1),
    ],
)
def test_what_is_a_list_of_fields_is_told_from_prose(text: str, readable: int, near: int) -> None:
    body = read_body(text, 1)

    assert (body.readable, body.near) == (readable, near)


@pytest.mark.parametrize(
    ("line", "expected"),
    [("- title string", True), ("| a | b |", True), ("- it is small", False), ("title string", False)],
)
def test_fields_and_tables_below_a_heading_make_it_an_entity(line: str, expected: bool) -> None:  # noqa: FBT001
    assert is_field_or_table(line) is expected
