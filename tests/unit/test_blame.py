"""Which phase is to blame for a test that failed."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.assessment.outline import Outline, outline_file
from bot.verification.blame import Blame, Ground, blame, is_test
from bot.verification.remarks import Remark, Spot

OWNERS = {
    "app/core/repository.py": "core",
    "app/models/post.py": "entity/Post",
    "app/routers/posts.py": "entity/Post",
    "app/repositories/post_repository.py": "entity/Post",
    "app/routers/categories.py": "entity/Category",
    "app/features/feed/service.py": "feature/Feed",
    "tests/test_posts.py": "entity/Post",
    "tests/test_all.py": "support",
    "tests/test_feed.py": "support",
    "tests/test_category.py": "support",
    "tests/conftest.py": "support",
    "main.py": "main",
}
RULE = "A published post stays published (409)."


def outline(text: str) -> Outline:
    return Outline.read(outline_file(text) or {})


def ground(**tests: str) -> Ground:
    return Ground(
        files=frozenset({*OWNERS, "README.md", "app/mine.py"}),
        owners=OWNERS,
        rules={"feature/Feed": [RULE, "Everybody's."], "main": ["Everybody's."]},
        outlines={f"tests/{name}.py": outline(text) for name, text in tests.items()},
    )


def spots(*paths: str) -> Sequence[Spot]:
    return [Spot(path, number) for number, path in enumerate(paths, 1)]


def test_the_rule_that_a_test_holds_comes_first() -> None:
    marked = ground(test_all=f"@pytest.mark.rule('{RULE.upper()}')\ndef test_it(): ...\n")
    trace = spots("app/routers/posts.py", "app/features/feed/service.py", "tests/test_all.py")

    assert blame(marked, "tests/test_all.py", "test_it[1]", trace) == Blame(
        "app/features/feed/service.py", 2, "feature/Feed", "rule", certain=True
    )
    assert blame(marked, "tests/test_all.py", "test_it", ()).path == "tests/test_all.py"
    assert blame(marked, "tests/test_all.py", "test_other", trace).why == "trace"


def test_a_rule_of_two_phases_decides_nothing() -> None:
    marked = ground(test_all='@pytest.mark.rule("Everybody\'s.")\ndef test_it(): ...\n')

    assert blame(marked, "tests/test_all.py", "test_it", spots("main.py")).why == "trace"


def test_then_the_innermost_file_that_is_no_test() -> None:
    one = spots("tests/conftest.py", "app/routers/posts.py", "app/models/post.py", "tests/test_all.py")
    two = spots("app/core/repository.py", "app/routers/posts.py", "tests/test_posts.py")

    assert blame(ground(), "tests/test_all.py", "t", one) == Blame(
        "app/routers/posts.py", 2, "entity/Post", "trace", certain=True
    )
    assert blame(ground(), "tests/test_posts.py", "t", two) == Blame(
        "app/core/repository.py", 1, "core", "trace", certain=False
    )
    assert blame(ground(), "tests/test_all.py", "t", spots("app/mine.py")).phase is None, "a person's file"


@pytest.mark.parametrize(
    ("test", "phase"),
    [
        ("tests/test_posts.py", "entity/Post"),
        ("tests/test_category.py", "entity/Category"),
        ("tests/test_feed.py", "feature/Feed"),
    ],
)
def test_then_the_module_that_is_named_like_the_test(test: str, phase: str) -> None:
    found = blame(ground(), test, "t", spots(test))

    assert (found.phase, found.why, found.certain) == (phase, "module", False)


def test_then_what_the_test_imports_if_it_is_all_of_one_phase() -> None:
    text = "from app.models import post\nfrom app.routers.posts import router\nimport tests.conftest\n"

    assert blame(ground(test_all=text), "tests/test_all.py", "t", ()).phase == "entity/Post"
    assert blame(ground(test_all=f"{text}import main\n"), "tests/test_all.py", "t", ()) == Blame(
        "tests/test_all.py", None, "support", "test", certain=False
    )


def test_a_test_is_found_by_its_file_its_module_or_its_traceback() -> None:
    def find(**values: object) -> str | None:
        parts = {"spot": Spot(""), "rule": "r", "message": "m", "test": "t", **values}
        return ground().test_file(Remark(**parts), ".", "/place")  # type: ignore[arg-type]

    assert find(spot=Spot("/place/tests/test_all.py")) == "tests/test_all.py"
    assert find(module="tests.test_posts.TestCreate") == "tests/test_posts.py"
    assert find(test="tests.test_feed") == "tests/test_feed.py"
    assert find(trace=[Spot("/usr/lib/x.py"), Spot("tests/test_all.py")]) == "tests/test_all.py"
    assert find(spot=Spot("../../etc/passwd"), module="os.path") is None


def test_what_tests_is_known_by_its_name_and_its_folder() -> None:
    assert all(map(is_test, ("tests/support/crud.py", "app/test_a.py", "a_test.py", "conftest.py")))
    assert not any(map(is_test, ("app/contest.py", "testing.py", "app/tests_of_time.py")))


@given(
    st.one_of(
        st.text(), st.lists(st.sampled_from(("..", "/", "place", "app", "models", "post.py", ".", "a"))).map("/".join)
    )
)
def test_every_path_is_one_of_the_projects_files_or_none(path: str) -> None:
    for each in (path, f"/place/{path}", f"/{path}"):
        found = ground().locate(each, "app", "/place")
        assert found is None or found in ground().files
