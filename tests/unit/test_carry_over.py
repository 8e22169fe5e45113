"""Entities of a schema: names, relations, groups, circles, and tables that become none."""

import pytest

from tests.unit.schemas import fields, read, refused


def sql(*tables: str) -> str:
    return "\n".join(f"CREATE TABLE {table};" for table in tables)


def test_relations_lose_the_suffix_of_their_column() -> None:
    text = sql(
        "countries (code char(2) primary key)",
        "users (id serial primary key, n int)",
        "posts (a_id int references users, country_code char(2) references countries(code),"
        " editor int references users)",
    )

    assert fields(text, "SQL", 2) == ["a -> User?", "country -> Country?", "editor -> User?"]


def test_names_that_would_clash_are_told_apart() -> None:
    text = sql(
        "users (id int primary key, n int)",
        "posts (author int, author_id int references users, user_id int references users)",
    )
    spec = read(text, "SQL")

    assert [field for field, _ in spec.entities[1].fields] == [
        "author integer?",
        "author_user -> User?",
        "user -> User?",
    ]
    assert "author_id of posts is author_user" in spec.notes


def test_two_tables_of_one_name_become_two_entities() -> None:
    spec = read(sql("user (n int)", "users (n int)", "a.log (n int)", "b.log (n int)"), "SQL")

    assert [entity.name for entity in spec.entities] == ["User", "User2", "ALog", "BLog"]


def test_a_circle_of_required_relations_is_opened_once() -> None:
    text = sql(
        "a (id int primary key, b_id int not null)", "b (id int primary key, a_id int not null references a)"
    ) + ("ALTER TABLE a ADD FOREIGN KEY (b_id) REFERENCES b (id);")
    spec = read(text, "SQL")

    assert [field for entity in spec.entities for field, _ in entity.fields] == ["b -> B", "a -> A?"]
    assert "a of B is optional, because it closes a circle of relations" in spec.notes


def test_a_relation_to_itself_that_is_required_is_opened() -> None:
    assert fields(sql("a (id int primary key, a_id int not null references a)"), "SQL") == ["a -> A?"]


def test_a_reference_out_of_the_file_is_left_out_and_its_column_stays() -> None:
    spec = read(sql("a (user_id int not null references auth.users)"), "SQL")

    assert [field for field, _ in spec.entities[0].fields] == ["user_id integer"]
    assert spec.left_out == ["line 1: the reference of a.user_id to auth.users, which is not in this file"]


def test_a_table_with_nothing_but_its_key() -> None:
    spec = read(sql("a (id int primary key)", "b (id int primary key)", "c (a_id int references a)"), "SQL")

    assert [(entity.name, [field for field, _ in entity.fields]) for entity in spec.entities] == [
        ("A", ["name string?"]),
        ("C", ["a -> A?"]),
    ]
    assert spec.left_out == ["line 2: b, because it has no columns but its key"]


def test_groups_of_one_are_marked_and_groups_of_more_are_options() -> None:
    text = (
        sql("a (x int, y int, z json, unique (x), unique (x, y), unique (y, x), unique (x, z))")
        + "CREATE INDEX i ON a (y);"
    )
    spec = read(text, "SQL")

    assert [field for field, _ in spec.entities[0].fields] == ["x integer unique?", "y integer index?", "z json?"]
    assert [option for option, _ in spec.entities[0].options] == ["table: a", "unique x, y"]
    assert spec.left_out == ["line 1: unique (x, z) of a, because not all of it are fields"]


@pytest.mark.parametrize(("table", "options"), [("posts", []), ("post", ["table: post"]), ('"Post"', [])])
def test_a_table_name_is_kept_where_it_is_another(table: str, options: list[str]) -> None:
    assert [option for option, _ in read(sql(f"{table} (x int)"), "SQL").entities[0].options] == options


def test_too_many_columns_are_refused() -> None:
    columns = ", ".join(f"c{n} int" for n in range(201))

    assert refused(sql(f"a ({columns})"), "SQL") == "line 1: a has 201 columns; the limit is 200"
