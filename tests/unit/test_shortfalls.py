"""What a run could not do, in bounded words with remedies that help."""

from collections.abc import Sequence
from dataclasses import replace

from bot.history.ledger import derive_state
from bot.history.run_state import Commit, RunState
from bot.history.shortfalls import find_shortfalls, lines, waiting_for
from bot.planning.phases import Phase
from tests.unit.values import bot_commit, build_phase, oid

PLAN = build_phase("plan", ".phasebot/plan.yaml")
HIRE = build_phase("entity/Hire", "hire.py", rules=["At least one.", "At most nine."])
FEED = build_phase("feature/Feed", by_hand=["app/features/feed.py", "app/routers/feed.py"])
MAIN = build_phase("main", "main.py", needs=["entity/Hire", "feature/Feed"])
DONE = [bot_commit(1, PLAN), bot_commit(2, HIRE, provider="template")]


def _state(phases: Sequence[Phase], commits: Sequence[Commit], misplaced: Sequence[str] = ()) -> RunState:
    ledger = derive_state("blog", {}, commits)
    states = [ledger.state(each) for each in phases]
    return RunState("blog", "phasebot/blog", "main", oid(1), states, (0, 0), {}, pushed=False, misplaced=misplaced)


def test_rules_that_templates_made_nothing_of_are_named_with_their_phase() -> None:
    (told,) = lines(find_shortfalls(_state([PLAN, HIRE], DONE)))

    assert told == (
        'templates can\'t carry out what is asked of entity/Hire ("At least one.", "At most nine."); '
        "set GEMINI_API_KEY or use --provider gemini, or do it yourself and take the rule out of plan.yaml, "
        "then run generate again"
    )
    assert find_shortfalls(_state([PLAN, HIRE], DONE), unmet=["main"]) == []


def test_files_without_a_template_are_named_and_what_waits_for_them() -> None:
    state = _state([PLAN, FEED, MAIN], DONE)

    (told,) = lines(find_shortfalls(state, unwritable=["feature/Feed"]))

    assert told == (
        "templates can't write feature/Feed; main waits for that; set GEMINI_API_KEY or use --provider gemini, "
        "write the files yourself: app/features/feed.py, app/routers/feed.py, "
        "or move it to left-out in plan.yaml, then run generate again"
    )
    assert waiting_for(state, ["feature/Feed"]) == ["main"]
    assert find_shortfalls(state) == []


def test_an_instruction_for_no_phase_is_told_with_the_nearest_one() -> None:
    state = _state([PLAN, HIRE, MAIN], [*DONE, bot_commit(3, MAIN)], ["entity/Hier", "man"])

    assert [*lines(find_shortfalls(state, unmet=()))] == [
        (
            "the plan has instructions for 'entity/Hier' (did you mean entity/Hire?), 'man' (did you mean main?), "
            "which are no phases; correct the key in plan.yaml, then run generate again"
        )
    ]
    assert not state.finished


def test_however_much_is_asked_the_words_are_few() -> None:
    long = [f"{number} \u202e{'x' * 10_000}" for number in range(500)]
    phases = [build_phase(f"entity/E{number}", f"e{number}.py", rules=long) for number in range(200)]
    features = [build_phase(f"feature/F{number}", by_hand=[f"f{number}/{'y' * 200}.py"]) for number in range(200)]
    made = [bot_commit(number, phase, provider="template") for number, phase in enumerate(phases, 2)]
    state = replace(_state([PLAN, *phases, *features], made), misplaced=long)

    found = find_shortfalls(state, unwritable=[each.key for each in features])

    assert len(found) == 3
    for each in lines(found):
        assert len(each) < 2_500
        assert each.isprintable()
        assert "more" in each
