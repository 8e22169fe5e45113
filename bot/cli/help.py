"""How `--help` looks: commands in groups, nothing cut, and an example for each command."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

EXIT_CODES = """\
\b
Exit codes:
  0    complete, or nothing to do
  1    failed; what was finished is committed
  2    a bad spec, plan, name or option; nothing was written
  3    incomplete; the last line says why, and what to do
  130  interrupted; what was finished is committed
"""


def examples(*lines: str) -> str:
    """Return the end of a command's help: command lines without ``phasebot`` before them."""
    title = "Example:" if len(lines) == 1 else "Examples:"
    return "\n".join(["\b", title, *(f"  phasebot {line}" for line in lines)])


class GroupedCommands(click.Group):
    """A group that lists its commands whole, in the order in which they were given, and by subject."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401  # click's own signature
        super().__init__(*arguments, **options)
        self._titles: dict[str, str] = {}

    def add_groups(self, groups: Mapping[str, Sequence[click.Command]]) -> None:
        """Add commands: title → commands."""
        for title, commands in groups.items():
            for command in commands:
                self.add_command(command)
                self._titles[command.name or ""] = title

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's own signature
        return [*self.commands]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # the same
        groups = dict[str, list[tuple[str, str]]]()
        for name, command in self.commands.items():
            groups.setdefault(self._titles.get(name, "Commands"), []).append((name, _first_sentence(command)))
        for title, rows in groups.items():
            with formatter.section(title):
                formatter.write_dl(rows)


def _first_sentence(command: click.Command) -> str:
    return (command.help or "").partition("\n\n")[0].replace("\n", " ").rstrip(".")
