"""``python -m bot``, and the ``phasebot`` command."""

from typing import NoReturn

from bot.cli.secrets import take_secrets


def run() -> NoReturn:
    """Run the command line in a process whose environment holds no secret, and exit."""
    secrets = take_secrets()  # before anything is imported, because it may start the process again
    from bot.cli.main import main

    main(secrets)


if __name__ == "__main__":
    run()
