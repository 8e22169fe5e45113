"""The command `doctor`: whether Phasebot can work here, one line for each check."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.door import Door
from bot.cli.help import examples
from bot.cli.options import FALLBACK_MODELS, MODEL
from bot.errors import UsageError

if TYPE_CHECKING:
    from bot.engine.check import Check

_FAILED = 1


@click.command(epilog=examples("doctor", "doctor --repo ../shop --format json"))
@click.option("--repo", default=".", show_default=True, type=click.Path(path_type=Path), help="The repository.")
@click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def doctor(door: Door, *, repo: Path, output: str) -> None:
    """Check whether Phasebot can work here; change nothing.

    Each line says 'ok', 'problem' or 'unknown', what was checked, and what to do. Looks at the computer, git, the
    repository and its remote, GEMINI_API_KEY, and with GITHUB_TOKEN at the repository's settings on GitHub. Ends with
    1 if there is a problem.
    """
    import json

    from bot.cli.inert_output import inert_json

    found: list[Check] = []
    for check in _checks(door, repo):
        found.append(check)
        if output == "text":
            click.echo(str(check))
    if output == "json":
        content = [each._asdict() for each in found]
        click.echo(inert_json(json.dumps(content, indent=2, ensure_ascii=False), in_job=door.in_job))
    if problems := sum(each.state == "problem" for each in found):
        door.log(f"phasebot: {problems} {'problem' if problems == 1 else 'problems'}")
        sys.exit(_FAILED)


def _checks(door: Door, repo: Path) -> Iterable["Check"]:
    try:
        from bot.engine.doctor import Examination, examine
    except UsageError as exc:  # there is no git, which is looked for when it is imported
        from bot.engine.check import Check

        return [Check("problem", str(exc))]
    return examine(
        Examination(
            folder=repo,
            search=repo == Path(),
            environ=door.environ,
            package=Path(__file__).parents[1],
            models=(MODEL, *FALLBACK_MODELS),
        )
    )
