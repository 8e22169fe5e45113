"""No answer of GitHub or Gemini is read without limits: neither in size, however it is packed, nor in time."""

import asyncio
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace

import pytest
from pydantic import SecretStr

from bot.errors import ForgeError
from bot.forge.github_client import GitHubClient
from bot.forge.github_transport import RequestPacing
from bot.generation.llm.client import ModelRequest
from bot.generation.llm.gemini import GeminiModel
from bot.generation.llm.retry_policy import FailureKind, ModelError, Timeouts
from bot.settings import GeminiSettings
from tests.gemini_server import KEY
from tests.github_server import REPOSITORY, TOKEN
from tests.raw_server import (
    RawServer,
    bomb,
    dripping_body,
    dripping_head,
    endless_chunks,
    endless_head,
    endless_information,
    silence,
)

QUICK = RequestPacing(backoff=0.001, limit_wait=0.001, between_requests=0, between_writes=0, timeout=5, total=30.0)
MOST_MEMORY = 110_000_000
"""Three times the largest body: as bytes that grow, as bytes, and as text."""
_Answer = Callable[[], Iterable[bytes]]

LARGE = {
    "gzip": bomb(100),
    "gzip, server error": bomb(100, "503 Unavailable"),
    "gzip, forbidden": bomb(100, "403 Forbidden"),
    "gzip, not found": bomb(100, "404 Not Found"),
    "chunks": endless_chunks(),
    "chunks, server error": endless_chunks("502 Bad Gateway"),
    "chunks, forbidden": endless_chunks("403 Forbidden"),
}
_IN_FAST_SET = ("gzip", "gzip, forbidden", "gzip, server error")
_LARGE_KINDS = [each if each in _IN_FAST_SET else pytest.param(each, marks=pytest.mark.slow) for each in LARGE]
SLOW = {
    "body": dripping_body,
    "header": dripping_head,
    "no answer": silence,
    "only information": endless_information,
}


def _ask_github(answer: _Answer, pacing: RequestPacing = QUICK, *, drip: float = 0.0) -> tuple[str, RawServer]:
    with RawServer(answer, drip=drip) as server:
        hub = GitHubClient(TOKEN, repository=REPOSITORY, api_url=server.url, pacing=pacing)
        with pytest.raises(ForgeError) as caught:
            hub.issue(1)
    return str(caught.value), server


def _ask_gemini(answer: _Answer, timeout: float = 30.0, *, drip: float = 0.0) -> tuple[ModelError | None, RawServer]:
    async def ask(url: str) -> ModelError | None:
        settings = GeminiSettings(SecretStr(KEY), url)
        request = ModelRequest("be brief", ["hello"], {"type": "object"}, "JSON")
        async with GeminiModel(settings, thinking="low", timeouts=Timeouts(request=timeout)) as model:
            with suppress(TimeoutError):  # which the retrying client makes a ModelError
                async with asyncio.timeout(timeout):
                    try:
                        await model.ask("one", request)
                    except ModelError as exc:
                        return exc
        return None

    with RawServer(answer, drip=drip) as server:
        return asyncio.run(ask(server.url)), server


