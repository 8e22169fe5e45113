"""The entity diagram of a plan."""

from bot.planning.entities import Entity, Field
from bot.planning.er_diagram import format_diagram
from bot.planning.plan import Plan
from tests.unit.values import BLOG, read_plan


def test_the_blog_is_drawn_with_its_keys_and_relations() -> None:
    drawn = format_diagram(read_plan(BLOG))

    assert drawn == (
        "erDiagram\n"
        "    User {\n"
        "        integer id PK\n"
        "        string username UK\n"
        "        email email UK\n"
        '        text bio "optional"\n'
        "    }\n"
        "    Post {\n"
        "        integer id PK\n"
        "        string title\n"
        "        text body\n"
        "        boolean published\n"
        "        integer author_id FK\n"
        "    }\n"
        "    Comment {\n"
        "        integer id PK\n"
        "        text body\n"
        "        integer post_id FK\n"
        "        integer author_id FK\n"
        "    }\n"
        "    Tag {\n"
        "        integer id PK\n"
        "        string name UK\n"
        "    }\n"
        "    PostTag {\n"
        "        integer id PK\n"
        "        integer post_id FK\n"
        "        integer tag_id FK\n"
        "    }\n"
        "    User ||--o{ Post : author\n"
        "    Post ||--o{ Comment : post\n"
        "    User ||--o{ Comment : author\n"
        "    Post ||--o{ PostTag : post\n"
        "    Tag ||--o{ PostTag : tag\n"
    )


def test_optional_and_unique_relations_have_their_own_ends() -> None:
    plan = read_plan("- User: boss -> User ?, badge -> Badge unique, state enum(a|b)\n- Badge: code string")

    drawn = format_diagram(plan)

    assert drawn == (
        "erDiagram\n"
        "    User {\n"
        "        integer id PK\n"
        '        integer boss_id FK "optional"\n'
        "        integer badge_id FK, UK\n"
        "        enum state\n"
        "    }\n"
        "    Badge {\n"
        "        integer id PK\n"
        "        string code\n"
        "    }\n"
        "    User |o--o{ User : boss\n"
        "    Badge ||--o| User : badge\n"
    )


def test_names_that_are_words_of_the_diagram_s_language_are_told_apart() -> None:
    drawn = format_diagram(read_plan("- Style: pk string\n- To: end -> Style"))

    assert drawn == (
        "erDiagram\n"
        '    "Style" {\n'
        "        integer id PK\n"
        "        string pk_\n"
        "    }\n"
        '    "To" {\n'
        "        integer id PK\n"
        "        integer end_id FK\n"
        "    }\n"
        '    "Style" ||--o{ "To" : "end"\n'
    )


def test_links_to_many_new_types_groups_and_words_are_drawn() -> None:
    fields = (
        Field(
            name="opens", type="time", doc='When the "shop" opens,\nfor @alice: closes #1, GH-2, https://a.b/c %%{x}%%'
        ),
        Field(name="cover", type="bytes", optional=True, doc="A picture"),
        Field(name="author", type="relation", target="Tag"),
        Field(name="title", type="string"),
        Field(name="tags", type="relation", target="Tag", many=True),
    )
    tag = Entity(name="Tag", fields=(Field(name="name", type="string"),))
    post = Entity(name="Post", fields=fields, unique=(("author", "title"),))

    assert format_diagram(Plan(project="Shop", entities=(tag, post))) == (
        "erDiagram\n"
        "    Tag {\n"
        "        integer id PK\n"
        "        string name\n"
        "    }\n"
        "    Post {\n"
        "        integer id PK\n"
        '        time opens "When the shop opens, for alice closes 1, GH 2, https / a.b/c % x %"\n'
        '        bytes cover "optional; A picture"\n'
        '        integer author_id FK "unique with title"\n'
        '        string title "unique with author_id"\n'
        "    }\n"
        "    Tag ||--o{ Post : author\n"
        "    Tag }o--o{ Post : tags\n"
    )
