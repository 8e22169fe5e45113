"""Read and write a repository's refs, commits, trees and blobs."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.errors import RepositoryError, UsageError
from bot.history.git import Git, main_line, remedy_for
from bot.history.run_state import Commit, Entry
from bot.history.trailers import Trailers

BRANCHES = "phasebot/"
"""Prefix of every run's branch, ``phasebot/<run>``."""

_IDENTITY = re.compile(r"(.*) <(.*)> (\d+ [+-]\d{4})")
_ABSENT_MODE = "000000"
_MAX_ARGUMENTS = 400
"""Paths per git call; the length of a command line is limited."""
_SHA1_DIGITS = 40
_BATCH_FIELDS = 3
"""Fields in a header of ``git cat-file --batch``: object id, type and size."""


@dataclass(frozen=True, slots=True)
class Identity:
    """An author or committer."""

    name: str
    email: str

    def at(self, moment: datetime) -> str:
        """Return the identity and time as git stores them in a commit; *moment* has a time zone.

        Git knows hours and minutes of a zone only; zones of old with seconds are rounded down.
        """
        return f"{self.name} <{self.email}> {int(moment.timestamp())} {moment.strftime('%z')[:5]}"


_FALLBACK_IDENTITY = Identity("Phasebot", "phasebot@localhost")


def branch_ref(run: str) -> str:
    """Return the full name of the branch of *run*."""
    return f"refs/heads/{BRANCHES}{run}"


