"""The command `init`: write the workflow and the issue form into a repository."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot import __version__
from bot.cli.help import examples
from bot.errors import UsageError

if TYPE_CHECKING:
    from bot.history.installation import Source
    from bot.history.remote_address import RemoteAddress

KEY_PAGE = "https://aistudio.google.com/apikey"


@click.command(epilog=examples("init", "init --repo ../shop"))
@click.option("--repo", default=".", show_default=True, type=click.Path(path_type=Path), help="The repository.")
@click.option(
    "--from",
    "named",
    metavar="OWNER/REPOSITORY@SHA",
    help="The commit of Phasebot that the workflow uses. Default: the one that is installed.",
)
def init(*, repo: Path, named: str | None) -> None:
    """Write the workflow and the issue form into a repository; commit nothing.

    Files that are there are not replaced.
    """
    from bot.forge.workflow_file import pin
    from bot.history.configuration_files import worktree_root
    from bot.history.git import open_repository
    from bot.history.installation import FORM, WORKFLOW, named_source, packaged_file
    from bot.history.new_files import check_place, write_new
    from bot.text import unix_newlines

    root = worktree_root(repo, search=True)
    git = open_repository(root) if root else None
    if git is None:
        raise UsageError(f"opening {repo}: there is no repository; run 'git init' in it, or name another folder")
    root, package = git.worktree, Path(__file__).parents[1]
    source = _installed_source(package) if named is None else named_source(named)
    comment = "" if named else f" # phasebot {__version__}"
    texts = {WORKFLOW: pin(packaged_file(package, WORKFLOW), source, comment), FORM: packaged_file(package, FORM)}
    there = {path: unix_newlines(_read(root / path)) for path in texts if check_place(root, path)}
    for path, text in there.items():
        if text != texts[path]:
            raise UsageError(_difference(path, text, texts[path], source))
    write_new(root, {path: text for path, text in texts.items() if path not in there})
    for path in texts:
        click.echo(f"{'already there' if path in there else 'written'}: {path}")
    url = git.run("remote", "get-url", "--", "origin")
    where = "" if root == Path.cwd() else f" -C {shlex.quote(str(root))}"
    add = f"git{where} add {' '.join(texts)} && git{where} commit -m 'Add Phasebot'"
    click.echo("\n".join(["", *_next_steps(add, _address(url.text if url.status == 0 else ""))]))


def _installed_source(package: Path) -> "Source":
    from importlib.metadata import PackageNotFoundError, distribution

    from bot.history.installation import find_source

    try:
        recorded = distribution("phasebot").read_text("direct_url.json")
    except PackageNotFoundError:
        recorded = None
    return find_source(package, recorded)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as exc:
        raise UsageError(f"reading {path.name}: {exc.strerror or exc}; make it readable") from exc


def _difference(path: str, there: str, wanted: str, source: "Source") -> str:
    from bot.forge.workflow_file import read_pins

    old, new = read_pins(there), read_pins(wanted)
    others = sorted(old.sources - {f"{source.repository}@{source.commit}"})
    if old.text == new.text and others:
        return (
            f"writing {path}: it is there, and uses {', '.join(others)}; to use {source.repository}@{source.commit}, "
            "change it there. Nothing was written"
        )
    return (
        f"writing {path}: it is there and differs; move it away, run 'phasebot init' again, "
        "and compare the two. Nothing was written"
    )


def _address(url: str) -> "RemoteAddress | None":
    from bot.history.remote_address import RemoteAddress

    return RemoteAddress.of(url)


def _next_steps(add: str, address: "RemoteAddress | None") -> Iterator[str]:
    repo = f" --repo {address.repository}" if address else ""
    page = f": https://{address.host}/{address.repository}/settings/actions" if address else ""
    yield "Next:"
    yield "1. Commit the files, and push them to the default branch, because GitHub reads them only there:"
    yield f"     {add}"
    yield f"2. To have a model write, get a key at {KEY_PAGE}, and store it as a secret:"
    yield f"     gh secret set GEMINI_API_KEY{repo}"
    yield "   Without it, built-in templates write."
    yield f"3. Allow GitHub Actions to create and approve pull requests, in the settings under Actions > General{page}"
    yield "4. Comment /generate on an issue that says what to build."
    yield "'phasebot doctor' checks all of that."
