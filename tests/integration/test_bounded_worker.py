"""The bounded worker: limits on time and memory, a child that dies or lies, and an event loop that goes on."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import sysconfig
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox import process
from bot.sandbox import worker as module
from bot.sandbox.process import Limits
from bot.sandbox.protocol import MAX_BYTES, Failure, Run
from bot.sandbox.worker import Worker
from tests.unit.test_template_limits import HOSTILE, expected

_QUICK = Limits(seconds=0.5, megabytes=128)
_ENDLESS = (HOSTILE / "time" / "nested-ranges.j2").read_text()
_TEMPLATES = {"good": "good", "endless": _ENDLESS, "large": (HOSTILE / "memory" / "join.j2").read_text()}
_SLOW = "Failure(what='it took longer than 0.5 s')"


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker(_QUICK)
    yield worker
    worker.close()


def _render(worker: Worker, *names: str, **more: str) -> list[str]:
    """Render templates; return the first element of an answer, or the failure."""
    answers = worker.run("render", ({**_TEMPLATES, **more}, {}), [(name, None) for name in names])
    return [str(each[0]) if isinstance(each, list) else str(each) for each in answers]


def _children() -> set[int]:
    """Return the processes that this one has started and not waited for."""
    found = set[int]()
    for thread in Path(f"/proc/{os.getpid()}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # the thread has ended
            found |= {int(pid) for pid in (thread / "children").read_text().split()}
    return found


def _until(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _is_gone(pid: int) -> bool:
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


# ---- limits


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(
            file,
            id=f"{file.parent.name}-{file.stem}",
            marks=() if file.stem in ("tilde", "macro-tree") else pytest.mark.slow,
        )
        for kind in ("memory", "time")
        for file in sorted((HOSTILE / kind).iterdir())
    ],
)
def test_a_hostile_template_is_stopped_and_the_parent_stays_small(file: Path, worker: Worker) -> None:
    [answer] = worker.run("render", ({"a.j2": file.read_text()}, {}), [("a.j2", None)])

    assert isinstance(answer, Failure)
    assert answer.what.startswith(("it took longer than 0.5 s", "it needs more than 128 MB"))
    if file.parent.name == "time":
        assert answer.what.startswith(expected(file))
    assert _render(worker, "good") == ["good\n"]


def test_on_a_busy_machine_a_template_may_take_longer_than_it_works(worker: Worker) -> None:
    before = _children()
    _render(worker, "good")
    [child] = _children() - before
    done = threading.Event()

    def slow_down() -> None:
        while not done.wait(0.01):
            os.kill(child, signal.SIGSTOP)
            done.wait(0.1)
            os.kill(child, signal.SIGCONT)

    slowing = threading.Thread(target=slow_down)
    slowing.start()
    try:
        begin = time.monotonic()
        [answer] = _render(worker, "long", long="{% for each in range(90_000) %}{% endfor %}done" * 20)
        assert time.monotonic() - begin > _QUICK.seconds
    finally:
        done.set()
        slowing.join()

    assert answer == "done" * 20 + "\n"


def test_what_breaks_a_limit_costs_only_itself(worker: Worker) -> None:
    assert _render(worker, "good", "endless", "good", "large", "good") == [
        *("good\n", _SLOW, "good\n"),
        *("Failure(what='it needs more than 128 MB')", "good\n"),
    ]


def test_after_three_failures_the_rest_of_a_request_is_not_tried(worker: Worker) -> None:
    *first, last = _render(worker, "large", "large", "large", "good")

    assert first == ["Failure(what='it needs more than 128 MB')"] * 3
    assert last == "Failure(what='it was not tried, because 3 others failed: it needs more than 128 MB')"
    assert _render(worker, "good") == ["good\n"]


def test_a_child_that_was_killed_between_two_tasks_costs_nothing(worker: Worker) -> None:
    before = _children()
    _render(worker, "good")
    for child in _children() - before:
        os.kill(child, signal.SIGKILL)
        _until(lambda child=child: _is_gone(child))  # type: ignore[misc]

    assert _render(worker, "good") == ["good\n"]


def test_one_child_does_all_the_work(worker: Worker) -> None:
    before = _children()
    worker.start()
    started = _children() - before

    for _ in range(3):
        _render(worker, "good")

    assert len(started) == 1
    assert _children() - before == started


def test_all_answers_together_are_limited(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 1000)

    *first, last = _render(worker, *["a"] * 12, a="x" * 100)

    assert first[:8] == ["x" * 100 + "\n"] * 8
    assert last == "Failure(what='it was not tried, because the others are too large')"


_ROOT, _PACKAGES = Path(module.__file__).parents[2], sysconfig.get_path("purelib")


@pytest.mark.parametrize(
    ("options", "path", "folder"),
    [(["-I"], "", "/"), (["-S"], f"{_ROOT}:{_PACKAGES}", "/"), (["-S"], _PACKAGES, str(_ROOT))],
    ids=["installed", "on PYTHONPATH", "in a checkout"],
)
def test_the_child_finds_its_modules_wherever_its_parent_has_them(options: list[str], path: str, folder: str) -> None:
    code = "from bot.sandbox.worker import Worker; print(Worker().run('render', ({'a': 'made'}, {}), [('a', None)]))"
    environment = {"PYTHONPATH": path} if path else {}

    done = subprocess.run(
        [sys.executable, "-W", "ignore", *options, "-c", code],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout == "[['made\\n', None]]\n", done.stderr


# ---- what crosses the pipes


@pytest.mark.parametrize("text", ["", "\ud800 \udfff", "\0\x1b\u2028\U0001f600\u00fc", 'é"\\\n' * 200_000])
def test_a_text_comes_back_as_it_is(text: str, worker: Worker) -> None:
    answers = worker.run("render", ({"a": "{{ x }}"}, {"x": text}), [("a", None)])

    assert answers == [[f"{text}\n" if text and not text.endswith("\n") else text, None]]


def test_the_child_knows_no_environment_and_has_no_files(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "secret")
    before = _children()
    with (tmp_path / "file").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        worker.start()
        [child] = _children() - before
        _render(worker, "good")

        environment = Path(f"/proc/{child}/environ").read_text()
        files = {link.readlink().name for link in Path(f"/proc/{child}/fd").iterdir()}

    assert "secret" not in environment
    assert {line.split("=")[0] for line in environment.split("\0") if line} <= {"LD_LIBRARY_PATH", "LC_CTYPE"}
    assert {name.split(":")[0] for name in files} == {"pipe", "null"}
    assert os.getsid(child) == child
    limits = Path(f"/proc/{child}/limits").read_text()
    assert not [line for line in limits.splitlines() if line.startswith("Max core file size") and " 0 " not in line]


# ---- a child that dies or lies


def test_a_child_that_is_killed_in_the_middle_costs_only_its_task() -> None:
    before = _children()
    slow = Worker(Limits(seconds=30))

    async def kill_it() -> list[str]:
        rendering = asyncio.create_task(
            slow.call(lambda run: run("render", (_TEMPLATES, {}), [("endless", None), ("good", None)]))
        )
        while not (children := _children() - before):
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)  # it may not be working yet, which makes no difference
        for child in children:
            os.kill(child, signal.SIGKILL)
        return [str(each) for each in await rendering]

    first, second = asyncio.run(kill_it())

    assert first == "Failure(what='it ended the worker process (status -9)')"
    assert second == "['good\\n', None]"
    slow.close()


_LIES = {
    "not JSON": ("out.write((3).to_bytes(8, 'big') + b'{{{')", "gave an answer that can't be read"),
    "not an answer": ("out.write((2).to_bytes(8, 'big') + b'[]')", "gave an answer that can't be read"),
    "too deep": ("out.write((60000).to_bytes(8, 'big') + b'[' * 60000)", "gave an answer that can't be read"),
    "not text": ("out.write((2).to_bytes(8, 'big') + b'\\xff\\xfe')", "gave an answer that can't be read"),
    "too long": (f"out.write(({MAX_BYTES + 1}).to_bytes(8, 'big') + b'x' * 100)", "the result is larger than 64 MB"),
    "cut off": ("out.write((99).to_bytes(8, 'big') + b'{')", "it ended the worker process (status 0)"),
    "nothing": ("pass", "it ended the worker process (status 0)"),
    "silence": ("out.flush(); import time; time.sleep(60)", "it took longer than 0.5 s"),
}


@pytest.mark.parametrize("lie", _LIES)
def test_a_child_that_lies_has_failed(lie: str, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    act, reason = _LIES[lie]
    code = "import sys; out = sys.stdout.buffer; out.write((2).to_bytes(8, 'big') + b'{}'); out.flush(); "
    monkeypatch.setattr(process, "_PATIENCE", 0)
    monkeypatch.setattr(process, "_START", f"{code} sys.stdin.buffer.read(8); {act}; out.flush()")

    [told] = _render(worker, "good")

    assert reason in told


def test_a_child_that_can_not_start_has_failed(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_START", "import nothing_of_this_name")
    assert _render(worker, "good") == ["Failure(what='it ended the worker process (status 1)')"]

    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    worker.start()
    assert _render(worker, "good") == [
        "Failure(what='the worker process could not be started: No such file or directory')"
    ]


@pytest.mark.parametrize("name", ["good", "endless"])
def test_a_parent_that_is_killed_leaves_no_child(name: str) -> None:
    code = f"""
        from bot.sandbox.process import Limits
        from bot.sandbox.worker import Worker
        worker = Worker(Limits(seconds=1))
        worker.start()
        worker.run("render", ({{"good": "good"}}, {{}}), [("good", None)])
        print(worker._idle[0]._child.pid, flush=True)
        worker.run("render", ({_TEMPLATES!r}, {{}}), [({name!r}, None)] * 999)
        input()
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert not _is_gone(child)
        parent.kill()
        parent.wait()

        _until(lambda: _is_gone(child))


