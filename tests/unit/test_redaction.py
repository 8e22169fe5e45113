"""Keys in every form are redacted from messages, short words are not, and nothing is left at a cut."""

import json
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from html import escape
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.redaction import Redactor

KEY = "AIzaSy-Zq7Rk2mVx9/Tb4+Lw8_Hs3=Nd6&Jf1"
_HALF = len(KEY) // 2

_FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "control": lambda key: f"{key[:9]}\x1b{key[9:]}",
    "NUL": "\0".join,
    "zero width": "\u200b".join,
    "carriage return": lambda key: f"{key[:9]}\r{key[9:]}",
    "line break": lambda key: f"{key[:9]}\n  {key[9:]}",
    "bidi": lambda key: f"{key[:9]}\u202e{key[9:]}",
    "surrogate": lambda key: f"{key[:9]}\udc80{key[9:]}",
    "escaped control": lambda key: repr(f"{key[:9]}\x1b{key[9:]}"),
    "escaped zero width": lambda key: ascii(f"{key[:9]}\u200b{key[9:]}"),
    "URL": lambda key: quote(key, safe=""),
    "URL, path": quote,
    "URL, query": quote_plus,
    "URL, lower": lambda key: "".join(c if c.isalnum() or c in "-_" else f"%{ord(c):02x}" for c in key),
    "JSON": json.dumps,
    "HTML": escape,
    "Markdown": lambda key: key.replace("_", "\\_").replace("-", "\\-"),
    "git's header": lambda key: b64encode(f"x-access-token:{key}".encode()).decode(),
    "base64": lambda key: b64encode(key.encode()).decode(),
    "base64 for URLs": lambda key: urlsafe_b64encode(f"u:{key}".encode()).decode(),
    "base64, one before": lambda key: b64encode(f"a{key}z".encode()).decode(),
    "base64, two before": lambda key: b64encode(f"ab{key}zz".encode()).decode(),
    "hex": lambda key: key.encode().hex(),
    "in the middle of words": lambda key: f"xx{key}yy",
    "twice": lambda key: f"{key} {key}{key}",
}


@pytest.mark.parametrize("form", _FORMS)
def test_a_key_is_redacted_in_every_form(form: str) -> None:
    text = f"fatal: {_FORMS[form](KEY)}: refused"
    shown = Redactor([KEY]).line(text, 500)

    assert "***" in shown
    assert shown.startswith("fatal: ")
    assert shown.endswith(": refused")
    squeezed = "".join(shown.split())
    for encoded in (KEY, quote(KEY, safe=""), b64encode(KEY.encode()).decode()[:-4], KEY.encode().hex()):
        assert not any(encoded[start : start + 8] in squeezed for start in range(len(encoded) - 7))


@given(st.lists(st.sampled_from(["\0", "\x1b", "\u200b", "\u202e", "\n", " ", "\\x1b", "`", "\ufe0f"]), max_size=4))
def test_nothing_that_does_not_show_hides_a_key(between: list[str]) -> None:
    text = f"a {KEY[:_HALF]}{''.join(between)}{KEY[_HALF:]} b"

    assert Redactor([KEY]).redact(text) == "a *** b"


@pytest.mark.parametrize("limit", range(1, 70))
def test_a_cut_leaves_no_part_of_a_key(limit: int) -> None:
    shown = Redactor([KEY]).line(f"the key {KEY} is not valid, said the server", limit)

    assert KEY[:3] not in shown
    assert len(shown) <= limit


@pytest.mark.parametrize("end", ["", "…", "...", " …", "'", '"...'])
@pytest.mark.parametrize("length", [12, 20, len(KEY) - 1])
def test_a_key_that_somebody_else_cut_off_is_redacted(length: int, end: str) -> None:
    assert Redactor([KEY]).redact(f"the key {KEY[:length]}{end}") == f"the key ***{end}"


@pytest.mark.parametrize("secret", ["", "k", "test", "1234567"])
def test_a_word_is_no_key(secret: str) -> None:
    text = "the test took 1234567 ticks"

    assert Redactor([secret]).redact(text) == text
    assert not Redactor([secret]).finds(text)


def test_what_is_found_in_files_is_longer() -> None:
    assert Redactor(["twelve-chars"]).finds("x = 'twelve-chars'")
    assert not Redactor(["twelve-chars"], shortest=16).finds("x = 'twelve-chars'")
    assert Redactor([KEY], shortest=16).finds(f"x = '{KEY}'")
    assert not Redactor([KEY], shortest=16).finds(f"x = '{KEY[:-1]}'")


@given(st.text())
def test_other_text_stays_as_it_is(text: str) -> None:
    assert Redactor([KEY]).redact(text) == text


@pytest.mark.parametrize("unit", ["\\", "`", "\\x1b", "\u200b", " ", "AIzaSy", "AIzaSy-Zq7Rk2m", "a", "\\u", "%2"])
def test_time_grows_with_the_length_of_a_text_and_no_faster(unit: str) -> None:
    redactor = Redactor([KEY])

    def seconds(size: int) -> float:
        text = (unit * size)[:size]
        start = time.process_time()
        redactor.redact(text)
        return time.process_time() - start

    assert any(seconds(200_000) < 3 * max(seconds(100_000), 0.02) for _ in range(5))
