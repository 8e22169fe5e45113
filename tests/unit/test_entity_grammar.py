"""What stands below an entity: read, written, read again."""

import pytest

from bot.planning.entities import Entity, Field
from bot.planning.entity_grammar import Option, attributes, format_options, read_access, read_option


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("unique author, title", "unique", "author, title"),
        ("unique (author, title)", "unique", "author, title"),
        ("Index: state, created_at", "index", "state, created_at"),
        ("unique email", "unique", "email"),
        ("plural: blog posts", "plural", "blog posts"),
        ("table: tbl_post", "table", "tbl_post"),
        ("access: read anyone; delete owner", "access", "read anyone; delete owner"),
        ("rule: unique a, b", "rule", "unique a, b"),
        ("unique names only, please", "rule", "unique names only, please"),
        ("a published  post can't\n go back", "rule", "a published post can't go back"),
        ("uniqueness counts", "rule", "uniqueness counts"),
    ],
)
def test_a_line_below_an_entity_is_read(text: str, kind: str, value: str) -> None:
    assert read_option(text) == Option(kind, value)


def test_names_are_read_in_other_spellings() -> None:
    options = [Option("unique", "authorId, createdAt"), Option("index", "title, blurb"), Option("plural", "Blog Posts")]

    assert attributes(options, ["author", "created_at", "title"]) == {
        "unique": (("author", "created_at"),),
        "index": (("title", "blurb"),),
        "plural": "blog_posts",
    }


def test_what_an_entity_says_reads_back() -> None:
    entity = Entity.model_validate({
        "name": "Post",
        "fields": (Field(name="a", type="string"), Field(name="b", type="string")),
        "unique": (("a", "b"),),
        "index": (("b", "a"),),
        "plural": "writings",
        "table": "posts",
        "access": {"read": ("anyone",), "delete": ("owner", "admin")},
        "rules": ("unique a, b", "a post is short"),
    })  # fmt: skip

    read = attributes([read_option(line) for line in format_options(entity)], ["a", "b"])

    assert Entity.model_validate({"name": "Post", "fields": entity.fields, **read}) == entity


def test_an_action_without_anybody_is_refused() -> None:
    with pytest.raises(ValueError, match="'delete' names nobody; write, for example"):
        read_access("read anyone; delete")
