"""Find the commits of a run on its branch, also once the base has them.

Usually they are the first-parent commits since the branch left the base.  After a merge, the base has some or all of
them.  They are then found by their trailers, in the history of the branch's head.

Anybody can write a trailer.  In GitHub Actions only the commits of the bot count, and in a run that somebody began on
their own computer, theirs: it was their identity that the bot had there.  All others are people's commits.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from bot.history.repository import Identity, Repository, RunCommit
from bot.history.run_state import Commit
from bot.planning.phases import PLAN_PHASE


class RunStart(NamedTuple):
    """The first commit of a run."""

    oid: str
    base: str | None
    """Name of the base that it records."""
    author: str = ""
    """Who began the run, if that can be told: ``Name <email>``."""


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
    makers: frozenset[str] | None = None
    """Whose commits count as phases, as ``Name <email>``; None for everybody's."""


def find_start(repository: Repository, run: str, head: str, bot: Identity | None = None) -> RunStart | None:
    """Return where *run* starts in the history of *head*: at its newest commit that records a base, else at its oldest.

    A name can be used again after a merge, so the newest counts.  If *bot* is given, only what it made counts; a run
    that it did not begin starts where somebody began it, with a plan on the branch itself.
    """
    newest = repository.run_commits(run, head, "--grep=^Phasebot-Base: ", "--max-count=1")
    if newest and newest[0].base and _is_by(newest[0], bot):
        return _start(newest[0])
    commits = repository.run_commits(run, head)
    recorded = [each for each in commits if each.base]
    if bot is None:
        return _start(recorded[0] if recorded else commits[-1]) if commits else None
    if by_bot := [each for each in recorded if _is_by(each, bot)]:
        return _start(by_bot[0])
    line = repository.run_commits(run, head, "--first-parent")
    if line and (_is_by(line[-1], bot) or _begins_a_run(line[-1])):
        return _start(line[-1])
    others = [each for each in commits if _is_by(each, bot)] or recorded[:1] or commits
    return _start(others[-1])._replace(author="") if others else None


def _start(commit: RunCommit) -> RunStart:
    return RunStart(commit.oid, commit.base, commit.author)


def _is_by(commit: RunCommit, bot: Identity | None) -> bool:
    return bot is None or commit.author == str(bot)


def _begins_a_run(commit: RunCommit) -> bool:
    """Whether somebody began a run with this commit themselves; after a squash or rebase, another one committed it."""
    is_plan = commit.trailers is not None and commit.trailers.phase == PLAN_PHASE
    return is_plan and commit.author == commit.committer


def read_history(
    repository: Repository,
    run: str,
    head: str,
    base: str | None,
    start: RunStart | None,
    bot: Identity | None = None,
) -> RunHistory:
    """Return the commits of *run* up to *head*.

    *base* is the commit of the base, None if it can't be found.  *start* is the run's first commit, None if there is
    none.  If *bot* is given, the trailers of others don't count.
    """
    makers = None if bot is None else frozenset(filter(None, (str(bot), start.author if start else "")))
    found = _read(repository, run, head, base, start.oid if start else None, makers)
    return replace(found, commits=only_made_by(makers, found.commits), makers=makers)


def only_made_by(makers: Collection[str] | None, commits: Sequence[Commit]) -> Sequence[Commit]:
    """Return *commits*; the trailers of those that others than *makers* made are set aside."""
    if makers is None:
        return commits
    return [
        each if each.trailers is None or each.author in makers else replace(each, trailers=None, disowned=each.trailers)
        for each in commits
    ]


def _read(
    repository: Repository, run: str, head: str, base: str | None, start: str | None, makers: Collection[str] | None
) -> RunHistory:
    shared = repository.merge_base(base, head) if base else None
    if start is None:
        return RunHistory(shared or head, repository.log(shared or head, head), shared or head)
    commits = repository.log(shared, head) if shared and shared != head else []
    if any(commit.oid == start for commit in commits):
        return RunHistory(shared, commits, shared)
    fork, commits = repository.oid(f"{start}^"), _commits_since(repository, run, start, head, makers)
    new = repository.commits_since(base, head) if base else frozenset(commit.oid for commit in commits)
    return RunHistory(fork, commits, shared or fork, frozenset(each.oid for each in commits) - new)


def _commits_since(
    repository: Repository, run: str, start: str, head: str, makers: Collection[str] | None
) -> list[Commit]:
    """Return the commits from *start* to *head*, oldest first, along the line that has the most commits of *run*."""
    parents = repository.descent(start, head)
    ours = {each.oid for each in repository.run_commits(run, head) if makers is None or each.author in makers}
    line, compared_with = _line(start, head, parents, ours)
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
