"""A token for fetch and push, and the server that it is for."""

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from bot.errors import UsageError
from bot.history.git import REMOTE_TIMEOUT
from bot.redaction import Redactor


@dataclass(frozen=True, slots=True)
class Credentials:
    """A token and the server to send it to."""

    token: str = field(repr=False)
    server_url: str

    def __post_init__(self) -> None:
        """Refuse values that can't be sent.  The message contains neither, because both can contain a secret."""
        if not re.fullmatch(r"[!-~]+", self.token):
            raise UsageError("reading the token: it is empty or contains a space or line break; copy it again")
        try:
            is_url = _origin(urlsplit(self.server_url)) is not None
        except ValueError:  # an invalid port, or unbalanced brackets
            is_url = False
        if not (is_url and re.fullmatch(r"https?://[!-~]+", self.server_url)) or re.search("[@?#]", self.server_url):
            raise UsageError("reading the server's URL: it is not a plain http or https URL; correct it")

    @property
    def _basic(self) -> str:
        return b64encode(f"x-access-token:{self.token}".encode()).decode()

    @property
    def settings(self) -> Sequence[tuple[str, str]]:
        """Settings of git that make it send only the token, and only to the server.

        GitHub refuses two Authorization headers, so the one that actions/checkout configured is cleared first.
        Redirects are off, because git would send the header to the host that it is redirected to.  A transfer that
        stalls ends by itself, even if nobody is left to end it.
        """
        server = f"http.{self.server_url.rstrip('/')}/"
        return (
            (f"{server}.extraheader", ""),
            (f"{server}.extraheader", f"AUTHORIZATION: basic {self._basic}"),
            (f"{server}.followRedirects", "false"),
            ("http.lowSpeedLimit", "1"),
            ("http.lowSpeedTime", f"{REMOTE_TIMEOUT:.0f}"),
            ("credential.helper", ""),
        )

    @property
    def protocol(self) -> str:
        return urlsplit(self.server_url).scheme

    def covers(self, url: str) -> bool:
        """Whether *url* is on the server: same scheme, host and port, and under its path, as git compares them."""
        try:
            ours, theirs = urlsplit(self.server_url), urlsplit(url)
            return _origin(ours) == _origin(theirs) and f"{theirs.path}/".startswith(f"{ours.path.rstrip('/')}/")
        except ValueError:
            return False

    def redact(self, text: str) -> str:
        """Return *text* without the token, whatever form it has."""
        return Redactor([self.token]).redact(text)


def _origin(url: SplitResult) -> tuple[str, str, int] | None:
    port = {"http": 80, "https": 443}.get(url.scheme)
    return (url.scheme, url.hostname, url.port or port) if port and url.hostname else None
