"""Which repository the URL of a remote names, for a forge with addresses such as ``host/owner/name``."""

import re
from typing import NamedTuple, Self
from urllib.parse import urlsplit

_SHORT = re.compile(r"(?:[\w.-]{1,100}@)?([\w.-]{1,200}):(?!/)(.{1,300})", re.ASCII)
"""The form of ssh: ``git@github.com:owner/name.git``."""
_PATH = re.compile(r"/?([\w.-]{1,100})/([\w.-]{1,100}?)(?:\.git)?/?", re.ASCII)
GITHUB = "github.com"


class RemoteAddress(NamedTuple):
    """A repository on a server."""

    host: str
    """In lower case, with the port if the URL has one."""
    owner: str
    name: str

    @property
    def repository(self) -> str:
        """``owner/name``."""
        return f"{self.owner}/{self.name}"

    @classmethod
    def of(cls, url: str) -> Self | None:
        """Return what *url* names, without what it may hold besides, such as a token; None if it is no such URL."""
        try:
            parts = urlsplit(url)
            port = f":{parts.port}" if parts.port and parts.scheme.endswith(("http", "https")) else ""
        except ValueError:  # an invalid port, or unbalanced brackets
            return None
        if parts.scheme.removeprefix("git+") in ("https", "http", "ssh", "git") and parts.hostname:
            host, path = f"{parts.hostname}{port}", parts.path
        elif match := _SHORT.fullmatch(url):
            host, path = match[1].lower(), match[2]
        else:
            return None
        match = _PATH.fullmatch(path)
        if match is None or {match[1], match[2]} & {".", ".."}:
            return None
        return cls("github.com" if host == "ssh.github.com" else host, match[1], match[2])
