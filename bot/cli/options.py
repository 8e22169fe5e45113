"""The options that several commands share, each set handed to its command as one value."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bot.generation.provider_factory import ProviderOptions

_MODEL = "gemini-3.8-flash"
_FALLBACK_MODELS = ("gemini-3.7-flash", "gemini-3.5-flash-lite")  # others' quota and capacity
_THINKING = "medium"


def on_a_run(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say which run, and hand them to *command* as its place; and the output's format."""
    return _with_place(command, "The repository.")


def on_a_new_run(command: Callable[..., None]) -> Callable[..., None]:
    """Do the same as :func:`on_a_run` for a command that may create the repository."""
    return _with_place(command, "The repository; created if it does not exist or is empty.")


def _with_place(command: Callable[..., None], repo_help: str) -> Callable[..., None]:
    options = (
        click.option("--repo", default=".", show_default=True, type=click.Path(path_type=Path), help=repo_help),
        click.option(
            "--run", metavar="NAME", help="Default: the spec's name, else the one checked out or the only one."
        ),
        click.option("--base", metavar="REF", help="What a new branch starts from; default: the default branch."),
        click.option("--remote", metavar="NAME", help="Default: origin, else the only one."),
        click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True),
    )

    @functools.wraps(command)
    def with_place(  # one for each option
        *,
        repo: Path,
        run: str | None,
        base: str | None,
        remote: str | None,
        push: bool | None = None,
        **rest: object,
    ) -> None:
        from bot.history.run_location import RunLocation

        command(place=RunLocation(folder=repo, run=run, base=base, remote=remote, push=push), **rest)

    for option in reversed(options):
        with_place = option(with_place)
    return with_place


def with_a_provider(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say who plans and who writes, and hand them to *command* as its choice."""
    options = (
        click.option(
            "--provider",
            type=click.Choice(["template", "gemini"]),
            help="Default: gemini if GEMINI_API_KEY is set, else template.",
        ),
        click.option("--model", default=_MODEL, show_default=True),
        click.option(
            "--fallback-model",
            multiple=True,
            default=_FALLBACK_MODELS,
            show_default=True,
            help="Asked when the one before can't answer; repeatable, in order; '' for none.",
        ),
        click.option(
            "--thinking",
            type=click.Choice(["minimal", "low", "medium", "high", "xhigh"]),
            default=_THINKING,
            show_default=True,
            help="How long a model thinks, which is paid for.",
        ),
    )

    @functools.wraps(command)
    def with_choice(
        *, provider: str | None, model: str, fallback_model: Sequence[str], thinking: str, **rest: object
    ) -> None:
        from bot.generation.provider_factory import ProviderOptions

        models = (model, *filter(None, fallback_model))
        command(choice=ProviderOptions(provider=provider, models=models, thinking=thinking), **rest)

    for option in reversed(options):
        with_choice = option(with_choice)
    return with_choice


def with_work(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of commands that make phases, below those of :func:`with_a_provider`, and hand on its limits."""
    options = (
        click.option("--fallback", type=click.Choice(["template"]), help="Who makes the files that the model can't."),
        click.option(
            "--cascade", is_flag=True, help="Also make phases again that need one which is newer than they are."
        ),
        click.option(
            "--jobs", type=click.IntRange(1, 64), default=8, show_default=True, help="Phases made at the same time."
        ),
        click.option("--push/--no-push", default=None, help="Default: push if there is a remote."),
        click.option(
            "--max-tokens",
            type=click.IntRange(min=1),
            metavar="N",
            help="Stop before the whole run needs more, restarts included.",
        ),
        click.option(
            "--deadline",
            type=click.FloatRange(min=0, min_open=True),
            metavar="MINUTES",
            help="Stop in time; run again to continue.",
        ),
    )

    @functools.wraps(command)
    def with_limits(
        *,
        choice: "ProviderOptions",
        fallback: str | None,
        jobs: int,
        max_tokens: int | None,
        deadline: float | None,
        **rest: object,
    ) -> None:
        from bot.engine.requests import Limits

        limits = Limits(jobs=jobs, seconds=deadline * 60 if deadline else None, tokens=max_tokens)
        command(choice=replace(choice, fallback=fallback), limits=limits, **rest)

    for option in reversed(options):
        with_limits = option(with_limits)
    return with_limits


def with_inputs(command: Callable[..., None]) -> Callable[..., None]:
    """Add the inputs of action.yml, which come as ``PHASEBOT_ACTION_…``, and hand them to *command* as one value."""
    options = (
        click.option("--provider", type=click.Choice(["template", "gemini"])),
        click.option("--model", default=_MODEL, show_default=True),
        click.option(
            "--fallback-models", default=" ".join(_FALLBACK_MODELS), show_default=True, help="Names, by blank or comma."
        ),
        click.option("--recipe", default="fastapi", show_default=True),
        click.option("--output-dir", default=".", show_default=True),
        click.option("--base-branch", metavar="NAME", help="Default: the repository's default branch."),
        click.option("--jobs", type=click.IntRange(1, 64), default=8, show_default=True),
        click.option("--max-tokens", type=click.IntRange(min=1), metavar="N"),
        click.option("--deadline-minutes", type=click.FloatRange(min=0, min_open=True), metavar="MINUTES"),
        click.option("--draft", type=bool, default=True, show_default=True),
    )

    @functools.wraps(command)
    def with_one_value(  # noqa: PLR0913  # one for each option
        *,
        provider: str | None,
        model: str,
        fallback_models: str,
        recipe: str,
        output_dir: str,
        base_branch: str | None,
        jobs: int,
        max_tokens: int | None,
        deadline_minutes: float | None,
        draft: bool,
        **rest: object,
    ) -> None:
        def inputs() -> object:
            from bot.action.result import ActionInputs
            from bot.generation.provider_factory import ProviderOptions

            models = (model, *fallback_models.replace(",", " ").split())
            return ActionInputs(
                choice=ProviderOptions(provider=provider, models=models, thinking=_THINKING),
                recipe=recipe,
                output_dir=output_dir,
                base=base_branch,
                jobs=jobs,
                tokens=max_tokens,
                minutes=deadline_minutes,
                draft=draft,
            )

        command(inputs=inputs, **rest)

    for option in reversed(options):
        with_one_value = option(with_one_value)
    return with_one_value
