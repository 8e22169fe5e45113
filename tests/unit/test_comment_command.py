"""The comment grammar: commands, mistyped commands, and comments that are neither."""

import string
import time
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.forge.comment_command import (
    USAGE,
    Command,
    InvalidCommand,
    Verb,
    format_command,
    own_words,
    parse_command,
)
from bot.text import HIDDEN


def _invalid(text: str) -> InvalidCommand:
    read = parse_command(text)
    assert isinstance(read, InvalidCommand)
    assert read.message.isprintable()
    return read


def _command(text: str) -> Command:
    read = parse_command(text)
    assert isinstance(read, Command)
    return read


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/generate", Command(verb="generate")),
        ("/generate\r\n", Command(verb="generate")),
        ("/generate  \t ", Command(verb="generate")),
        ("/generate --max-tokens 50000", Command(verb="generate", max_tokens=50000)),
        ("/generate --max-tokens=5", Command(verb="generate", max_tokens=5)),
        ("/generate --max-tokens 5 --max-tokens 6", Command(verb="generate", max_tokens=6)),
        ("/generate --provider gemini", Command(verb="generate", provider="gemini")),
        (
            "/generate --provider template --max-tokens 9 -- use  SQLite --provider x",
            Command(verb="generate", provider="template", max_tokens=9, instruction="use  SQLite --provider x"),
        ),
        ("/generate --", Command(verb="generate")),
        ("/generate -- -- a", Command(verb="generate", instruction="-- a")),
        ("/regenerate core", Command(verb="regenerate", phases=("core",))),
        ("/regenerate core core entity/Post", Command(verb="regenerate", phases=("core", "entity/Post"))),
        ("/regenerate entity/Post, core", Command(verb="regenerate", phases=("entity/Post", "core"))),
        ("/regenerate a --discard-edits", Command(verb="regenerate", phases=("a",), discard_edits=True)),
        ("/regenerate --cascade a b", Command(verb="regenerate", phases=("a", "b"), cascade=True)),
        ("/regenerate a -- x", Command(verb="regenerate", phases=("a",), instruction="x")),
        ("/regenerate to main", Command(verb="regenerate", phases=("to", "main"))),
        ("/rollback a b --cascade", Command(verb="rollback", phases=("a", "b"), cascade=True)),
        ("/rollback to a", Command(verb="rollback", phases=("a",), to=True)),
        ("/rollback to a --cascade", Command(verb="rollback", phases=("a",), to=True, cascade=True)),
        ("/plan", Command(verb="plan")),
        ("/explain", Command(verb="explain")),
        ("/explain entity/Post, core", Command(verb="explain", phases=("entity/Post", "core"))),
        ("/status", Command(verb="status")),
        ("/stop", Command(verb="stop")),
        ("/fix", Command(verb="fix")),
        ("/fix core, main --max-tokens 5", Command(verb="fix", phases=("core", "main"), max_tokens=5)),
        ("/help", Command(verb="help")),
    ],
)
def test_a_command(text: str, command: Command) -> None:
    assert parse_command(text) == command


def test_every_command_has_a_line_of_usage() -> None:
    assert tuple(USAGE) == get_args(Verb)


@pytest.mark.parametrize(
    "text",
    [
        "/generate \u2014max-tokens 5 \u2014 make it small",
        "/generate \u2013max-tokens 5 \u2013 make it small",
        "/generate \u2013\u2013max-tokens=5 \u2013\u2013 make it small",
        "/generate\u00a0--max-tokens\u00a05\t--\u00a0make it small",
        "/generate\u3000--max-tokens 5\x1f-- make it small",
    ],
)
def test_long_dashes_and_unusual_spaces_are_accepted(text: str) -> None:
    assert parse_command(text) == Command(verb="generate", max_tokens=5, instruction="make it small")


@pytest.mark.parametrize(
    ("below", "text"),
    [
        ("", ""),
        ("\n \n\t\n", ""),
        ("\n- User: name string\n", "- User: name string"),
        ("\r\n\r\n# Blog\r\n\r\n- A: b text  \r\n", "# Blog\n\n- A: b text"),
        ("\r# Blog\r- A: b text", "# Blog\n- A: b text"),
        ("\u2028# Blog\u2029x\x85y", "# Blog\nx\ny"),
        ("\n\n  entities:\n    A: {}\n", "  entities:\n    A: {}"),
        ("\n/rollback-plan: a table", "/rollback-plan: a table"),
        ("\na\x00b\x1b[31m\u202ec\ufeff", "ab[31mc"),
        (
            "\n<!-- hidden -->\nr\u00e9sum\u00e9 \U0001f469\u200d\U0001f467 \u2764\ufe0f a\u200db\U000e0041",
            "<!-- hidden -->\nr\u00e9sum\u00e9 \U0001f469\u200d\U0001f467 \u2764\ufe0f ab",
        ),
    ],
)
def test_text_below_the_command_is_kept_without_control_characters(below: str, text: str) -> None:
    assert parse_command(f"/generate{below}") == Command(verb="generate", text=text)


