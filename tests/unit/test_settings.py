"""Settings from the environment: values, defaults, and errors that never show a key."""

import traceback
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UsageError
from bot.settings import KEY, GeminiSettings, read_actions_settings, read_settings
from tests.gemini_server import KEY as SECRET

_URL, _VERSION = "GOOGLE_GEMINI_BASE_URL", "GOOGLE_GENAI_API_VERSION"


def _refusal(environ: Mapping[str, str]) -> str:
    """Return the message of the refusal, after looking for the key in all that a log could show of it."""
    with pytest.raises(UsageError) as caught:
        read_settings(environ)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert SECRET not in shown
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert str(caught.value).isprintable()
    return str(caught.value)


def test_without_variables_there_is_no_key_and_the_default_service() -> None:
    assert read_settings({}) == GeminiSettings(None, None, "v1")


def test_values_are_taken_without_the_blanks_around_them() -> None:
    settings = read_settings({KEY: f" {SECRET}\n", _URL: "\thttps://proxy.example/gemini ", _VERSION: " v1beta\r\n"})

    assert settings.key
    assert settings.key.get_secret_value() == SECRET
    assert (settings.base_url, settings.api_version) == ("https://proxy.example/gemini", "v1beta")


@pytest.mark.parametrize("blank", ["", " ", "\n", "\t \r\n"])
def test_a_blank_variable_is_as_good_as_none(blank: str) -> None:
    assert read_settings({KEY: blank, _URL: blank, _VERSION: blank}) == GeminiSettings(None, None, "v1")


def test_other_variables_are_not_read() -> None:
    assert read_settings({"GOOGLE_API_KEY": SECRET, KEY.lower(): SECRET, "GEMINI_MODEL": "x"}) == GeminiSettings()


def test_settings_don_t_show_the_key() -> None:
    settings = read_settings({KEY: SECRET})

    assert SECRET not in repr(settings) + str(settings) + f"{settings.key} {settings.key!r}"


@pytest.mark.parametrize(
    "key",
    [
        f"{SECRET} {SECRET}",
        f"{SECRET}\nmore",
        f"Bearer {SECRET}",
        f"{SECRET}\x00",
        f"\u201c{SECRET}\u201d",
        f"{SECRET}\u200b",
        f"{SECRET}\ud800",
        f"{SECRET}\x1b[31m",
        SECRET * 100,
    ],
)
def test_a_key_that_can_t_be_one_is_refused_without_showing_it(key: str) -> None:
    assert _refusal({KEY: key}).startswith(f"{KEY}: ")


@pytest.mark.parametrize(
    "url",
    [
        "https://generativelanguage.googleapis.com",
        "http://127.0.0.1:8080",
        "http://[::1]:8080/",
        "https://proxy.example:8443/v1/gemini/",
        "http://localhost",
    ],
)
def test_an_address_of_a_service_is_taken(url: str) -> None:
    assert read_settings({_URL: url}).base_url == url


@pytest.mark.parametrize(
    "url",
    [
        "proxy.example",
        "ftp://proxy.example",
        "file:///etc/passwd",
        "https://",
        "https:///path",
        "https://proxy.example/a b",
        "https://proxy.example\nhttps://other",
        "https://proxy.example/\x1b[31m",
        "https://pr\u00f6xy.example",
        "javascript:alert(1)",
        "x" * 10_000,
    ],
)
def test_an_address_that_is_none_is_refused_by_name(url: str) -> None:
    message = _refusal({KEY: SECRET, _URL: url})

    assert message.startswith(f"{_URL}: ")
    assert len(message) < 300


@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha", "V2"])
def test_a_version_is_taken(version: str) -> None:
    assert read_settings({_VERSION: version}).api_version == version


@pytest.mark.parametrize("version", ["v1/../v2", "v 1", "../x", "v1?x", "v1\nv2", "\u0661", "v" * 21, "x" * 10_000])
def test_a_version_that_is_none_is_refused_by_name(version: str) -> None:
    message = _refusal({KEY: SECRET, _VERSION: version})

    assert message.startswith(f"{_VERSION}: ")
    assert len(message) < 300


@pytest.mark.parametrize(
    "environ",
    [
        {KEY: SECRET, _URL: f"https://user:{SECRET}@proxy.example"},
        {KEY: SECRET, _URL: f"https://proxy.example?key={SECRET}"},
        {KEY: SECRET, _URL: SECRET},
        {KEY: SECRET, _VERSION: SECRET},
        {_URL: SECRET},
        {_VERSION: SECRET},
        {_URL: f"https://user:{SECRET}@proxy.example"},
    ],
    ids=["user", "query", "as-url", "as-version", "only-url", "only-version", "password"],
)
def test_a_key_in_the_wrong_variable_is_not_shown_either(environ: Mapping[str, str]) -> None:
    assert "GOOGLE_" in _refusal(environ)


@given(st.dictionaries(st.sampled_from([KEY, _URL, _VERSION]), st.text() | st.text("https:/.v1[]@ \n\x00")))
def test_any_environment_is_read_or_refused_in_one_line(environ: dict[str, str]) -> None:
    try:
        settings = read_settings(environ)
    except UsageError as exc:
        assert str(exc).isprintable()  # noqa: PT017  # many raise none
        assert str(exc).startswith((KEY, _URL, _VERSION))  # noqa: PT017
    else:
        assert settings.api_version.isalnum()


@pytest.mark.parametrize(
    ("value", "attempt"), [("", 1), ("1", 1), ("2", 2), ("17", 17), ("0", 1), ("-2", 1), ("x", 1), ("9" * 5000, 1)]
)
def test_the_attempt_of_a_job_is_the_first_where_the_runner_does_not_say(value: str, attempt: int) -> None:
    needed = ("GITHUB_REPOSITORY", "GITHUB_API_URL", "GITHUB_SERVER_URL", "GITHUB_WORKSPACE", "GITHUB_TOKEN")
    assert read_actions_settings({**dict.fromkeys(needed, "x"), "GITHUB_RUN_ATTEMPT": value}).attempt == attempt
