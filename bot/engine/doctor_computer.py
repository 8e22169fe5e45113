"""The doctor's checks of this computer: the programs and packages that Phasebot uses."""

import os
import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from shutil import which

from bot import __version__
from bot.engine.check import Check
from bot.errors import PhasebotError
from bot.history.git import git_version
from bot.verification.launcher import NETWORK, PROCESSES
from bot.verification.verify import probe_isolation

_PYTHON, _GIT = (3, 11), (2, 33)
_EXTRAS = {
    "sqlglot": ("import", "SQL files are read"),
    "tree_sitter_language_pack": ("languages", "files of other languages than Python are checked"),
}
"""Module → extra, and what it is for."""


def check_computer(environ: Mapping[str, str]) -> Iterator[Check]:
    """Yield what is there, and in which version."""
    yield _version("Python", sys.version_info[:3], _PYTHON)
    found = git_version()
    yield _version("git", found, _GIT) if found else Check("unknown", "git does not say its version")
    yield Check("ok", f"Phasebot {__version__} on {sys.platform}")
    for module, (extra, purpose) in _EXTRAS.items():
        if find_spec(module):
            yield Check("ok", f"{purpose} (extra {extra})")
        else:
            remedy = f"if you need it: pip install 'phasebot[{extra}]'"
            yield Check("unknown", f"{purpose} only with the extra {extra}, which is not installed", remedy)
    if which("uv", path=os.pathsep.join([environ.get("PATH", ""), str(Path(sys.executable).parent)])):
        yield Check("ok", "uv is there, so verify installs faster")
    else:
        yield Check("ok", "verify installs with pip, as uv is not there")
    yield _isolation()


def _version(name: str, found: tuple[int, ...], needed: tuple[int, int]) -> Check:
    version, least = (".".join(map(str, each)) for each in (found, needed))
    if found >= needed:
        return Check("ok", f"{name} {version}")
    return Check("problem", f"{name} {version} is too old", f"install {name} {least} or newer")


def _isolation() -> Check:
    try:
        apart = probe_isolation()
    except (OSError, PhasebotError) as exc:
        return Check("unknown", f"whether verify can keep generated code apart: {exc}")
    if {PROCESSES, NETWORK} <= apart:
        return Check("ok", "verify keeps generated code apart from processes, files and the network")
    reach = "processes and files" if NETWORK in apart else "processes, files and the network"
    remedy = "verify only what you would run yourself, or allow user namespaces"
    return Check("unknown", f"verify can't keep generated code from {reach} here", remedy)
