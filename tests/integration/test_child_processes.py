"""No child process outlives its call, whatever it or the other end of a connection does."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from bot.errors import RepositoryError
from bot.history import child_process
from bot.history.child_process import read_to_end
from bot.history.credentials import Credentials
from bot.history.git import Git, open_repository
from bot.history.remote import Remote, UnreachableError
from bot.history.repository import Repository
from tests.git_http_server import TOKEN
from tests.repositories import NOTE, SMALL, new_repository

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
PATIENCE = 30.0


def start(script: str, **environ: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        ["sh", "-c", script],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | environ,
        start_new_session=True,
    )


def members(group: int) -> list[int]:
    """Return the processes of a group, without those that have ended."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, _, pgrp = (place / "stat").read_text().rpartition(") ")[2].split()[:3]
            found += [int(place.name)] if int(pgrp) == group and state != "Z" else []
    return found


def until_none_is_left(group: int) -> None:
    """Wait for the system to do what SIGKILL told it."""
    end = time.monotonic() + 2
    while members(group):
        assert time.monotonic() < end, members(group)


def using(word: str) -> list[str]:
    """Return the command lines that have *word* in it, of processes that do not end."""

    def found() -> list[str]:
        lines = []
        for place in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                lines.append((place / "cmdline").read_text().replace("\0", " "))
        return [line for line in lines if word in line]

    end = time.monotonic() + 2
    while found() and time.monotonic() < end:
        pass
    return found()


# ---- one process


def test_what_a_process_writes_is_returned() -> None:
    assert read_to_end(start("echo out; echo err >&2"), 10) == (b"out\n", b"err\n")
    large = read_to_end(start("head -c 3000000 /dev/zero; exec >&- 2>&-; exec sleep 0.01"), 10)[0]
    assert len(large) == 3_000_000


@on_linux
@pytest.mark.parametrize(
    "script",
    [
        pytest.param("sleep 60", id="waits"),
        pytest.param("sleep 60 & sleep 60 & wait", id="its children wait"),
        pytest.param("trap '' TERM; sleep 60 & while :; do wait; done", id="deaf to SIGTERM"),
        pytest.param("exec >&- 2>&-; sleep 60", id="closed its pipes"),
        pytest.param("while echo drip; do sleep 0.05; done", id="drips"),
    ],
)
def test_at_the_time_limit_the_whole_group_ends(script: str) -> None:
    process = start(script)

    with pytest.raises(TimeoutError):
        read_to_end(process, 0.2)

    assert process.returncode is not None
    until_none_is_left(process.pid)


@on_linux
def test_a_child_that_left_the_group_is_not_waited_for(tmp_path: Path) -> None:
    process = start(f"setsid sleep 60 & echo $! >{tmp_path}/pid; wait")

    with pytest.raises(TimeoutError):
        read_to_end(process, 0.2)

    until_none_is_left(process.pid)
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)  # it keeps the pipes open until now


