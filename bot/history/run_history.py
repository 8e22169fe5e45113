"""Find the commits of a run on its branch, also once the base has them.

Usually they are the first-parent commits since the branch left the base.  After a merge, the base has some or all of
them.  They are then found by their trailers, in the history of the branch's head.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from bot.history.repository import Identity, Repository, RunCommit
from bot.history.run_state import Commit


class RunStart(NamedTuple):
    """The first commit of a run."""

    oid: str
    base: str | None
    """Name of the base that it records."""


@dataclass(frozen=True, slots=True)
class RunHistory:
    """The commits of a run's branch, and how they are related to the base."""

    fork: str | None
    """The commit at which the run starts."""
    commits: Sequence[Commit]
    """Oldest first."""
    shared: str | None
    """The newest commit that the branch and the base have in common: the fork, until the run is merged."""
    merged: frozenset[str] = frozenset()
    """Those of the commits that the base has, too."""


def find_start(repository: Repository, run: str, head: str, bot: Identity | None = None) -> RunStart | None:
    """Return where *run* starts in the history of *head*: at its newest commit that records a base, else at its oldest.

    A name can be used again after a merge, so the newest counts.  If *bot* is given, what it records wins over what
    others do: anybody can write a trailer.
    """
    newest = repository.run_commits(run, head, "--grep=^Phasebot-Base: ", "--max-count=1")
    if newest and newest[0].base and _is_by(newest[0], bot):
        return RunStart(newest[0].oid, newest[0].base)
    commits = repository.run_commits(run, head)
    recorded = sorted((each for each in commits if each.base), key=lambda each: not _is_by(each, bot))
    first = recorded[0] if recorded else commits[-1] if commits else None
    return RunStart(first.oid, first.base) if first else None


def _is_by(commit: RunCommit, bot: Identity | None) -> bool:
    return bot is None or commit.author == f"{bot.name} <{bot.email}>"


def read_history(repository: Repository, run: str, head: str, base: str | None, start: str | None) -> RunHistory:
    """Return the commits of *run* up to *head*.

    *base* is the commit of the base, None if it can't be found.  *start* is the run's first commit, None if there is
    none.
    """
    shared = repository.merge_base(base, head) if base else None
    if start is None:
        return RunHistory(shared or head, repository.log(shared or head, head), shared or head)
    commits = repository.log(shared, head) if shared and shared != head else []
    if any(commit.oid == start for commit in commits):
        return RunHistory(shared, commits, shared)
    fork, commits = repository.oid(f"{start}^"), _commits_since(repository, run, start, head)
    new = repository.commits_since(base, head) if base else frozenset(commit.oid for commit in commits)
    return RunHistory(fork, commits, shared or fork, frozenset(each.oid for each in commits) - new)


def _commits_since(repository: Repository, run: str, start: str, head: str) -> list[Commit]:
    """Return the commits from *start* to *head*, oldest first, along the line that has the most commits of *run*."""
    parents = repository.descent(start, head)
    line, compared_with = _line(start, head, parents, {each.oid for each in repository.run_commits(run, head)})
    commits = repository.commits(line)
    return [
        replace(each, changes=repository.changes(parent, each.oid)) if (parent := compared_with.get(each.oid)) else each
        for each in commits
    ]


def _line(start: str, head: str, parents: dict[str, list[str]], ours: set[str]) -> tuple[Sequence[str], dict[str, str]]:
    """Return one line of commits from *start* to *head*, and its merges whose first parent is not on it.

    A merge into the base has the base as its first parent, and the run as another one.  Of several parents that descend
    from *start*, the line goes to the one that has the most of *ours* behind it, and else to the first.
    """
    behind = {start: frozenset({start})}
    for oid in reversed(parents):  # parents come before their children
        known = [behind[parent] for parent in parents[oid] if parent in behind]
        behind[oid] = frozenset().union(*known, {oid} & ours)
    line, compared_with = [head], dict[str, str]()
    while line[-1] != start:
        options = parents[line[-1]]
        chosen = max((each for each in options if each in behind), key=lambda each: len(behind[each]))
        if chosen != options[0]:
            compared_with[line[-1]] = chosen
        line.append(chosen)
    return line[::-1], compared_with
