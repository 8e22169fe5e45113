"""What people read about conflicts."""

from dataclasses import replace

from bot.forge.conflict_advice import render_advice, render_diffs
from bot.history.ledger import derive_state
from tests.unit.values import blob, bot_commit, build_phase, human_commit

CORE = build_phase("core", "app/core.py", "app/config.py")
IN_CONFLICT = derive_state(
    "blog",
    {},
    [
        bot_commit(1, CORE),
        human_commit(2, {"app/core.py": blob(2)}),
        bot_commit(3, CORE, changes={}, conflict=["app/core.py"]),
    ],
).state(CORE)


def test_a_conflict_is_named_with_both_ways_out() -> None:
    assert render_advice([IN_CONFLICT]) == (
        "- Conflict in `app/core.py`: your version stays. Edit and commit it, or take the new one, "
        "which drops all edits in files of this phase: comment `/regenerate core --discard-edits`."
    )


def test_what_is_in_the_way_is_named_once() -> None:
    blocked = replace(IN_CONFLICT, conflicts=tuple(CORE.files), blocked=dict.fromkeys(CORE.files, "App"))
    itself = replace(IN_CONFLICT, blocked={"app/core.py": "app/core.py"})

    assert render_advice([blocked]) == (
        "- Conflict: `App` is in the way of `app/core.py`, `app/config.py`. "
        "Move it on this branch, commit that, and comment `/generate`."
    )
    assert "`app/core.py` is a folder or link. Move it on" in render_advice([itself])


def test_without_conflicts_there_is_nothing_to_read() -> None:
    assert render_advice([replace(IN_CONFLICT, conflicts=())]) == ""
    assert render_diffs({}) == ""


def test_a_diff_is_folded_and_cut() -> None:
    short = render_diffs({"a.py": "@@ -1 +1 @@\n-mine\n+generated"})
    long = render_diffs({"a.py": "\n".join(f"+line {number}" for number in range(10_000))})
    many = render_diffs({f"{number}.py": "+line\n" * 500 for number in range(50)})

    assert short.startswith("<details>")
    assert "`a.py`:\n\n```diff\n@@ -1 +1 @@\n-mine\n+generated\n```" in short
    assert len(long) < 4_300
    assert "… cut here" in long
    assert len(many) < 12_300
    assert many.endswith("- and 47 more diffs")


def test_a_diff_can_not_leave_its_fence() -> None:
    assert "````diff\n+```\n+# Not a heading\n````" in render_diffs({"a.md": "+```\n+# Not a heading"})