class Repository:
    """The refs and objects of a repository."""

    def __init__(self, git: Git) -> None:
        self.git = git
        self._cached_blobs: dict[str, bytes] = {}

    def oid(self, ref: str) -> str | None:
        """Return the id of the commit that *ref* points to; None if there is none."""
        result = self.git.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        return result.text if result.status == 0 else None

    def has_branch(self, run: str, remote: str | None) -> bool:
        """Whether *run* has a local branch or a remote-tracking branch of *remote*."""
        tracking_ref = f"refs/remotes/{remote}/{BRANCHES}{run}"
        return bool(self.oid(branch_ref(run)) or (remote and self.oid(tracking_ref)))

    def refs(self, prefix: str) -> dict[str, str]:
        """Return the refs that start with *prefix*: name → object id."""
        rows = self.git("for-each-ref", "--format=%(refname) %(objectname)", prefix).split("\n")
        return {name: oid for name, _, oid in (row.partition(" ") for row in rows if row)}

    def current_branch(self) -> str | None:
        """Return the checked-out branch, which may be unborn; None if HEAD is detached."""
        result = self.git.run("symbolic-ref", "--quiet", "HEAD")  # a short name is longer where a tag has it, too
        return result.text.removeprefix("refs/heads/") if result.status == 0 else None

    def default_base(self, remote: str | None) -> str:
        """Return the name of the default branch: the remote's, else ``main``, ``master`` or the checked-out branch."""
        if remote:
            prefix = f"refs/remotes/{remote}/"
            result = self.git.run("symbolic-ref", "--quiet", f"{prefix}HEAD")
            name = result.text.removeprefix(prefix)
            # A forge makes the first pushed branch its default, even a run's; the ref may be older than a renaming.
            if result.status == 0 and not name.startswith(BRANCHES) and self.oid(f"{prefix}{name}"):
                return name
        local = self.refs("refs/heads/")
        configured = self.git.run("config", "init.defaultBranch").text
        for name in ("main", "master", configured):
            if f"refs/heads/{name}" in local or (remote and self.oid(f"refs/remotes/{remote}/{name}")):
                return name
        head = self.current_branch()
        if head is None:
            return "HEAD"
        return (configured or "main") if head.startswith(BRANCHES) else head

    def base_oid(self, base: str, remote: str | None) -> str | None:
        """Return the commit that *base* names; the remote-tracking branch wins, as the local one may be outdated."""
        names = [f"refs/remotes/{remote}/{base}"] if remote else []
        return next((oid for name in [*names, f"refs/heads/{base}", base] if (oid := self.oid(name))), None)

    def merge_base(self, one: str, other: str) -> str | None:
        """Return the best common ancestor; None if the histories are unrelated."""
        result = self.git.run("merge-base", one, other)
        return result.text or None

    def log(self, base: str | None, head: str) -> list[Commit]:
        """Return the first-parent commits of ``base..head``, oldest first."""
        return self._log("--first-parent", "--reverse", f"{base}..{head}" if base else head, "--")

    def commits(self, oids: Sequence[str]) -> list[Commit]:
        """Return the commits *oids*."""
        return self._log("--no-walk=unsorted", "--stdin", stdin="".join(f"{oid}\n" for oid in oids)) if oids else []

    def _log(self, *arguments: str, stdin: str = "") -> list[Commit]:
        out = self.git.run(
            *("log", "-z", "--diff-merges=first-parent"),
            *("--raw", "--no-abbrev", "--no-renames", "--no-color", "--root"),
            "--format=%H%x00%(trailers:only,unfold)%x00%b%x00",
            *arguments,
            stdin=stdin.encode(),
        )
        if out.status != 0:
            raise RepositoryError(
                f"reading the history ({' '.join(arguments)}): {main_line(out.err)}; {remedy_for(out.err)}"
            )
        return list(_commits(out.out.decode("utf-8", "surrogateescape").split("\0")))

    def run_parent(self, run: str, head: str) -> str | None:
        """Return the parent of the first commit of *run* in the first-parent history of *head*.

        It is None if that is a root commit, and *head* if the history has no commit of *run*.
        """
        name = run.replace(".", "[.]")
        found = self.git(
            *("log", "--first-parent", "--reverse", "--format=%H %P", f"--grep=^Phasebot-Run: {name}$"),
            *("--extended-regexp", head, "--"),
        )
        if not found:
            return head
        return found.split("\n")[0].split(" ")[1] or None

    def oids_by_authorship(self, base: str | None, head: str) -> dict[str, str]:
        """Return what a rebase leaves unchanged in each commit of ``base..head``: author, date, message → commit."""
        log_format = "--format=%H%x00%an <%ae> %at%x00%B%x00"
        rows = self.git("log", "-z", log_format, *((f"{base}..{head}",) if base else (head,)), "--").split("\0\0")
        parts = (row.lstrip("\0").split("\0", 1) for row in rows if row.strip("\0"))
        return {authorship: oid for oid, authorship in parts}

    def runs(self, head: str) -> list[tuple[str, str]]:
        """Return the runs with commits in the history of *head*, each with its newest commit; newest run first."""
        log_format = "--format=%H%x00%(trailers:key=Phasebot-Run,valueonly,separator=%x00)"
        found: dict[str, str] = {}
        for row in self.git("log", log_format, "--grep=^Phasebot-Run: ", head, "--").split("\n"):
            oid, _, run = row.partition("\0")
            if run and "\0" not in run:
                found.setdefault(run, oid)
        return list(found.items())

    def find_paths(self, commit: str, suffix: str) -> list[str]:
        """Return the paths in *commit* that end with *suffix*."""
        rows = self.git("ls-tree", "-r", "-z", "--full-tree", "--name-only", commit).split("\0")
        return [row for row in rows if row.endswith(suffix)]

    def entries(self, commit: str, paths: Sequence[str]) -> dict[str, Entry]:
        """Return the tree entries at *paths* (files or folders) in *commit*; missing ones are left out."""
        return dict(self._ls_tree(commit, paths))

    def children(self, commit: str, folders: Sequence[str]) -> dict[str, Entry]:
        """Return what is directly in the root of *commit* and in *folders*; folders that are listed are left out."""
        return dict([*self._ls_tree(commit, [""]), *self._ls_tree(commit, [f"{folder}/" for folder in folders])])

    def _ls_tree(self, commit: str, paths: Sequence[str]) -> Iterator[tuple[str, Entry]]:
        """Yield path and entry for *paths*; a path that ends with a slash stands for its content, "" for the root's."""
        for start in range(0, len(paths), _MAX_ARGUMENTS):
            chunk = list(filter(None, paths[start : start + _MAX_ARGUMENTS]))
            rows = self.git("--literal-pathspecs", "ls-tree", "-z", "--full-tree", commit, "--", *chunk).split("\0")
            for row in filter(None, rows):
                info, _, path = row.partition("\t")
                mode, _, oid = info.split(" ")
                yield path, Entry(mode, oid)

    def cache_blob(self, oid: str, content: bytes) -> None:
        """Make :meth:`blob` return *content* for *oid*, which need not exist in the repository."""
        self._cached_blobs[oid] = content

    def blob(self, oid: str) -> bytes:
        """Return the content of a blob."""
        if oid in self._cached_blobs:
            return self._cached_blobs[oid]
        result = self.git.run("cat-file", "blob", oid)
        if result.status != 0:
            raise RepositoryError(f"reading object {oid}: {main_line(result.err)}; {remedy_for(result.err)}")
        return result.out

    def blobs(self, oids: Sequence[str]) -> list[bytes]:
        """Return the contents of several blobs, read by one git process."""
        out = (
            self.git.run("cat-file", "--batch", stdin="".join(f"{oid}\n" for oid in oids).encode()).out if oids else b""
        )
        contents = []
        for oid in oids:
            header, _, rest = out.partition(b"\n")
            fields = header.split()
            if len(fields) != _BATCH_FIELDS:
                answer = header.decode("utf-8", "replace")
                raise RepositoryError(f"reading object {oid}: git answered {answer!r}; {remedy_for('')}")
            size = int(fields[2])
            contents.append(rest[:size])
            out = rest[size + 1 :]
        return contents

    def identity(self, role: Literal["AUTHOR", "COMMITTER"]) -> Identity:
        """Return the identity from git's configuration and environment, or a fallback if there is none."""
        result = self.git.run("-c", "user.useConfigOnly=true", "var", f"GIT_{role}_IDENT")
        match = _IDENTITY.fullmatch(result.text)
        return Identity(match[1], match[2]) if result.status == 0 and match else _FALLBACK_IDENTITY

    def update_ref(self, ref: str, new: str, old: str | None) -> bool:
        """Point *ref* to *new* if it still points to *old* (None: does not exist); return whether it was updated."""
        zero = "0" * len(new)
        return self.git.run("update-ref", "-m", "phasebot", ref, new, old or zero).status == 0

    def combine_packs(self) -> None:
        """Combine small packs into larger ones.  Large packs, and all packs of a partial clone, stay as they are."""
        if self.git.is_writable and not self.git.promisors:
            self.git.run("repack", "-d", "-q", "--geometric=2")

    def is_empty(self) -> bool:
        """Whether there are no refs and the worktree has no files."""
        files = (path for path in self.git.worktree.iterdir() if path.name != ".git")
        return not self.git("for-each-ref", "--count=1") and next(files, None) is None

    def start_branch(self, branch: str, now: datetime) -> str:
        """Create *branch* with an empty root commit, so that a run has a base to be merged into."""
        oid = self.write_root_commit("Start the repository\n", self.identity("AUTHOR"), self.identity("COMMITTER"), now)
        self.git("update-ref", "-m", "phasebot: start", f"refs/heads/{branch}", oid)
        return oid

    def write_root_commit(self, message: str, author: Identity, committer: Identity, now: datetime) -> str:
        """Write a commit without parents and files.  No ref points to it yet."""
        tree = self.git("hash-object", "-w", "-t", "tree", "--stdin")
        text = f"tree {tree}\nauthor {author.at(now)}\ncommitter {committer.at(now)}\n\n{message}"
        return self.git("hash-object", "-w", "-t", "commit", "--stdin", stdin=text.encode("utf-8", "surrogateescape"))

    def set_head(self, ref: str) -> None:
        """Point HEAD to *ref* without touching the index or files."""
        self.git("symbolic-ref", "-m", "phasebot: follow the run", "HEAD", ref)


