"""Repositories over smart HTTP on the loopback, behind a token, served by git's own ``http-backend``.

It minds headers as GitHub does: exactly one Authorization, and the right one; and it fails as it is told to.
"""

import os
import re
import shutil
import subprocess
import threading
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

_GIT = shutil.which("git") or "git"  # whatever a test puts on the PATH later
TOKEN = "ghs_" + "0123456789abcdefghij" * 2


def basic(token: str) -> str:
    """Encode a token as it is sent."""
    return b64encode(f"x-access-token:{token}".encode()).decode()


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    """With its query."""
    authorizations: tuple[str, ...]
    body: bytes = field(repr=False, default=b"")

    @property
    def writes(self) -> bool:
        """Whether it belongs to a push."""
        return "git-receive-pack" in self.path

    @property
    def carries(self) -> bool:
        """Whether it carries the pack of a push, and not only asks for refs or tries whether it may."""
        return self.method == "POST" and self.writes and len(self.body) > len(b"0000")


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """What the server does instead of answering."""

    status: int = 500
    text: str = ""
    """What git shows as ``remote: …``."""
    location: str = ""
    """Where it sends the client with a status of 3xx."""
    reason: str = ""
    """Why the ref of a push is not moved; the rest is as if nothing were wrong."""
    cut: bool = False
    """Do what was asked, then close the connection in the middle of the answer."""


def nothing_wrong(_: Asked) -> Refusal | None:
    return None


class GitServer:
    """Serves the bare repositories in *root*, below *path*, for as long as its context lasts."""

    def __init__(
        self, root: Path, *, path: str = "", refuse: Callable[[Asked], Refusal | None] = nothing_wrong
    ) -> None:
        self.token = TOKEN
        self.refuse = refuse
        """Asked about every request that has the right token."""
        self.judge: Callable[[Asked], Refusal | None] = self._by_its_headers
        """Asked about every request."""
        self.requests: list[Asked] = []
        self.statuses: list[int] = []
        self._lock = threading.Lock()
        self._prefix = path
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer()

            def do_POST(self) -> None:
                self._answer()

            def _answer(self) -> None:
                tokens = tuple(self.headers.get_all("Authorization", []))
                asked = Asked(self.command, self.path, tokens, _body(self))
                with server._lock:
                    server.requests.append(asked)
                refusal = server.judge(asked)
                whole = (
                    _backend(root, path, asked, self) if refusal is None or refusal.cut else _refused(refusal, asked)
                )
                with server._lock:
                    server.statuses.append(whole.status)
                self.send_response(whole.status)
                for name, value in (*whole.headers, ("Content-Length", str(len(whole.body)))):
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(whole.body[: len(whole.body) // 2] if refusal and refusal.cut else whole.body)
                self.close_connection = refusal is not None

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def _by_its_headers(self, asked: Asked) -> Refusal | None:
        if not asked.path.startswith(f"{self._prefix}/"):
            return Refusal(status=404, text="Not Found")
        if len(asked.authorizations) > 1:
            return Refusal(status=400, text='Duplicate header: "Authorization"')
        if not asked.authorizations:
            return Refusal(status=401, text="Invalid username or token.")
        scheme, _, value = asked.authorizations[0].partition(" ")
        if scheme.lower() != "basic" or value != basic(self.token):
            return Refusal(status=403, text=f"Permission to o/r.git denied to {value}.")
        return self.refuse(asked)

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def url(self) -> str:
        """What ``GITHUB_SERVER_URL`` would say."""
        return f"http://127.0.0.1:{self.port}{self._prefix}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """Say nothing: a client that went away is what some tests are about."""


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def _body(handler: BaseHTTPRequestHandler) -> bytes:
    if handler.headers.get("Transfer-Encoding", "") != "chunked":
        return handler.rfile.read(int(handler.headers.get("Content-Length", "0")))
    parts = []
    while size := int(handler.rfile.readline().partition(b";")[0], 16):
        parts.append(handler.rfile.read(size))
        handler.rfile.readline()
    handler.rfile.readline()
    return b"".join(parts)


def _refused(refusal: Refusal, asked: Asked) -> _Answer:
    if refusal.reason:
        ref = re.findall(rb"[0-9a-f]{40} [0-9a-f]{40} ([^\0]+)\0", asked.body)[0]
        report = _packet(b"unpack ok\n") + _packet(b"ng %s %s\n" % (ref, refusal.reason.encode())) + b"0000"
        kind = ("Content-Type", "application/x-git-receive-pack-result")
        return _Answer(200, (kind,), _packet(b"\1" + report) + b"0000")
    headers = [("Content-Type", "text/plain; charset=utf-8")]
    if refusal.status == 401:
        headers.append(("WWW-Authenticate", 'Basic realm="GitHub"'))
    if refusal.location:
        headers.append(("Location", refusal.location))
    return _Answer(refusal.status, tuple(headers), refusal.text.encode())


def _packet(line: bytes) -> bytes:
    return b"%04x" % (len(line) + 4) + line


def _backend(root: Path, prefix: str, asked: Asked, handler: BaseHTTPRequestHandler) -> _Answer:
    """Run git's CGI program; what it is told stands in RFC 3875."""
    path, _, query = asked.path.removeprefix(prefix).partition("?")
    about = {
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "REMOTE_USER": "x-access-token",  # without one it lets nobody push
        "REQUEST_METHOD": asked.method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_TYPE": handler.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(asked.body)),
        "HTTP_CONTENT_ENCODING": handler.headers.get("Content-Encoding", ""),
        "HTTP_GIT_PROTOCOL": handler.headers.get("Git-Protocol", ""),
    }
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "GIT_CONFIG_NOSYSTEM")}
    done = subprocess.run([_GIT, "http-backend"], input=asked.body, env=kept | about, capture_output=True, check=False)
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    fields = [line.partition(": ")[::2] for line in head.decode().split("\r\n")]
    status = next((int(value.split()[0]) for name, value in fields if name == "Status"), 200)
    return _Answer(status, tuple((name, value) for name, value in fields if name != "Status"), body)
