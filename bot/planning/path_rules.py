"""The rules for generated paths, the same for recipes, plans and model output.

Generated files end up in a checkout and in the next CI run of whoever merges them.  So a path must not configure
git, CI or an AI agent, and must not mean a different path on another file system.
"""

import re
import unicodedata
from pathlib import PurePosixPath

from pathspec import GitIgnoreSpec

from bot.text import find_hidden

_FORBIDDEN = re.compile(r"[\t\n\\:*?\"<>|]")
"""What a path can't hold besides hidden characters: Windows reads it otherwise, and a path is one line."""
_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com\d|lpt\d)\s*(\..*)?")
_SHORT_NAME = re.compile(r".*~\d")
_DENIED = GitIgnoreSpec.from_lines((
    *(".git*", "!.gitignore", "!.gitkeep"),
    *(".circleci", ".buildkite", ".forgejo", ".woodpecker*", ".drone.yml", ".travis.yml"),
    *("jenkinsfile", "azure-pipelines.yml", "bitbucket-pipelines.yml", "*appveyor.yml", ".cirrus.yml"),
    *(".husky", ".pre-commit-config.yaml", ".vscode", ".idea", ".devcontainer", ".envrc"),
    *(".claude*", "claude*.md", "agents*.md", "gemini.md", ".gemini", ".codex"),
    *(".cursor*", ".mcp.json", ".aider*", ".windsurf*", ".clinerules*", ".roo*"),
))  # fmt: skip
"""Patterns for a single path component, so that denying a folder denies everything below it."""
MAX_PATH = 400


def path_problem(path: str) -> str | None:
    """Return why *path*, relative to the project's folder, can't be generated; None if it can.

    The message continues a sentence that starts with the path: ``'../x' leaves the project``.
    """
    if not 0 < len(path) <= MAX_PATH:  # first, because the checks below take quadratic time
        return f"does not have 1 to {MAX_PATH} characters"
    parts = path.split("/")
    plain = unicodedata.normalize("NFKC", path).casefold().split("/")  # how some file systems read it
    bad = find_hidden(path) or _FORBIDDEN.search(path)
    rules = (
        (bad, f"holds the character U+{ord(bad[0]) if bad else 0:04X}"),
        (path.startswith("/") or ".." in (*parts, *plain), "leaves the project"),
        (
            any(not part.strip(" .") or part != part.strip(" ") or part.endswith(".") for part in parts),
            "has a part that is empty, or has spaces around it or a dot at its end",
        ),
        (any(_DEVICES.fullmatch(part) or _SHORT_NAME.fullmatch(part) for part in plain), "is reserved on Windows"),
        (any(map(_DENIED.match_file, plain)), "configures git, CI or an agent, which is never generated"),
    )
    return next((message for broken, message in rules if broken), None)


def check_output_dir(text: str) -> str | None:
    """Return the normal form of an output folder (``.`` or ``a/b``), or None if it can't be one."""
    normal = str(PurePosixPath(text.strip().replace("\\", "/")))
    if normal == ".":
        return normal
    return None if path_problem(normal) else normal


def inside(output_dir: str, path: str) -> str:
    """Return the path in the repository of the project's *path*."""
    return path if output_dir == "." else f"{output_dir}/{path}"