@pytest.mark.parametrize("verb", ["generate", "regenerate main"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\u2028"])
def test_text_below_ends_before_quoted_mail_and_signatures(verb: str, newline: str) -> None:
    mail = "- A: b text\n---\n\nOn Tue, Nov 24, 2026 at 3:01 PM Bob\n<bob@example.org> wrote:\n\n> a\n-- \n+44 20 7946"
    assert _command(f"/{verb}\n\n{mail}".replace("\n", newline)).text == "- A: b text\n---"
    assert own_words(mail.replace("\n", newline)) == "- A: b text\n---"


def test_a_command_in_a_code_block_of_the_text_is_text() -> None:
    text = "```\n> in a block\n-- \n/generate\n```\n~~~ sh\n/stop\n~~~~\n/etc/hosts\n /generate\nuse /generate"
    assert _command(f"/generate\n{text}").text == text


@pytest.mark.parametrize("verb", USAGE)
def test_a_further_command_ends_the_text_and_is_named(verb: str) -> None:
    command = _command(f"/generate\nA blog.\n/{verb} x\nmore")
    assert (command.text, command.ignored) == ("A blog.", f"/{verb} x")
    assert command.remark == f"only the first command of a comment is run, so '/{verb} x' was not"
    assert _command("/generate\n> /stop").remark == ""


def test_an_answer_below_a_quote_is_the_authors_own() -> None:
    text = "On Tue, Nov 24, 2026 Alice\n<a@b.cd> wrote:\n\n> a\n> b\n\n  Make it short.\n> c\nd"
    assert own_words(text) == "  Make it short."
    assert own_words("> only a quote") == ""


def test_an_instruction_is_kept_without_control_characters() -> None:
    assert _command("/generate --  a\x00 `b`  *c*\u202e <!-- d --> \n").instruction == "a `b`  *c* <!-- d -->"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "/",
        "//",
        "// generate",
        "/ generate",
        " /generate",
        "\t/generate",
        "\u00a0/generate",
        "\ufeff/generate",
        "\u200b/generate",
        "\n/generate",
        "> /generate",
        "```\n/generate\n```",
        "    /generate",
        "`/generate`",
        "- /generate",
        "<!-- x -->/generate",
        "<!--\n/generate\n-->",
        "@phasebot /generate",
        "Please /generate",
        "generate",
        "\\/generate",
        "\uff0fgenerate",
        "/lgtm",
        "/deploy",
        "/approve",
        "/assign @alice",
        "/close",
        "/label bug",
        "/merge",
        "/retest",
        "/rebase",
        "/release",
        "/run",
        "/hold",
        "/skip",
        "/start",
        "/state",
        "/test",
        "/recreate",
        "/ok-to-test",
        "/resolved yesterday",
        "/shrug",
        "/etc/passwd",
        "/plan/phase.md is wrong",
        "/help/",
        "/stop/start",
        "/usr/bin/generate",
        "/\u200b",
        "/\U0001f600",
        "/" + "generate" * 5,
    ],
)
def test_other_comments_get_no_answer(text: str) -> None:
    assert parse_command(text) is None


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("/genrate", "/generate"),
        ("/genarate", "/generate"),
        ("/Generate", "/generate"),
        ("/GENERATE", "/generate"),
        ("/generate,", "/generate"),
        ("/generate:", "/generate"),
        ("/gen\u200berate", "/generate"),
        ("/gen\u202eerate", "/generate"),
        ("/gen\x00erate", "/generate"),
        ("/generate\x00", "/generate"),
        ("/generated", "/generate"),
        ("/genrate\n- User: name string", "/generate"),
        ("/genrate --max-tokens 5 \u2014 small", "/generate --max-tokens 5 -- small"),
        ("/genrate --max-tokns 5", "/generate"),
        ("/genrate \u2014 small", "/generate -- small"),
        ("/Generate a blog", "/generate -- a blog"),
        ("/regenrate entity/Post", "/regenerate entity/Post"),
        ("/regenrate core --cascade", "/regenerate core --cascade"),
        ("/regenrate", "/regenerate"),
        ("/rollbak to core", "/rollback to core"),
        ("/roll-back core", "/rollback core"),
        ("/explian entity/Post", "/explain entity/Post"),
        ("/expain core", "/explain core"),
        ("/Explain", "/explain"),
        ("/staus", "/status"),
        ("/status?", "/status"),
        ("/Status of this", "/status"),
        ("/stpo", "/stop"),
        ("/stop!", "/stop"),
        ("/hlep", "/help"),
        ("/Plan", "/plan"),
    ],
)
def test_a_mistyped_command_gets_a_suggestion(text: str, suggestion: str) -> None:
    invalid = _invalid(text)
    assert invalid.suggestion == suggestion
    assert invalid.message.startswith("there is no command '/")


