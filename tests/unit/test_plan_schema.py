"""The JSON Schema of plan files, which editors use: it takes what Phasebot writes, and refuses what it refuses."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from jsonschema import Draft202012Validator

from bot.planning import yaml_spec
from bot.planning.entities import SCALARS
from bot.planning.entity_grammar import OPTIONS
from bot.planning.plan import Plan
from bot.planning.plan_file import format_plan
from bot.planning.recipe import BUILT_IN
from tests.unit.test_plan_file import plans
from tests.unit.values import read_plan

SCHEMA = json.loads((BUILT_IN.parent / "planning" / "plan.schema.json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA)
_EXAMPLES = sorted((BUILT_IN / "fastapi" / "examples").glob("*.md"))


def _load(text: str) -> Any:  # noqa: ANN401  # YAML
    return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506  # texts only, as plan files are read


def test_it_is_a_schema_and_knows_every_key_and_type() -> None:
    Draft202012Validator.check_schema(SCHEMA)

    assert {*SCHEMA["properties"]} == {*yaml_spec.KEYS}
    assert {*SCHEMA["$defs"]["entity"]["anyOf"][1]["properties"]} == {"fields", *OPTIONS}
    assert all(VALIDATOR.is_valid({"entities": {"A": {"a": kind}}}) for kind in SCALARS)


@pytest.mark.parametrize("example", _EXAMPLES, ids=lambda path: path.stem)
def test_the_plans_of_the_examples_fit(example: Any) -> None:  # noqa: ANN401  # a path
    VALIDATOR.validate(_load(format_plan(read_plan(example.read_text()))))


@given(plans())
def test_whatever_is_written_fits(plan: Plan) -> None:
    VALIDATOR.validate(_load(format_plan(plan)))


@pytest.mark.parametrize(
    "text",
    [
        "project: x\n",
        "entities: {post: {title: string}}\n",
        "entities: {Post: {Title: string}}\n",
        "entities: {Post: {title: strng}}\n",
        "entities: {Post: {fields: {title: string}, uniq: [a, b]}}\n",
        "entities: {Post: {fields: {title: string}, access: {raed: anyone}}}\n",
        "entities: {}\nfeatures: {Feed: {uses: [Post]}}\n",
        "entities: {}\nrulez: [a]\n",
    ],
)
def test_a_plan_with_a_mistake_does_not_fit(text: str) -> None:
    assert not VALIDATOR.is_valid(_load(text))
