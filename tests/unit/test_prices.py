"""The estimated cost of tokens: with its date, and without a number for unknown models."""

from datetime import UTC, datetime

from bot.generation.llm.prices import estimate
from bot.history.run_state import UNKNOWN_MODEL

_NOW = datetime(2026, 11, 23, tzinfo=UTC)
_MILLION = 1_000_000


def test_tokens_in_and_out_have_prices_of_their_own() -> None:
    assert str(estimate({"gemini-3.8-flash": (_MILLION, 0)}, _NOW)) == "about $0.7500 (estimate)"
    assert str(estimate({"gemini-3.8-flash": (0, _MILLION)}, _NOW)) == "about $3.75 (estimate)"


def test_a_price_has_its_date() -> None:
    assert str(estimate({"gemini-3.8-flash": (_MILLION, 0)}, datetime(2027, 1, 2, tzinfo=UTC))) == (
        "about $1.50 (estimate)"
    )


def test_models_add_up_and_one_without_a_price_is_named() -> None:
    spent = {"gemini-3.8-flash": (_MILLION, 0), "gemini-3.5-flash-lite": (_MILLION, 0), "house-model": (5, 5)}

    assert str(estimate(spent, _NOW)) == "about $1.05 (estimate, without house-model)"


def test_without_any_known_price_there_is_no_estimate() -> None:
    assert str(estimate({"house-model": (5, 5)}, _NOW)) == ""
    assert str(estimate({UNKNOWN_MODEL: (5, 5)}, _NOW)) == ""


def test_tokens_of_commits_that_name_no_model_are_told_in_words() -> None:
    spent = {"gemini-3.8-flash": (_MILLION, 0), UNKNOWN_MODEL: (5, 5)}

    assert str(estimate(spent, _NOW)) == "about $0.7500 (estimate, without a model that is not recorded)"
