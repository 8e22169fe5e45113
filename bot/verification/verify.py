"""Runs the commands of a recipe on a tree, one after the other, in one clean place, and collects what they say."""

import os
import pwd
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import which
from typing import Any

from bot.errors import PhasebotError
from bot.planning.recipe_model import VerifyCommand
from bot.sandbox.protocol import Failure, Run
from bot.text import one_line
from bot.verification.command import Call, Ran, find_isolation, run_command
from bot.verification.environment import Passed, as_installer, environment, for_installing, needs_venv, system_path
from bot.verification.faults import Findings, Said
from bot.verification.launcher import NETWORK, NOBODY, PROCESSES, USER
from bot.verification.limits import Limits
from bot.verification.place import Place, clean_place, give_to, read_file
from bot.verification.remarks import MAX_REPORT, Report
from bot.verification.stages import Heard, Rerun, Staged, blame_phases, not_found, with_notes
from bot.verification.verdict import IN_WORDS, CommandResult, Counts, Ending, Verification

_OUTPUT = 256 << 10
_PROBING = Limits(seconds=30)
_PREPARING = Limits(seconds=120)
_RESOLVER = "/etc/resolv.conf"
_OFFLINE = (
    *("name resolution", "name or service not known", "nodename nor servname", "failed to resolve", "dns error"),
    *("network is unreachable", "no route to host", "connection refused", "connection timed out", "connect timeout"),
    *("failed to establish a new connection", "tcp connect error", "error sending request", "proxyerror"),
    *("could not connect", "network connectivity is disabled", "enotfound", "econnrefused", "eai_again"),
)
"""What programs print that don't reach the network, in small letters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the commands may know of the system."""

    environ: Mapping[str, str]
    """The caller's environment; commands get next to nothing of it."""
    private: Sequence[str] = ()
    """Folders that no command may look into, where the system allows it."""
    tell: Callable[[str], None]
    """Print a line of progress."""
    work: Run
    """The bounded worker, which reads reports."""

    @property
    def hidden(self) -> Sequence[str]:
        homes = [self.environ.get("HOME", ""), os.path.expanduser("~root")]  # noqa: PTH111  # there may be none
        with suppress(KeyError):
            homes.append(pwd.getpwuid(os.getuid()).pw_dir)
        shared = ["/run", "/tmp", "/var/tmp", "/home", tempfile.gettempdir()]  # noqa: S108
        return [each for each in (*homes, *shared, *self.private) if each.startswith("/")]

    @property
    def packages(self) -> Path | None:
        """The folder in which downloaded packages are kept; it is not the user's own, which code could spoil."""
        home = self.environ.get("HOME")
        cache = self.environ.get("XDG_CACHE_HOME") or (f"{home}/.cache" if home else "")
        folder = Path(cache, "phasebot", "packages")
        if not cache.startswith("/"):
            return None
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            return folder.resolve()
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The project to verify, in a clean place."""

    place: Place
    folder: str
    """In the tree."""
    files: frozenset[str]
    """Inside the folder."""
    findings: Findings
    write_again: Callable[[Mapping[str, str]], None]
    """Write it anew into the place, which is empty, with other texts of some files: path inside the folder → text."""
    stages: Callable[[], Staged]
    """Make the files of templates again, and hold the project's against them."""


def verify_project(
    commands: Sequence[VerifyCommand],
    tree: str,
    open_project: Callable[[Place], tuple[Project, Sequence[str]]],
    around: Surroundings,
) -> Verification:
    """Run *commands* on the tree with the id *tree*; after a failed installation, the others are not run.

    *open_project* writes the tree into the place, and returns the project with notes about it.

    Raises:
        PhasebotError: The tree can't be written, or no process be started.
    """
    with clean_place() as place:
        project, notes = open_project(place)
        runner = _Runner(project, around)
        if any(needs_venv(each.run) for each in commands):
            runner.make_venv()
        results = list[CommandResult]()
        for command in commands:
            results.append(runner.run(command)[0])
            if command.network and results[-1].ending != "passed":
                break
        return Verification(
            tree=tree,
            commands=[runner.blame(each, result) for each, result in zip(commands, results, strict=False)],
            isolation=isolation_in_words(runner.apart),
            expected=len(commands),
            notes=[*notes, *(runner.passed.notes if any(each.network for each in commands) else ())],
        )


