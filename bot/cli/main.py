"""The command line: the only module that reads the clock and sets exit codes, and with `secrets` the environment.

One program beside it reads the environment, too: :mod:`bot.cli.first_reaction`, which runs where nothing is installed.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, NoReturn

import click

from bot import __version__
from bot.cli.commands import COMMANDS
from bot.cli.door import Door
from bot.cli.help import EXIT_CODES, GroupedCommands
from bot.cli.options import name_variables
from bot.cli.secrets import NAMES
from bot.cli.streams import guarded_streams
from bot.errors import PhasebotError
from bot.history.child_process import end_all
from bot.redaction import Redactor

if TYPE_CHECKING:
    from bot.engine.snapshot import Announcer

_GIT_PLACES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_NAMESPACE")
"""Set inside git hooks; they would make git use another repository than ``--repo``."""
_PROGRAM = "GIT_PYTHON_GIT_EXECUTABLE"
"""GitPython would run it when it is imported, though Phasebot always runs git."""


@click.group(
    cls=GroupedCommands,
    context_settings={"auto_envvar_prefix": "PHASEBOT", "help_option_names": ["-h", "--help"]},
    epilog=EXIT_CODES,
)
@click.version_option(__version__, prog_name="phasebot")
def cli() -> None:
    """Generate a project phase by phase, one git commit per phase; run again to continue."""


cli.add_groups(COMMANDS)
name_variables(cli, "PHASEBOT")


def _announcer(log: Callable[[str], None]) -> "AbstractContextManager[Announcer]":
    from bot.cli.progress import LiveAnnouncer, PlainAnnouncer

    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        return LiveAnnouncer(time.monotonic, _now)
    return PlainAnnouncer(log)


def _now() -> datetime:
    return datetime.now().astimezone()


@contextmanager
def _exit_codes(log: Callable[[str], None]) -> Iterator[None]:
    """Turn every exception into one message and its exit code."""
    try:
        yield
    except click.exceptions.Exit as exc:
        sys.exit(exc.exit_code)
    except click.ClickException as exc:
        exc.show()
        sys.exit(exc.exit_code)
    except PhasebotError as exc:
        _fail(log, str(exc), exc.exit_code)
    except (KeyboardInterrupt, click.Abort):
        _fail(log, "interrupted; what was committed is kept, so run the same command again", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception:  # noqa: BLE001  # the only catch-all; the commits so far are safe
        import traceback

        log(traceback.format_exc())
        _fail(log, "an error in Phasebot itself (see above); what was committed is kept; please report it", 1)


def _fail(log: Callable[[str], None], message: str, code: int) -> NoReturn:
    log(f"phasebot: {message}")
    sys.exit(code)


def _interrupt(*_: object) -> NoReturn:
    """End all children before the process: a thread that waits for one would keep it, and a child keeps the token."""
    end_all()
    raise KeyboardInterrupt


def main(secrets: Mapping[str, str] = MappingProxyType({})) -> NoReturn:
    """Run the command line with *secrets*, which the environment does not hold, and exit."""
    environ = {**os.environ, **secrets}
    for name in (*_GIT_PLACES, _PROGRAM, *NAMES):
        os.environ.pop(name, None)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    # A spec given as text may begin with '- User: …', which click takes for an option; a leading blank is harmless.
    arguments = [f" {word}" if word.startswith(("- ", "* ")) else word for word in sys.argv[1:]]
    redactor = Redactor(environ.get(name, "").strip() for name in NAMES)
    in_job = environ.get("GITHUB_ACTIONS") == "true"
    with guarded_streams(redactor, in_job=in_job) as streams, _exit_codes(streams.err.log):
        door = Door(
            environ=environ,
            in_job=in_job,
            redactor=redactor,
            log=streams.err.log,
            tell_runner=streams.out.write_command,
            announcer=lambda: _announcer(streams.err.log),
            timer=time.monotonic,
            now=_now,
            stdin=lambda: sys.stdin.buffer.read(),  # noqa: PLW0108  # looked up when called: there may be no stdin
        )
        sys.exit(cli.main(arguments, standalone_mode=False, obj=door) or 0)
