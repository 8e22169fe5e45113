"""What reviewers see of a plan besides its diagram: bounded, safe and legible."""

from bot.forge.behaviour import fold_behaviour, render_behaviour
from bot.planning.entities import Entity, Field, Item
from bot.planning.plan import Plan
from tests.unit.test_markdown import CLOSING, GFM, MENTION

POST = Entity(
    name="Post",
    fields=(Field(name="title", type="string"),),
    access={"read": ("anyone",), "delete": ("owner", "admin")},
    rules=("A published post can't go back to `draft` (409).",),
)
FEED = Item(name="Feed", does="`GET /feed` returns **new** posts.", uses=("Post",), rules=("It is paged.",))
PLAN = Plan(
    project="Blog",
    entities=(POST,),
    options={"auth": "jwt"},
    collections={"features": (FEED,)},
    rules=("A comment is short.",),
    instructions={"main": "Be brief."},
    left_out=("sending mail",),
)


def test_features_rules_options_and_what_is_left_out_are_shown() -> None:
    assert (
        render_behaviour(PLAN)
        == """\
### Features

- **Feed**: `GET /feed` returns **new** posts. Uses Post.

### Rules

- **Post**: access: read anyone; delete owner, admin
- **Post**: A published post can't go back to `draft` (409).
- **Feed**: It is paged.
- A comment is short.
- `main`: Be brief.

### Left out

- sending mail

### Options

- `auth: jwt`"""
    )


def test_a_comment_counts_them_and_folds_the_rest() -> None:
    assert "<summary>1 feature, 5 rules, 1 thing left out, 1 option</summary>" in fold_behaviour(PLAN)


def test_a_plan_of_entities_only_has_no_such_part() -> None:
    plan = Plan(project="Blog", entities=(POST.model_copy(update={"rules": (), "access": {}}),))

    assert (render_behaviour(plan), fold_behaviour(plan)) == ("", "")


def test_hostile_and_endless_text_is_bounded_and_has_no_effect() -> None:
    evil = "@alice closes #1 <img src=x> ![a](http://a.b) </details> `@bob` " + "x" * 10_000
    items = tuple(Item(name=f"F{number}", does=evil, rules=(evil,) * 5, uses=("Post",) * 300) for number in range(200))
    plan = PLAN.model_copy(
        update={
            "collections": {"features": items},
            "rules": (evil,) * 500,
            "left_out": (evil,) * 500,
            "options": {f"o{number}": evil for number in range(50)},
            "instructions": {evil: evil},
        }
    )

    shown = render_behaviour(plan)

    assert len(shown) < 10_000
    assert not MENTION.search(shown)
    assert not CLOSING.search(shown)
    assert {token.type for block in GFM.parse(shown) for token in block.children or ()}.isdisjoint(
        {"html_inline", "image", "link_open"}
    )
    assert "html_block" not in {block.type for block in GFM.parse(shown)}
    assert "more lines" in shown
