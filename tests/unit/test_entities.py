"""What a plan lists: what follows from it, and that digests leave out what earlier releases did not know."""

from bot.planning.entities import Entity, Field, Item

_PAIR = (Field(name="post", type="relation", target="Post"), Field(name="tag", type="relation", target="Tag"))


def test_what_is_not_used_is_not_part_of_a_digest() -> None:
    post = Entity(name="Post", fields=(Field(name="title", type="string", unique=True),))

    assert post.content() == {"name": "Post", "fields": [{"name": "title", "type": "string", "unique": True}]}
    assert [*post.content(defaults=True)["fields"][0]] == [
        *("name", "type", "unique", "index", "optional", "default", "choices", "target")
    ]


def test_a_link_of_two_entities_is_unique_unless_something_else_is_said() -> None:
    link, free = Entity(name="PostTag", fields=_PAIR), Entity(name="PostTag", fields=_PAIR, unique=())
    more = Entity(name="PostTag", fields=(*_PAIR, Field(name="since", type="date")), unique=(("post", "tag"),))

    assert (link.unique, free.unique) == ((("post", "tag"),), ())
    assert "unique" not in link.content()
    assert (free.content()["unique"], more.content()["unique"]) == ([], [["post", "tag"]])


def test_a_relation_to_many_is_a_list_of_ids() -> None:
    tags = Field(name="categories", type="relation", target="Category", many=True)

    assert tags.column == "category_ids"


def test_names_follow_from_an_item() -> None:
    feed = Item(name="NewsFeed", does="Lists posts.")

    assert (feed.module, feed.plural, feed.content()) == (
        *("news_feed", "news_feeds"),
        {"name": "NewsFeed", "does": "Lists posts."},
    )


def test_a_plural_and_a_table_can_be_given() -> None:
    staff = Entity.model_validate({"name": "Staff", "fields": (), "plural": "staff_members", "table": "stf"})

    assert (staff.plural, staff.table) == ("staff_members", "stf")