def isolation_in_words(apart: frozenset[str]) -> str:
    """Return what the system let commands be apart from, in one sentence."""
    processes = "no process and no file outside the clean place within their reach"
    network = "network only for the step that installs"
    if {PROCESSES, NETWORK} <= apart:
        return f"The commands had {network}, and {processes}."
    if NETWORK in apart:
        return f"The commands had {network}, but this system does not let them be apart from other processes and files."
    who = "that the user nobody can reach" if USER in apart else "that you can reach"
    return f"This system does not let commands be apart: they could use the network, processes and files {who}."


def probe_isolation() -> frozenset[str]:
    """Return what this system lets commands be apart from; a command that does nothing is run to see it."""
    python = os.path.realpath(sys.executable)
    with clean_place() as place:
        call = Call(
            run=[python, "-I", "-S", "-c", ""],
            folder=place.root,
            environment={},
            place=place.root,
            shown=[sys.base_prefix, sys.base_exec_prefix, python],
            limits=_PROBING,
        )
        return find_isolation(call)


class _Runner:
    """Runs commands in one place."""

    def __init__(self, project: Project, around: Surroundings) -> None:
        self._project, self._around = project, around
        self.passed: Passed = for_installing(around.environ)
        self._path = system_path(around.environ.get("PATH", ""), around.hidden)
        found = which("uv", path=os.pathsep.join([around.environ.get("PATH", ""), str(Path(sys.executable).parent)]))
        self._uv = os.path.realpath(found) if found else ""
        self._python = os.path.realpath(sys.executable)
        self.apart = find_isolation(self._call([self._python, "-I", "-S", "-c", ""], project.place.root, _PROBING))

    def make_venv(self) -> None:
        """Make the environment that `python` and `pip` belong to.

        Raises:
            PhasebotError: It can't be made.
        """
        venv = str(self._project.place.venv)
        by_uv = [self._uv, "venv", "--quiet", "--no-config", "--python", self._python, venv]
        by_python = [self._python, "-m", "venv", venv]
        folders = self._project.place.folders(".")
        call = self._call(by_uv if self._uv else by_python, Path(folders.home), _PREPARING)
        cache = {"UV_CACHE_DIR": f"{folders.temporary}/uv", "UV_PYTHON_DOWNLOADS": "never"}
        ran = run_command(replace(call, environment={**call.environment, **cache}), self.apart)
        if ran.ending != "passed":
            why = one_line(ran.why or ran.err.content.decode("utf-8", "replace"), 300)
            raise PhasebotError(f"verifying: no Python environment can be made ({IN_WORDS[ran.ending]}): {why}")

    def blame(self, command: VerifyCommand, result: CommandResult) -> CommandResult:
        """Return *result* with what the blame step finds out; the place is another one afterwards."""
        project = self._project
        if result.ending != "failed" or not result.faults:
            return result

        def run(texts: Mapping[str, str]) -> Heard:
            folders = project.place.empty()
            project.write_again(texts)
            for folder in folders if os.geteuid() == 0 else ():
                give_to(NOBODY if USER in self.apart else 0, folder)
            again, said = self.run(command)
            return Heard(again, project.findings.passed(said))

        rerun = Rerun(run=run, tell=self._around.tell, now=time.monotonic)
        try:
            return blame_phases(result, project.stages(), project.findings.ground, project.folder, rerun)
        except (OSError, PhasebotError) as exc:  # code may have spoiled the place
            return with_notes(result, [not_found(len(result.faults), one_line(str(exc), 300))])

    def run(self, command: VerifyCommand) -> tuple[CommandResult, Said]:
        """Run one command, and return what it said."""
        name = one_line(" ".join(command.run), 120)
        self._around.tell(f"running: {name}")
        folders = self._project.place.folders(self._project.folder)
        notes = list(self._remove_old_report(command, Path(folders.project)))
        keep = MAX_REPORT if command.findings != "plain" and not command.report else _OUTPUT
        run = list(as_installer(command.run, self._uv))
        call = self._call(run, Path(folders.project, command.folder), Limits(command.seconds))
        call = replace(call, keep=keep, network=command.network)
        ran = run_command(self._with_network(call) if command.network else call, self.apart)
        report = self._report(command, ran, Path(folders.project))
        said = Said(
            run=command.run,
            folder=command.folder,
            project=folders.project,
            ending=_ending(command, ran),
            status=ran.status,
            output=_output(ran),
            report=report,
            why=ran.why,
        )
        findings, faults = self._project.findings.of(said)
        notes += [f"its report has {report.left_out:,} more findings"] if report.left_out else []
        notes += _left(ran.left)
        result = CommandResult(
            run=list(command.run),
            folder=command.folder,
            ending=said.ending,
            status=ran.status,
            seconds=round(ran.seconds, 1),
            tests=Counts(report.passed, report.failed, report.skipped) if report.tests and not report.problem else None,
            findings=findings,
            faults=faults,
            left=ran.left,
            notes=notes,
        )
        counts = f", {result.tests}" if result.tests else ""
        self._around.tell(f"{IN_WORDS[result.ending]}: {name}  {result.seconds:.1f} s{counts}")
        return result, said

    def _call(self, run: Sequence[str], folder: Path, limits: Limits) -> Call:
        place = self._project.place
        return Call(
            run=run,
            folder=folder,
            environment=environment(place.folders(self._project.folder), self._path),
            place=place.root,
            hidden=self._around.hidden,
            shown=[sys.base_prefix, sys.base_exec_prefix, self._python, *([self._uv] if self._uv else [])],
            limits=limits,
        )

    def _with_network(self, call: Call) -> Call:
        """Return the call of a command that installs: with what leads to package indexes, and a cache."""
        own = self._around.packages
        if own and os.geteuid() == 0:
            give_to(NOBODY if USER in self.apart else 0, own)
        cache = own or Path(call.environment["TMPDIR"], "packages")
        settings = {"UV_CACHE_DIR": str(cache / "uv"), "PIP_CACHE_DIR": str(cache / "pip"), "UV_LINK_MODE": "copy"}
        return replace(
            call,
            environment={**call.environment, **self.passed.variables, **settings},
            shown=[*call.shown, *self.passed.paths, _RESOLVER],
            writable=[str(own)] if own else [],
        )

    def _remove_old_report(self, command: VerifyCommand, project: Path) -> Iterator[str]:
        """Remove the report that the tree holds already, so that no other report than the command's is read."""
        path = project / command.report if command.report else None
        if path and (path.is_file() or path.is_symlink()):
            path.unlink()
            if command.report in self._project.files:
                yield f"the project's own {command.report} was removed, because the command writes its report there"

    def _report(self, command: VerifyCommand, ran: Ran, project: Path) -> Report:
        """Return what the command's report says."""
        content: bytes | None
        if command.report:
            content = read_file(project / command.report, self._project.place.root, MAX_REPORT)
            if content is None:
                return Report(problem=f"there is no {command.report}", tests=command.findings == "junit")
        elif command.findings == "plain":
            content = _output(ran).encode()
        else:
            content = ran.out.content
        if len(content) > MAX_REPORT or not (ran.out.is_whole or command.report or command.findings == "plain"):
            return Report(problem=f"it is larger than {MAX_REPORT >> 20} MB")
        (answer,) = self._around.work("report", command.findings, [content.decode("utf-8", "replace")])
        return _read(answer)


def _read(answer: Any | Failure) -> Report:  # noqa: ANN401  # JSON of the worker's
    return Report(problem=answer.what) if isinstance(answer, Failure) else Report.from_json(answer)


def _ending(command: VerifyCommand, ran: Ran) -> Ending:
    """Return how a command ended; one that installs may have failed because there is no network."""
    printed = _output(ran).lower()
    is_offline = command.network and ran.ending in ("failed", "time") and any(each in printed for each in _OFFLINE)
    return "offline" if is_offline else ran.ending


def _output(ran: Ran) -> str:
    return "\n".join(each.content.decode("utf-8", "replace") for each in (ran.out, ran.err))


def _left(number: int) -> Iterator[str]:
    if number:
        yield f"it left {number} {'process' if number == 1 else 'processes'} behind, which Phasebot ended"
