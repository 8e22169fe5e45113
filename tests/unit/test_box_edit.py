"""Which boxes an edit ticked; both texts are hostile."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.forge.box_edit import format_box, read_ticks, run_of
from bot.forge.comment_command import Command, InvalidCommand

TEXT = "\n".join(
    f"{format_box(kind, key)} do it"
    for key in ("core", "entity/Post", "entity/Tag")
    for kind in ("discard", "regenerate", "rollback")
)


def _ticked(*boxes: str, text: str = TEXT) -> str:
    for box in boxes:
        text = text.replace(f"- [ ] <!-- phasebot:box:{box} -->", f"- [x] <!-- phasebot:box:{box} -->")
    return text


def test_a_box_is_one_command() -> None:
    assert read_ticks(TEXT, _ticked("regenerate:core")) == Command(verb="regenerate", phases=("core",))
    assert read_ticks(TEXT, _ticked("rollback:entity/Post")) == Command(
        verb="rollback", phases=("entity/Post",), cascade=True
    )
    assert read_ticks(TEXT, _ticked("discard:core")) == Command(verb="regenerate", phases=("core",), discard_edits=True)


def test_boxes_of_one_kind_are_one_command_in_the_order_of_the_text() -> None:
    found = read_ticks(TEXT, _ticked("rollback:entity/Tag", "rollback:core"))

    assert isinstance(found, Command)
    assert found.phases == ("core", "entity/Tag")


def test_boxes_of_several_kinds_are_refused() -> None:
    assert isinstance(read_ticks(TEXT, _ticked("rollback:core", "regenerate:entity/Tag")), InvalidCommand)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(TEXT, TEXT, id="nothing changed"),
        pytest.param(TEXT, TEXT.replace("do it", "do that"), id="other text"),
        pytest.param(_ticked("rollback:core"), TEXT, id="emptied"),
        pytest.param(_ticked("rollback:core"), _ticked("rollback:core"), id="ticked before"),
        pytest.param("", _ticked("rollback:core"), id="was not there"),
        pytest.param(TEXT, "", id="gone"),
        pytest.param(
            f"{format_box('rollback', 'core')}\n{_ticked('rollback:core')}",
            _ticked("rollback:core", text=f"{format_box('rollback', 'core')}\n{TEXT}"),
            id="there twice, and ticked once before",
        ),
        pytest.param("- [ ] <!-- phasebot:box:delete:core -->", "- [x] <!-- phasebot:box:delete:core -->", id="kind"),
        pytest.param("- [ ] <!-- phasebot:box:rollback: -->", "- [x] <!-- phasebot:box:rollback: -->", id="no phase"),
        pytest.param(
            "> - [ ] <!-- phasebot:box:rollback:a -->", "> - [x] <!-- phasebot:box:rollback:a -->", id="quote"
        ),
    ],
)
def test_everything_else_is_no_tick(old: str, new: str) -> None:
    assert read_ticks(old, new) is None


def test_line_ends_of_browsers_and_capital_marks_count() -> None:
    crlf = _ticked("rollback:core").replace("[x]", "[X]").replace("\n", "\r\n")

    assert read_ticks(TEXT, crlf) == read_ticks(TEXT, _ticked("rollback:core"))


@pytest.mark.parametrize("key", ["", "a b", "a-->b", "a--b", "é", "/x", "x" * 101, "a\nb", "<b>"])
def test_a_key_that_could_end_the_hidden_comment_has_no_box(key: str) -> None:
    assert format_box("rollback", key) == ""


def test_the_run_is_in_the_first_line() -> None:
    assert run_of("<!-- phasebot:issue-12 -->\r\ntext") == "issue-12"
    for text in ("", "x\n<!-- phasebot:issue-12 -->", "<!-- phasebot: answer 7 -->", "<!-- phasebot:a b -->"):
        assert run_of(text) == ""


@given(st.text("- [x]<!phasebot:rollback/core\n", max_size=200), st.text("- [x]<!phasebot:rollback/core\n"))
def test_no_text_makes_it_raise(old: str, new: str) -> None:
    read_ticks(old, new)
