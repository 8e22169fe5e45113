"""Turn a prose spec into a plan with a model; the plan must obey the same rules as one written by a person.

A plan that breaks a rule is sent back to the model with all that is wrong, a limited number of times.  Then the model
is asked once more, about each sentence of the spec, so that none is lost.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from typing import Protocol, TypeVar

from bot.errors import NoModelAnswered, ProviderError, UsageError
from bot.generation.llm.client import ModelRequest, ModelResponse
from bot.generation.llm.plan_draft import PlanDraft, PlanRefused
from bot.generation.llm.plan_prompts import Refused, coverage_request, plan_request
from bot.generation.llm.proposal import Coverage, Proposal, read_coverage, read_proposal
from bot.generation.llm.retry import RetryingClient
from bot.generation.llm.token_budget import TokenBudget
from bot.generation.provider import ProposedPlan
from bot.planning import field_grammar
from bot.planning.phases import PLAN_PHASE
from bot.planning.plan import Plan
from bot.planning.recipe import Recipe
from bot.planning.resolved_plan import ProseSpec, ResolvedPlan, refuse_secret, resolve_model_plan
from bot.planning.sentences import split_sentences
from bot.planning.spec_parser import read_spec
from bot.planning.yaml_outline import MAX_CHARACTERS
from bot.sandbox.protocol import Run
from bot.sandbox.worker import Worker, shared_worker
from bot.text import shown

REPAIRS = 3
"""How often a plan that breaks a rule is sent back to the model."""
_REPAIRS_OF_COVERAGE = 1
_SHORT = 200
"""A spec of one sentence that is no longer was read whole when the plan was made of it."""

Content = TypeVar("Content")


class _BuildRequest(Protocol):
    def __call__(self, *, refused: Refused | None, run: Run) -> ModelRequest: ...


class Planner:
    """Turns prose specs into plans."""

    def __init__(self, client: RetryingClient, budget: TokenBudget, *, worker: Worker | None = None) -> None:
        self._client = client
        self._budget = budget
        self._worker = worker or shared_worker()

    async def plan(self, spec: ProseSpec) -> ProposedPlan:
        """Turn *spec* into a plan.

        If it is cancelled when there is a plan, it returns that, because its tokens are spent.

        Raises:
            UsageError: The recipe has no prompts for a model.
            NoModelAnswered: No model answered, or none with a valid plan.
            ProviderError: Every further request would fail, too.
        """
        recipe = spec.load_recipe()
        prose = await asyncio.to_thread(_prose_of, spec)
        base, exact = (each.text if each else "" for each in (spec.base, spec.exact))
        request = partial(plan_request, prose, recipe, base=base, exact=exact)
        read = partial(read_proposal, recipe=recipe, exact=spec.exact is not None)
        try:
            planned, model = await self._ask(request, read, partial(_build_plan, spec, recipe), repairs=REPAIRS)
        except PlanRefused as exc:
            raise NoModelAnswered(
                f"planning {spec.source}: after {REPAIRS} repairs the model's plan still breaks a rule "
                f"({exc}); make the description more precise, or list the entities yourself: {field_grammar.HELP}"
            ) from exc
        planned = replace(await self._look_again(planned, spec, prose, recipe), spec_text=spec.text)
        if spec.exact:
            planned = replace(planned, name=spec.exact.name, notes=(*spec.exact.notes, *planned.notes))
        return ProposedPlan(planned, model, self._budget.unrecorded(PLAN_PHASE))

    async def _look_again(self, planned: ResolvedPlan, spec: ProseSpec, prose: str, recipe: Recipe) -> ResolvedPlan:
        """Ask which sentences of *prose* are not in the plan, and add those; if that fails, a note says so."""
        sentences = split_sentences(prose)
        if len([each for each in sentences if not each.startswith("#")]) <= 1 and len(prose) <= _SHORT:
            return planned
        exact = spec.exact is not None
        request = partial(coverage_request, sentences, planned.text, recipe, exact=exact)
        build = partial(_add_coverage, planned.plan, recipe, len(sentences), exact=exact)
        try:
            return (await self._ask(request, read_coverage, build, repairs=_REPAIRS_OF_COVERAGE))[0]
        except (NoModelAnswered, ProviderError, PlanRefused) as exc:
            reason = str(exc)
        except asyncio.CancelledError:
            reason = "the run was stopped first"
        note = (
            f"planning {spec.source}: whether the plan has every sentence was not checked ({reason}); "
            "compare the plan with the text before you merge"
        )
        return replace(planned, notes=(*planned.notes, note))

    async def _ask(
        self,
        request: _BuildRequest,
        read: Callable[[str], Content],
        build: Callable[[Content], ResolvedPlan],
        *,
        repairs: int,
    ) -> tuple[ResolvedPlan, str]:
        """Ask until *build* makes a valid plan of an answer, at most 1 + *repairs* times; return it, and the model.

        Raises:
            PlanRefused: The last plan breaks a rule, too.
        """
        refused: Refused | None = None
        while True:
            question = await self._worker.call(partial(request, refused=refused))
            response = await self._client.ask(question, phase=PLAN_PHASE, parse=partial(_parse, read))
            text, content = response.content
            try:
                return await asyncio.to_thread(build, content), response.model
            except PlanRefused as exc:
                if not repairs:
                    raise
                refused, repairs = (text, exc.faults), repairs - 1  # the last answer is enough


async def _parse(read: Callable[[str], Content], response: ModelResponse) -> tuple[str, Content]:
    if response.cut:
        raise ValueError("the plan does not fit in one response")
    if len(response.text) > MAX_CHARACTERS:
        raise ValueError(f"the plan is longer than {MAX_CHARACTERS:,} characters")
    content = await asyncio.to_thread(read, response.text)
    return response.text.encode(errors="replace").decode(), content


def _prose_of(spec: ProseSpec) -> str:
    """Return the text that a model has to turn into a plan: without what an exact part says already."""
    if spec.exact is None:
        return spec.text
    draft = read_spec(spec.text, source=spec.source)
    said = " ".join(draft.description.split())
    return "\n".join([draft.description, *(each for each in draft.asks if each not in said)])


def _build_plan(spec: ProseSpec, recipe: Recipe, proposal: Proposal) -> ResolvedPlan:
    """Build the plan of *spec*: of a proposal alone, or of what it adds to the exact part.

    Raises:
        PlanRefused: It breaks a rule.
    """
    if spec.exact:
        draft = PlanDraft(spec.exact.plan)
        proposal.add_beside(draft)
        return _resolve(draft, spec.exact.plan, recipe)
    draft, base = PlanDraft(), spec.base.plan if spec.base else None
    proposal.add_to(draft)
    draft.options |= spec.options
    if base:
        draft.instructions = {**base.instructions, **draft.instructions}
        draft.options = {**base.options, **draft.options}
    settings = {
        "project": spec.project or proposal.project or spec.name,
        "description": proposal.description,
        "recipe": spec.recipe,
        "output-dir": spec.output_dir,
    }
    planned = _resolve(draft, base or settings, recipe)
    return planned if base else planned.with_chosen_options(spec.options)


def _add_coverage(first: Plan, recipe: Recipe, count: int, coverage: Coverage, *, exact: bool) -> ResolvedPlan:
    draft = PlanDraft(first)
    coverage.add_to(draft, count, recipe, exact=exact)
    return _resolve(draft, first, recipe)


def _resolve(draft: PlanDraft, settings: Plan | Mapping[str, str], recipe: Recipe) -> ResolvedPlan:
    if isinstance(settings, Plan):
        settings = settings.model_dump(by_alias=True, include={"project", "description", "recipe", "output_dir"})
    try:
        draft.options = recipe.read_options(draft.options)
    except UsageError as exc:
        draft.faults.append(str(exc))
    plan = draft.plan(settings, recipe.reserved)
    try:
        refuse_secret("\n".join(_texts(plan.model_dump())), "the plan")
        planned = resolve_model_plan(plan, recipe)
    except UsageError as exc:
        raise PlanRefused([str(exc)]) from exc
    keys = [phase.key for phase in planned.phases]
    if unknown := [key for key in plan.instructions if key not in keys]:
        raise PlanRefused([f"instructions: there is no phase {shown(key)}; {_nearest(keys, key)}" for key in unknown])
    return planned


def _nearest(keys: Sequence[str], key: str) -> str:
    near = get_close_matches(key, keys, n=1)
    return f"did you mean {near[0]!r}?" if near else f"phases are {', '.join(keys[:10])}"


def _texts(content: object) -> Iterator[str]:
    """Yield every text of a dumped plan, whole: YAML may break lines and escape characters."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, Mapping):
        for key, value in content.items():
            yield from (str(key), *_texts(value))
    elif isinstance(content, Sequence):
        for each in content:
            yield from _texts(each)
