"""A server on the loopback that sends bytes of any kind: what is no proper HTTP, has no end, or comes drop by drop."""

import socket
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Self

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


class RawServer:
    """Answers each connection's first request with the pieces that *answer* yields; ``sent`` counts their bytes."""

    def __init__(self, answer: Callable[[], Iterable[bytes]], *, drip: float = 0.0) -> None:
        """Wait *drip* seconds between two pieces."""
        self.sent = self.connections = 0
        self._answer, self._drip = answer, drip
        self._closed = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                connection.recv(1 << 16)
                for piece in self._answer():
                    if self._closed.is_set():
                        return
                    connection.sendall(piece)
                    self.sent += len(piece)
                    if self._drip:
                        self._closed.wait(self._drip)
        except OSError:
            return  # the client went away, as it should


def bomb(megabytes: int, status: str = "200 OK", encoding: str = "gzip") -> Callable[[], Iterator[bytes]]:
    """Answer with so many megabytes of blanks, compressed to a thousandth."""

    def answer() -> Iterator[bytes]:
        yield f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Encoding: {encoding}\r\n".encode()
        yield b"Connection: close\r\n\r\n"
        packer = zlib.compressobj(wbits=31)
        for _ in range(megabytes):
            yield packer.compress(b" " * 1_000_000)
        yield packer.flush()

    return answer


def endless_chunks(status: str = "200 OK") -> Callable[[], Iterator[bytes]]:
    """Answer with a chunked body that never ends."""

    def answer() -> Iterator[bytes]:
        yield f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        while True:
            yield b"10000\r\n" + b" " * 0x10000 + b"\r\n"

    return answer


def dripping_body() -> Iterator[bytes]:
    """Answer with a body of 100 MB, byte by byte."""
    yield HEAD + b"Content-Length: 100000000\r\n\r\n"
    while True:
        yield b" "


def dripping_head() -> Iterator[bytes]:
    """Answer with a header that never ends, byte by byte."""
    yield HEAD + b"X-Long: "
    while True:
        yield b"a"


def endless_head() -> Iterator[bytes]:
    """Answer with headers without end."""
    yield HEAD
    while True:
        yield b"X-More: a\r\n" * 1_000


def endless_information() -> Iterator[bytes]:
    """Answer with informational responses only."""
    while True:
        yield b"HTTP/1.1 100 Continue\r\n\r\n"


def silence() -> Iterator[bytes]:
    """Answer nothing."""
    while True:
        yield b""