# ---- the event loop


def test_the_event_loop_goes_on_while_something_is_endless(worker: Worker) -> None:
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0.01)
            beats += 1

    async def both() -> str:
        heart = asyncio.create_task(beat())
        answers = await worker.call(partial(_both, names=("endless", "good")))
        heart.cancel()
        return answers

    assert asyncio.run(both()) == f"[{_SLOW}, ['good\\n', None]]"
    assert beats >= 10


def _both(run: Run, names: tuple[str, ...]) -> str:
    return str(list(run("render", (_TEMPLATES, {}), [(name, None) for name in names])))


@pytest.mark.parametrize("way", ["call", "finish"])
def test_who_is_cancelled_waits_no_longer_and_leaves_no_child(way: str) -> None:
    patient, before = Worker(Limits(seconds=600)), _children()

    async def cancelled() -> None:
        ask: Callable[[Callable[..., Any]], Any] = getattr(patient, way)
        waiting = asyncio.create_task(ask(partial(_both, names=("endless",))))
        queued = asyncio.create_task(ask(partial(_both, names=("endless",))))
        while not _children() - before:
            await asyncio.sleep(0.01)
        for task in (waiting, queued):
            task.cancel()
        assert all(
            isinstance(each, asyncio.CancelledError)
            for each in await asyncio.gather(waiting, queued, return_exceptions=True)
        )

    asyncio.run(asyncio.wait_for(cancelled(), 60))

    _until(lambda: not _children() - before)
    assert _render(patient, "good") == ["good\n"]
    patient.close()


def test_what_ends_soon_is_finished_although_it_is_cancelled(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_GRACE", 60)  # for a busy machine

    async def cancelled() -> tuple[str, bool]:
        working = asyncio.create_task(worker.finish(partial(_both, names=("good",))))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        working.cancel()
        return await working

    assert asyncio.run(cancelled()) == ("[['good\\n', None]]", True)


def test_another_thread_need_not_wait_for_what_is_endless() -> None:
    patient = Worker(Limits(seconds=600))

    async def both() -> list[str]:
        endless = asyncio.create_task(patient.call(partial(_both, names=("endless",))))
        await asyncio.sleep(0.2)
        made = _render(patient, "good")  # as the event loop's own thread does for a merge
        endless.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await endless
        return made

    assert asyncio.run(both()) == ["good\n"]
    patient.close()
