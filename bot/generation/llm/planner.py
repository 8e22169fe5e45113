"""Turn a prose spec into a plan with a model; the plan must obey the same rules as one written by a person.

A plan that breaks a rule is sent back to the model with the reason, a limited number of times.
"""

import asyncio
import json
from functools import partial
from typing import Any

from pydantic import BaseModel, ValidationError, model_validator

from bot.errors import NoModelAnswered, UsageError
from bot.generation.llm.client import ModelResponse
from bot.generation.llm.prompts import plan_request
from bot.generation.llm.response_parser import parse_json
from bot.generation.llm.retry import RetryingClient
from bot.generation.llm.token_budget import TokenBudget
from bot.generation.provider import ProposedPlan
from bot.planning import field_grammar
from bot.planning.phases import PLAN_PHASE
from bot.planning.plan import Plan
from bot.planning.plan_checks import find_problems
from bot.planning.recipe import Recipe
from bot.planning.resolved_plan import ProseSpec, ResolvedPlan, resolve_model_plan
from bot.planning.yaml_outline import MAX_CHARACTERS
from bot.sandbox.worker import Worker, shared_worker
from bot.text import one_line

REPAIRS = 3
"""How often a plan that breaks a rule is sent back to the model."""
_MAX_INSTRUCTION = 4_000


class _Received(BaseModel):
    """Part of a model's response: null means absent, and a default may be a JSON value instead of a string."""

    @model_validator(mode="before")
    @classmethod
    def _normalize(cls, content: object) -> object:
        if not isinstance(content, dict):
            return content
        content = {key: value for key, value in content.items() if value is not None}
        if isinstance(default := content.get("default"), bool | int | float):
            content["default"] = json.dumps(default)
        return content


class _Field(_Received):
    name: str
    type: str
    unique: bool = False
    index: bool = False
    optional: bool = False
    default: str | None = None
    choices: tuple[str, ...] | None = None
    target: str | None = None

    def content(self) -> dict[str, Any]:
        return {key: value for key, value in self if value not in (None, "", ())}


class _Entity(_Received):
    name: str
    fields: tuple[_Field, ...]
    instruction: str = ""


class _Proposal(_Received):
    project: str = ""
    description: str = ""
    entities: tuple[_Entity, ...]


class Planner:
    """Turns prose specs into plans."""

    def __init__(self, client: RetryingClient, budget: TokenBudget, *, worker: Worker | None = None) -> None:
        self._client = client
        self._budget = budget
        self._worker = worker or shared_worker()

    async def plan(self, spec: ProseSpec) -> ProposedPlan:
        """Turn *spec* into a plan.

        Raises:
            UsageError: The recipe has no prompts for a model.
            NoModelAnswered: No model answered, or none with a valid plan.
            ProviderError: Every further request would fail, too.
        """
        recipe = spec.load_recipe()
        rejected: list[tuple[str, str]] = []
        for _ in range(1 + REPAIRS):
            base = spec.base.text if spec.base else ""
            last = rejected[-1:]  # that is enough
            request = await self._worker.call(partial(plan_request, spec.text, recipe, base=base, refused=last))
            response = await self._client.ask(request, phase=PLAN_PHASE, parse=_parse)
            text, proposal = response.content
            try:
                planned = await asyncio.to_thread(_resolve, proposal, spec, recipe)
            except ValidationError as exc:
                rejected.append((text, _first(exc)))
            except UsageError as exc:
                rejected.append((text, str(exc)))
            else:
                return ProposedPlan(planned, response.model, self._budget.unrecorded(PLAN_PHASE))
        raise NoModelAnswered(
            f"planning {spec.source}: after {REPAIRS} repairs the model's plan still breaks a rule "
            f"({rejected[-1][1]}); make the description more precise, or list the entities yourself: "
            f"{field_grammar.HELP}"
        )


async def _parse(response: ModelResponse) -> tuple[str, _Proposal]:
    if response.cut:
        raise ValueError("the plan does not fit in one response")
    if len(response.text) > MAX_CHARACTERS:
        raise ValueError(f"the plan is longer than {MAX_CHARACTERS:,} characters")
    return await asyncio.to_thread(_read, response)


def _read(response: ModelResponse) -> tuple[str, _Proposal]:
    content = parse_json(response.text)
    try:
        return response.text.encode(errors="replace").decode(), _Proposal.model_validate(content)
    except ValidationError as exc:
        raise ValueError(f"it is not a plan: {_first(exc)}") from exc


def _resolve(proposal: _Proposal, spec: ProseSpec, recipe: Recipe) -> ResolvedPlan:
    return resolve_model_plan(_build_plan(proposal, spec, recipe), recipe)


def _build_plan(proposal: _Proposal, spec: ProseSpec, recipe: Recipe) -> Plan:
    """Build a plan from a model's proposal.

    Raises:
        ValidationError: The proposal breaks a rule for all plans.
        UsageError: The proposal breaks a rule of the recipe.
    """
    entities = tuple(
        {"name": entity.name, "fields": tuple(field.content() for field in entity.fields)}
        for entity in proposal.entities
    )
    instructions = {
        f"entity/{entity.name}": entity.instruction.strip()[:_MAX_INSTRUCTION] for entity in proposal.entities
    }
    base = spec.base.plan if spec.base else None
    existing = base.instructions if base else {}
    plan = Plan.model_validate({
        "project": base.project if base else spec.project or proposal.project or spec.name,
        "description": base.description if base else proposal.description,
        "recipe": base.recipe if base else spec.recipe,
        "output-dir": spec.output_dir,
        "entities": entities,
        "instructions": {**existing, **{phase: text for phase, text in instructions.items() if text}},
    })  # fmt: skip
    if not plan.entities:
        raise UsageError("it has no entities")
    if problems := find_problems(plan.entities, recipe.reserved, plan.collections):
        raise UsageError("; ".join(map(str, problems)))
    return plan


def _first(exc: ValidationError) -> str:
    error = exc.errors()[0]
    where = ".".join(map(str, error["loc"]))
    message = error["msg"].removeprefix("Value error, ")
    return one_line(f"{where}: {message}" if where else message, 300)
