"""What Phasebot asks of a repository: refs, commits, trees and blobs."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.errors import RepositoryError, UsageError
from bot.history.git import Git
from bot.history.run_state import Commit, Entry
from bot.history.trailers import Trailers

BRANCHES = "phasebot/"
"""Every run's branch is ``phasebot/<run>``."""

_IDENTITY = re.compile(r"(.*) <(.*)> (\d+ [+-]\d{4})")
_ABSENT = "000000"
_ARGUMENTS = 400
_SHA1_DIGITS = 40
_BATCH_WORDS = 3


@dataclass(frozen=True, slots=True)
class Identity:
    """Who commits."""

    name: str
    email: str

    def at(self, moment: datetime) -> str:
        """Write the identity as git keeps it in a commit; *moment* is aware."""
        return f"{self.name} <{self.email}> {int(moment.timestamp())} {moment:%z}"


_FALLBACK = Identity("Phasebot", "phasebot@localhost")


def branch_ref(run: str) -> str:
    """Return the full name of the branch of *run*."""
    return f"refs/heads/{BRANCHES}{run}"


class Repository:
    """A repository, as its refs and objects."""

    def __init__(self, git: Git) -> None:
        self.git = git
        self._remembered: dict[str, bytes] = {}

    def oid(self, ref: str) -> str | None:
        """Return the commit that *ref* names, or None."""
        result = self.git.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        return result.text if result.status == 0 else None

    def has_branch(self, run: str, remote: str | None) -> bool:
        """Whether the branch of *run* is here, or known to be on *remote*."""
        there = f"refs/remotes/{remote}/{BRANCHES}{run}"
        return bool(self.oid(branch_ref(run)) or (remote and self.oid(there)))

    def refs(self, prefix: str) -> dict[str, str]:
        """Return the refs below *prefix* and their commits."""
        rows = self.git("for-each-ref", "--format=%(refname) %(objectname)", prefix).split("\n")
        return {name: oid for name, _, oid in (row.partition(" ") for row in rows if row)}

    def checked_out(self) -> str | None:
        """Return the branch that HEAD stands on, born or not; None when it is detached."""
        result = self.git.run("symbolic-ref", "--quiet", "--short", "HEAD")
        return result.text if result.status == 0 else None

    def default_base(self, remote: str | None) -> str:
        """Return the name of the default branch: the remote's, else ``main``, ``master`` or what HEAD stands on."""
        if remote:
            prefix = f"refs/remotes/{remote}/"
            result = self.git.run("symbolic-ref", "--quiet", f"{prefix}HEAD")
            name = result.text.removeprefix(prefix)
            if result.status == 0 and not name.startswith(BRANCHES):  # a forge takes the first one pushed for it
                return name
        local = self.refs("refs/heads/")
        configured = self.git.run("config", "init.defaultBranch").text
        for name in ("main", "master", configured):
            if f"refs/heads/{name}" in local or (remote and self.oid(f"refs/remotes/{remote}/{name}")):
                return name
        head = self.checked_out()
        if head is None:
            return "HEAD"
        return (configured or "main") if head.startswith(BRANCHES) else head

    def base_oid(self, base: str, remote: str | None) -> str | None:
        """Return the commit that *base* names: the remote's branch before the local one, which may be old."""
        names = [f"refs/remotes/{remote}/{base}"] if remote else []
        return next((oid for name in [*names, f"refs/heads/{base}", base] if (oid := self.oid(name))), None)

    def merge_base(self, one: str, other: str) -> str | None:
        """Return the newest commit both have, or None."""
        result = self.git.run("merge-base", one, other)
        return result.text or None

    def log(self, base: str | None, head: str) -> list[Commit]:
        """Return the first-parent commits of ``base..head``, oldest first."""
        out = self.git.run(
            *("log", "-z", "--first-parent", "--reverse", "--diff-merges=first-parent"),
            *("--raw", "--no-abbrev", "--no-renames", "--no-color", "--root"),
            "--format=%H%x00%(trailers:only,unfold)%x00%b%x00",
            *((f"{base}..{head}",) if base else (head,)),
            "--",
        )
        if out.status != 0:
            raise RepositoryError(f"reading the history of {head}: {out.err}")
        return list(_commits(out.out.decode("utf-8", "surrogateescape").split("\0")))

    def before_run(self, run: str, head: str) -> str | None:
        """Return the commit that the first of *run* in the first-parent history of *head* stands on; *head* if none."""
        name = run.replace(".", "[.]")
        found = self.git(
            *("log", "--first-parent", "--reverse", "--format=%H %P", f"--grep=^Phasebot-Run: {name}$"),
            *("--extended-regexp", head, "--"),
        )
        if not found:
            return head
        return found.split("\n")[0].split(" ")[1] or None

    def authored(self, base: str | None, head: str) -> dict[str, str]:
        """Return what stays of each commit of ``base..head`` when it is rewritten: author, date, message → commit."""
        form = "--format=%H%x00%an <%ae> %at%x00%B%x00"
        rows = self.git("log", "-z", form, *((f"{base}..{head}",) if base else (head,)), "--").split("\0\0")
        parts = (row.lstrip("\0").split("\0", 1) for row in rows if row.strip("\0"))
        return {told: oid for oid, told in parts}

    def runs(self, head: str) -> list[tuple[str, str]]:
        """Return the runs whose commits are in the history of *head*, each with its newest commit, newest first."""
        form = "--format=%H%x00%(trailers:key=Phasebot-Run,valueonly,separator=%x00)"
        found: dict[str, str] = {}
        for row in self.git("log", form, "--grep=^Phasebot-Run: ", head, "--").split("\n"):
            oid, _, run = row.partition("\0")
            if run and "\0" not in run:
                found.setdefault(run, oid)
        return list(found.items())

    def find(self, commit: str, ending: str) -> list[str]:
        """Return the paths in *commit* that end with *ending*."""
        rows = self.git("ls-tree", "-r", "-z", "--full-tree", "--name-only", commit).split("\0")
        return [row for row in rows if row.endswith(ending)]

    def entries(self, commit: str, paths: Sequence[str]) -> dict[str, Entry]:
        """Return what stands at *paths* (files or folders) in *commit*; what is not there is left out."""
        found = {}
        for start in range(0, len(paths), _ARGUMENTS):
            some = paths[start : start + _ARGUMENTS]
            for row in self.git("--literal-pathspecs", "ls-tree", "-z", "--full-tree", commit, "--", *some).split("\0"):
                if row:
                    about, _, path = row.partition("\t")
                    mode, _, oid = about.split(" ")
                    found[path] = Entry(mode, oid)
        return found

    def remember(self, oid: str, content: bytes) -> None:
        """Take note of a blob that need not be in the repository, for :meth:`blob`."""
        self._remembered[oid] = content

    def blob(self, oid: str) -> bytes:
        """Return the content of a blob."""
        if oid in self._remembered:
            return self._remembered[oid]
        result = self.git.run("cat-file", "blob", oid)
        if result.status != 0:
            raise RepositoryError(f"reading object {oid}: {result.err}")
        return result.out

    def blobs(self, oids: Sequence[str]) -> list[bytes]:
        """Return the contents of several blobs, in one process."""
        out = (
            self.git.run("cat-file", "--batch", stdin="".join(f"{oid}\n" for oid in oids).encode()).out if oids else b""
        )
        contents = []
        for oid in oids:
            head, _, rest = out.partition(b"\n")
            words = head.split()
            if len(words) != _BATCH_WORDS:
                raise RepositoryError(f"reading object {oid}: git says {head.decode('utf-8', 'replace')!r}")
            size = int(words[2])
            contents.append(rest[:size])
            out = rest[size + 1 :]
        return contents

    def identity(self, role: Literal["AUTHOR", "COMMITTER"]) -> Identity:
        """Return who commits: the person by git's own rules, or a fallback where git knows nobody."""
        result = self.git.run("-c", "user.useConfigOnly=true", "var", f"GIT_{role}_IDENT")
        match = _IDENTITY.fullmatch(result.text)
        return Identity(match[1], match[2]) if result.status == 0 and match else _FALLBACK

    def move(self, ref: str, new: str, old: str | None) -> bool:
        """Move *ref* to *new* if it still stands at *old* (None: does not exist); return whether it did."""
        zero = "0" * len(new)
        return self.git.run("update-ref", "-m", "phasebot", ref, new, old or zero).status == 0

    def roll_up_packs(self) -> None:
        """Combine small packs into larger ones; large ones, and all of a partial clone, are left as they are."""
        if self.git.run("config", "--get-regexp", r"^remote\..*\.promisor$").status != 0:
            self.git.run("repack", "-d", "-q", "--geometric=2")

    def is_empty(self) -> bool:
        """Whether there is no commit yet and no file in the worktree: ours to arrange as we like."""
        files = (path for path in self.git.worktree.iterdir() if path.name != ".git")
        return not self.git("for-each-ref", "--count=1") and next(files, None) is None

    def start(self, branch: str, now: datetime) -> str:
        """Give the unborn *branch* an empty root commit, so that a run has a base to be merged into."""
        oid = self.root_commit("Start the repository\n", self.identity("AUTHOR"), self.identity("COMMITTER"), now)
        self.git("update-ref", "-m", "phasebot: start", f"refs/heads/{branch}", oid)
        return oid

    def root_commit(self, message: str, author: Identity, committer: Identity, now: datetime) -> str:
        """Write a commit without parents and files, which no ref names yet."""
        tree = self.git("hash-object", "-w", "-t", "tree", "--stdin")
        text = f"tree {tree}\nauthor {author.at(now)}\ncommitter {committer.at(now)}\n\n{message}"
        return self.git("hash-object", "-w", "-t", "commit", "--stdin", stdin=text.encode("utf-8", "surrogateescape"))

    def point_head(self, ref: str) -> None:
        """Make the worktree stand on *ref*, without touching a file."""
        self.git("symbolic-ref", "-m", "phasebot: follow the run", "HEAD", ref)


