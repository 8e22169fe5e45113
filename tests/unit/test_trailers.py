"""Trailers: what is written reads back, lines can't be forged, and forged ones are ignored."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.history.reasons import REASONS
from bot.history.trailers import Round, Trailers, format_message, format_revert
from tests.unit.values import build_phase

_VALUE = st.text(
    st.sampled_from(" :=/@-#") | st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=30
).filter(lambda text: text == text.strip() and text.isprintable())
_CODE = st.sampled_from([*REASONS, "unknown", "a-later-one"])
_SMALL = st.integers(0, 10**9 - 1)
_COUNT = st.integers(0, 10**15 - 1)
_FULL = Trailers(
    run="issue-12",
    phase="entity/Post",
    status="partial",
    inputs="sha256:4f0c",
    recipe="fastapi@sha256:91be",
    base="develop",
    provider="gemini",
    model="gemini-3.8-flash",
    tokens=(4100, 1020),
    findings=(3, 1),
    repair=Round(2, 7, 3),
    requested_by="alice",
    comment="2381234567",
    missing=("app/models/post.py", "app/routers/a b.py"),
    reason=(("quota", "app/models/post.py"), ("unparsable", "app/routers/a b.py")),
    fallback=("app/schemas/post.py",),
    conflict=("README.md",),
)
_FULL_TEXT = """\
Phasebot-Run: issue-12
Phasebot-Phase: entity/Post
Phasebot-Status: partial
Phasebot-Inputs: sha256:4f0c
Phasebot-Recipe: fastapi@sha256:91be
Phasebot-Base: develop
Phasebot-Provider: gemini
Phasebot-Model: gemini-3.8-flash
Phasebot-Tokens: in=4100 out=1020
Phasebot-Findings: given=3 left=1
Phasebot-Repair: round=2 errors=7 phases=3
Phasebot-Requested-By: alice
Phasebot-Comment: 2381234567
Phasebot-Missing: app/models/post.py
Phasebot-Missing: app/routers/a b.py
Phasebot-Reason: quota app/models/post.py
Phasebot-Reason: unparsable app/routers/a b.py
Phasebot-Fallback: app/schemas/post.py
Phasebot-Conflict: README.md
"""


@st.composite
def trailers(draw: st.DrawFn) -> Trailers:
    """Draw the trailers of a phase commit or of a rollback."""
    phase = draw(st.none() | _VALUE)
    repeated = st.lists(_VALUE, max_size=3).map(tuple)
    reverts = draw(repeated if phase else st.lists(_VALUE, min_size=1, max_size=3).map(tuple))
    return Trailers(
        run=draw(_VALUE),
        phase=phase,
        status=draw(st.sampled_from(["complete", "partial"])) if phase else None,
        inputs=draw(st.none() | _VALUE),
        recipe=draw(st.none() | _VALUE),
        base=draw(st.none() | _VALUE),
        provider=draw(st.none() | _VALUE),
        model=draw(st.none() | _VALUE),
        tokens=draw(st.none() | st.tuples(_COUNT, _COUNT)),
        findings=draw(st.none() | st.tuples(_SMALL, _SMALL)),
        repair=draw(st.none() | st.builds(Round, _SMALL, _SMALL, _SMALL)),
        requested_by=draw(st.none() | _VALUE),
        comment=draw(st.none() | _VALUE),
        missing=draw(repeated),
        reason=draw(st.lists(st.tuples(_CODE, _VALUE), max_size=3).map(tuple)),
        fallback=draw(repeated),
        conflict=draw(repeated),
        reverts=reverts,
    )


@given(trailers())
def test_trailers_that_are_written_read_back_as_themselves(given_trailers: Trailers) -> None:
    assert Trailers.parse(given_trailers.format()) == given_trailers


def test_trailers_are_written_in_the_order_of_the_contract() -> None:
    assert _FULL.format() == _FULL_TEXT


def test_a_rollback_names_each_phase_it_takes_back() -> None:
    text = Trailers(run="blog", reverts=("main", "entity/Post")).format()

    assert text == "Phasebot-Run: blog\nPhasebot-Reverts: main\nPhasebot-Reverts: entity/Post\n"
    assert Trailers.parse(text) == Trailers(run="blog", reverts=("main", "entity/Post"))


@pytest.mark.parametrize(
    "value",
    [
        "a\nPhasebot-Run: other",
        "a\r",
        "a\u2028b",
        "a\x85b",
        "a\x00b",
        "a\x1b[0m",
        "a\u202eb",
        "a\ud800",
        " a",
        "a ",
        "",
        "\t",
    ],
)
@pytest.mark.parametrize("name", ["run", "model", "requested_by", "missing", "reverts"])
def test_a_value_that_could_be_read_as_another_line_is_refused(name: str, value: str) -> None:
    values: dict[str, object] = {"run": "blog", name: (value,) if name in {"missing", "reverts"} else value}

    with pytest.raises(ValueError, match="can't be a trailer's value"):
        Trailers(**values).format()  # type: ignore[arg-type]  # the name is a parameter


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "Co-authored-by: a <a@b.c>\n",
        "Phasebot-Run: blog\n",
        "Phasebot-Phase: core\nPhasebot-Status: complete\n",
        "Phasebot-Run:\nPhasebot-Phase: core\nPhasebot-Status: complete\n",
        "Phasebot-Run: blog\nPhasebot-Phase:\nPhasebot-Status: complete\n",
        "Phasebot-Run: blog\nPhasebot-Phase: core\n",
        "Phasebot-Run: blog\nPhasebot-Phase: core\nPhasebot-Status: done\n",
        "Phasebot-Run: blog\nPhasebot-Phase: core\nPhasebot-Status: complete\nPhasebot-Status: done\n",
        "Phasebot-Run: blog\nPhasebot-Phase: core\nPhasebot-Status: Complete\n",
        "Phasebot-Run: blog Phasebot-Phase: core Phasebot-Status: complete\n",
        "X-Phasebot-Run: blog\nPhasebot-Phase: core\nPhasebot-Status: complete\n",
        "Phasebot Run: blog\nPhasebot-Phase: core\nPhasebot-Status: complete\n",
    ],
)
def test_forged_or_foreign_trailers_mean_nothing(text: str) -> None:
    assert Trailers.parse(text) is None


def test_unknown_keys_are_passed_over_and_the_last_of_a_single_one_counts() -> None:
    text = (
        "Signed-off-by: a\nPhasebot-Run: old\nPhasebot-Future: x\nPhasebot-Run: blog\r\n"
        "Phasebot-Phase: core\nPhasebot-Status: complete\n"
    )

    assert Trailers.parse(text) == Trailers(run="blog", phase="core", status="complete")


@pytest.mark.parametrize(
    "reason", ["", "quota", "Quota a.py", "a model said a.py", "x" * 21 + " a.py", "quota  a.py", "1 a"]
)
def test_reasons_that_are_none_are_passed_over_and_those_of_later_releases_kept(reason: str) -> None:
    text = (
        f"Phasebot-Run: blog\nPhasebot-Phase: core\nPhasebot-Status: partial\nPhasebot-Reason: {reason}\n"
        "Phasebot-Reason: later-on a b.py\n"
    )
    kept = [("a", "model said a.py")] if reason.startswith("a ") else []

    assert Trailers.parse(text) == Trailers(
        run="blog", phase="core", status="partial", reason=(*kept, ("later-on", "a b.py"))
    )


@pytest.mark.parametrize(
    "reason", [("Quota", "a"), ("a b", "c"), ("", "a"), ("quota", ""), ("quota", " a"), ("quota", "a\nb")]
)
def test_a_reason_outside_of_its_form_is_refused(reason: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="can't be a trailer's value"):
        Trailers(run="blog", phase="core", status="partial", reason=(reason,)).format()


@pytest.mark.parametrize("tokens", ["", "1", "in=1", "in=-1 out=2", "in=1 out=2 x", "in=1e3 out=2", "in=" + "9" * 99])
def test_tokens_that_are_no_counts_are_passed_over(tokens: str) -> None:
    text = f"Phasebot-Run: blog\nPhasebot-Phase: core\nPhasebot-Status: complete\nPhasebot-Tokens: {tokens}\n"

    assert Trailers.parse(text) == Trailers(run="blog", phase="core", status="complete")


@given(st.text() | st.lists(st.sampled_from([*_FULL_TEXT.splitlines(keepends=True), "\n", ":", "\r"])).map("".join))
def test_any_text_is_trailers_that_can_be_written_again_or_nothing(text: str) -> None:
    found = Trailers.parse(text)

    if found is not None:
        assert found.run
        with contextlib.suppress(ValueError):
            assert Trailers.parse(found.format()) == found


def test_a_message_is_subject_body_and_trailers_in_paragraphs() -> None:
    message = format_message(
        build_phase("core"), 9, ["4 of 4 files, 6.2 s."], Trailers(run="blog", phase="core", status="complete")
    )

    assert message == (
        "Generate core [2/9]\n"
        "\n"
        "4 of 4 files, 6.2 s.\n"
        "\n"
        "Phasebot-Run: blog\n"
        "Phasebot-Phase: core\n"
        "Phasebot-Status: complete\n"
    )


@pytest.mark.parametrize(("body", "paragraphs"), [([], []), (["One."], ["One."]), (["One.", "Two."], ["One.", "Two."])])
def test_the_trailers_are_always_the_last_paragraph(body: list[str], paragraphs: list[str]) -> None:
    message = format_message(build_phase("core"), 9, body, _FULL)

    assert message.split("\n\n") == ["Generate core [2/9]", *paragraphs, _FULL_TEXT]


@given(st.lists(_VALUE, min_size=1, max_size=3), st.lists(_VALUE, max_size=3))
def test_a_commit_that_takes_back_reads_back_as_what_it_took(keys: list[str], kept: list[str]) -> None:
    told = Trailers(run="blog", reverts=tuple(keys), requested_by="alice", comment="2")

    message = format_revert(keys, kept, told)

    assert Trailers.parse(message.split("\n\n")[-1]) == told
    assert len(message.split("\n\n")) == (3 if kept else 2)


def test_a_commit_that_takes_back_says_what_stays() -> None:
    told = Trailers(run="blog", reverts=("main", "core"))

    assert format_revert(["main", "core"], ["main.py", "app/db.py"], told) == (
        "Roll back 2 phases\n"
        "\n"
        "Kept, because people edited it: main.py\n"
        "Kept, because people edited it: app/db.py\n"
        "\n"
        "Phasebot-Run: blog\n"
        "Phasebot-Reverts: main\n"
        "Phasebot-Reverts: core\n"
    )
    assert format_revert(["main"], [], Trailers(run="blog", reverts=("main",))) == (
        "Roll back main\n\nPhasebot-Run: blog\nPhasebot-Reverts: main\n"
    )


def test_what_every_commit_says_is_said_of_a_phase() -> None:
    phase = build_phase("core")

    assert Trailers(run="blog", requested_by="alice", comment="2").for_phase(phase, "partial") == Trailers(
        run="blog",
        phase="core",
        status="partial",
        inputs=phase.inputs,
        recipe=phase.recipe,
        requested_by="alice",
        comment="2",
    )
