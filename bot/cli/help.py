"""How `--help` looks: commands in groups, nothing cut, and an example for each command."""

from collections.abc import Mapping, Sequence

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
    """A group that lists its commands by subject, in the order in which they were given."""

    def add_groups(self, groups: Mapping[str, Sequence[click.Command]]) -> None:
        """Add commands: title → commands."""
        self._groups = groups
        for commands in groups.values():
            for command in commands:
                self.add_command(command)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's own signature
        return [*self.commands]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # the same
        for title, commands in self._groups.items():
            with formatter.section(title):
                formatter.write_dl([(each.name or "", _first_sentence(each)) for each in commands])


def _first_sentence(command: click.Command) -> str:
    return (command.help or "").partition("\n\n")[0].replace("\n", " ").rstrip(".")
