"""A spec or a plan file, judged and laid out: the plan, its recipe and the phases that follow from them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bot.errors import UsageError
from bot.planning import names
from bot.planning.phases import Phase, derive_phases
from bot.planning.plan import PROJECT_LIMIT, Plan
from bot.planning.recipe import Recipe, load_recipe
from bot.planning.spec_draft import SpecDraft
from bot.planning.spec_parser import clean, find_heading, format_plan, is_prose, read_spec

UNNAMED = "project"
"""The name of a project that nothing names."""

MAX_PROSE = 100_000
"""Characters of a description to be planned by a model: far more than a person reads to review the plan."""

_RECIPE = "fastapi"
_WORDS = 6


@dataclass(frozen=True, slots=True)
class ResolvedPlan:
    """A plan and what follows from it."""

    plan: Plan
    recipe: Recipe
    phases: Sequence[Phase]
    text: str
    """The plan file, in normal form."""
    name: str = ""
    """What the spec is called, where it adds to a project that is called otherwise."""

    @property
    def slug(self) -> str:
        """The name of a run that begins with it."""
        return names.slug(self.name) if self.name else self.plan.slug


@dataclass(frozen=True, slots=True)
class ProseSpec:
    """A spec in prose: somebody has to plan it before it can be laid out."""

    text: str
    source: str
    """What is being read, for messages."""
    project: str
    """The name its heading gives the project, else nothing."""
    name: str
    """What to name the run after: the same each time the text is given, whoever plans it."""
    recipe: str
    output_dir: str
    base: ResolvedPlan | None = None
    """The project that it adds to."""

    @property
    def slug(self) -> str:
        return names.slug(self.name)


def resolve_spec(
    text: str, *, source: str, project: str, recipe: str, output_dir: str, base: ResolvedPlan | None = None
) -> ResolvedPlan | ProseSpec:
    """Lay out a spec in the exact form; take one in prose as it is.  *base* is what it adds to, if there is such.

    Raises:
        UsageError: It is in the exact form and can't work, or it can't be read at all.
    """
    text = clean(text, source=source)
    if not is_prose(text, source=source):
        return resolve_exact_spec(text, source=source, project=project, recipe=recipe, output_dir=output_dir, base=base)
    if len(text) > MAX_PROSE:
        raise UsageError(
            f"{source}: {len(text):,} characters are too many for a description in prose; the limit is {MAX_PROSE:,}: "
            "shorten it, or write the entities yourself"
        )
    heading = find_heading(text)[:PROJECT_LIMIT].strip()
    words = text.split(maxsplit=_WORDS)[:_WORDS]
    named = heading or (" ".join(words) if project == UNNAMED else project)
    return ProseSpec(text, source, heading, named[:PROJECT_LIMIT].strip(), recipe, output_dir, base)


def resolve_exact_spec(
    text: str, *, source: str, project: str, recipe: str, output_dir: str, base: ResolvedPlan | None = None
) -> ResolvedPlan:
    """Lay out a spec; *project*, *recipe* and *output_dir* serve where the spec itself is silent.

    With a *base*, lay out all that it plans, and what the spec says of more.

    Raises:
        UsageError: The spec or the recipe can't work; the message begins with *source*.
    """
    draft = read_spec(text, source=source)
    name = draft.project or project
    if base is None:
        return _lay_out(draft, project, recipe, output_dir)
    return replace(_lay_out(draft.on_top_of(base.plan), project, recipe, output_dir), name=name)


def resolve_plan_file(
    text: str, *, source: str, output_dir: str, load: Callable[[str], Recipe] = load_recipe
) -> ResolvedPlan:
    """Lay out a plan file that lies in *output_dir*, as history holds it.

    Raises:
        UsageError: A person's edit broke it; the message begins with *source* and names the line.
    """
    planned = _lay_out(read_spec(text, source=source), UNNAMED, _RECIPE, output_dir, load)
    if planned.plan.output_dir != output_dir:
        raise UsageError(
            f"{source}: output-dir is {planned.plan.output_dir!r}, but the file lies in {output_dir!r}; "
            "a project can't move, so set it back"
        )
    return planned


def resolve_model_plan(plan: Plan) -> ResolvedPlan:
    """Lay out a plan that a model made, as its plan file will be read from history.

    Raises:
        UsageError: It can't work with its recipe.
    """
    return resolve_plan_file(format_plan(plan), source="the plan", output_dir=plan.output_dir)


def _lay_out(
    draft: SpecDraft, project: str, recipe: str, output_dir: str, load: Callable[[str], Recipe] = load_recipe
) -> ResolvedPlan:
    try:
        loaded = load(draft.recipe or recipe)
    except UsageError as exc:
        raise UsageError(f"{draft.source}: {exc}" if draft.recipe else str(exc)) from exc
    plan = draft.plan(project=project, recipe=recipe, output_dir=output_dir, reserved=loaded.reserved)
    return ResolvedPlan(plan, loaded, derive_phases(plan, loaded), format_plan(plan))
