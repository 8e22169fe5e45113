"""Where this installation of Phasebot comes from: the repository and the commit, which a workflow is pinned to.

Nothing is guessed.  A clone knows its remote and its commit; what pip or uv installed from a repository knows both from
``direct_url.json`` (PEP 610).
"""

import json
import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from bot.errors import UsageError
from bot.history.git import open_repository
from bot.history.remote_address import GITHUB, RemoteAddress
from bot.history.repository import Repository
from bot.text import shown, unix_newlines

WORKFLOW, FORM = ".github/workflows/phasebot.yml", ".github/ISSUE_TEMPLATE/generate.yml"
"""The files of this repository that others copy; a wheel has them in :data:`_PACKAGED`."""
_PACKAGED = "cli/init_files"
_NAMED = re.compile(r"([\w.-]{1,100}/[\w.-]{1,100})@([0-9a-f]{40})", re.ASCII)
_OID = re.compile(r"[0-9a-f]{40}")
_REMEDY = "name the commit yourself with --from OWNER/REPOSITORY@SHA, all 40 digits of it"


class Source(NamedTuple):
    """A commit of Phasebot on GitHub."""

    repository: str
    """``owner/name``."""
    commit: str


def named_source(text: str) -> Source:
    """Read a source that a person named.

    Raises:
        UsageError: It is not of the form OWNER/REPOSITORY@SHA.
    """
    match = _NAMED.fullmatch(text)
    if match is None or {"."} >= {*match[1].partition("/")[::2]} or ".." in match[1].split("/"):
        raise UsageError(f"--from {shown(text)}: it is not OWNER/REPOSITORY@SHA with all 40 digits of a commit's id")
    return Source(match[1], match[2])


def packaged_file(package: Path, path: str) -> str:
    """Return the text of *path*, one of the files that others copy, as *package* (the folder ``bot``) has it."""
    places = (package / _PACKAGED / Path(path).name, package.parent / path)
    return unix_newlines(next(place for place in places if place.is_file()).read_text(encoding="utf-8"))


def find_source(package: Path, direct_url: str | None) -> Source:
    """Return where *package* (the folder ``bot``) comes from; *direct_url* is what its installer recorded, if anything.

    Raises:
        UsageError: Nothing says where it comes from, or nobody else could get that commit.
    """
    if (package.parent / ".git").exists():
        return _of_clone(package.parent, package)
    try:
        recorded = json.loads(direct_url or "{}")
        url, vcs = str(recorded.get("url", "")), recorded.get("vcs_info") or {}
        commit = str(vcs.get("commit_id", "")) if vcs.get("vcs") == "git" else ""
    except (ValueError, AttributeError):
        url = commit = ""
    if commit:
        return _on_github(url, commit, "this installation")
    folder = Path(unquote(urlsplit(url).path)) if url.startswith("file:") else None
    if folder and (folder / ".git").exists():
        return _of_clone(folder, package)
    raise UsageError(f"pinning the workflow: nothing says which commit this installation comes from; {_REMEDY}")


def _of_clone(folder: Path, package: Path) -> Source:
    git = open_repository(folder)
    repository = Repository(git) if git else None
    commit = repository.oid("HEAD") if repository else None
    if repository is None or commit is None:
        raise UsageError(f"pinning the workflow: {folder} has no commit; {_REMEDY}")
    url = repository.git.run("remote", "get-url", "--", "origin")
    source = _on_github(url.text if url.status == 0 else "", commit, f"the clone {folder}")
    pushed = repository.git("for-each-ref", "--count=1", "--contains", commit, "refs/remotes/origin/")
    if not pushed:
        raise UsageError(
            f"pinning the workflow: commit {commit[:10]} of {folder} is not on its origin, as far as the clone knows, "
            f"so GitHub could not get it; push it, or {_REMEDY}"
        )
    entries = repository.entries(commit, [WORKFLOW, FORM])
    for path in (WORKFLOW, FORM):
        text = repository.blob(entries[path].oid).decode("utf-8", "replace") if path in entries else None
        if text is None or unix_newlines(text) != packaged_file(package, path):
            raise UsageError(
                f"pinning the workflow: {path} of this installation is not that of commit {commit[:10]} of {folder}; "
                f"commit and push the change, install again, or {_REMEDY}"
            )
    return source


def _on_github(url: str, commit: str, what: str) -> Source:
    address = RemoteAddress.of(url)
    if address is None or address.host != GITHUB or not _OID.fullmatch(commit):
        raise UsageError(f"pinning the workflow: {what} does not come from a repository on {GITHUB}; {_REMEDY}")
    return Source(address.repository, commit)
