"""Other ways to write a field: read where the meaning is plain, and noted."""

import pytest

from bot.planning.field_grammar import format_field, read_field


@pytest.mark.parametrize(
    ("text", "read", "notes"),
    [
        ("createdAt datetime", "created_at datetime", ["createdAt is created_at"]),
        ("**title**: string", "title string", []),
        ("name:string", "name string", []),
        ("name varchar(100)", "name string(100)", ["varchar(100) is string(100)"]),
        ("bio text optional", "bio text?", []),
        ("bio text not null", "bio text", []),
        ("state enum(in progress, done)", "state enum(in-progress|done)", ["'in progress' is in-progress"]),
        ("grade enum(a|a-|-1|.)", "grade enum(a|a-|-1|.)", []),
        ("author \u2192 User", "author -> User", []),
        ("author User", "author -> User", ["author User is author -> User"]),
        ("tags [Tag]", "tags -> Tag*", ["tags [Tag] is tags -> Tag*"]),
        ("tags -> Tag*", "tags -> Tag*", []),
        ("post -> blog_post", "post -> BlogPost", ["blog_post is BlogPost"]),
        ("author -> User = me on delete cascade", "author -> User on delete cascade = me", []),
        ("a boolean = true index", "a boolean index = true", []),
        ('a enum(x|y) = x "the state"', 'a enum(x|y) "the state" = x', []),
        ("slug string(80) unique matches /[a-z, =]+/", "slug string(80) unique matches /[a-z, =]+/", []),
        ("a decimal(10,2)(0..)", "a decimal(10,2)(0..)", []),
        ("a integer(..5)", "a integer(..5)", []),
        ("a on delete restrict", "", []),
    ],
)
def test_a_field_is_read_in_other_forms_and_noted(text: str, read: str, notes: list[str]) -> None:
    if not read:
        with pytest.raises(ValueError, match="unknown type"):
            read_field(text)
        return
    field, told = read_field(text)

    assert (format_field(field), [*told]) == (read, notes)
