"""Plays the blog on GitHub, with the action and a GitHub on the loopback: what people see of it then, as text."""

from pathlib import Path
from typing import NamedTuple

from tests.action_world import ISSUE, World, world
from tests.github_server import LOGIN
from tests.pictures.session import SPEC
from tests.repositories import git


class Post(NamedTuple):
    """What somebody wrote in a thread."""

    author: str
    markdown: str
    reactions: tuple[str, ...] = ()


class Thread(NamedTuple):
    """An issue or a pull request, with the commits of the latter."""

    title: str
    number: int
    state: str
    posts: tuple[Post, ...]
    commits: tuple[tuple[str, str], ...] = ()
    """Oid and subject, oldest first."""

    @property
    def text(self) -> str:
        """All of it as text."""
        said = (f"{each.author} {' '.join(each.reactions)}\n{each.markdown}" for each in self.posts)
        commits = (f"{oid} {subject}" for oid, subject in self.commits)
        return "\n\n".join([f"{self.title} #{self.number} {self.state}", *said, "\n".join(commits)]).strip() + "\n"


def play(folder: Path) -> dict[str, Thread]:
    """Comment ``/generate`` on an issue with the blog; return its thread and the pull request, by picture."""
    spec = SPEC.read_text(encoding="utf-8").partition("\n")[2].strip()
    with world(folder, spec) as github:
        github.say("/generate")
        return {"issue.png": _issue(github, spec), "pull-request.png": _pull(github)}


def _issue(world: World, spec: str) -> Thread:
    given = world.github.reactions
    posts = [
        Post(each.login or "", each.body, tuple(one.content for one in given if one.comment == each.id))
        for each in world.github.comments
        if each.issue == ISSUE
    ]
    return Thread(world.github.issues[ISSUE].title, ISSUE, "Open", (Post("alice", spec), *posts))


def _pull(world: World) -> Thread:
    pull = world.pull()
    log = git(
        world.origin, "log", "--reverse", "--first-parent", "--format=%h%x1f%s", "--abbrev=7", f"main..{pull.head}"
    )
    commits = tuple((row.partition("\x1f")[0], row.partition("\x1f")[2]) for row in log.split("\n"))
    state = "Draft" if pull.draft else "Open"
    return Thread(pull.title, pull.number, state, (Post(LOGIN, pull.body or ""),), commits)
