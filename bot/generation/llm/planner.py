"""Have a model plan what a person describes in prose; the plan is judged by the same rules as a person's.

The model is asked once; what the rules refuse is sent back with the reason, a bounded number of times.
"""

import json
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
from bot.planning.plan import Plan, find_problem
from bot.planning.recipe import Recipe, load_recipe
from bot.planning.resolved_plan import ProseSpec, resolve_model_plan
from bot.text import one_line

REPAIRS = 3
"""How often a plan that the rules refuse is sent back."""
_MAX_INSTRUCTION = 4_000


class _Sent(BaseModel):
    """As a model writes it: what is null or empty means nothing, and a default may be a value of its type."""

    @model_validator(mode="before")
    @classmethod
    def _without_nothing(cls, content: object) -> object:
        if not isinstance(content, dict):
            return content
        content = {key: value for key, value in content.items() if value is not None}
        if isinstance(default := content.get("default"), bool | int | float):
            content["default"] = json.dumps(default)
        return content


class _Field(_Sent):
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


class _Entity(_Sent):
    name: str
    fields: tuple[_Field, ...]
    instruction: str = ""


class _Proposal(_Sent):
    project: str = ""
    description: str = ""
    entities: tuple[_Entity, ...]


class Planner:
    """Plans descriptions."""

    def __init__(self, asker: RetryingClient, budget: TokenBudget) -> None:
        self._asker = asker
        self._budget = budget

    async def plan(self, described: ProseSpec) -> ProposedPlan:
        """Make a plan of *described*.

        Raises:
            UsageError: The recipe can't be followed by a model.
            Unanswered: No model answered, or none with a plan that obeys the rules.
            ProviderError: No question would be answered.
        """
        recipe = described.base.recipe if described.base else load_recipe(described.recipe)
        refused: list[tuple[str, str]] = []
        for _ in range(1 + REPAIRS):
            base = described.base.text if described.base else ""
            last = refused[-1:]  # only: it was the best
            question = plan_request(described.text, recipe, base=base, refused=last)
            asked = await self._asker.ask(question, phase=PLAN_PHASE, read=_read)
            text, proposal = asked.content
            try:
                planned = resolve_model_plan(_judged(proposal, described, recipe))
            except ValidationError as exc:
                refused.append((text, _first(exc)))
            except UsageError as exc:
                refused.append((text, str(exc)))
            else:
                return ProposedPlan(planned, asked.model, self._budget.unrecorded(PLAN_PHASE))
        raise NoModelAnswered(
            f"planning {described.source}: after {REPAIRS} repairs the model's plan still breaks a rule "
            f"({refused[-1][1]}); say more precisely what you want, or write the entities yourself: "
            f"{field_grammar.HELP}"
        )


def _read(answer: ModelResponse) -> tuple[str, _Proposal]:
    if answer.cut:
        raise ValueError("the plan is longer than one answer can be")
    content = parse_json(answer.text)
    try:
        return answer.text.encode(errors="replace").decode(), _Proposal.model_validate(content)
    except ValidationError as exc:
        raise ValueError(f"it is no plan: {_first(exc)}") from exc


def _judged(proposal: _Proposal, described: ProseSpec, recipe: Recipe) -> Plan:
    """Turn what a model proposed into a plan.

    Raises:
        ValidationError: It breaks a rule that every plan obeys.
        UsageError: It breaks a rule of the recipe.
    """
    entities = tuple(
        {"name": entity.name, "fields": tuple(field.content() for field in entity.fields)}
        for entity in proposal.entities
    )
    asked = {f"entity/{entity.name}": entity.instruction.strip()[:_MAX_INSTRUCTION] for entity in proposal.entities}
    base = described.base.plan if described.base else None
    kept = base.instructions if base else {}
    plan = Plan.model_validate({
        "project": base.project if base else described.project or proposal.project or described.name,
        "description": base.description if base else proposal.description,
        "recipe": base.recipe if base else described.recipe,
        "output-dir": described.output_dir,
        "entities": entities,
        "instructions": {**kept, **{phase: text for phase, text in asked.items() if text}},
    })  # fmt: skip
    if not plan.entities:
        raise UsageError("it has no entities")
    if problem := find_problem(plan.entities, recipe.reserved):
        raise UsageError(str(problem))
    return plan


def _first(exc: ValidationError) -> str:
    error = exc.errors()[0]
    where = ".".join(map(str, error["loc"]))
    message = error["msg"].removeprefix("Value error, ")
    return one_line(f"{where}: {message}" if where else message, 300)
