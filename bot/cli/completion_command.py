"""The command `completion`: what makes a shell complete commands, options, runs and phases."""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click
from click.shell_completion import CompletionItem, get_completion_class

from bot.cli.door import Door
from bot.cli.help import examples
from bot.errors import PhasebotError, UsageError

if TYPE_CHECKING:
    from bot.history.checkout import Checkout

_PROGRAM, _VARIABLE = "phasebot", "_PHASEBOT_COMPLETE"
_SHELLS = ("bash", "zsh", "fish")


class _Place(NamedTuple):
    """Where the script of a shell goes."""

    script: Path
    startup: Path | None
    """The file that the shell reads when it starts; None if it finds the script by itself."""
    line: str = ""
    """The line in that file that reads the script."""


@click.command(epilog=examples("completion --install", "completion zsh"))
@click.argument("shell", required=False, type=click.Choice(_SHELLS))
@click.option("--install", is_flag=True, help="Write the script to your home folder, and have the shell read it.")
@click.pass_obj
def completion(door: Door, *, shell: str | None, install: bool) -> None:
    """Print what makes your shell complete commands, options and phases.

    SHELL is bash, zsh or fish; without it, the one in $SHELL. With --install, new shells complete from then on.
    """
    shell = shell or _shell_of(door.environ)
    script = _script(shell)
    if not install:
        click.echo(script)
        return
    home = door.environ.get("HOME", "")
    if not home.startswith("/"):
        raise UsageError("installing the completion: HOME is not set; print the script without --install instead")
    for written in _install(_place(shell, Path(home), door.environ), script):
        door.log(f"phasebot: {written}")
    door.log(f"phasebot: new shells complete it; for this one, run 'exec {shell}'")


def _shell_of(environ: Mapping[str, str]) -> str:
    name = Path(environ.get("SHELL", "")).name
    if name not in _SHELLS:
        raise UsageError(
            f"completion: $SHELL is {name or 'not set'!r}, for which there is none; name one: {', '.join(_SHELLS)}"
        )
    return name


def _script(shell: str) -> str:
    kind = get_completion_class(shell)
    assert kind, "click has these"  # noqa: S101
    made = kind(click.Group(), {}, _PROGRAM, _VARIABLE)
    script = made.source_template % made.source_vars()  # without a look at the version of a bash
    if shell == "bash":  # the one of macOS knows no nosort, and no compopt
        setup = f"-F _{_PROGRAM}_completion {_PROGRAM}"
        script = script.replace(f"nosort {setup}", f"nosort {setup} 2>/dev/null || complete {setup}")
        script = script.replace("compopt -o dirnames", "compopt -o dirnames 2>/dev/null")
        script = script.replace("compopt -o default", "compopt -o default 2>/dev/null")
    return script


def _place(shell: str, home: Path, environ: Mapping[str, str]) -> _Place:
    data = Path(environ.get("XDG_DATA_HOME") or home / ".local/share") / _PROGRAM
    if shell == "fish":
        config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
        return _Place(config / "fish/completions" / f"{_PROGRAM}.fish", None)
    script = data / f"completion.{shell}"
    read = f"[ -r {shlex.quote(str(script))} ] && . {shlex.quote(str(script))}"
    if shell == "bash":
        return _Place(script, home / ".bashrc", f"{read}  # phasebot completion")
    loaded = "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }"
    startup = Path(environ.get("ZDOTDIR") or home) / ".zshrc"
    return _Place(script, startup, f"{loaded}; {read}  # phasebot completion")


def _install(place: _Place, script: str) -> list[str]:
    """Write what is not there yet, and return what was done.

    Raises:
        UsageError: A file can't be written.
    """
    try:
        place.script.parent.mkdir(parents=True, exist_ok=True)
        place.script.write_text(script + "\n")
        written = [f"wrote {place.script}"]
        if place.startup:
            before = place.startup.read_bytes() if place.startup.exists() else b""
            if place.line.encode() in before.split(b"\n"):
                return [*written, f"{place.startup} reads it already"]
            with place.startup.open("ab") as file:
                file.write(b"" if not before or before.endswith(b"\n") else b"\n")
                file.write(f"{place.line}\n".encode())
            written.append(f"added a line to {place.startup}")
    except OSError as exc:
        raise UsageError(
            f"installing the completion: {exc.filename}: {exc.strerror}; print the script without --install instead"
        ) from exc
    return written


def complete_spec(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Let the shell complete the name of a file."""
    return [CompletionItem(incomplete, type="file")]


def complete_run(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return the runs that have a branch in the clone; nothing where there is none."""
    try:
        clone = _clone(ctx)
    except PhasebotError:
        return []
    return [CompletionItem(each) for each in (clone.runs if clone else ()) if each.startswith(incomplete)]


def complete_phase(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return the phases of the run that is meant, with their titles; nothing where that is not clear."""
    try:
        if (clone := _clone(ctx)) is None:
            return []
        run = clone.open_run(ctx.params.get("run"), ctx.obj.now)
        run.branch.read()
        plan = run.branch.view().plan
    except PhasebotError:
        return []
    phases = plan.phases if plan else ()
    return [CompletionItem(each.key, help=each.title) for each in phases if each.key.startswith(incomplete)]


def _clone(ctx: click.Context) -> "Checkout | None":
    """Return the clone without the engine, whose import takes as long as all the rest."""
    from bot.generation.templates import render_phase
    from bot.history.checkout import RunLocation, find_checkout

    folder = Path(ctx.params.get("repo") or os.curdir)
    return find_checkout(
        RunLocation(folder=folder, run=ctx.params.get("run"), push=False, read_only=True), render_phase
    )
