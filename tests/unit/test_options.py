"""The options that several commands share."""

import click

from bot.cli import commands
from bot.cli.status_command import status


def test_only_generate_says_that_it_creates_the_repository() -> None:
    sharing = (commands.generate, commands.regenerate, commands.rollback, status)
    helps = {
        command.name: option.help
        for command in sharing
        for option in command.params
        if option.name == "repo" and isinstance(option, click.Option)
    }
    assert helps == {
        "generate": "The repository; created if it does not exist or is empty.",
        "regenerate": "The repository.",
        "rollback": "The repository.",
        "status": "The repository.",
    }