@pytest.mark.parametrize(
    "text",
    [
        "/generated yesterday",
        "/generator works now",
        "/genrate blog",
        "/regenerated the lock file",
        "/plans for Monday",
        "/plans to do",
        "/stops here",
        "/helped a lot",
        "/helped - a lot",
    ],
)
def test_a_similar_word_followed_by_prose_gets_no_answer(text: str) -> None:
    assert parse_command(text) is None


@pytest.mark.parametrize(
    ("text", "said", "suggestion"),
    [
        ("/generate --max-token 5", "/generate has no option '--max-token'; write /generate [--max-tokens N]", None),
        ("/generate -x", "/generate has no option '-x'", None),
        ("/generate --cascade", "/generate has no option '--cascade'", None),
        ("/generate --max-tokens", "--max-tokens takes a whole number such as 50000, not ''", None),
        ("/generate --max-tokens -- x", "a whole number such as 50000, not ''", None),
        ("/generate --max-tokens 0", "a whole number such as 50000, not '0'", None),
        ("/generate --max-tokens -5", "a whole number such as 50000, not '-5'", None),
        ("/generate --max-tokens 50k", "a whole number such as 50000, not '50k'", None),
        ("/generate --max-tokens 50,000", "a whole number such as 50000, not '50,000'", None),
        ("/generate --max-tokens \u0665", "a whole number such as 50000, not '\u0665'", None),
        ("/generate --max-tokens 5\x00", "a whole number such as 50000, not '5\\x00'", None),
        ("/generate --max-tokens " + "9" * 5000, "a whole number such as 50000, not '999", None),
        ("/generate --provider openai", "--provider takes template or gemini, not 'openai'", None),
        ("/generate --provider", "--provider takes template or gemini, not ''", None),
        ("/generate a blog", "/generate does not take 'a blog'; write /generate [--max-tokens", "/generate -- a blog"),
        (
            "/generate a blog --max-tokens 5 -- small",
            "/generate does not take 'a blog'",
            "/generate --max-tokens 5 -- a blog small",
        ),
        ("/generate " + "x" * 600, "/generate does not take 'xxx", None),
        ("/generate <!-- x -->", "/generate has no option '-->'", None),
        ("/regenerate", "/regenerate needs a phase; write /regenerate PHASE", None),
        ("/regenerate , --cascade", "/regenerate needs a phase", None),
        ("/regenerate -- smaller", "/regenerate needs a phase", None),
        ("/regenerate a --cascade=yes", "--cascade does not take a value, but got 'yes'", None),
        ("/regenerate a\u202eb", "'a\\u202eb' is not a phase; /status lists the phases", None),
        ("/regenerate a\u200bb", "'a\\u200bb' is not a phase", None),
        ("/regenerate " + "x" * 201, "is not a phase", None),
        ("/rollback", "/rollback needs a phase; write /rollback PHASE", None),
        ("/rollback to,", "'to' is not a phase; /status lists the phases", None),
        ("/rollback to", "/rollback needs a phase", None),
        ("/rollback to a b", "/rollback to takes one phase, not 'a b'", None),
        ("/regenerate a --discard-edits=1", "--discard-edits does not take a value, but got '1'", None),
        ("/rollback --to a", "/rollback has no option '--to'; write /rollback PHASE… [--cascade], or", None),
        ("/rollback a -- because", "/rollback does not take an instruction, but got 'because'", None),
        ("/plan --provider gemini", "/plan has no option '--provider'; write /plan", None),
        ("/plan B is better", "/plan does not take 'B is better'; write /plan", "/plan"),
        ("/status entity/Post", "/status does not take 'entity/Post'; write /status", "/status"),
        ("/explain core -- why", "/explain does not take an instruction, but got 'why'; write /explain [PHASE…]", None),
        ("/explain core --cascade", "/explain has no option '--cascade'", None),
        ("/explain a\u202eb", "'a\\u202eb' is not a phase; /status lists the phases", None),
        ("/stop -- now", "/stop does not take an instruction, but got 'now'", None),
        ("/help me", "/help does not take 'me'", "/help"),
    ],
)
def test_an_invalid_command_says_which_value_is_wrong(text: str, said: str, suggestion: str | None) -> None:
    invalid = _invalid(text)
    assert said in invalid.message
    assert len(invalid.message) < 500
    assert invalid.suggestion == suggestion