@on_linux
@pytest.mark.parametrize("left", ["sleep 60", "setsid sleep 60"])
def test_what_a_process_leaves_behind_is_not_waited_for(left: str, tmp_path: Path) -> None:
    process = start(f"{left} & echo $! >{tmp_path}/pid; echo done; exit 3")

    assert read_to_end(process, PATIENCE) == (b"done\n", b"")

    assert process.returncode == 3
    until_none_is_left(process.pid)
    with suppress(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


@on_linux
@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_an_interrupted_call_ends_the_group_too(error: type[BaseException]) -> None:
    def interrupt(*_: object) -> None:
        raise error

    before = signal.signal(signal.SIGALRM, interrupt)
    process = start("sleep 60 & wait")
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(error):
            read_to_end(process, PATIENCE)
    finally:
        signal.signal(signal.SIGALRM, before)

    until_none_is_left(process.pid)


@on_linux
def test_all_processes_can_be_ended_from_another_thread() -> None:
    processes = [start("sleep 60 & wait") for _ in range(2)]
    threads = [threading.Thread(target=read_to_end, args=(each, PATIENCE)) for each in processes]
    for thread in threads:
        thread.start()
    end = time.monotonic() + PATIENCE
    while len(child_process._running) < 2:  # noqa: SLF001
        assert time.monotonic() < end

    child_process.end_all()

    for thread in threads:
        thread.join(PATIENCE)
    for each in processes:
        until_none_is_left(each.pid)
    assert child_process._running == set()  # noqa: SLF001


# ---- git


@pytest.fixture
def repository(tmp_path: Path) -> Git:
    found = open_repository(new_repository(tmp_path / "one"))
    assert found
    return found


@on_linux
def test_a_filter_that_waits_is_ended_and_named(repository: Git, tmp_path: Path) -> None:
    folder = repository.worktree
    repository("config", "filter.slow.clean", f"sleep 60; echo {tmp_path}")
    (folder / ".gitattributes").write_text("LICENSE filter=slow\n")

    with pytest.raises(RepositoryError) as caught:
        repository.run("hash-object", "--stdin-paths", stdin=b"LICENSE\n", timeout=0.2)

    assert str(caught.value) == (
        "git hash-object: no answer within 0 s; "
        "check the programs that git's configuration runs, such as filters, and the disk"
    )
    assert using(str(tmp_path)) == []


@contextmanager
def listening(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """Accept connections, and let *answer* do what it does with each; yield the port."""
    kept: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    kept.append(connection)
                    answer(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    for connection in kept:
        connection.close()


def silent(_: socket.socket) -> None:
    """Accept, and never answer."""


def dripping(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\n\r\n")

    def drip() -> None:
        with suppress(OSError):
            while True:
                connection.sendall(b"0")
                time.sleep(0.05)

    threading.Thread(target=drip, daemon=True).start()


@on_linux
@pytest.mark.parametrize("answer", [silent, dripping])
@pytest.mark.parametrize("secret", [True, False], ids=["token", "no token"])
def test_a_server_that_never_ends_its_answer_holds_nobody_up(
    repository: Git, answer: Callable[[socket.socket], None], *, secret: bool
) -> None:
    with listening(answer) as port:
        repository("remote", "add", "origin", f"http://127.0.0.1:{port}/o/r.git")
        credentials = Credentials(TOKEN, f"http://127.0.0.1:{port}") if secret else None
        remote = Remote(Repository(repository), "origin", credentials, timeout=0.5)
        began = time.monotonic()

        with pytest.raises(UnreachableError, match="git fetch: no answer within 0 s; check the network"):
            remote.fetch("main")

        assert time.monotonic() - began < PATIENCE
        assert using(f":{port}/") == []


@on_linux
def test_a_connection_into_a_black_hole_holds_nobody_up(repository: Git) -> None:
    with socket.socket() as server, socket.socket() as one, socket.socket() as two:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for other in (one, two):  # now its queue is full, and no more connection is made
            other.setblocking(False)
            other.connect_ex(server.getsockname())
        port = server.getsockname()[1]
        repository("remote", "add", "origin", f"http://127.0.0.1:{port}/o/r.git")

        with pytest.raises(UnreachableError, match="no answer within"):
            Remote(Repository(repository), "origin", timeout=0.5).push(repository("rev-parse", "HEAD"), "main")

    assert using(f":{port}/") == []


@on_linux
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_git_as_well(tmp_path: Path, number: int) -> None:
    folder = new_repository(tmp_path / "one")
    asked = threading.Event()
    with listening(lambda _: asked.set()) as port:
        subprocess.run(["git", "-C", folder, "remote", "add", "origin", f"http://127.0.0.1:{port}/o/r.git"], check=True)
        options = ["--repo", str(folder), "--recipe", str(SMALL), "--base", "main"]
        command = [sys.executable, "-m", "bot", "generate", NOTE, *options]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as job:
            assert asked.wait(PATIENCE)
            for _ in range(2):  # a run that works stops cleanly at the first one
                job.send_signal(number)
                if not using(f":{port}/"):
                    break
            _, err = job.communicate(timeout=PATIENCE)

        assert job.returncode == 130
        assert err.endswith("phasebot: interrupted; what was committed is kept, so run the same command again\n")
        assert using(f":{port}/") == []
