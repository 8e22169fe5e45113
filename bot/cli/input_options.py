"""The inputs of action.yml, as options of the command that the action runs."""

import functools
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import click

from bot.cli.options import (
    FALLBACK_MODELS,
    MODEL,
    THINKING,
    Command,
    gemini_settings,
    is_said,
    read_options,
    with_options,
)

if TYPE_CHECKING:
    from bot.action.inputs import ActionInputs
    from bot.configuration import Configuration

_INPUT_KEYS = (
    *("provider", "model", "fallback-models", "recipe", "options", "output-dir", "base-branch", "jobs", "max-tokens"),
    *("repairs", "deadline-minutes", "draft", "page"),
)
_INPUTS = (
    click.option("--provider", type=click.Choice(["template", "gemini"])),
    click.option("--model", default=MODEL, show_default=True),
    click.option(
        "--fallback-models",
        default=" ".join(FALLBACK_MODELS),
        show_default=True,
        help="Model names, separated by blanks or commas.",
    ),
    click.option("--recipe", default="fastapi", show_default=True),
    click.option("--options", default="", help="Options of the recipe, NAME=VALUE, separated by blanks or commas."),
    click.option("--output-dir", default=".", show_default=True),
    click.option("--base-branch", metavar="NAME", help="Default: the repository's default branch."),
    click.option("--jobs", type=click.IntRange(1, 64), default=8, show_default=True),
    click.option("--max-tokens", type=click.IntRange(min=1), metavar="N"),
    click.option("--repairs", type=click.IntRange(0, 9), default=1, show_default=True, metavar="N"),
    click.option("--deadline-minutes", type=click.FloatRange(min=0, min_open=True), metavar="MINUTES"),
    click.option("--draft", type=bool, default=True, show_default=True),
    click.option("--page", type=bool, default=False, show_default=True),
)


def with_inputs(command: Command) -> Command:
    """Add the inputs of action.yml, set as ``PHASEBOT_ACTION_…``, handed to *command* as a function.

    A function, because a comment that is not a command needs no inputs, and must cost next to nothing.
    """

    @functools.wraps(command)
    def with_one_value(**values: Any) -> None:  # noqa: ANN401  # one for each option
        names = [key.replace("-", "_") for key in _INPUT_KEYS]
        given = {name: values.pop(name) for name in names}
        said = frozenset(name for name in names if is_said(name))
        environ = click.get_current_context().obj.environ

        def inputs() -> object:
            from bot.action.inputs import GivenInputs

            return GivenInputs(given["base_branch"], functools.partial(_complete_inputs, environ, given, said))

        command(inputs=inputs, **values)

    return with_options(with_one_value, _INPUTS)


def _complete_inputs(
    environ: Mapping[str, str], given: Mapping[str, Any], said: Collection[str], configured: "Configuration"
) -> "ActionInputs":
    from bot.action.inputs import ActionInputs
    from bot.configuration import ACTION_FILE, ACTION_KEYS
    from bot.generation.provider_factory import ProviderOptions

    values: dict[str, Any] = {
        **given,
        "fallback_models": given["fallback_models"].replace(",", " ").split(),
        "options": read_options(given["options"].replace(",", " ").split()),
    }
    origins = dict.fromkeys(said, "the workflow")
    for key, field in ACTION_KEYS.items():
        name, configured_value = key.replace("-", "_"), getattr(configured, field)
        if name not in said and configured_value is not None:
            values[name], origins[name] = configured_value, ACTION_FILE
    provider = values.pop("provider")
    models = (values.pop("model"), *values.pop("fallback_models"))
    gemini = gemini_settings(environ, provider)
    for name in ("recipe", "output_dir"):  # what nobody set is the spec's business
        values[name] = values[name] if name in origins else None
    return ActionInputs(
        provider=ProviderOptions(provider=provider, models=models, thinking=THINKING, gemini=gemini),
        origins=origins,
        **values,
    )
