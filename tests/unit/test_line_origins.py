"""Lines are followed through the versions of a file; git's own diff is held against an independent one."""

from collections.abc import Sequence
from difflib import SequenceMatcher

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.history.line_origins import Block, Step, count_of_lines, first_difference, follow, read_common, relevant

TEXTS = st.lists(st.sampled_from("abcd"), max_size=6).map(lambda lines: "".join(f"{line}\n" for line in lines))


def common(old: bytes, new: bytes) -> Sequence[Block]:
    matcher = SequenceMatcher(None, old.splitlines(keepends=True), new.splitlines(keepends=True), autojunk=False)
    return [Block(*each) for each in matcher.get_matching_blocks()]


def origins(*steps: tuple[str | None, Step]) -> str:
    """Return the first letter of each line's origin."""
    contents = {text or "": (text or "").encode() for text, _ in steps}
    named = [Step(text, step.by, step.rendered, is_whole=step.is_whole) for text, step in steps]
    return "".join(origin[0] for origin in follow(relevant(named), contents, common))


WHOLE, HUMAN = Step(None, "bot", is_whole=True), Step(None, "human")


def test_a_line_is_of_who_brought_it() -> None:
    assert origins(("a\nb\n", WHOLE), ("x\na\nc\n", HUMAN)) == "hbh"
    assert origins(("a\nb\n", WHOLE), ("x\na\n", HUMAN), ("x\na\nnew\n", Step(None, "bot"))) == "hbb"
    assert origins(("x\n", HUMAN), ("x\ny\n", Step(None, "base"))) == "hb"
    assert origins(("", WHOLE)) == ""


def test_a_whole_version_leaves_nothing_of_those_before_it() -> None:
    assert origins(("a\n", HUMAN), ("a\nb\n", WHOLE)) == "bb"


def test_who_brings_a_version_back_brings_back_whose_lines_they_were() -> None:
    assert origins(("a\n", WHOLE), ("x\n", HUMAN), ("a\n", HUMAN)) == "b"
    assert origins(("a\n", WHOLE), (None, HUMAN), ("a\n", HUMAN)) == "b"
    assert origins(("a\n", WHOLE), ("b\n", WHOLE), ("a\n", HUMAN), ("a\nx\n", HUMAN)) == "bh"
    assert origins(("a\n", WHOLE), (None, HUMAN), ("b\n", HUMAN)) == "h"


def test_new_lines_that_the_recipe_makes_are_the_bots_in_a_commit_that_brings_others() -> None:
    assert origins(("old\n", HUMAN), ("old\nmade\nsmuggled\n", Step(None, "human", b"made\n"))) == "hbh"


@pytest.mark.parametrize(("content", "count"), [(b"", 0), (b"a", 1), (b"a\n", 1), (b"a\n\n", 2), (b"\n", 1)])
def test_lines_are_counted_as_git_counts_them(content: bytes, count: int) -> None:
    assert count_of_lines(content) == count


def test_the_first_difference_is_told_by_its_line_from_1_on() -> None:
    assert first_difference(b"a\nb\n", b"a\nc\n") == 2
    assert first_difference(b"", b"a\n") == 1
    assert first_difference(b"a\nb\n", b"a\n") == 2
    assert first_difference(b"a\n", b"a\nb\n") == 2


@given(TEXTS, TEXTS)
def test_hunks_say_what_two_versions_have_in_common(old: str, new: str) -> None:
    a, b = old.splitlines(), new.splitlines()
    hunks = []
    for tag, a1, a2, b1, b2 in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag != "equal":
            sizes = (a1 + (a2 > a1), a2 - a1, b1 + (b2 > b1), b2 - b1)
            hunks.append("@@ -{},{} +{},{} @@ some function\n-x\n+y".format(*sizes))

    blocks = read_common("\n".join(hunks), old.encode(), new.encode())

    assert [line for each in blocks for line in a[each.old : each.old + each.length]] == [
        line for each in blocks for line in b[each.new : each.new + each.length]
    ]
    assert sum(each.length for each in blocks) == sum(each.length for each in common(old.encode(), new.encode()))


def test_a_hunk_of_one_line_has_no_size() -> None:
    assert read_common("@@ -2 +2 @@\n-b\n+c", b"a\nb\nz\n", b"a\nc\nz\n") == [Block(0, 0, 1), Block(2, 2, 1)]
