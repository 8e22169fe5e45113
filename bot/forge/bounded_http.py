"""Connections for PyGithub whose answers are bounded: in size, whatever they decompress to, and in time.

PyGithub reads a body to its end, waits for each byte anew, and takes answers of any kind.  So it gets its connections
from here.
"""

import threading
import time
from collections.abc import Callable, ItemsView, Mapping
from http.client import responses
from typing import Any, Protocol, TypeVar

import requests
import urllib3
from github.Requester import HTTPRequestsConnectionClass, HTTPSRequestsConnectionClass, Requester
from requests.exceptions import ChunkedEncodingError, ContentDecodingError

T = TypeVar("T")
MAX_BYTES = 32_000_000
"""Of a decompressed body."""
_CHUNK = 1 << 16
_ENCODINGS = ("", "identity", "gzip")
_current = threading.local()
"""Has the ``deadline`` of the call that this thread makes, and whether it may be ``moved``."""
_CLIENT_ERROR, _MOVED_PERMANENTLY = 400, 301
_ANSWERS: Mapping[str, tuple[int, ...]] = {"GET": (200,)}
"""The statuses of a real answer, by method.  A proxy marks what it changed with 203; PyGithub waits for ever on 202."""
_MADE = (200, 201, 204)
"""The same for every other method."""


class NoAnswerError(Exception):
    """A response that PyGithub would take for an answer, although it is a redirect or not GitHub's own."""

    def __init__(self, status: int) -> None:
        super().__init__(f"{responses.get(status, '')}, which can't be read as an answer")
        self.status = status


class AnswerTooLargeError(Exception):
    """The body of the answer with this *status* is larger than :data:`MAX_BYTES`."""

    def __init__(self, status: int) -> None:
        super().__init__(f"with an answer that is larger than {MAX_BYTES // 1_000_000} MB")
        self.status = status


class OutOfTimeError(Exception):
    """The call took too long in total."""


def call_within(seconds: float, call: Callable[[], T], *, moved: bool) -> T:
    """Return what *call* returns, or raise what it raises; with *moved*, permanent redirects are followed.

    It runs in a thread of its own, which does not keep the process alive.  When the time is over, it is left alone: it
    sends nothing more, and ends at the next byte that arrives.

    Raises:
        OutOfTimeError: It took longer than so many *seconds*.
    """
    outcome: list[Callable[[], T]] = []
    deadline = time.monotonic() + seconds

    def run() -> None:
        _current.deadline, _current.moved = deadline, moved
        try:
            result = call()
        except BaseException as exc:  # noqa: BLE001  # whatever it is, it is raised in the caller's thread
            error = exc
            outcome.append(lambda: _raise(error))
        else:
            outcome.append(lambda: result)

    thread = threading.Thread(target=run, name="github", daemon=True)
    thread.start()
    thread.join(max(0.0, seconds))
    if not outcome:
        raise OutOfTimeError
    return outcome[0]()


def _raise(error: BaseException) -> Any:  # noqa: ANN401  # it doesn't return
    raise error


def check_time() -> None:
    """Raise OutOfTimeError if the time of this thread's call is over."""
    if time.monotonic() > getattr(_current, "deadline", float("inf")):
        raise OutOfTimeError


def read_body(answer: urllib3.BaseHTTPResponse) -> bytes:
    """Read a body piece by piece, decompressed.

    Raises:
        AnswerTooLargeError: It is too large.
        OutOfTimeError: The time is over.
        requests.exceptions.RequestException: It ends too early, or does not match its Content-Encoding header.
    """
    if answer.headers.get("content-encoding", "").strip().lower() not in _ENCODINGS:
        raise ContentDecodingError("an encoding that was not asked for")
    content = bytearray()
    try:
        while piece := answer.read1(_CHUNK, decode_content=True):
            check_time()
            content += piece
            if len(content) > MAX_BYTES:
                raise AnswerTooLargeError(answer.status)
    except urllib3.exceptions.DecodeError as exc:
        raise ContentDecodingError(exc) from exc
    except urllib3.exceptions.ProtocolError as exc:
        raise ChunkedEncodingError(exc) from exc
    finally:
        if len(content) > MAX_BYTES or answer.status >= _CLIENT_ERROR:
            answer.close()
    return bytes(content)


class _Answer:
    """An answer as PyGithub expects it."""

    def __init__(self, answer: requests.Response) -> None:
        self.status, self.headers = answer.status_code, answer.headers
        self._body = read_body(answer.raw)

    def getheaders(self) -> ItemsView[str, str]:
        return self.headers.items()

    def read(self) -> str:
        return self._body.decode(errors="replace")


class _Connection(Protocol):
    session: requests.Session
    protocol: str
    host: str
    port: int
    verb: str
    url: str
    input: Any
    headers: dict[str, str]
    timeout: int | None
    verify: Any


def _answer(connection: _Connection) -> _Answer:
    check_time()
    with connection.session.request(
        connection.verb,
        f"{connection.protocol}://{connection.host}:{connection.port}{connection.url}",
        headers={**connection.headers, "Accept-Encoding": "gzip"},
        data=connection.input,
        timeout=connection.timeout,
        verify=connection.verify,
        allow_redirects=False,
        stream=True,
    ) as answer:
        if not _is_answer(connection.verb, answer.status_code):
            raise NoAnswerError(answer.status_code)
        return _Answer(answer)


def _is_answer(verb: str, status: int) -> bool:
    if status == _MOVED_PERMANENTLY and getattr(_current, "moved", False):
        return True
    return status >= _CLIENT_ERROR or status in _ANSWERS.get(verb, _MADE)


class _Http(HTTPRequestsConnectionClass):
    def getresponse(self) -> Any:  # noqa: ANN401  # PyGithub asks for its own class, and needs no more than ours has
        return _answer(self)


class _Https(HTTPSRequestsConnectionClass):
    def getresponse(self) -> Any:  # noqa: ANN401
        return _answer(self)


def install() -> None:
    """Make PyGithub use these connections; it has only one setting for all of a process."""
    Requester.injectConnectionClasses(_Http, _Https)
