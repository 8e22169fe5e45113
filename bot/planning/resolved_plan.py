"""Resolve a spec or a plan file: validate the plan, load its recipe and derive the phases."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

from bot.errors import UsageError
from bot.planning import names
from bot.planning.path_rules import normal_output_dir, output_dir_problem
from bot.planning.phases import Phase, derive_phases
from bot.planning.plan import PROJECT_LIMIT, Plan
from bot.planning.plan_file import format_plan, parse_plan
from bot.planning.recipe import Recipe, load_recipe
from bot.planning.recipe_names import LoadRecipe, load_built_in
from bot.planning.spec_draft import SpecDraft
from bot.planning.spec_parser import clean, find_heading, is_prose, read_spec
from bot.secret_scan import find_secret
from bot.text import shown

UNNAMED = "project"
"""The project name if nothing else gives one."""

MAX_PROSE = 100_000
"""Longest prose description, in characters, that a model is asked to plan."""

RECIPE, OUTPUT_DIR = "fastapi", "."
"""Used if neither the person nor the spec names one."""
_NAME_WORDS = 6
"""A prose spec without a name is named after its first words."""


@dataclass(frozen=True, slots=True)
class ResolvedPlan:
    """A plan with its recipe and phases."""

    plan: Plan
    recipe: Recipe
    phases: Sequence[Phase]
    text: str
    """The text of the plan file, in normal form."""
    name: str = ""
    """The name of the spec, if it adds to a project that has another name."""
    notes: Sequence[str] = field(default=(), compare=False)
    """What the spec says and this plan does not use."""
    spec_text: str = field(default="", compare=False, repr=False)
    """The text of the spec, as it was read."""

    @property
    def slug(self) -> str:
        """The default name of a run of this plan."""
        return names.slug(self.name) if self.name else self.plan.slug


@dataclass(frozen=True, slots=True)
class ProseSpec:
    """A spec in prose, which a model must turn into a plan."""

    text: str
    source: str
    """What to call the spec in messages."""
    project: str
    """The project name from the heading, or an empty string."""
    name: str
    """The name that the run is derived from; the same text always gives the same name."""
    recipe: str
    output_dir: str
    base: ResolvedPlan | None = None
    """The existing project that the spec adds to."""
    load: LoadRecipe | None = field(default=None, compare=False, repr=False)
    """Loads :attr:`recipe`."""
    spec_text: str = field(default="", compare=False, repr=False)
    """The text of the whole spec, as it was read."""

    def load_recipe(self) -> Recipe:
        """Return the recipe.  Raises UsageError."""
        return self.base.recipe if self.base else (self.load or load_recipe)(self.recipe)

    @property
    def slug(self) -> str:
        return names.slug(self.name)


def resolve_spec(  # noqa: PLR0913  # what applies where the text says nothing, or whatever it says
    text: str,
    *,
    source: str,
    project: str,
    recipe: str,
    output_dir: str,
    base: ResolvedPlan | None = None,
    load: LoadRecipe | None = None,
    given: Collection[str] = (),
) -> ResolvedPlan | ProseSpec:
    """Resolve a spec in the exact form; return one in prose unresolved.

    The arguments are those of :func:`resolve_exact_spec`.

    Raises:
        UsageError: The spec is invalid or can't be read.
    """
    text = clean(text, source=source)
    refuse_secret(text, source)
    if not is_prose(text, source=source):
        return resolve_exact_spec(
            text,
            source=source,
            project=project,
            recipe=recipe,
            output_dir=output_dir,
            base=base,
            load=load,
            given=given,
        )
    if len(text) > MAX_PROSE:
        raise UsageError(
            f"{source}: {len(text):,} characters are too many for a prose description; the limit is {MAX_PROSE:,}: "
            "shorten it, or list the entities in the exact form"
        )
    heading = find_heading(text)[:PROJECT_LIMIT].strip()
    words = text.split(maxsplit=_NAME_WORDS)[:_NAME_WORDS]
    name = heading or (" ".join(words) if project == UNNAMED else project)
    return ProseSpec(text, source, heading, name[:PROJECT_LIMIT].strip(), recipe, output_dir, base, load, text)


def given_settings(recipe: str | None, output_dir: str | None) -> Collection[str]:
    """Return which settings a person named with the command, so that they win over a spec."""
    return [name for name, value in (("recipe", recipe), ("output-dir", output_dir)) if value is not None]


def name_spec(text: str, *, source: str, project: str, with_model: bool) -> str:
    """Return the default name of the run of a spec, before the project that it adds to is known.

    Raises:
        UsageError: The spec can't be read.
    """
    if with_model and is_prose(clean(text, source=source), source=source):
        return resolve_spec(text, source=source, project=project, recipe=RECIPE, output_dir=".").slug
    return names.slug(read_spec(text, source=source).project or project)


def resolve_exact_spec(  # noqa: PLR0913  # as above
    text: str,
    *,
    source: str,
    project: str,
    recipe: str,
    output_dir: str,
    base: ResolvedPlan | None = None,
    load: LoadRecipe | None = None,
    given: Collection[str] = (),
) -> ResolvedPlan:
    """Resolve a spec; *project*, *recipe* and *output_dir* are used if the spec does not set them.

    A setting in *given* (``recipe``, ``output-dir``) was named by a person with the command, and wins over the spec.
    With a *base*, the result is the plan of *base* plus what the spec adds.  *load* loads recipes by name; without it,
    the spec can name built-in ones only.

    Raises:
        UsageError: The spec or the recipe is invalid; the message starts with *source*.
    """
    refuse_secret(text, source)
    draft = read_spec(text, source=source)
    name = draft.project or project
    notes = tuple(_overruled(draft, recipe, output_dir, base, given))
    if base is None:
        draft = replace(
            draft,
            recipe=None if "recipe" in given else draft.recipe,
            output_dir=None if "output-dir" in given else draft.output_dir,
        )
        return replace(_resolve(draft, project, recipe, output_dir, load), notes=notes, spec_text=text)
    planned = _resolve(draft.on_top_of(base.plan), project, recipe, output_dir, lambda _: base.recipe)
    return replace(planned, name=name, notes=notes, spec_text=text)


def _overruled(
    draft: SpecDraft, recipe: str, output_dir: str, base: ResolvedPlan | None, given: Collection[str]
) -> Iterator[str]:
    """Yield what to tell people about settings of the text that are not used."""
    said = {"recipe": draft.recipe, "output-dir": draft.output_dir}
    used = {"recipe": recipe, "output-dir": output_dir}
    kept = {"recipe": base.plan.recipe, "output-dir": base.plan.output_dir} if base else {}
    for name, value in said.items():
        plain = normal_output_dir(value) if value and name == "output-dir" else value
        if plain and kept and plain != kept[name]:
            yield f"{draft.source}: {name} {shown(value or '')} is not used; the project in the base has {kept[name]}"
        elif plain and not kept and name in given and plain != used[name]:
            yield f"{draft.source}: {name} {shown(value or '')} is not used, because --{name} is {used[name]}"


def resolve_plan_file(text: str, *, source: str, output_dir: str, load: LoadRecipe | None = None) -> ResolvedPlan:
    """Resolve a plan file from history, whose project is in *output_dir*.

    *load* loads recipes by name; without it, the file is taken from somebody who may name any.

    Raises:
        UsageError: A person's edit made it invalid; the message starts with *source* and names the line.
    """
    if problem := output_dir_problem(output_dir):  # a project of an earlier release
        raise UsageError(
            f"{source}: its folder {shown(output_dir)} {problem.partition(';')[0]}; "
            "start a new run with another output-dir"
        )
    planned = _resolve(parse_plan(text, source=source), UNNAMED, RECIPE, output_dir, load or load_recipe)
    if planned.plan.output_dir != output_dir:
        raise UsageError(
            f"{source}: output-dir is {planned.plan.output_dir!r}, but the file is in {output_dir!r}; "
            "a project can't be moved, so restore the old value"
        )
    return planned


def resolve_model_plan(plan: Plan, recipe: Recipe) -> ResolvedPlan:
    """Resolve a plan of *recipe* that a model wrote, in the same way as its plan file will be read from history.

    Raises:
        UsageError: It does not fit its recipe.
    """
    text = format_plan(plan)
    refuse_secret(text, "the plan")
    return resolve_plan_file(text, source="the plan", output_dir=plan.output_dir, load=lambda _: recipe)


def refuse_secret(text: str, source: str) -> None:
    """Refuse what people or models wrote for a plan, which is committed, if it holds a secret.

    Raises:
        UsageError: It does; the message says where, but not which.
    """
    if secret := find_secret(text):
        raise UsageError(
            f"{source}: {secret}, and the plan is committed as it is; take it out, and revoke it if it is real"
        )


def _resolve(
    draft: SpecDraft, project: str, recipe: str, output_dir: str, load: LoadRecipe | None = None
) -> ResolvedPlan:
    try:
        loaded = (load or load_built_in)(draft.recipe) if draft.recipe else (load or load_recipe)(recipe)
    except UsageError as exc:
        raise UsageError(f"{draft.source}: {exc}" if draft.recipe else str(exc)) from exc
    plan = draft.plan(project=project, recipe=recipe, output_dir=output_dir, reserved=loaded.reserved)
    return ResolvedPlan(plan, loaded, derive_phases(plan, loaded), format_plan(plan))