def _peak(act: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", _LARGE_KINDS)
def test_github_s_answer_is_not_read_beyond_the_limit(kind: str) -> None:
    messages: list[str] = []

    peak = _peak(lambda: messages.append(_ask_github(LARGE[kind])[0]))

    assert peak < MOST_MEMORY
    assert "reading #1: GitHub said" in messages[0]
    if "forbidden" in kind:
        assert "GitHub said 403 Forbidden; the token needs" in messages[0]
    else:
        assert "with an answer that is larger than 32 MB; check " in messages[0]


@pytest.mark.parametrize("kind", _LARGE_KINDS)
def test_gemini_s_answer_is_not_read_beyond_the_limit(kind: str) -> None:
    errors: list[ModelError | None] = []

    peak = _peak(lambda: errors.append(_ask_gemini(LARGE[kind])[0]))

    assert peak < MOST_MEMORY
    assert errors[0] is not None
    assert "the answer is larger than 32 MB" in str(errors[0])
    kinds = {"server error": FailureKind.SERVER, "forbidden": FailureKind.KEY, "not found": FailureKind.MODEL}
    assert errors[0].kind is kinds.get(kind.partition(", ")[2], FailureKind.UNREADABLE)


@pytest.mark.parametrize("kind", SLOW)
def test_github_is_not_waited_for_without_end(kind: str) -> None:
    began = time.monotonic()

    message, _ = _ask_github(SLOW[kind], replace(QUICK, total=0.6), drip=0.01)

    assert time.monotonic() - began < 10
    assert "reading #1: GitHub did not answer completely within 0.6 seconds; check GITHUB_API_URL" in message


@pytest.mark.parametrize("kind", SLOW)
def test_gemini_is_not_waited_for_without_end(kind: str) -> None:
    began = time.monotonic()

    error, _ = _ask_gemini(SLOW[kind], 0.6, drip=0.01)

    assert time.monotonic() - began < 10
    assert error is None or error.kind is FailureKind.TIMEOUT


def test_headers_without_end_are_refused() -> None:
    message, _ = _ask_github(endless_head)
    error, server = _ask_gemini(endless_head)

    assert "GitHub did not answer" in message
    assert error is not None
    assert error.kind is FailureKind.CONNECTION
    assert server.sent < MOST_MEMORY


@pytest.mark.parametrize("encoding", ["br", "zstd", "deflate", "gzip, gzip", "compress"])
def test_an_encoding_that_was_not_asked_for_is_refused(encoding: str) -> None:
    message, _ = _ask_github(bomb(1, encoding=encoding))
    error, _ = _ask_gemini(bomb(1, encoding=encoding))

    assert "GitHub did not answer (ContentDecodingError)" in message
    assert error is not None
    assert str(error) == "unreadable response: the body has an encoding that was not asked for"


def test_a_redirect_that_leads_on_and_on_ends() -> None:
    numbers = iter(range(1 << 30))

    def elsewhere() -> Iterable[bytes]:
        return [f"HTTP/1.1 301 Moved\r\nLocation: {server.url}/{next(numbers)}\r\nContent-Length: 0\r\n\r\n".encode()]

    with RawServer(elsewhere) as server:
        hub = GitHubClient(TOKEN, repository=REPOSITORY, api_url=server.url, pacing=replace(QUICK, total=2.0))
        with pytest.raises(ForgeError, match="reading #1: GitHub "):
            hub.issue(1)


_CANCELS = """
import asyncio, sys
from functools import partial
from bot.action.progress_comment import _in_thread
from bot.forge.github_client import GitHubClient

async def main():
    hub = GitHubClient("a" * 20, repository="acme/blog", api_url=sys.argv[1])
    task = asyncio.create_task(_in_thread(partial(hub.issue, 1)))
    await asyncio.to_thread(sys.stdin.readline)  # the request has arrived
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

asyncio.run(main())
"""


def test_a_process_that_is_interrupted_does_not_wait_for_github() -> None:
    asked = threading.Event()

    def answer() -> Iterable[bytes]:
        asked.set()
        yield from dripping_body()

    with RawServer(answer, drip=0.1) as server:
        process = subprocess.Popen([sys.executable, "-c", _CANCELS, server.url], stdin=subprocess.PIPE, text=True)
        assert asked.wait(60)
        process.communicate("go\n", timeout=30)  # GitHub would have 300 seconds

    assert process.returncode == 0


def test_a_question_that_was_given_up_sends_nothing_more() -> None:
    def busy() -> Iterable[bytes]:
        yield b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    message, server = _ask_github(busy, replace(QUICK, backoff=0.4, total=0.5))

    assert "GitHub did not answer completely" in message
    assert server.connections < 4
