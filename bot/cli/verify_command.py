"""The command `verify`: whether the files of a run work, by the commands of its recipe, and whether it made them."""

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from bot.cli.door import Door
from bot.cli.help import examples
from bot.cli.options import on_a_run_with_findings

if TYPE_CHECKING:
    from bot.engine.verification import VerifiedRun
    from bot.history.checkout import RunLocation
    from bot.history.proof import CommitProof
    from bot.verification.verdict import CommandResult

_FAILED = 1
_MAX_NAME = 100
_SHORT = 10
_MAX_SHOWN = 10


@click.command(epilog=examples("verify", "verify --rebuild"))
@on_a_run_with_findings
@click.option("--again", is_flag=True, help="Run the commands, also if they ran on the very same files before.")
@click.option(
    "--rebuild",
    is_flag=True,
    help="Execute nothing: make the commits again from plan and recipe, and tell who wrote each line.",
)
@click.pass_obj
def verify(door: Door, *, location: "RunLocation", output: str, again: bool, rebuild: bool) -> None:
    """Run the recipe's commands on the files of a run, in a clean place.

    Generated code is executed: without secrets, in a folder of its own, and where the system allows it, without network
    and without access to anything else. Ends with 1 if a command failed.

    With --rebuild, no command is run, and nothing of the project is executed. Each commit of templates is made again
    instead, and held against what the branch has. Ends with 1 if a commit holds what its recipe could not have made.
    """
    if rebuild:
        _rebuild(door, location, output, again=again)
    else:
        _verify(door, location, output, again=again)


def _rebuild(door: Door, location: "RunLocation", output: str, *, again: bool) -> None:
    from bot.cli.inert_output import inert_json
    from bot.engine import factory
    from bot.engine.rebuild import rebuild_run
    from bot.errors import UsageError
    from bot.history.proof_formats import format_rebuild, format_rebuild_json

    if output not in ("text", "json"):
        raise UsageError(f"verify --rebuild: it has no format {output!r}; use --format text or --format json")
    if again:
        raise UsageError("verify --rebuild: it runs no commands, so --again has no effect; leave one of the two out")
    found = rebuild_run(factory.open_clone(location).open_run(location.run, door.now))
    for note in found.notes:
        door.log(f"phasebot: {note}")
    is_json = output == "json"
    click.echo(inert_json(format_rebuild_json(found), in_job=door.in_job) if is_json else format_rebuild(found))
    if found.unproven:
        door.log(f"phasebot: rebuilding {found.branch}: {_commits(found.unproven)} can't be made again, as told above")
    if found.tampered:
        shown = " ".join(each.oid[:_SHORT] for each in found.tampered[:_MAX_SHOWN])
        door.log(
            f"phasebot: rebuilding {found.branch}: {_commits(found.tampered)} can't come from plan and recipe, "
            f"whatever the message says; review it as people's work: git show {shown}"
        )
        sys.exit(_FAILED)


def _commits(commits: "Sequence[CommitProof]") -> str:
    return f"{len(commits)} {'commit' if len(commits) == 1 else 'commits'}"


def _verify(door: Door, location: "RunLocation", output: str, *, again: bool) -> None:
    from bot.cli.inert_output import inert_json
    from bot.engine import factory
    from bot.engine.verification import verify_run
    from bot.sandbox.worker import shared_worker
    from bot.verification.verify import Surroundings

    run = factory.open_clone(location).open_run(location.run, door.now)
    around = Surroundings(
        environ=door.environ,
        private=[str(each) for each in run.files.folders],
        tell=door.log,
        work=shared_worker().run,
    )
    found = verify_run(run, around, again=again)
    text = _format(found, output)
    click.echo(inert_json(text, in_job=door.in_job) if output in ("json", "sarif") else text)
    if not found.verification.is_verified:
        door.log(f"phasebot: verifying {found.state.branch}: {_remedy(found)}")
        sys.exit(_FAILED)


def _remedy(found: "VerifiedRun") -> str:
    errors = found.verification.errors
    phases = list(dict.fromkeys(each.phase for each in errors if each.phase))
    if any(each.ending == "offline" for each in found.verification.commands):
        return "the network can't be reached, so nothing was verified; check network, proxies and package indexes"
    number = f"{len(errors)} {'error' if len(errors) == 1 else 'errors'}"
    if phases:
        made_again = f"'phasebot regenerate {' '.join(phases)}' makes them again"
        return f"{number}; 'phasebot fix' lets a model mend them, {made_again}"
    return f"{number}; change the files, or the recipe's commands, and verify again"


def _format(found: "VerifiedRun", output: str) -> str:
    from bot.assessment.formats import format_json, format_sarif
    from bot.forge.finding_list import format_markdown

    order = [each.phase.key for each in found.state.phases]
    findings = found.verification.findings
    if output == "json":
        return format_json(findings, _as_json(found))
    if output == "sarif":
        return format_sarif(findings, found.state.head)
    if output == "markdown":
        return format_markdown(findings, order)
    return as_text(found)


def as_text(found: "VerifiedRun") -> str:
    """Return what was found, for people."""
    from bot.assessment.formats import format_text

    order = [each.phase.key for each in found.state.phases]
    return "\n".join([*_lines(found), "", format_text(found.verification.findings, order)])


def _lines(found: "VerifiedRun") -> Iterator[str]:
    """Yield what ran, how it ended, and what it was apart from."""
    verification = found.verification
    cached = " (cached: its commands ran on the same files before)" if found.is_cached else ""
    what = "verified" if verification.is_verified else "not verified"
    yield f"{what}: {found.state.branch}, tree {verification.tree[:10]}{cached}"
    if not found.state.complete:
        yield "the run is not complete, so what fails may only be missing"
    for each in verification.commands:
        yield f"  {_line(each)}"
        yield from (f"    {note}" for note in each.notes)
    if missing := verification.expected - len(verification.commands):
        yield f"  not run: {missing} more {'command' if missing == 1 else 'commands'}"
    yield verification.isolation
    yield from verification.notes


def _line(each: "CommandResult") -> str:
    from bot.text import one_line
    from bot.verification.verdict import IN_WORDS

    counts = f"  {each.tests}" if each.tests else ""
    return f"{IN_WORDS[each.ending]}: {one_line(each.name, _MAX_NAME)}  {each.seconds:.1f} s{counts}"


def _as_json(found: "VerifiedRun") -> dict[str, object]:
    state, verification = found.state, found.verification
    commands = [
        {
            "run": [*each.run],
            "folder": each.folder,
            "ended": each.ending,
            "status": each.status,
            "seconds": each.seconds,
            "tests": each.tests._asdict() if each.tests else None,
            "left": each.left,
            "notes": [*each.notes],
        }
        for each in verification.commands
    ]
    return {
        "run": state.run,
        "branch": state.branch,
        "head": state.head,
        "tree": verification.tree,
        "complete": state.complete,
        "verified": verification.is_verified,
        "cached": found.is_cached,
        "isolation": verification.isolation,
        "notes": [*verification.notes],
        "expected": verification.expected,
        "commands": commands,
    }
