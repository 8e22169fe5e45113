"""The doctor's checks of the repository: who commits, the remote, the base, and what its files set."""

import re
from collections.abc import Generator, Iterator
from pathlib import Path

from bot.configuration import ACTION_FILE, Configuration
from bot.engine.check import Check, guarded
from bot.errors import PushError
from bot.forge.workflow_file import read_pins
from bot.history.base import Base, BaseChooser, NamedBases
from bot.history.configuration_files import configuration_at
from bot.history.installation import WORKFLOW, packaged_file
from bot.history.remote import Remote, choose_remote
from bot.history.remote_address import RemoteAddress
from bot.history.repository import BRANCHES, Repository
from bot.text import unix_newlines

_RUN = "doctor"
"""The name of a run that nobody starts."""
_TIMEOUT = 20.0
_PINNED = re.compile(r"[^@]+@[0-9a-f]{40}")


def check_repository(repository: Repository, configuration: Configuration, package: Path) -> Iterator[Check]:
    """Yield what the checks find; *package* is the folder ``bot`` of this installation."""
    yield from _check_clone(repository)
    remote = _remote(repository)
    told = [*guarded("remote", lambda: _check_remote(remote))]
    yield from told
    default = yield from _check_base(repository, remote, None)
    base = default
    if configuration.base:
        base = yield from _check_base(repository, remote, configuration.base)
    if remote and base and base.oid and told[0].state == "ok":
        oid = base.oid
        yield from guarded("push", lambda: _check_push(remote, oid))
    if default and default.oid:
        oid, name = default.oid, default.name
        yield from guarded("settings", lambda: _check_settings(repository, oid, name))
        yield from guarded("workflow", lambda: _check_workflow(repository, oid, name, package))


def address_of(repository: Repository) -> RemoteAddress | None:
    """Return which repository on a server the remote is; None if there is none, or it is elsewhere."""
    remote = choose_remote(repository, None, required=False)
    url = repository.git.run("remote", "get-url", "--", remote) if remote else None
    return RemoteAddress.of(url.text) if url and url.status == 0 else None


def _remote(repository: Repository) -> Remote | None:
    name = choose_remote(repository, None, required=False)
    return Remote(repository, name, timeout=_TIMEOUT) if name else None


def _check_clone(repository: Repository) -> Iterator[Check]:
    git = repository.git
    if git.is_writable:
        kind = " (shallow)" if (git.common_dir / "shallow").exists() else ""
        yield Check("ok", f"repository {git.worktree}{kind}")
    else:
        yield Check("problem", f"{git.common_dir} can't be written", "get write permission for it, or clone it")
    if git.run("-c", "user.useConfigOnly=true", "var", "GIT_AUTHOR_IDENT").status == 0:
        author = repository.identity("AUTHOR")
        yield Check("ok", f"commits are by {author}")
    else:
        remedy = "run 'git config --global user.name NAME' and 'git config --global user.email ADDRESS'"
        yield Check("problem", "git does not know who commits", remedy)


def _check_remote(remote: Remote | None) -> Iterator[Check]:
    if remote is None:
        yield Check("ok", "there is no remote, so nothing is pushed")
        return
    number = len(remote.branches().names)
    yield Check("ok", f"{remote.name} answers; it has {number} {'branch' if number == 1 else 'branches'}")


def _check_base(
    repository: Repository, remote: Remote | None, named: str | None
) -> Generator[Check, None, Base | None]:
    """Yield whether a run could start, and return its base; None if it could not."""
    found: list[Base] = []

    def check() -> Iterator[Check]:
        chooser = BaseChooser(repository, remote, NamedBases(named=named), ask=True)
        base = chooser.decide(_RUN, None)
        found.append(base)
        at = f" at {base.oid[:10]}" if base.oid else ", which has no commit yet"
        yield Check("ok", f"runs can start from {base.name}{at}, as branches {BRANCHES}…")
        for note in base.notes:
            yield Check("unknown", note)

    yield from guarded("base", check)
    return found[0] if found else None


def _check_push(remote: Remote, oid: str) -> Iterator[Check]:
    try:
        remote.try_push(oid, f"{BRANCHES}{_RUN}")
    except PushError as exc:
        yield Check("problem", f"you can't push: {exc}")
    else:
        yield Check("ok", f"{remote.name} lets you push, as far as it tells beforehand")


def _check_settings(repository: Repository, commit: str, branch: str) -> Iterator[Check]:
    configuration = configuration_at(repository, commit)
    names = ", ".join(name.replace("_", "-") for name in configuration.model_dump(exclude_none=True))
    if names:
        yield Check("ok", f"{ACTION_FILE} on {branch} sets {names}")


def _check_workflow(repository: Repository, commit: str, branch: str, package: Path) -> Iterator[Check]:
    entry = repository.entries(commit, [WORKFLOW]).get(WORKFLOW)
    if entry is None or not entry.is_file:
        remedy = "run 'phasebot init' and push what it writes"
        yield Check("unknown", f"there is no {WORKFLOW} on {branch} as last fetched, so comments do nothing", remedy)
        return
    there = read_pins(unix_newlines(repository.blob(entry.oid).decode("utf-8", "replace")))
    uses = ", ".join(sorted(there.sources))
    loose = [each for each in there.sources if not _PINNED.fullmatch(each)]
    if loose or len(there.sources) > 1:
        remedy = "name one full commit id everywhere, as 'phasebot init' does"
        what = "which can become another commit at any time" if loose else "which are several commits"
        yield Check("problem", f"the workflow on {branch} uses {uses}, {what}", remedy)
        return
    pinned = f", pinned to {uses}" if uses else ""
    if there.text == read_pins(packaged_file(package, WORKFLOW)).text:
        yield Check("ok", f"the workflow is on {branch}{pinned}")
    else:
        remedy = "if that was not you: move it away, run 'phasebot init', and compare"
        yield Check("unknown", f"the workflow on {branch}{pinned} differs from that of this version", remedy)