def _commits(tokens: Sequence[str]) -> Iterator[Commit]:
    """Parse the output of ``git log -z --raw``: three fields and an empty one, then pairs of change and path."""
    index = 0
    while index + 3 < len(tokens):
        oid, trailers, body = tokens[index : index + 3]
        index += 4
        changes: dict[str, Entry | None] = {}
        while index + 1 < len(tokens) and tokens[index].lstrip("\n").startswith(":"):
            _, mode, _, new, _ = tokens[index].split(" ")
            changes[tokens[index + 1]] = None if mode == _ABSENT_MODE else Entry(mode, new)
            index += 2
        yield Commit(oid, Trailers.parse(trailers), body, changes)


def choose_run(repository: Repository, remote: str | None) -> str:
    """Return the run to use if none is named: the checked-out one, else the only one.

    Raises:
        UsageError: There is no run, or more than one; the message lists them.
    """
    head = repository.current_branch() or ""
    if head.startswith(BRANCHES):
        return head.removeprefix(BRANCHES)
    prefixes = [f"refs/heads/{BRANCHES}", *([f"refs/remotes/{remote}/{BRANCHES}"] if remote else [])]
    runs = sorted({name.removeprefix(prefix) for prefix in prefixes for name in repository.refs(prefix)})
    if len(runs) == 1:
        return runs[0]
    if runs:
        raise UsageError(f"choosing a run: there are several; name one with --run: {', '.join(runs)}")
    raise UsageError(
        "choosing a run: this repository has no phasebot/* branch; start one with 'phasebot generate SPEC'"
    )


def object_id(content: bytes, sample_oid: str) -> str:
    """Return the id that git gives a blob of *content*; *sample_oid* tells the repository's hash algorithm."""
    algorithm = hashlib.sha1 if len(sample_oid) == _SHA1_DIGITS else hashlib.sha256  # the repository's, not our choice
    return algorithm(b"blob %d\0" % len(content) + content).hexdigest()
