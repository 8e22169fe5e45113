"""An instruction that is added to a plan file changes no other line."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.errors import UsageError
from bot.planning.plan_additions import on_top_of
from bot.planning.plan_edits import add_instruction
from bot.planning.plan_file import format_plan
from bot.planning.resolved_plan import ResolvedPlan, resolve_plan_file
from bot.planning.spec_parser import read_spec
from tests.unit.values import read_plan

_BODY = """\
project: Shop
recipe: fastapi
output-dir: .
entities:
  Item:
    name: string
  Order:
    amount: integer
    item: -> Item
"""
_PHASES = ("core", "entity/Item", "entity/Order", "support", "main")
_WORDS = (
    st.text(st.sampled_from("ab :#-'\"|>{}[]&*!%@`,?\\\n\tüé"), min_size=1, max_size=30).map(str.strip).filter(bool)
)


def read(text: str) -> ResolvedPlan:
    """Read a plan file."""
    return resolve_plan_file(text, source="the plan", output_dir=".")


def instructions(text: str) -> dict[str, str]:
    """Return what a plan file tells its phases."""
    return dict(read(text).plan.instructions)


@st.composite
def _files(draw: st.DrawFn) -> tuple[str, str, str]:
    """Draw a plan file in three parts: before, in and after its section on instructions, which may be empty."""
    noise = st.lists(st.sampled_from(["", "# a note", "   # an indented note", "#"]), max_size=2)
    lines = []
    for line in _BODY.splitlines():
        lines += [*draw(noise), line + draw(st.sampled_from(["", "  # why", " "]))]
    above = "\n".join([*lines, *draw(noise)])
    told = draw(
        st.dictionaries(st.sampled_from(_PHASES[:2]), st.sampled_from(["Brief.", "a\nb", "a\n\nb"]), max_size=2)
    )
    if not told:
        return above + draw(st.sampled_from(["", "\n", "\n\n# the end\n"])), "", ""
    style = draw(st.sampled_from(["flow", "plain", "block", "keep"]))
    if style == "flow":
        section = "instructions: {" + ", ".join(f"{key}: {text!r}" for key, text in told.items()) + "}\n"
    else:
        head = {"plain": "|-", "block": "|", "keep": "|+"}[style]
        rows = [
            f"  {key}: {head}\n" + "".join(f"    {line}\n" for line in text.split("\n")) for key, text in told.items()
        ]
        section = "instructions:\n" + "".join(rows)
    below = draw(st.sampled_from(["", "\n# the end\n", "# the end", "description: Sells things.\n", "\n\n"]))
    return above + "\n", section, below


@given(_files(), _WORDS, st.lists(st.sampled_from(_PHASES), min_size=1, unique=True))
def test_every_line_outside_the_section_stays(file: tuple[str, str, str], words: str, phases: list[str]) -> None:
    above, section, below = file
    text = above + section + below
    before = read(text)

    changed = add_instruction(before, text, phases, words)

    assert changed.text.startswith(above)
    kept = [line for line in below.splitlines() if line.strip()]
    assert [line for line in changed.text.splitlines() if line.strip()][-len(kept) or len(changed.text) :] == kept
    assert read(changed.text).plan == changed.plan
    assert changed.plan.entities == before.plan.entities
    for phase in phases:
        there = before.plan.instructions.get(phase, "")
        assert changed.plan.instructions[phase].endswith(words) or words in there.split("\n\n"), "it is told already"
        assert changed.plan.instructions[phase].startswith(there.strip("\n"))


@given(_files(), _WORDS, st.lists(st.sampled_from(_PHASES), min_size=1, unique=True))
@example((_BODY, "", ""), "One.\n\nTwo.", ["main"])
def test_what_is_told_already_is_not_told_again(file: tuple[str, str, str], words: str, phases: list[str]) -> None:
    text = "".join(file)
    once = add_instruction(read(text), text, phases, words)

    twice = add_instruction(read(once.text), once.text, phases, words)

    assert twice.plan == once.plan


def test_the_section_is_put_at_the_end_of_a_file_that_has_none() -> None:
    assert add_instruction(read(_BODY), _BODY, ["main"], "Be brief.").text == (
        _BODY + "instructions:\n  main: Be brief.\n"
    )
    assert add_instruction(read(_BODY.rstrip()), _BODY.rstrip(), ["main"], "x").text == (
        _BODY + "instructions:\n  main: x\n"
    )


def test_another_instruction_is_a_paragraph_of_its_own() -> None:
    once = add_instruction(read(_BODY), _BODY, ["main", "core"], "One.")

    twice = add_instruction(once, once.text, ["main"], "Two.")

    assert instructions(twice.text) == {"main": "One.\n\nTwo.", "core": "One."}


@pytest.mark.parametrize("words", ["a\0b", "a\u202eb", "x" * (1 << 20)], ids=["control", "bidi", "too long"])
def test_what_can_not_be_part_of_a_plan_is_refused(words: str) -> None:
    with pytest.raises(UsageError, match="the plan with the instruction"):
        add_instruction(read(_BODY), _BODY, ["main"], words)


@pytest.mark.parametrize("text", [_BODY + "...\n", "{entities: {Item: {name: string}}}\nentities: {}\n"])
def test_a_file_with_no_room_for_a_section_is_refused(text: str) -> None:
    try:
        before = read(text)
    except UsageError:
        return

    with pytest.raises(UsageError):
        add_instruction(before, text, ["main"], "Be brief.")


# ---- a spec on top of a plan


def test_an_instruction_with_a_secret_is_refused() -> None:
    secret = "AIza" + "Zq7Rk2mVx9Tb4Lw8Hs3Nd6Jf1Gc5Py0Ua81"
    text = read("project: Shop\nentities:\n  Item: {name: string}\n").text

    with pytest.raises(UsageError, match="the instruction: line 1 holds a Google API key, and the plan is committed"):
        add_instruction(read(text), text, ["core"], f"use {secret}")


def on_top(spec: str, base: str = "# Shop\n\n- Item: name string\n- Order: amount integer, item -> Item\n") -> str:
    """Return the entities of the plan that *spec* makes of the one of *base*."""
    draft = on_top_of(read_plan(base), read_spec(spec, source="the spec"))
    plan = draft.plan(project="x", recipe="fastapi", output_dir=".")
    return format_plan(plan).partition("entities:\n")[2]


def test_what_is_new_comes_after_what_there_is_and_what_is_said_otherwise_takes_its_place() -> None:
    assert (
        on_top("# More\n\n- Order: amount decimal, note text?\n- Tag: name string, item -> Item\n")
        == """\
  Item:
    name: string
  Order:
    amount: decimal
    item: -> Item
    note: text?
  Tag:
    name: string
    item: -> Item
"""
    )


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("- Tag: item -> Itm", "line 1: '- Tag: item -> Itm': relation to unknown entity 'Itm'; did you mean 'Item'?"),
        ("\n- Item: name strng", "line 2: '- Item: name strng': unknown type 'strng'"),
        ("- Item: name string, name text", "'name' is used twice in Item"),
        ("- Tag: name string\n- Tag: name string", "line 2: '- Tag: name string': entity Tag is defined twice"),
        ("- Item: name string\n- Item: note string", "line 2: '- Item: note string': entity Item is defined twice"),
        ("- имя: note string", "line 1"),
    ],
)
def test_what_is_wrong_with_the_new_spec_names_its_line(spec: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        on_top(spec)

    assert message in str(caught.value)


@given(st.permutations(["- Item: name string", "- Order: item -> Item", "- Tag: item -> Item"]))
def test_the_same_again_is_the_same(lines: list[str]) -> None:
    spec = "\n".join(lines)

    assert on_top(spec, spec) == format_plan(read_plan(spec)).partition("entities:\n")[2]
