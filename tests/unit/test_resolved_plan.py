"""Specs in the exact form and in prose: which is which, and what names the run."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UsageError
from bot.planning import resolved_plan
from bot.planning.names import check_run_name
from bot.planning.plan import PROJECT_LIMIT, Plan
from bot.planning.plan_file import format_plan
from bot.planning.resolved_plan import MAX_PROSE, UNNAMED, ProseSpec, ResolvedPlan, resolve_plan_file, resolve_spec
from bot.planning.spec_parser import find_heading, is_prose, needs_a_model, read_spec
from tests.unit.values import BLOG, SOURCE, read_plan

_YAML_BLOG = format_plan(read_plan(BLOG))


def _read(text: str, *, project: str = UNNAMED) -> ResolvedPlan | ProseSpec:
    return resolved_plan.resolve_spec(text, source=SOURCE, project=project, recipe="fastapi", output_dir=".")


def _description(text: str, *, project: str = UNNAMED) -> ProseSpec:
    read = _read(text, project=project)
    assert isinstance(read, ProseSpec)
    return read


def _refusal(text: str) -> str:
    with pytest.raises(UsageError) as caught:
        _read(text)
    return str(caught.value)


# ---- the exact form


@pytest.mark.parametrize(
    "text",
    [
        BLOG,
        _YAML_BLOG,
        f"# Blog API\n\n```yaml\n{_YAML_BLOG}```\n",
        f"# Blog API\n\nSome words: and more.\n\n~~~\n{_YAML_BLOG}~~~\n",
        BLOG.replace("\n", "\r\n"),
        BLOG.replace("\n", "\r"),
        "\ufeff" + BLOG,
        "\ufeff" + _YAML_BLOG,
        BLOG.replace("- ", "* "),
        "- Item: name text",
        "Wir verkaufen Dinge.\n\n- Item: name text, price decimal = 9.99\n",
        "- fast, and simple\n- Item: name text",
    ],
    ids=["markdown", "yaml", "fenced", "tildes", "crlf", "cr", "bom", "yaml-bom", "stars", "line", "de", "list"],
)
def test_entities_in_the_exact_form_are_laid_out(text: str) -> None:
    assert not is_prose(text, source=SOURCE)

    assert isinstance(_read(text), ResolvedPlan)


def test_the_exact_form_is_read_as_it_is_without_anybody_to_plan() -> None:
    laid = _read(BLOG)
    exact = resolved_plan.resolve_exact_spec(BLOG, source=SOURCE, project=UNNAMED, recipe="fastapi", output_dir=".")

    assert isinstance(laid, ResolvedPlan)
    assert (laid.plan, laid.phases, laid.text) == (exact.plan, exact.phases, exact.text)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("project: x\nentities:\n  Post:\n    title: strin\n", 4),
        ("project: x\nentities:\n  Post:\n   title: string\n  - x\n", 5),
        ("entities:\n  Post: title string\n  Post: body text\n", 3),
        ("entities: [\n", 2),
        ("entities:\n  Post:\n    author: -> User\n", 3),
        ("project: x\nentitles: y\nentities: {}\n", 2),
        ("# Blog\n\n```yaml\nentities:\n  Post: title strin\n```\n", 5),
        ("# Blog\n\n- Post: title string\n- Comment: author -> User\n", 4),
        ("- Post: title string, title text\n", 1),
        ("- Post: title string\n- Doc: name string\n", 2),
        ("- Post: class string\n", 1),
        ("- Post: count integer = many\n", 1),
        ("- A: b -> B\n- B: a -> A\n", 1),
        ("- Item: name text\n\n```yaml\nentities: {Post: title string}\n```\n", 1),
    ],
)
def test_a_mistake_in_the_exact_form_is_the_person_s_to_mend_and_names_its_line(text: str, line: int) -> None:
    assert not is_prose(text, source=SOURCE)

    assert _refusal(text).startswith(f"{SOURCE}, line {line}: ")


# ---- prose


@pytest.mark.parametrize(
    "text",
    [
        "A blog with posts, comments and tags.",
        "# Blog\n\nPeople write posts. Others comment on them.\n",
        "- Users: can register and log in\n- Posts: have a title and a body",
        "# Shop\n\n* Products: name, price and stock\n* Orders: belong to a customer",
        "- Users can register\n- Posts have titles",
        "1. Users register\n2. They write posts",
        "- **Users**: name\n- **Posts**: title",
        "- Post: title string\n- Comment: whatever fits",
        "- Post: titel strng\n",
        "- Post: title string, body text (long\n",
        "```\ncode\n```\nA service for it.",
        "```python\n- Post: title string\n```\nbuild this",
        "> Ein Blog mit Beitr\u00e4gen.",
        "Un blog con art\u00edculos, autores y etiquetas.",
        "\u4e00\u4e2a\u56fe\u4e66\u9986\u7cfb\u7edf\u3002\u6bcf\u672c\u4e66\u90fd\u6709\u4e66\u540d\u548c\u4f5c\u8005\u3002",
        "- \u7528\u6237\uff1a\u540d\u79f0\n- \u6587\u7ae0\uff1a\u6807\u9898",
        "\u041a\u043d\u0438\u0433\u0438 \u0438 \u0430\u0432\u0442\u043e\u0440\u044b.",
        "- \u041a\u043d\u0438\u0433\u0438: \u043e\u0434\u0438\u043d \u0430\u0432\u0442\u043e\u0440",
        "\u0645\u062f\u0648\u0646\u0629 \u0641\u064a\u0647\u0627 \u0645\u0642\u0627\u0644\u0627\u062a",
        "\u05d1\u05dc\u05d5\u05d2 \u05e2\u05dd \u05e4\u05d5\u05e1\u05d8\u05d9\u05dd",
        "\u0e1a\u0e25\u0e47\u0e2d\u0e01\u0e17\u0e35\u0e48\u0e21\u0e35\u0e1a\u0e17\u0e04\u0e27\u0e32\u0e21",
        "\u30d6\u30ed\u30b0\u3002\u8a18\u4e8b\u3068\u30bf\u30b0\u304c\u3042\u308b\u3002",
        "\U0001f4da \U0001f58b\ufe0f",
        "It has entities: posts and users.",
        "x",
        "\ufeffA blog.",
        "A blog.\r\nWith posts.\r\n",
    ],
)
def test_a_description_has_to_be_planned(text: str) -> None:
    assert is_prose(text, source=SOURCE)

    assert _description(text).text.strip("\ufeff").split() == text.strip("\ufeff").split()


@pytest.mark.parametrize(
    "text",
    [
        "- Users:\n  - can register\n  - have a name\n- Posts:\n  - have a title\n",
        "# Shop\n\n* Products:\n    * name and price\n* Orders:\n    * belong to a customer\n",
    ],
)
def test_lists_below_names_are_a_description(text: str) -> None:
    assert is_prose(text, source=SOURCE)


def test_what_a_description_is_read_with_is_kept() -> None:
    read = resolved_plan.resolve_spec("A blog.", source="the issue", project="Blog", recipe="./mine", output_dir="api")

    assert read == ProseSpec("A blog.", "the issue", "", "Blog", "./mine", "api")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is empty"),
        (" \n\t\n\r\n", "it is empty"),
        ("\ufeff", "it is empty"),
        ("\ufeff \n", "it is empty"),
        ("A blog.\n\x00", "line 2: it holds the control character U+0000"),
        ("A\nblog\x1b[31m.", "line 2: it holds the control character U+001B"),
        ("A blog.\x0c", "line 1: it holds the control character U+000C"),
        ("A \u202eblog.", "line 1: it holds the control character U+202E"),
        ("A \u2028blog.", "line 1: it holds the control character U+2028"),
        ("A blog \ud800.", "line 1: it holds the control character U+D800"),
        ("A blog\ufeff.", "line 1: it holds the control character U+FEFF"),
        ("# Blog\r\n\r\n\x7f", "line 3: it holds the control character U+007F"),
    ],
)
def test_what_can_t_be_read_is_refused_before_anybody_plans_it(text: str, message: str) -> None:
    refusal = _refusal(text)

    assert refusal.startswith(SOURCE)
    assert message in refusal
    with pytest.raises(UsageError):
        is_prose(text, source=SOURCE)


def test_a_spec_of_more_than_a_megabyte_is_refused() -> None:
    assert "1,048,577 characters are too many; the limit is 1,048,576" in _refusal("x" * ((1 << 20) + 1))


def test_a_description_longer_than_a_person_reads_is_refused() -> None:
    assert isinstance(_read("x" * MAX_PROSE), ProseSpec)
    assert "100,001 characters are too many for a prose description" in _refusal("x" * (MAX_PROSE + 1))


@pytest.mark.parametrize(
    "text",
    [
        "- a: " * 100_000,
        "# " * 225_000,
        "#" * 500_000,
        "# x" + " #" * 200_000 + "x",
        "```\n" * 125_000,
        "- Post: a string,\n" * 25_000,
        "- Post: " + "a string, " * 40_000 + "(",
        "-" + " " * 500_000 + "x",
        "\ta" * 250_000,
    ],
    ids=["entities", "headings", "one-heading", "closings", "fences", "continued", "fields", "blank", "tabs"],
)
def test_a_large_text_is_told_apart_in_no_time(text: str) -> None:
    began = time.perf_counter()
    with contextlib.suppress(UsageError):
        is_prose(text, source=SOURCE)
    find_heading(text)

    assert time.perf_counter() - began < 10


# ---- headings


@pytest.mark.parametrize(
    ("text", "heading"),
    [
        ("# Blog API\n\nWords.", "Blog API"),
        ("Words.\n\n## Goal\n\n#  Blog   API #\n", "Blog API"),
        ("   # C#\n# Other", "C#"),
        ("\r\n# Blog\r\nx", "Blog"),
        ("#\n# \n# Blog", "Blog"),
        ("# #\n# Blog", "Blog"),
        ("```\n# a comment\n```\n# Blog", "Blog"),
        ("~~~~\n# a comment\n~~~\n~~~~\n# Blog", "Blog"),
        ("    # code\n# Blog", "Blog"),
        ("#hashtag\n", ""),
        ("No heading", ""),
        ("```\n# a comment\n", ""),
        ("", ""),
        ("# \u56fe\u4e66\u9986", "\u56fe\u4e66\u9986"),
    ],
)
def test_the_first_heading_of_a_text(text: str, heading: str) -> None:
    assert find_heading(text) == heading


@pytest.mark.parametrize("text", ["\ufeff# Blog\n\nWords.", "# Blog\rWords.", "Words.\r\r# Blog\r\rMore."])
def test_a_heading_is_found_however_the_file_was_saved(text: str) -> None:
    assert _description(text).project == "Blog"


# ---- what a run is named


@pytest.mark.parametrize(
    ("text", "project", "name", "slug"),
    [
        ("# My Blog\n\nWords about it.", "notes", "My Blog", "my-blog"),
        ("Words about it.", "notes", "notes", "notes"),
        ("\n\n  A blog  where people can write posts.\nMore.", UNNAMED, "A blog where people can write", None),
        ("Blog", UNNAMED, "Blog", "blog"),
        ("# \u56fe\u4e66\u9986\n\n\u4e66\u3002", "notes", "\u56fe\u4e66\u9986", "project-266e6cb7"),
        (
            "\u041a\u043d\u0438\u0433\u0438 \u0438 \u0430\u0432\u0442\u043e\u0440\u044b",
            UNNAMED,
            None,
            "project-370409fd",
        ),
    ],
)
def test_a_run_is_named_by_heading_then_file_then_first_words(
    text: str, project: str, name: str | None, slug: str | None
) -> None:
    description = _description(text, project=project)

    assert description.name == (name or text)
    assert description.slug == (slug or "a-blog-where-people-can-write")
    assert _description(text, project=project) == description


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffA blog.",
        "x" * MAX_PROSE,
        f"# {'Blog ' * 1000}\n\nWords.",
        "\u6bcf\u672c\u4e66\u90fd\u6709\u4e66\u540d\u548c\u4f5c\u8005\u3002" * 100,
        "a" + "\u0301\u0323" * 20_000,
    ],
    ids=["bom", "one-word", "long-heading", "no-blanks", "combining"],
)
def test_the_name_of_a_run_can_name_its_project(text: str) -> None:
    """It does where the model gives no other name."""
    description = _description(text)

    began = time.perf_counter()
    slug = description.slug

    assert time.perf_counter() - began < 0.5
    assert check_run_name(slug) == slug
    assert len(description.name) <= PROJECT_LIMIT
    assert Plan(project=description.name, entities=read_plan(BLOG).entities).slug == slug


@given(
    st.text() | st.lists(st.sampled_from([*BLOG.splitlines(True), "- Users: log in\n", "```\n", "# \n"])).map("".join)
)
def test_any_text_is_laid_out_described_or_refused(text: str) -> None:
    with contextlib.suppress(UsageError):
        read = _read(text)

        assert check_run_name(read.slug)
        assert _read(text).slug == read.slug
        prose = is_prose(text, source=SOURCE)
        assert isinstance(read, ProseSpec) == (prose or needs_a_model(read_spec(text, source=SOURCE)))


def test_a_project_of_an_earlier_release_in_a_folder_that_is_refused_now_says_what_to_do() -> None:
    with pytest.raises(UsageError) as caught:
        resolve_plan_file("project: Blog\n", source="the plan .ci/.phasebot/plan.yaml", output_dir=".ci")

    assert str(caught.value) == (
        "the plan .ci/.phasebot/plan.yaml: its folder '.ci' is not a folder inside the repository that may hold a "
        "project, because it is hidden; start a new run with another output-dir"
    )


@pytest.mark.parametrize(
    "text", ["# Shop\n\nUse {} for the map.\n\n- Item: name string = '{}'\n", "We sell tea.\n\nThe key is {}.\n"]
)
def test_a_spec_with_a_secret_is_refused_before_a_model_or_a_commit_sees_it(text: str) -> None:
    secret = "AIza" + "Zq7Rk2mVx9Tb4Lw8Hs3Nd6Jf1Gc5Py0Ua81"

    with pytest.raises(UsageError) as caught:
        resolve_spec(text.replace("{}", secret), source="issue #12", project="x", recipe="fastapi", output_dir=".")

    assert str(caught.value) == (
        "issue #12: line 3 holds a Google API key, and the plan is committed as it is; take it out, and revoke it if "
        "it is real"
    )
