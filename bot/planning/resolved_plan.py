"""Resolve a spec or a plan file: validate the plan, load its recipe and derive the phases."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypedDict, Unpack

from bot.errors import UsageError
from bot.planning import names
from bot.planning.path_rules import normal_output_dir, output_dir_problem
from bot.planning.phases import Phase, derive_phases
from bot.planning.plan import PROJECT_LIMIT, Option, Plan
from bot.planning.plan_additions import on_top_of
from bot.planning.plan_file import format_plan, parse_plan
from bot.planning.prose import owner_of, without
from bot.planning.recipe import Recipe, load_recipe
from bot.planning.recipe_conditions import options_of_new_plan
from bot.planning.recipe_fit import check_fit
from bot.planning.recipe_names import LoadRecipe, load_built_in
from bot.planning.schema_changes import MigrationStart
from bot.planning.spec_draft import SpecDraft
from bot.planning.spec_parser import clean, find_heading, is_prose, needs_a_model, read_spec
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
    """What the spec says and this plan does not use, or takes for something else."""
    spec_text: str = field(default="", compare=False, repr=False)
    """The spec as it was read; empty for a plan from history."""
    chosen: Mapping[str, Option] = field(default_factory=dict, compare=False)
    """Options that the recipe chose for a new plan, because nobody named them."""
    risks: Sequence[str] = field(default=(), compare=False)
    """Where the migration loses data, or fails on rows that exist, each with its remedy."""

    def on(self, start: MigrationStart) -> "ResolvedPlan":
        """Return the plan with the phases that it has on top of *start*, which its migration starts from.

        Raises:
            UsageError: Two phases get one path or key.
        """
        risks = () if start.merged else tuple(start.risks(self.plan))
        return replace(self, phases=derive_phases(self.plan, self.recipe, start), risks=risks)

    def with_chosen_options(self, named: Iterable[str]) -> "ResolvedPlan":
        """Return it with the options that a new plan gets from its recipe, unless people *named* them."""
        chosen = options_of_new_plan(self.recipe.options, self.plan.entities, named)
        if not chosen:
            return self
        options = self.recipe.read_options({**self.plan.options, **chosen})
        plan = self.plan.model_copy(update={"options": options})
        return replace(self, plan=plan, phases=derive_phases(plan, self.recipe), text=format_plan(plan), chosen=chosen)

    def is_same_as(self, plan: Plan) -> bool:
        """Whether *plan* builds the same, apart from options that the recipe chose."""
        ours, theirs = (
            {name: value for name, value in each.options.items() if name not in self.chosen}
            for each in (self.plan, plan)
        )
        return ours == theirs and self.plan == plan.model_copy(update={"options": self.plan.options})

    @property
    def warnings(self) -> Sequence[str]:
        """What people should know about options that the plan has: ``auth is none: …``."""
        return self.recipe.warnings(self.plan.options)

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
    exact: ResolvedPlan | None = None
    """The plan of the exact part of the spec, if it has one: its entities stay to the letter."""
    options: Mapping[str, Option] = field(default_factory=dict)
    """Options of the recipe that a person named with the command."""
    spec_text: str = field(default="", compare=False, repr=False)
    """The text of the whole spec, as it was read."""

    def load_recipe(self) -> Recipe:
        """Return the recipe.  Raises UsageError."""
        if known := self.exact or self.base:
            return known.recipe
        return (self.load or load_recipe)(self.recipe)

    @property
    def slug(self) -> str:
        return self.exact.slug if self.exact else names.slug(self.name)


class Settings(TypedDict, total=False):
    """What applies besides the text of a spec."""

    project: str
    """The name of the project if the text has none."""
    title: str
    """The name of the project whatever the text says: the title of an issue."""
    recipe: str
    output_dir: str
    options: Mapping[str, Option]
    """Options of the recipe that a person named with the command; they win over the spec."""
    base: ResolvedPlan | None
    """The existing project that the spec adds to."""
    load: LoadRecipe | None
    """Loads recipes by name; without it, the spec can name built-in ones only."""
    given: Collection[str]
    """Which of ``recipe`` and ``output-dir`` a person named with the command, so that they win over the spec."""


def resolve_spec(text: str, *, source: str, **settings: Unpack[Settings]) -> ResolvedPlan | ProseSpec:
    """Resolve a spec in the exact form; return one with prose that a model has to read unresolved.

    Raises:
        UsageError: The spec is invalid or can't be read.
    """
    text = clean(text, source=source)
    refuse_secret(text, source)
    exact = None
    if not is_prose(text, source=source):
        draft = read_spec(text, source=source)
        exact = _resolve_draft(draft, **settings)
        if not needs_a_model(draft):
            return resolve_exact_spec(text, source=source, **settings)
    if len(text) > MAX_PROSE:
        raise UsageError(
            f"{source}: {len(text):,} characters are too many for a prose description; the limit is {MAX_PROSE:,}: "
            "shorten it, or list the entities in the exact form"
        )
    project = settings.get("project", UNNAMED)
    heading = (settings.get("title", "") or find_heading(text))[:PROJECT_LIMIT].strip()
    words = text.split(maxsplit=_NAME_WORDS)[:_NAME_WORDS]
    name = heading or (" ".join(words) if project == UNNAMED else project)
    return ProseSpec(
        text,
        source,
        heading,
        name[:PROJECT_LIMIT].strip(),
        settings.get("recipe", RECIPE),
        settings.get("output_dir", OUTPUT_DIR),
        settings.get("base"),
        settings.get("load"),
        exact,
        settings.get("options", {}),
        text,
    )


def given_settings(recipe: str | None, output_dir: str | None) -> Collection[str]:
    """Return which settings a person named with the command, so that they win over a spec."""
    return [name for name, value in (("recipe", recipe), ("output-dir", output_dir)) if value is not None]


def name_spec(text: str, *, source: str, with_model: bool, **settings: Unpack[Settings]) -> str:
    """Return the default name of the run of a spec, before the project that it adds to is known.

    Raises:
        UsageError: The spec can't be read.
    """
    if with_model and is_prose(clean(text, source=source), source=source):
        return resolve_spec(text, source=source, **settings).slug
    title = settings.get("title", "") or read_spec(text, source=source).project
    return names.slug(title or settings.get("project", UNNAMED))


def resolve_exact_spec(text: str, *, source: str, **settings: Unpack[Settings]) -> ResolvedPlan:
    """Resolve a spec without a model; sentences that ask for something become rules.

    With a *base*, the result is the plan of *base* plus what the spec adds.

    Raises:
        UsageError: The spec or the recipe is invalid; the message starts with *source*.
    """
    refuse_secret(text, source)
    draft = _with_asks_as_rules(read_spec(text, source=source))
    return replace(_resolve_draft(draft, **settings), spec_text=text)


def _resolve_draft(draft: SpecDraft, **settings: Unpack[Settings]) -> ResolvedPlan:
    project, base, load = settings.get("project", UNNAMED), settings.get("base"), settings.get("load")
    recipe, output_dir = settings.get("recipe", RECIPE), settings.get("output_dir", OUTPUT_DIR)
    given = settings.get("given", ())
    notes = (*draft.told(), *_overruled(draft, recipe, output_dir, base, given))
    draft = replace(
        draft,
        project=settings.get("title", "") or draft.project,
        options={**draft.options, **settings.get("options", {})},
    )
    if base is None:
        draft = replace(
            draft,
            recipe=None if "recipe" in given else draft.recipe,
            output_dir=None if "output-dir" in given else draft.output_dir,
        )
        planned = _resolve(draft, project, recipe, output_dir, load)
        return replace(planned, notes=notes).with_chosen_options(draft.options)
    planned = _resolve(on_top_of(base.plan, draft), project, recipe, output_dir, lambda _: base.recipe)
    return replace(planned, name=draft.project or project, notes=notes)


def _with_asks_as_rules(draft: SpecDraft) -> SpecDraft:
    """Make rules of the sentences that ask for something: of the entity that each is about, else of the project."""
    fields = {each.name: [text.split(" ", 1)[0].strip("*`:") for text, _ in each.fields] for each in draft.entities}
    rules: dict[str | None, list[str]] = {}
    for sentence in dict.fromkeys(draft.asks):
        rules.setdefault(owner_of(sentence, fields), []).append(sentence)
    return replace(
        draft,
        description=without(draft.description, draft.asks),
        entities=[each.with_rules(rules.get(each.name, ())) for each in draft.entities],
        rules=[*draft.rules, *rules.get(None, ())],
        asks=(),
    )


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
    try:
        draft = replace(draft, options=loaded.read_options(draft.options))
        plan = draft.plan(project=project, recipe=recipe, output_dir=output_dir, reserved=loaded.reserved)
        check_fit(plan, loaded)
    except UsageError as exc:
        raise exc if str(exc).startswith(draft.source) else UsageError(f"{draft.source}: {exc}") from exc
    return ResolvedPlan(plan, loaded, derive_phases(plan, loaded), format_plan(plan))
