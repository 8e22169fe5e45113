"""Read and write a repository's refs, commits, trees and blobs."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from bot.errors import RepositoryError
from bot.history.git import Git, main_line, remedy_for
from bot.history.run_state import Commit, Entry
from bot.history.trailers import Trailers

BRANCHES = "phasebot/"
"""Prefix of every run's branch, ``phasebot/<run>``."""

_IDENTITY = re.compile(r"(.*) <([^<>]*)> (\d+ [+-]\d{4})")
_START = "Start the repository\n"
_ABSENT_MODE = "000000"
_MAX_ARGUMENTS = 400
"""Paths per git call; the length of a command line is limited."""
_SHA1_DIGITS = 40
_LOG_FIELDS = 6
"""Fields of a commit in :meth:`Repository._log`, before its changes."""
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
        return f"{self} {int(moment.timestamp())} {moment.strftime('%z')[:5]}"

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


class RunCommit(NamedTuple):
    """A commit of a run, without its changes."""

    oid: str
    author: str
    """``Name <email>``."""
    committer: str
    trailers: Trailers | None

    @property
    def base(self) -> str | None:
        return self.trailers.base if self.trailers else None


ACTIONS_BOT = Identity("github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com")
"""Who commits in GitHub Actions."""
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

    def refs(self, prefix: str) -> dict[str, str]:
        """Return the refs that start with *prefix*: name → object id."""
        rows = self.git("for-each-ref", "--format=%(refname) %(objectname)", prefix).split("\n")
        return {name: oid for name, _, oid in (row.partition(" ") for row in rows if row)}

    def current_branch(self) -> str | None:
        """Return the checked-out branch, which may be unborn; None if HEAD is detached."""
        ref = self.symbolic_ref("HEAD")
        return ref.removeprefix("refs/heads/") if ref else None

    def symbolic_ref(self, ref: str) -> str | None:
        """Return the full name of the ref that *ref* stands for; None if it is no symbolic ref."""
        result = self.git.run("symbolic-ref", "--quiet", ref)  # a short name is longer where a tag has it, too
        return result.text if result.status == 0 else None

    def is_branch_name(self, name: str) -> bool:
        """Whether git allows a branch of that name."""
        return self.git.run("check-ref-format", f"refs/heads/{name}").status == 0

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
            "--format=%H%x00%(trailers:only,unfold)%x00%b%x00%an <%ae>%x00%cn <%ce>%x00%ct%x00",
            *arguments,
            stdin=stdin.encode(),
        )
        if out.status != 0:
            raise RepositoryError(
                f"reading the history ({' '.join(arguments)}): {main_line(out.err)}; {remedy_for(out.err)}"
            )
        return list(_commits(out.out.decode("utf-8", "surrogateescape").split("\0")))

    def run_commits(self, run: str, head: str, *options: str) -> list[RunCommit]:
        """Return the commits of *run* in the whole history of *head*, newest first; *options* are those of git log."""
        name = run.replace(".", "[.]")
        rows = self.git(
            *("log", "-z", "--topo-order", "--extended-regexp"),
            "--format=%H%x00%an <%ae>%x00%cn <%ce>%x00%(trailers:only,unfold)",
            *("--all-match", f"--grep=^Phasebot-Run: {name}$", *options, head, "--"),
        ).split("\0")
        columns = (rows[::4], rows[1::4], rows[2::4], map(Trailers.parse, rows[3::4]))
        found = (RunCommit(*row) for row in zip(*columns, strict=False))
        return [each for each in found if each.trailers and each.trailers.run == run]

    def descent(self, start: str, head: str) -> dict[str, list[str]]:
        """Return the commits between *start* and *head* that descend from *start*, with their parents; newest first."""
        rows = self.git("rev-list", "--topo-order", "--parents", "--ancestry-path", f"{start}..{head}", "--")
        return {oid: parents for oid, *parents in (row.split(" ") for row in rows.split("\n") if row)}

    def commits_since(self, base: str, head: str) -> frozenset[str]:
        """Return the ids of the commits that *head* has and *base* has not."""
        return frozenset(self.git("rev-list", f"{base}..{head}", "--").split("\n"))

    def changes(self, old: str, new: str) -> dict[str, Entry | None]:
        """Return what differs between two commits: path → its entry in *new*, None if that does not have it."""
        tokens = self.git("diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", old, new, "--").split("\0")
        return _changes(tokens, 0)[0]

    def oids_by_authorship(self, base: str | None, head: str) -> dict[str, str]:
        """Return what a rebase leaves unchanged in each commit of ``base..head``: author, date, message → commit."""
        log_format = "--format=%H%x00%an <%ae> %at%x00%B%x00"
        rows = self.git("log", "-z", log_format, *((f"{base}..{head}",) if base else (head,)), "--").split("\0\0")
        parts = (row.lstrip("\0").split("\0", 1) for row in rows if row.strip("\0"))
        return {authorship: oid for oid, authorship in parts}

    def runs(self, head: str, bot: Identity | None = None) -> list[tuple[str, str]]:
        """Return the runs with commits in the history of *head*, each with its newest commit; newest run first.

        If *bot* is given, its newest commit counts, where it has made one.
        """
        log_format = "--format=%H%x00%an <%ae>%x00%(trailers:key=Phasebot-Run,valueonly,separator=%x00)"
        found: dict[str, str] = {}
        bots: dict[str, str] = {}
        options = ("--topo-order", "--grep=^Phasebot-Run: ")  # clocks differ, so dates don't tell what came first
        for row in self.git("log", log_format, *options, head, "--").split("\n"):
            oid, author, run, *more = [*row.split("\0"), "", ""]
            if run and not any(more):
                found.setdefault(run, oid)
                if author == str(bot):
                    bots.setdefault(run, oid)
        return list((found | bots).items())

    def versions(self, head: str, path: str) -> list[Entry]:
        """Return every version of the file *path* in the history of *head*, merged branches included; newest first."""
        commits = self._log(
            "--full-history", "--topo-order", "--diff-merges=separate", head, "--", f":(top,literal){path}"
        )
        entries = (commit.changes.get(path) for commit in commits)
        return list(dict.fromkeys(entry for entry in entries if entry))

    def path_log(self, head: str, path: str) -> list[Commit]:
        """Return the commits that changed the file *path* and are no merges, with all their changes; newest first.

        Only the first-parent history of *head* is read.
        """
        options = ("--first-parent", "--no-merges", "--topo-order", "--full-diff")
        return self._log(*options, head, "--", f":(top,literal){path}")

    def commits_in(self, head: str, folder: str, most: int) -> list[str]:
        """Return the newest commits in the history of *head* that changed something in *folder*, newest first."""
        options = (f"--max-count={most}", "--topo-order", "--format=%H")
        return self.git("log", *options, head, "--", f":(top,literal){folder}").split()

    def find_paths(self, commit: str, suffix: str) -> list[str]:
        """Return the paths in *commit* that end with *suffix*."""
        rows = self.git("ls-tree", "-r", "-z", "--full-tree", "--name-only", commit).split("\0")
        return [row for row in rows if row.endswith(suffix)]

    def entries(self, commit: str, paths: Sequence[str]) -> dict[str, Entry]:
        """Return the tree entries at *paths* (files or folders) in *commit*; missing ones are left out."""
        return dict(self._ls_tree(commit, paths))

    def sizes(self, commit: str, paths: Sequence[str]) -> dict[str, int]:
        """Return how many bytes the files at *paths* have in *commit*, asked of one git process; others are left out.

        A partial clone may lack the files, and is not asked: it would fetch each.
        """
        asked = [path for path in dict.fromkeys(paths) if "\n" not in path]
        if not asked or self.git.promisors:
            return {}
        names = "".join(f"{commit}:{path}\n" for path in asked).encode("utf-8", "surrogateescape")
        rows = self.git("cat-file", "--batch-check=%(objecttype) %(objectsize)", stdin=names).split("\n")
        found = (row.split(" ") for row in rows)
        return {path: int(size) for path, (kind, *_, size) in zip(asked, found, strict=True) if kind == "blob"}

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
        unread = [oid for oid in dict.fromkeys(oids) if oid not in self._cached_blobs]
        read = dict(zip(unread, self._read_blobs(unread), strict=True))
        return [read[oid] if oid in read else self._cached_blobs[oid] for oid in oids]

    def _read_blobs(self, oids: Sequence[str]) -> Iterator[bytes]:
        out = (
            self.git.run("cat-file", "--batch", stdin="".join(f"{oid}\n" for oid in oids).encode()).out if oids else b""
        )
        place = 0
        for oid in oids:
            end = out.find(b"\n", place)
            header = out[place : end if end >= 0 else None]
            fields = header.split()
            if len(fields) != _BATCH_FIELDS:
                answer = header.decode("utf-8", "replace")
                raise RepositoryError(f"reading object {oid}: git answered {answer!r}; {remedy_for('')}")
            start, size = end + 1, int(fields[2])
            yield out[start : start + size]
            place = start + size + 1

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

    def has_commits(self) -> bool:
        """Whether there is a ref, or a checked-out commit."""
        return bool(self.git("for-each-ref", "--count=1")) or self.oid("HEAD") is not None

    def is_cut_off(self, oid: str) -> bool:
        """Whether the clone is so shallow that it lacks the parents of the commit *oid*."""
        file = self.git.common_dir / "shallow"
        return file.exists() and oid in file.read_text().split()

    def has_files(self) -> bool:
        """Whether the worktree has files."""
        return any(path.name != ".git" for path in self.git.worktree.iterdir())

    def is_bare_start(self, oid: str | None) -> bool:
        """Whether the commit *oid* is one that :meth:`start_branch` made: without a parent or a file."""
        if oid is None or self.git("log", "-1", "--format=%P%B", oid, "--") != _START:
            return False
        return not self.git("ls-tree", oid)

    def start_branch(self, branch: str, now: datetime) -> str:
        """Create *branch* with an empty root commit, so that a run has a base to be merged into."""
        oid = self.write_root_commit(_START, self.identity("AUTHOR"), self.identity("COMMITTER"), now)
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
    """Parse the output of ``git log -z --raw``: six fields and an empty one, then pairs of change and path."""
    index = 0
    while index + _LOG_FIELDS < len(tokens):
        oid, trailers, body, author, committer, time = tokens[index : index + _LOG_FIELDS]
        index += _LOG_FIELDS + 1
        changes, index = _changes(tokens, index)
        yield Commit(oid, Trailers.parse(trailers), body, changes, author, committer, time=int(time))


def _changes(tokens: Sequence[str], index: int) -> tuple[dict[str, Entry | None], int]:
    """Parse the pairs of change and path from *index* on; return them, and where they end."""
    changes: dict[str, Entry | None] = {}
    while index + 1 < len(tokens) and tokens[index].lstrip("\n").startswith(":"):
        _, mode, _, new, _ = tokens[index].split(" ")
        changes[tokens[index + 1]] = None if mode == _ABSENT_MODE else Entry(mode, new)
        index += 2
    return changes, index


def object_id(content: bytes, sample_oid: str) -> str:
    """Return the id that git gives a blob of *content*; *sample_oid* tells the repository's hash algorithm."""
    algorithm = hashlib.sha1 if len(sample_oid) == _SHA1_DIGITS else hashlib.sha256  # the repository's, not our choice
    return algorithm(b"blob %d\0" % len(content) + content).hexdigest()