def _commits(tokens: Sequence[str]) -> Iterator[Commit]:
    """Read what ``git log -z --raw`` printed: three fields, an empty one, then pairs of change and path."""
    place = 0
    while place + 3 < len(tokens):
        oid, trailers, body = tokens[place : place + 3]
        place += 4
        changes: dict[str, Entry | None] = {}
        while place + 1 < len(tokens) and tokens[place].lstrip("\n").startswith(":"):
            _, mode, _, new, _ = tokens[place].split(" ")
            changes[tokens[place + 1]] = None if mode == _ABSENT else Entry(mode, new)
            place += 2
        yield Commit(oid, Trailers.parse(trailers), body, changes)


def choose_run(repository: Repository, remote: str | None) -> str:
    """Return the run meant when none is named: the one checked out, else the only one.

    Raises:
        UsageError: There is none, or more than one; the message lists them.
    """
    head = repository.checked_out() or ""
    if head.startswith(BRANCHES):
        return head.removeprefix(BRANCHES)
    prefixes = [f"refs/heads/{BRANCHES}", *([f"refs/remotes/{remote}/{BRANCHES}"] if remote else [])]
    runs = sorted({name.removeprefix(prefix) for prefix in prefixes for name in repository.refs(prefix)})
    if len(runs) == 1:
        return runs[0]
    if runs:
        raise UsageError(f"choosing a run: there are several, name one with --run: {', '.join(runs)}")
    raise UsageError(
        "choosing a run: this repository has no phasebot/* branch; start one with 'phasebot generate SPEC'"
    )


def object_id(content: bytes, like: str) -> str:
    """Return the id git gives a blob of *content*, in the object format of the id *like*."""
    make = hashlib.sha1 if len(like) == _SHA1_DIGITS else hashlib.sha256  # git's own choice, not ours
    return make(b"blob %d\0" % len(content) + content).hexdigest()
