"""`generate --dry-run`: what a run would make, why, and what that likely costs.  Nothing is written."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from bot.cli.door import Door
from bot.cli.given_spec import read_given_spec, unused_options
from bot.cli.options import ProjectSettings
from bot.errors import UsageError
from bot.text import count, one_line

if TYPE_CHECKING:
    from bot.engine.agenda import Agenda, AgendaItem
    from bot.engine.requests import RunRequest
    from bot.history.checkout import Checkout, RunLocation
    from bot.history.run_branch import RunBranch
    from bot.planning.resolved_plan import ProseSpec, ResolvedPlan

_MAX_NAME = 100
_MAX_REASONS = 4


def show_agenda(
    door: Door,
    spec: str | None,
    location: "RunLocation",
    settings: ProjectSettings,
    request: "RunRequest",
    output: str,
) -> None:
    """Print what *request* would do.

    Raises:
        UsageError: It would be refused, or nobody knows before a model has planned the spec.
    """
    from bot.cli.inert_output import inert_json
    from bot.engine import factory
    from bot.engine.agenda import make_agenda

    location = replace(location, push=False, read_only=True)
    clone = factory.find_clone(location) if spec is not None else factory.open_clone(location)
    read = _read(door, spec, location, settings, request, clone) if spec is not None else None
    run = location.run if location.run is not None or read is None else read.slug
    opened = clone.open_run(run, door.now) if clone else None
    branch = opened.branch if opened else None
    if clone and opened and branch:
        branch.read()
        remote = ["a dry run does not ask the remote"] if branch.has_remote else []
        unused = unused_options(opened, clone.plans.recipe, settings) if spec is None else ()
        for note in [*branch.notes, *remote, *unused]:
            door.log(f"note: {note}")
    planned = _plan(door, branch, read)
    agenda = make_agenda(branch, planned, request, run=run or "")
    if output == "json":
        text = json.dumps(_as_json(agenda, door.now()), indent=2)
        click.echo(inert_json(text, in_job=door.in_job))
    else:
        click.echo("\n".join(_lines(agenda, door.now())))


def _read(
    door: Door,
    spec: str,
    location: "RunLocation",
    settings: ProjectSettings,
    request: "RunRequest",
    clone: "Checkout | None",
) -> "ResolvedPlan | ProseSpec":
    from bot.planning.resolved_plan import OUTPUT_DIR

    def base_of(name: str) -> "ResolvedPlan | None":
        return clone.base_plan(location.run or name, settings.output_dir or OUTPUT_DIR) if clone else None

    with_model = request.provider.resolve() != "template"
    plans = clone.plans if clone else None
    return read_given_spec(
        door, spec, location.recipe, settings, with_model=with_model, plans=plans, base_of=base_of if clone else None
    )


def _plan(door: Door, branch: "RunBranch | None", spec: "ResolvedPlan | ProseSpec | None") -> "ResolvedPlan":
    """Return the plan at head, else that of *spec*."""
    from bot.engine.first_plan import unused_spec_note
    from bot.planning.resolved_plan import ResolvedPlan
    from bot.planning.schema_changes import MigrationStart

    found = branch.plan() if branch else None
    if branch and found:
        if note := unused_spec_note(spec, found, branch.name):
            door.log(f"note: {note}")
        return found
    if branch and spec is None:
        return branch.existing_plan()  # raises, because there is none
    if not isinstance(spec, ResolvedPlan):
        raise UsageError(
            "dry run: a model has to plan this spec first, and a dry run asks none; have the plan alone made with "
            "'phasebot generate SPEC --only plan', then run 'phasebot generate --dry-run'"
        )
    for note in spec.notes:
        door.log(f"note: {note}")
    return branch.plans.placed(spec) if branch else spec.on(MigrationStart())


def _lines(agenda: "Agenda", now: datetime) -> Iterator[str]:
    items = [(item.phase.key, _files(item), _why(agenda, item)) for item in agenda.items]
    items += [(key, _count(paths), ["rolled back: the plan no longer has it"]) for key, paths in agenda.removed.items()]
    shown = [(one_line(key, _MAX_NAME), files, why) for key, files, why in items]
    widths = [max((len(row[column]) for row in shown), default=0) for column in (0, 1)]
    for key, files, why in shown:
        more = [f"and {len(why) - _MAX_REASONS} more"] if len(why) > _MAX_REASONS else []
        yield f"{key:<{widths[0]}}  {files:<{widths[1]}}  {'; '.join([*why[:_MAX_REASONS], *more])}".rstrip()
    if not items:
        yield f"nothing to generate on {agenda.branch}"
    if agenda.items:
        number = len(agenda.items)
        yield f"{count(number, 'phase')} would be made on {agenda.branch}{_price(agenda, now)}"
    if agenda.waiting:
        keys = ", ".join(one_line(key, _MAX_NAME) for key in agenda.waiting)
        yield f"not made by this run, because of what they need or lack: {keys}"


def _files(item: "AgendaItem") -> str:
    return _count(item.files) + (f", {len(item.unwritable)} without a template" if item.unwritable else "")


def _count(paths: Sequence[str]) -> str:
    return count(len(paths), "file")


def _why(agenda: "Agenda", item: "AgendaItem") -> list[str]:
    from bot.history.causes import NeverMade
    from bot.history.explanation_words import reason_words

    if agenda.is_new and all(isinstance(each, NeverMade) for each in item.causes):
        return ["new"]
    return [reason_words(each) for each in item.causes] or ["asked for"]


def _price(agenda: "Agenda", now: datetime) -> str:
    """Return the end of a sentence: what all of it likely takes, and from how much that is known."""
    tokens, measure = agenda.tokens, agenda.measure
    if not agenda.with_model:
        return " by templates, without tokens"
    if tokens is None:
        return "; tokens and cost are unknown, because no phase of this run was made by the model yet"
    if measure is None:
        return ", without tokens"
    files, commits = count(measure.files, "file"), count(measure.phases, "commit")
    per_file = f"as {files} in {commits} by {measure.model} in this run took"
    cost = f", {cost}" if (cost := _cost(agenda, now)) else ""
    return f"; about {sum(tokens):,} tokens ({tokens[0]:,} in, {tokens[1]:,} out){cost}, {per_file}"


def _cost(agenda: "Agenda", now: datetime) -> str | None:
    from bot.generation.llm.prices import estimate

    tokens, measure = agenda.tokens, agenda.measure
    return str(estimate({measure.model: tokens}, now)) or None if tokens and measure else None


def _as_json(agenda: "Agenda", now: datetime) -> dict[str, Any]:
    return {
        "run": agenda.run,
        "branch": agenda.branch,
        "phases": [
            {
                "key": item.phase.key,
                "files": list(item.files),
                "why": _why(agenda, item),
                "tokens": _tokens(agenda.tokens_of(item)),
                "without-template": list(item.unwritable),
            }
            for item in agenda.items
        ],
        "removed": {key: list(paths) for key, paths in agenda.removed.items()},
        "waiting": list(agenda.waiting),
        "tokens": _tokens(agenda.tokens),
        "cost": _cost(agenda, now),
        "measured": {"model": agenda.measure.model, "commits": agenda.measure.phases, "files": agenda.measure.files}
        if agenda.measure
        else None,
    }


def _tokens(tokens: tuple[int, int] | None) -> dict[str, int] | None:
    return None if tokens is None else {"in": tokens[0], "out": tokens[1]}
