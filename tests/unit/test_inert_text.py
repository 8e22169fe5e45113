"""What a commit message holds of a recipe's, a plan's or a model's words: nothing that a forge acts on."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.engine.phase_commits import phase_commit
from bot.engine.requests import Requester
from bot.generation.provider import GenerationResult, Tokens
from bot.history.inert_text import quote, unquote, words
from bot.history.reasons import REASONS, Reason
from bot.history.trailers import Trailers, format_conflicts, format_message, format_revert
from tests.repositories import DATA
from tests.unit.values import build_phase

ACTIVE = (DATA / "hostile" / "messages.txt").read_text().splitlines()
"""Words that a forge acts on in a commit message."""

_WORDS = r"[^\x00-\x1f!\"#$%&*:;<=>?@\[\\\]^`{|}]+"
_VALUE = rf"(?:{_WORDS}|\"(?:{_WORDS}|\\u[0-9a-f]{{4}})*\")"
_REASON = "|".join(re.escape(each.words) for each in REASONS.values()) + "|another reason"
_NAMES = "Run|Phase|Base|Provider|Model|Requested-By|Comment|Missing|Fallback|Conflict|Kept|Discarded|Reverts"
_LINES = (
    r"",
    rf"Missing {_VALUE}: (?:{_REASON})",
    r"\d+ of \d+ files?, \d+\.\d s\.",
    r"Refused \d+ files? that nobody asked for\.",
    r"\d+ of them not written: people's files stay\.",
    rf"Added an instruction for {_VALUE}(?:, {_VALUE})*\.",
    rf"Kept, because people edited it: {_VALUE}",
    rf"Phasebot-(?:{_NAMES}): {_VALUE}",
    r"Phasebot-Status: (?:complete|partial)",
    r"Phasebot-Inputs: sha256:[0-9a-f]+",
    rf"Phasebot-Recipe: (?:{_WORDS}@sha256:[0-9a-f]+|{_VALUE})",
    r"Phasebot-Tokens: in=\d+ out=\d+",
    rf"Phasebot-Reason: [a-z-]+ {_VALUE}",
)
_LINE = re.compile("|".join(f"(?:{each})" for each in _LINES))
_SUBJECT = re.compile(rf"Generate {_WORDS} \[\d+/\d+\]|Roll back (?:{_VALUE}|\d+ phases)|Stop [A-Za-z0-9._/-]+")
_EFFECTS = re.compile(
    r"#\w|\bgh-\d|(?<![A-Za-z0-9])@|\[(?!\d+/\d+\]$)|\*\*\*|://|^(?:skip-checks|co-authored-by|signed-off-by)"
    r"|\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)\W+\w+-\d",
    re.IGNORECASE | re.MULTILINE,
)


def assert_inert(message: str) -> None:
    """Check a whole commit message against the grammar, and for what GitHub, Azure and trackers act on."""
    subject, *lines = message.split("\n")
    assert _SUBJECT.fullmatch(subject), subject
    assert [line for line in lines if not _LINE.fullmatch(line)] == []
    assert _EFFECTS.findall(message) == []


_PARTS = [*ACTIVE, "#", "@", "[", "]", "*", ":", "-", "1", "GH", "fixes", " ", '"', "\\", "\u0130", "\u00a0", "\ufe0f"]
_HOSTILE = st.lists(st.sampled_from(_PARTS), min_size=1, max_size=5).map(lambda parts: "".join(parts).strip() or "#1")


@pytest.mark.parametrize("text", ACTIVE)
def test_words_that_a_forge_acts_on_are_broken_in_titles_keys_paths_and_names(text: str) -> None:
    trailers = Trailers(run="blog", phase=text, status="partial", recipe=f"{text}@sha256:91be", base=text)

    message = format_message(replace(build_phase("core"), title=text), 9, [f"Missing {quote(text)}: blocked"], trailers)

    assert_inert(message)
    assert_inert(format_revert([text], [text], Trailers(run="blog", reverts=(text,))))
    assert Trailers.parse(message[message.index("Phasebot-") :]) == trailers


@given(st.lists(_HOSTILE, min_size=8, max_size=8))
def test_the_message_of_every_phase_commit_matches_a_closed_grammar(texts: list[str]) -> None:
    title, key, path, missing, refused, base, login, model = texts
    generated = GenerationResult(
        {path: "x\n"}, {missing: Reason("blocked", refused)}, model, Tokens(1, 2), refused=(refused,)
    )
    draft = phase_commit(
        replace(build_phase(key, recipe=f"{key}@sha256:91be", inputs="sha256:4f0c"), title=title),
        generated,
        1.0,
        total=9,
        run="blog",
        base=base,
        provider="gemini",
        requester=Requester(login, "1"),
        initial_commits=(),
    )

    assert_inert(format_message(draft.phase, draft.total, draft.body, draft.trailers) + format_conflicts([path]))


@given(_HOSTILE | st.text())
def test_a_quoted_value_reads_back_as_itself(value: str) -> None:
    written = quote(value)

    assert unquote(written) == value or any("\ud800" <= each <= "\udfff" for each in value)
    assert not _EFFECTS.search(written)
    assert written.isprintable()


@pytest.mark.parametrize(
    "value",
    [
        "app/models/post.py",
        "docs/\u00fcbersicht.md",
        "docs/\u8aac\u660e.md",
        "a b/c d.txt",
        "entity/Post",
        "issue-12",
        "gemini-3.8-flash",
        "fastapi@sha256:91be",
        "sha256:4f0c",
    ],
)
def test_an_ordinary_value_stays_as_it_is_for_earlier_releases(value: str) -> None:
    assert quote(value) == value


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("app/[id]/page.tsx", r'"app/\u005bid\u005d/page.tsx"'),
        ("fixes #1", r'"fixes \u00231"'),
        ("x/GH-1", r'"x/GH\u002d1"'),
        ("fixes ENG-1", r'"fixes ENG\u002d1"'),
        ("a\u00a0b", r'"a\u00a0b"'),
        ('"a"', r'"\u0022a\u0022"'),
        ("\U0001f600", r'"\ud83d\ude00"'),
        ("x @acme@sha256:91be", r'"x \u0040acme\u0040sha256\u003a91be"'),
    ],
)
def test_an_active_value_is_a_json_string(value: str, written: str) -> None:
    assert (quote(value), unquote(written)) == (written, value)


@pytest.mark.parametrize("text", ['"core"', '"', '""', r'"\u0041"', r'"\x"', '"a', "1", r'"\ud800\u0023"x', "[1]"])
def test_what_quote_does_not_write_is_read_as_it_is(text: str) -> None:
    assert unquote(text) == text


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("entity Post", "entity Post"),
        ("support files", "support files"),
        ("fixes #1 [skip ci] @x", "fixes 1 skip ci x"),
        ("fixes GH-1", "fixes GH 1"),
        ("***", "untitled"),
        ("x" * 200, "x" * 99 + "\u2026"),
    ],
)
def test_a_title_loses_what_could_have_an_effect(title: str, shown: str) -> None:
    assert words(title) == shown
