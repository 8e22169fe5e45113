"""A schema file as a spec: by itself, in an issue's fenced block, and with what it leaves out."""

import pytest

from bot.errors import UsageError
from bot.planning.plan import MAX_LINES, Plan
from bot.planning.spec_parser import is_prose, needs_a_model, read_spec
from tests.unit.values import SOURCE, read_plan

SQL = """\
CREATE TABLE users (id serial PRIMARY KEY, "userName" varchar(30) NOT NULL UNIQUE);
CREATE TABLE posts (
  id serial PRIMARY KEY,
  author_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  title varchar(120) NOT NULL,
  CHECK (title <> author_id)
);
"""


def _fields(plan: Plan) -> dict[str, list[str]]:
    return {entity.name: [field.name for field in entity.fields] for entity in plan.entities}


@pytest.mark.parametrize("text", [SQL, f"# Blog\n\nWords.\n\n```sql\n{SQL}```\n"])
def test_a_schema_is_read_by_itself_and_in_a_fenced_block(text: str) -> None:
    draft, plan = read_spec(text, source=SOURCE), read_plan(text)

    assert _fields(plan) == {"User": ["user_name"], "Post": ["author", "title"]}
    assert plan.entities[1].fields[0].on_delete == "cascade"
    assert [each.partition(": ")[2] for each in plan.left_out] == ["CHECK (title <> author_id) of posts"]
    assert f"{SOURCE}: read as SQL" in draft.told()
    assert f"{SOURCE}: userName is user_name" in draft.told()
    assert not is_prose(text, source=SOURCE)
    assert not needs_a_model(draft)


def test_prose_beside_a_schema_is_described_and_its_demands_are_known() -> None:
    draft = read_spec(f"# Blog\n\nA blog. A title is never empty.\n\n```sql\n{SQL}```\n", source=SOURCE)

    assert (draft.project, draft.description) == ("Blog", "A blog. A title is never empty.")
    assert (draft.asks, needs_a_model(draft)) == (["A title is never empty."], True)


def test_a_problem_names_the_line_of_the_whole_spec() -> None:
    text = f"# Blog\n\n```sql\n{SQL}CREATE TABLE users (id serial PRIMARY KEY, a text);\n```\n"

    with pytest.raises(UsageError, match=r"line 11: .* read as SQL: table users is created twice"):
        read_spec(text, source=SOURCE)


def test_a_second_block_is_refused() -> None:
    with pytest.raises(UsageError, match="the entities are listed twice"):
        read_spec(f"- Tag: name string\n```sql\n{SQL}```\n", source=SOURCE)


def test_a_schema_that_leaves_out_very_much_says_how_much_more() -> None:
    views = "".join(f"CREATE VIEW v{n} AS SELECT {n};\n" for n in range(MAX_LINES + 9))

    left_out = read_plan(SQL + views).left_out

    assert len(left_out) <= MAX_LINES
