"""The values that runner and provider exchange."""

from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.generation.fallback_provider import FallbackProvider
from bot.generation.provider import GenerationRequest, GenerationResult, Provider, Tokens
from bot.generation.templates import TemplateProvider
from bot.planning.phases import derive_phases
from tests.unit.values import BLOG, read_plan, write_recipe

_COUNTS = st.builds(Tokens, st.integers(0, 10**9), st.integers(0, 10**9))


@given(_COUNTS, _COUNTS)
def test_tokens_add_up_by_kind_and_in_all(one: Tokens, two: Tokens) -> None:
    both = one + two

    assert (both.read, both.written) == (one.read + two.read, one.written + two.written)
    assert both.total == one.total + two.total
    assert one + Tokens() == one


def test_a_result_has_nothing_missing_and_costs_nothing_unless_it_says_so() -> None:
    result = GenerationResult({"a.py": "A = 1\n"})

    assert (result.missing, result.fallback, result.refused) == ({}, (), ())
    assert (result.model, result.tokens, result.stopped) == (None, Tokens(), False)


def test_a_request_shows_nothing_at_head_unless_it_says_so_and_does_not_change(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    plan, recipe = read_plan(BLOG), write_recipe(tmp_path_factory.mktemp("recipe"))
    phase = derive_phases(plan, recipe)[1]
    request = GenerationRequest(plan, recipe, phase, tuple(phase.files))

    assert request.at_head() == {}
    with pytest.raises(FrozenInstanceError):
        request.paths = ()  # type: ignore[misc]  # on purpose


def test_the_provider_of_templates_and_the_one_that_falls_back_to_it_are_named_for_the_trailer() -> None:
    templates: Provider = TemplateProvider()
    falling_back: Provider = FallbackProvider(templates, TemplateProvider())

    assert [each.name for each in (templates, falling_back)] == ["template", "template"]
