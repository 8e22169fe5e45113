"""The pins of a workflow: they are put in, found, and taken out again."""

from pathlib import Path

from bot.forge.workflow_file import Pins, pin, read_pins
from bot.history.installation import WORKFLOW, Source

TEXT = (Path(__file__).parents[2] / WORKFLOW).read_text()
SHA = "0123456789abcdef0123456789abcdef01234567"


def test_pins_can_be_taken_out_again() -> None:
    pinned = pin(TEXT, Source("acme/phasebot", SHA), " # phasebot 0.1.0")

    assert pinned.count(f"uses: acme/phasebot@{SHA} # phasebot 0.1.0\n") == 3
    assert pinned.count(f"uses: acme/phasebot/.github/actions/verify@{SHA} # phasebot 0.1.0\n") == 1
    assert read_pins(pinned) == Pins(read_pins(TEXT).text, frozenset({f"acme/phasebot@{SHA}"}))


def test_a_workflow_that_uses_its_own_repository_has_no_pins() -> None:
    assert read_pins(TEXT).sources == frozenset()
    assert "zizmor: ignore[self-repository]" not in read_pins(TEXT).text


def test_actions_of_github_are_not_ours() -> None:
    text = "      - uses: actions/checkout@v7\n      - uses: acme/phasebot@main # newest\n"

    assert read_pins(text) == Pins(
        "      - uses: actions/checkout@v7\n      - uses: ./\n", frozenset({"acme/phasebot@main"})
    )
