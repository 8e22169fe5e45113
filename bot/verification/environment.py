"""The environment of the commands: made from nothing, and for the step that installs what leads to package indexes."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from bot.secret_scan import find_secret

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
_PIP = (
    *("CERT", "CONFIG_FILE", "CONSTRAINT", "DEFAULT_TIMEOUT", "EXTRA_INDEX_URL", "FIND_LINKS", "INDEX_URL", "NO_INDEX"),
    *("RETRIES", "TIMEOUT", "TRUSTED_HOST"),
)
_UV = (
    *("CONFIG_FILE", "CONSTRAINT", "DEFAULT_INDEX", "EXTRA_INDEX_URL", "FIND_LINKS", "HTTP_RETRIES"),
    *(
        "HTTP_TIMEOUT",
        "INDEX",
        "INDEX_STRATEGY",
        "INDEX_URL",
        "INSECURE_HOST",
        "NATIVE_TLS",
        "NO_INDEX",
        "OFFLINE",
        "SYSTEM_CERTS",
    ),
)
_FOR_INSTALLING = frozenset(
    (
        *(spelling for name in _PROXIES for spelling in (name, name.lower())),
        *_CERTIFICATES,
        *(f"PIP_{name}" for name in _PIP),
        *(f"UV_{name}" for name in _UV),
        *("NPM_CONFIG_REGISTRY", "npm_config_registry"),
    )
)
_OF_UV = ("check", "freeze", "install", "list", "show", "sync", "uninstall")
"""What uv does of pip's commands."""
_LOGIN = re.compile(r"://[^/\s@]*@")


class Folders(NamedTuple):
    """The folders of a clean place, as absolute paths."""

    project: str
    home: str
    temporary: str
    venv: str = ""
    """Empty if there is none."""


def environment(folders: Folders, path: Sequence[str]) -> dict[str, str]:
    """Return the environment of a command; *path* has the folders of the system's programs."""
    own = [f"{folders.venv}/bin"] if folders.venv else []
    found = {
        "PATH": ":".join([*own, *path]),
        "HOME": folders.home,
        "TMPDIR": folders.temporary,
        "LANG": "C.UTF-8",
        "CI": "true",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
    }
    return found | {"VIRTUAL_ENV": folders.venv} if folders.venv else found


class Passed(NamedTuple):
    """What the step that installs gets of the caller's environment."""

    variables: Mapping[str, str]
    notes: Sequence[str]
    """What it does not get, and why."""

    @property
    def paths(self) -> Sequence[str]:
        """Files and folders that the variables name."""
        words = (word for value in self.variables.values() for word in value.split())
        return [word.removeprefix("file://") for word in words if word.removeprefix("file://").startswith("/")]


def for_installing(environ: Mapping[str, str]) -> Passed:
    """Return what leads to the network and to package indexes, without what holds credentials."""
    found = {name: environ[name] for name in sorted(_FOR_INSTALLING & environ.keys()) if environ[name]}
    secret = [name for name, value in found.items() if holds_credentials(value)]
    notes = [f"{name} holds credentials, so no command gets it" for name in secret]
    return Passed({name: value for name, value in found.items() if name not in secret}, notes)


def holds_credentials(text: str) -> bool:
    """Whether *text*, such as an address or a configuration file, holds a password or a token."""
    return bool(_LOGIN.search(text)) or find_secret(text) is not None


def system_path(path: str, without: Sequence[str]) -> list[str]:
    """Return the folders of ``PATH`` that are in none of the folders *without*; at least the usual ones."""
    folders = [each for each in path.split(":") if each.startswith("/") and not is_inside(each, without)]
    return list(dict.fromkeys([*folders, "/usr/local/bin", "/usr/bin", "/bin"]))


def is_inside(path: str, folders: Sequence[str]) -> bool:
    """Whether *path* is one of *folders*, or in one."""
    return any(path == each or path.startswith(f"{each.rstrip('/')}/") for each in folders)


def as_installer(run: Sequence[str], uv: str) -> Iterator[str]:
    """Yield the arguments of a command, in which uv takes the part of pip, if there is one: *uv* is its path."""
    words = list(run)
    if words[1:3] == ["-m", "pip"] and is_python(words[0]):
        words = ["pip", *words[3:]]
    if uv and words[0] == "pip" and len(words) > 1 and words[1] in _OF_UV:
        yield from (uv, "pip", *words[1:])
    else:
        yield from run


def is_python(program: str) -> bool:
    """Whether *program* is the interpreter, which is that of the clean place's own environment."""
    return program in ("python", "python3")


def needs_venv(run: Sequence[str]) -> bool:
    """Whether a command needs a Python environment of its own."""
    return is_python(run[0]) or run[0] == "pip"
