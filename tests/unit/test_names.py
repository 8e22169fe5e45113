"""Names that are derived from names. Generated projects depend on them, so each rule is pinned."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UsageError
from bot.planning.names import check_run_name, module_name, slug, snake_case


@pytest.mark.parametrize(
    ("name", "snake"),
    [
        ("User", "user"),
        ("PostTag", "post_tag"),
        ("HTTPServer", "http_server"),
        ("UserID", "user_id"),
        ("OAuth2Token", "o_auth2_token"),
        ("A", "a"),
        ("ABTest", "ab_test"),
    ],
)
def test_a_capitalised_name_becomes_snake_case(name: str, snake: str) -> None:
    assert snake_case(name) == snake


@pytest.mark.parametrize(("entity", "module"), [("Post", "post"), ("Class", "class_"), ("Import", "import_")])
def test_a_module_is_never_a_keyword(entity: str, module: str) -> None:
    assert module_name(entity) == module


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Blog API", "blog-api"),
        ("  --Blog__API!! ", "blog-api"),
        ("Caf\u00e9 \u00dcbung", "cafe-ubung"),
        ("\u8aac\u660e", "project-9683551a"),
        ("\u0411\u043b\u043e\u0433 API", "api-a80f0d00"),
        ("", "project"),
        ("x" * 59 + " y", "x" * 59),
    ],
)
def test_a_slug_is_plain_words(text: str, expected: str) -> None:
    assert slug(text) == expected


@given(st.text())
def test_every_slug_is_a_run_name(text: str) -> None:
    made = slug(text)

    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", made)
    assert check_run_name(made) == made


@pytest.mark.parametrize("run", ["blog", "issue-12", "a.b_c", "team/blog", "_x", "A" * 100])
def test_a_plain_run_name_is_taken(run: str) -> None:
    assert check_run_name(run) == run


@pytest.mark.parametrize(
    "run",
    [
        "",
        "/",
        "a/",
        "/a",
        "a//b",
        "a b",
        "a..b",
        "..",
        ".a",
        "a/.b",
        "-a",
        "a.",
        "a.lock",
        "a.lock/b",
        "a~b",
        "a^b",
        "a:b",
        "a@{b",
        "a*b",
        "a?b",
        "a[b",
        "a\\b",
        "a\nb",
        "blog\n",
        "a\x00b",
        "caf\u00e9",
        "a-->b",
        "A" * 101,
    ],
)
def test_a_run_name_that_is_no_branch_everywhere_is_refused_with_one_that_is(run: str) -> None:
    with pytest.raises(UsageError, match="is not a valid branch name: use letters, digits") as caught:
        check_run_name(run)

    suggested = str(caught.value).rpartition("such as ")[2].strip("'")
    assert check_run_name(suggested) == suggested