# ---- properties


_WORDS = st.text(string.ascii_letters + string.digits + "/_.*\u00e9\u4e2d`<@#", min_size=1, max_size=12)
_PHASES = st.lists(_WORDS, min_size=1, max_size=4, unique=True).map(tuple)
_CLEAN = st.text(st.characters(exclude_categories=["Cs"]), max_size=30).filter(lambda text: not HIDDEN.search(text))
_LINES = _CLEAN.map(lambda text: text.replace("\n", " ").strip())
_TEXTS = _CLEAN.map(lambda text: own_words(text.strip()).strip())
_COMMANDS = (
    st.builds(
        Command,
        verb=st.just("generate"),
        max_tokens=st.none() | st.integers(1, 10**12 - 1),
        provider=st.sampled_from([None, "template", "gemini"]),
        instruction=_LINES,
        text=_TEXTS,
    )
    | st.builds(
        Command,
        verb=st.just("regenerate"),
        phases=_PHASES,
        cascade=st.booleans(),
        discard_edits=st.booleans(),
        instruction=_LINES,
        text=_TEXTS,
    )
    | st.builds(
        Command,
        verb=st.just("rollback"),
        phases=_PHASES.filter(lambda phases: phases[0] != "to"),
        cascade=st.booleans(),
        text=_TEXTS,
    )
    | st.builds(Command, verb=st.just("rollback"), phases=st.tuples(_WORDS), to=st.just(True), cascade=st.booleans())
    | st.builds(
        Command,
        verb=st.just("fix"),
        phases=st.just(()) | _PHASES,
        max_tokens=st.none() | st.integers(1, 10**12 - 1),
        text=_TEXTS,
    )
    | st.builds(Command, verb=st.just("explain"), phases=st.just(()) | _PHASES, text=_TEXTS)
    | st.builds(Command, verb=st.sampled_from(["plan", "status", "stop", "help"]), text=_TEXTS)
)


@given(_COMMANDS)
def test_a_formatted_command_parses_to_itself(command: Command) -> None:
    assert parse_command(format_command(command)) == command
    assert parse_command(format_command(command).replace("\n", "\r\n")) == command


def test_an_instruction_is_formatted_on_one_line() -> None:
    assert format_command(Command(verb="generate", instruction="a\nb", text="c")) == "/generate -- a b\n\nc"


_PIECES = st.sampled_from(
    [
        *(
            "/",
            "/generate",
            "/regenerate",
            "/rollback",
            "/explain",
            "/genrate",
            "/Plan",
            "to",
            "core",
            "entity/Post",
            ",",
            "5",
        ),
        *(
            "--",
            "\u2014",
            "\u2013",
            "-",
            "--max-tokens",
            "--provider",
            "=",
            "--cascade",
            "gemini",
            "<!--",
            "-->",
            "```",
        ),
        *(
            " ",
            " ",
            " ",
            "\t",
            "\u00a0",
            "\n",
            "\r",
            "\r\n",
            "\x85",
            "\u2028",
            "\x0b",
            "\x1c",
            "\x00",
            "\u200b",
            "\u202e",
        ),
        *("\ufeff", "\ud800", "\U0001f600"),
    ]
)


@given(st.lists(_PIECES | st.text(max_size=3), max_size=15).map("".join))
def test_a_parsed_command_can_be_formatted_and_parsed_again(text: str) -> None:
    for comment in (text, f"/generate {text}", f"/regenerate core {text}", f"/{text}"):
        read = parse_command(comment)
        if isinstance(read, Command):
            assert parse_command(format_command(read)) == replace(read, ignored="")
            assert not HIDDEN.search(read.instruction + read.text + "".join(read.phases))
        elif isinstance(read, InvalidCommand):
            assert read.message.isprintable()
            assert read.suggestion is None or parse_command(read.suggestion) is not None


_REPEATED = (
    *(" ", "\n", "\r", "\r\n", "\t", " \n", "\u00a0", "\u2028", "\x00", "\u200b", "\U0001f600", "\u0130"),
    *("a", "a ", "a/", "/", "/a", ",", "=", "<!--", "```\n"),
    *("-", "--", "-- ", "\u2014", "\u2013 ", "--cascade ", "--provider "),
)
_STARTS = ("", "/", "/generate ", "/generate\n", "/regenerate core ", "/rollback to ", "/genrate ")


@pytest.mark.parametrize("piece", _REPEATED)
@pytest.mark.parametrize("start", _STARTS)
def test_the_longest_comment_is_parsed_fast(start: str, piece: str) -> None:
    text = (start + piece * 65_536)[:65_536]
    before = time.process_time()
    parse_command(text)
    assert time.process_time() - before < 0.3
