"""The few requests to GitHub that are sent before Phasebot is installed, with nothing but the standard library.

A request is sent once, without retries: what is asked here, Phasebot itself asks again later.
"""

import json
import ssl
from collections.abc import Mapping
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from bot.errors import ForgeError, UsageError
from bot.forge.client import VALID_SETTINGS, WRITING, Reaction

_PATIENCE = 5.0
"""Seconds for the connection, and for each part of the answer."""
_LIMIT = 200_000
"""Bytes of an answer."""
_OK, _CREATED = 200, 201


class _NoRedirect(HTTPRedirectHandler):
    """Follows no redirect, because the token would go along."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """Return no further request, so the redirect itself is the answer."""


class BareClient:
    """Asks GitHub for a permission, and reacts to comments."""

    def __init__(self, token: str, *, repository: str, api_url: str, certificates: str = "") -> None:
        """Store the settings; nothing is sent.  Proxies are taken from the environment, as the other client does.

        Args:
            token: Is sent to *api_url* only.
            repository: Its owner and name.
            api_url: Without a slash at its end.
            certificates: A file or folder with those to trust; empty for those of the system.

        Raises:
            UsageError: A value is missing or malformed; the message does not show it.
        """
        if not VALID_SETTINGS.fullmatch(f"{token} {repository} {api_url}"):
            raise UsageError("GITHUB_TOKEN, GITHUB_REPOSITORY or GITHUB_API_URL is missing or malformed; correct it")
        self._headers = {
            "Authorization": f"token {token}",
            "Accept": "application/vnd.github+json",
            "User-Agent": "phasebot",
        }
        self._address = f"{api_url}/repos/{repository}"
        file, folder = (None, certificates) if certificates and Path(certificates).is_dir() else (certificates, None)
        try:
            context = ssl.create_default_context(cafile=file or None, capath=folder)
        except OSError as exc:
            raise UsageError(f"reading the certificates at {certificates}: {exc.strerror}; correct it") from exc
        self._opener = build_opener(_NoRedirect, HTTPSHandler(context=context))

    def may_write(self, login: str) -> bool:
        """Whether *login* has write access; only a clear answer about that very login counts.

        Raises:
            ForgeError: There is no such answer.
        """
        doing = f"checking the permissions of {login}"
        status, text = self._ask(doing, "GET", f"collaborators/{quote(login, safe='')}/permission")
        if status != _OK:
            raise ForgeError(f"{doing}: GitHub answered with status {status}")
        try:
            answer = json.loads(text)
            permission, about = answer["permission"], answer["user"]["login"]
        except (ValueError, TypeError, LookupError, RecursionError) as exc:
            raise ForgeError(f"{doing}: GitHub's answer can't be read ({type(exc).__name__})") from exc
        return isinstance(about, str) and about.lower() == login.lower() and permission in WRITING

    def react(self, comment: int, reaction: Reaction, *, in_review: bool = False) -> None:
        """Add our reaction to a comment; with *in_review*, to a review comment.  Repeating it changes nothing.

        Raises:
            ForgeError: GitHub did not take it.
        """
        doing = f"reacting to {'review ' * in_review}comment {comment}"
        place = f"{'pulls' if in_review else 'issues'}/comments/{comment}/reactions"
        status, _ = self._ask(doing, "POST", place, {"content": reaction})
        if status not in (_OK, _CREATED):
            raise ForgeError(f"{doing}: GitHub answered with status {status}")

    def _ask(self, doing: str, method: str, place: str, body: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        """Send one request; return the status and the answer, which is empty if it is none that counts."""
        data = None if body is None else json.dumps(body).encode()
        headers = self._headers if body is None else {**self._headers, "Content-Type": "application/json"}
        # The address was checked: it is one of HTTP.
        request = Request(f"{self._address}/{place}", data, headers, method=method)  # noqa: S310
        try:
            with self._opener.open(request, timeout=_PATIENCE) as answer:
                text = answer.read(_LIMIT + 1)
                return answer.status, text if len(text) <= _LIMIT else b""
        except HTTPError as exc:
            exc.close()
            return exc.code, b""
        except (OSError, HTTPException, ValueError) as exc:
            reason = exc.reason if isinstance(exc, URLError) else exc
            name = type(reason if isinstance(reason, BaseException) else exc).__name__
            raise ForgeError(f"{doing}: there was no answer ({name})") from exc
