"""The boxes of the progress comment."""

from collections.abc import Sequence

from bot.forge.box_edit import read_ticks
from bot.forge.phase_boxes import render_boxes
from bot.history.ledger import derive_state
from bot.history.run_state import Commit, PhaseState
from tests.unit.values import blob, bot_commit, build_phase, human_commit, rollback

PLAN = build_phase("plan", ".phasebot/plan.yaml")
CORE = build_phase("core", "app/core.py")
POST = build_phase("entity/Post", "app/post.py", needs=["core"])
MAIN = build_phase("main", "app/main.py", needs=["entity/Post"])
PHASES = (PLAN, CORE, POST, MAIN)


def _states(*commits: Commit) -> Sequence[PhaseState]:
    ledger = derive_state("blog", {}, commits)
    return [ledger.state(phase) for phase in PHASES]


def _made() -> list[Commit]:
    return [bot_commit(number, phase) for number, phase in enumerate(PHASES, 1)]


def _boxes(*commits: Commit) -> list[str]:
    return [line.partition(" --> ")[2] for line in render_boxes(_states(*commits)).split("\n") if " --> " in line]


def test_what_is_made_can_be_made_again_and_rolled_back_with_what_needs_it() -> None:
    assert _boxes(*_made()) == [
        "make `core` again",
        "roll `core` back, with `entity/Post`, `main`",
        "make `entity/Post` again",
        "roll `entity/Post` back, with `main`",
        "make `main` again",
        "roll `main` back",
    ]


def test_the_new_version_is_offered_only_where_people_edited() -> None:
    edited = _boxes(*_made(), human_commit(9, {"app/core.py": blob(9)}))

    assert [each for each in edited if "new" in each] == ["take the new `core`, without people's edits"]


def test_what_is_not_made_has_no_boxes() -> None:
    assert render_boxes(_states()) == ""
    assert render_boxes(_states(*_made()[:1])) == ""
    assert not any("main" in each for each in _boxes(*_made(), rollback(9, "main")))


def test_each_box_that_is_shown_can_be_ticked() -> None:
    text = render_boxes(_states(*_made()))
    for line in text.split("\n"):
        if line.startswith("- [ ] "):
            assert read_ticks(text, text.replace(line, line.replace("[ ]", "[x]")))


def test_more_boxes_than_there_is_room_for_are_counted() -> None:
    phases = [build_phase(f"entity/Item{number:03}", f"app/{number}.py") for number in range(300)]
    ledger = derive_state("blog", {}, [bot_commit(number, each) for number, each in enumerate(phases, 1)])
    text = render_boxes([ledger.state(phase) for phase in phases])

    assert len(text) < 8_500
    assert "more changes: comment the command instead" in text
