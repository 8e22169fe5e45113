"""The rules for generated paths, the same for recipes, plans and model output.

Generated files end up in a checkout and in the next CI run of whoever merges them.  So a path must not be one that a
program acts on by itself (:mod:`bot.planning.denied_names`), and must not mean a different path on another file system.
"""

import re
import unicodedata
from pathlib import PurePosixPath

from bot.planning.denied_names import HIDDEN, fold, what_it_does
from bot.text import find_hidden

_FORBIDDEN = re.compile(r"[\t\n\\:*?\"<>|]")
"""What a path can't hold besides hidden characters: Windows reads it otherwise, and a path is one line."""
_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com\d|lpt\d)\s*(\..*)?")
_SHORT_NAME = re.compile(r"~\d++ *+(?:\.|\Z)")
"""``CLAUDE~1.MD`` is another name of ``CLAUDE.local.md`` on Windows."""
MAX_PATH = 400


def path_problem(path: str) -> str | None:
    """Return why *path*, relative to the project's folder, can't be generated; None if it can.

    The message continues a sentence that starts with the path: ``'../x' leaves the project``.
    """
    if problem := _form_problem(path):
        return problem
    what = what_it_does(fold(path).split("/"))
    unlike = ", unlike such harmless files as .gitignore" if what == HIDDEN else ""
    return f"{what}{unlike}, so it is never generated; use another name, or add it yourself" if what else None


def _form_problem(path: str) -> str | None:
    if not 0 < len(path) <= MAX_PATH:  # first, because the checks below take quadratic time
        return f"does not have 1 to {MAX_PATH} characters"
    parts = path.split("/")
    plain = unicodedata.normalize("NFKC", path).casefold().split("/")  # how some file systems read it
    bad = find_hidden(path) or _FORBIDDEN.search(path)
    rules = (
        (bad, f"holds the character U+{ord(bad[0]) if bad else 0:04X}"),
        (path.startswith("/") or ".." in (*parts, *plain), "leaves the project"),
        (
            any(not part.strip(" .") or part != part.strip() or part.endswith(".") for part in parts),
            "has a part that is empty, or has spaces around it or a dot at its end",
        ),
        (any(_DEVICES.fullmatch(part) or _SHORT_NAME.search(part) for part in plain), "is reserved on Windows"),
    )
    return next((message for broken, message in rules if broken), None)


def output_dir_problem(text: str) -> str | None:
    """Return why *text* can't be an output folder, in words that continue a sentence that starts with it."""
    normal = normal_output_dir(text)
    if normal == ".":
        return None
    if _form_problem(normal):
        return "is not a folder inside the repository; give one, or '.'"
    what = what_it_does([*fold(normal).split("/"), ""])
    why = f"is not a folder inside the repository that may hold a project, because it {what}"
    return f"{why}; give another one, or '.'" if what else None


def normal_output_dir(text: str) -> str:
    """Return the normal form of an output folder: ``.`` or ``a/b``."""
    return str(PurePosixPath(text.strip().replace("\\", "/")))


def inside(output_dir: str, path: str) -> str:
    """Return the path in the repository of the project's *path*."""
    return path if output_dir == "." else f"{output_dir}/{path}"


def outside(output_dir: str, path: str) -> str:
    """Return the path in the project of the repository's *path*; the inverse of :func:`inside`."""
    return path if output_dir == "." else path.removeprefix(f"{output_dir}/")
