"""The options that several commands share, each set handed to its command as one value."""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path

import click


def on_a_run(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say which run, and hand them to *command* as its place; and the output's format."""
    options = (
        click.option(
            "--repo",
            default=".",
            show_default=True,
            type=click.Path(path_type=Path),
            help="The repository; made if it is not there or empty.",
        ),
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
        from bot.history.opening import Place

        command(place=Place(folder=repo, run=run, base=base, remote=remote, push=push), **rest)

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
        click.option("--model", default="gemini-3.8-flash", show_default=True),
        click.option(
            "--fallback-model",
            multiple=True,
            default=("gemini-3.7-flash", "gemini-3.5-flash-lite"),  # others' quota and capacity
            show_default=True,
            help="Asked when the one before can't answer; repeatable, in order; '' for none.",
        ),
        click.option(
            "--thinking",
            type=click.Choice(["minimal", "low", "medium", "high", "xhigh"]),
            default="medium",
            show_default=True,
            help="How long a model thinks, which is paid for.",
        ),
    )

    @functools.wraps(command)
    def with_choice(
        *, provider: str | None, model: str, fallback_model: Sequence[str], thinking: str, **rest: object
    ) -> None:
        from bot.generation.opening import Choice

        models = (model, *filter(None, fallback_model))
        command(choice=Choice(provider=provider, models=models, thinking=thinking), **rest)

    for option in reversed(options):
        with_choice = option(with_choice)
    return with_choice
