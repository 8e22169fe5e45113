"""Numbers, sizes, times and hidden characters on the page."""

import pytest

from bot.page.wording import count, harmless, moment, size, span


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (12_345, "12 kB"),
        (1_500_000, "1.5 MB"),
        (3_400_000_000, "3,400 MB"),
    ],
)
def test_sizes(number: int, told: str) -> None:
    assert size(number) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0 s"), (0.3, "0.3 s"), (6, "6 s"), (41.6, "42 s"), (60, "1 min"), (192, "3 min 12 s"), (3_900, "1 h 5 min")],
)
def test_spans(seconds: float, told: str) -> None:
    assert span(seconds) == told


def test_counts_and_moments() -> None:
    assert [count(1, "file"), count(2_000, "file"), count(2, "entity", "entities")] == [
        "1 file", "2,000 files", "2 entities",
    ]  # fmt: skip
    assert (moment(0), moment(1_795_795_200)) == ("", "27 Nov 2026, 16:00 UTC")


def test_hidden_characters_become_visible_and_emoji_stay() -> None:
    assert harmless("a\u202eb\x1b[0m\ud800") == "a\ufffdb\ufffd[0m\ufffd"
    assert harmless("a\r\nb\u2028c") == "a\nb\nc"
    assert harmless("\u2764\ufe0f") == "\u2764\ufe0f"
