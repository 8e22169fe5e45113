"""Commands that want too much, with real processes: each ends, and nothing of it is left."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.verification.command import Call, Output, Ran, run_command
from bot.verification.launcher import NOBODY, USER
from bot.verification.limits import Limits
from bot.verification.place import Place, clean_place, give_to, read_file, remove_folder
from bot.verification.usage import family, folder_size
from tests.isolation import HIDDEN, PYTHON, SHOWN, isolation, need_isolation

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")


@pytest.fixture
def place() -> Iterator[Place]:
    with clean_place() as place:
        yield place


@pytest.fixture(params=["apart", "together"])
def apart(request: pytest.FixtureRequest) -> frozenset[str]:
    """What commands are apart from: all that this system knows, and nothing."""
    if request.param == "apart":
        need_isolation()
        return isolation()
    return frozenset()


def run(place: Place, code: str, apart: frozenset[str] | None = None, **limits: int) -> Ran:
    """Run Python code, with small limits."""
    small = Limits(seconds=60, megabytes=300, processes=60, disk_megabytes=40, file_megabytes=30, output_megabytes=150)
    call = Call(
        run=[PYTHON, "-I", "-S", "-c", code],
        folder=place.tree,
        environment={"PATH": "/usr/bin:/bin"},
        place=place.root,
        hidden=HIDDEN,
        shown=SHOWN,
        limits=small._replace(**limits),
    )
    apart = isolation() if apart is None else apart
    if os.geteuid() == 0:
        give_to(NOBODY if USER in apart else 0, place.root)
    return run_command(call, apart)


def strays(mark: str) -> list[str]:
    """Return the processes whose arguments hold *mark*."""
    found = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout.split("\n")
    return [line for line in found if mark in line and "ps -eo" not in line]


HANGS = "import time\ntime.sleep(600)  # {mark}"
IGNORES = "import signal, time\nfor n in (2, 15): signal.signal(n, signal.SIG_IGN)\ntime.sleep(600)  # {mark}"
FORKS = """
import os, time  # {mark}
for _ in range(8):
    try: os.fork()
    except OSError: pass
time.sleep(600)
"""
BOMBS = "import os  # {mark}\nwhile True:\n    try: os.fork()\n    except OSError: pass"
"""Not where nothing holds it: other processes of this machine would suffer."""
LEAVES = """
import os, time  # {mark}
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(600)
        os._exit(0)
time.sleep(0.5)
"""
EATS = "x = []  # {mark}\nwhile True: x.append(bytearray(10_000_000))"
EATS_TOGETHER = "import os, time  # {mark}\nfor _ in range(5): os.fork()\nx = b'1' * 60_000_000\ntime.sleep(600)"
FILLS = "n = 0  # {mark}\nwhile True:\n    n += 1\n    with open(f'f{{n}}', 'wb') as f: f.write(b'1' * 10_000_000)"
DIGS = "import os  # {mark}\nwhile True:\n    os.mkdir('d' * 200)\n    os.chdir('d' * 200)"
ONE_FILE = "f = open('f', 'wb')  # {mark}\nwhile True: f.write(b'1' * 1_000_000)"
SHOUTS = "import sys  # {mark}\nwhile True: sys.stdout.write('x' * 65_536)"


@on_linux
@pytest.mark.parametrize(
    ("code", "limits", "ending"),
    [
        pytest.param(HANGS, {"seconds": 1}, "time", id="hangs"),
        pytest.param(IGNORES, {"seconds": 1}, "time", id="ignores signals"),
        pytest.param(FORKS, {}, "processes", id="forks"),
        pytest.param(BOMBS, {}, "processes", id="fork bomb"),
        pytest.param(EATS, {}, "failed", id="eats memory"),
        pytest.param(EATS_TOGETHER, {}, "memory", id="eats memory together"),
        pytest.param(FILLS, {}, "disk", id="fills the disk"),
        pytest.param(DIGS, {}, "disk", id="digs folders without end"),
        pytest.param(ONE_FILE, {}, "failed", id="fills the disk with one file"),
        pytest.param(SHOUTS, {}, "output", id="prints without end"),
        pytest.param("import os; os.kill(os.getpid(), 9)", {}, "failed", id="kills itself"),
    ],
)
def test_what_wants_too_much_is_ended_with_all_that_it_started(
    place: Place, apart: frozenset[str], code: str, limits: dict[str, int], ending: str
) -> None:
    if code == BOMBS and not apart:
        pytest.skip("it would be a real one")
    mark = f"mark-{time.monotonic_ns()}"

    ran = run(place, code.format(mark=mark), apart, **limits)

    assert ran.ending == ending
    assert (ran.status is None) == (ending != "failed")
    assert strays(mark) == []


@on_linux
def test_what_a_command_leaves_behind_is_ended_and_counted(place: Place, apart: frozenset[str]) -> None:
    mark = f"mark-{time.monotonic_ns()}"

    ran = run(place, LEAVES.format(mark=mark), apart)

    assert (ran.ending, ran.status, ran.left) == ("passed", 0, 3)
    assert strays(mark) == []


@on_linux
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP])
def test_a_command_that_attacks_its_parents_harms_itself_only(
    place: Place, apart: frozenset[str], number: signal.Signals
) -> None:
    mark = f"mark-{time.monotonic_ns()}"
    code = f"import os, time  # {mark}\nos.kill(os.getppid(), {number})\nos.killpg(0, {number})\ntime.sleep(600)"

    ran = run(place, code, apart, seconds=2)

    assert ran.ending in ("failed", "lost", "time")
    assert strays(mark) == []


def test_of_much_output_beginning_and_end_are_kept(place: Place) -> None:
    ran = run(place, "print('first')\nfor _ in range(100): print('x' * 1_000_000)\nprint('last')", output_megabytes=200)

    assert (ran.ending, ran.out.total) == ("passed", 100_000_111)
    assert ran.out.content.startswith(b"first\nxxx")
    assert ran.out.content.endswith(b"xxx\nlast\n")
    assert len(ran.out.content) < 300_000


def test_output_is_whole_as_long_as_there_is_room() -> None:
    output = Output(10)
    for piece in (b"abc", b"defg", b"hij"):
        output.add(piece)
    assert (output.content, output.is_whole) == (b"abcdefghij", True)
    output.add(b"klm")
    assert (output.content, output.is_whole) == (b"abcde\n[...]\nijklm", False)


def test_a_program_that_is_missing_is_told(place: Place) -> None:
    call = Call(run=["no-such-program"], folder=place.tree, environment={"PATH": "/usr/bin"}, place=place.root)

    ran = run_command(call, isolation())

    assert (ran.ending, ran.status, ran.why) == ("missing", None, "No such file or directory")


def test_a_command_gets_no_environment_no_files_and_no_input(place: Place, apart: frozenset[str]) -> None:
    code = "import os, sys\nprint({*os.environ} - {'LC_CTYPE'}, sys.stdin.read(), os.listdir('/proc/self/fd'))"

    ran = run(place, code, apart)

    assert ran.out.content == b"{'PATH'}  ['0', '1', '2', '3']\n", "the last one is that of the folder that is listed"


def test_apart_there_is_nothing_to_see_and_nothing_to_write(place: Place, tmp_path: Path) -> None:
    need_isolation()
    outside, secret = tmp_path / "outside", tmp_path / "secret"
    outside.touch(mode=0o666)
    secret.write_text("s3cret")
    code = f"""
import os, socket
def tries(what, *arguments):
    try: return what(*arguments)
    except OSError as exc: return type(exc).__name__
print(tries(open, {str(outside)!r}, "w"), tries(open, {str(secret)!r}), tries(open, "/etc/x", "w"))
print(tries(open, "/proc/sys/kernel/core_pattern", "w"))
print([each for each in os.listdir("/proc") if each.isdecimal()], os.getppid())
print(sorted(set(os.listdir("/dev")) - {{"shm", "pts", "ptmx", "fd", "stdin", "stdout", "stderr"}}))
status = dict(line.split(":") for line in open("/proc/self/status"))
print([status[name].strip(" 0\\t\\n") for name in ("CapEff", "CapPrm", "CapBnd")])
print(tries(socket.create_connection, ("192.0.2.1", 80), 2))
with socket.socket() as server:
    server.bind(("127.0.0.1", 0)); server.listen()
    socket.create_connection(server.getsockname()).close()
open("/tmp/own", "w").close(); open("mine", "w").close()
print("end")
"""

    ran = run(place, code, isolation())

    assert ran.err.content == b""
    assert ran.out.content.decode().split("\n") == [
        "FileNotFoundError FileNotFoundError OSError" if str(tmp_path).startswith("/tmp") else "OSError",  # noqa: S108
        "OSError",
        "['1', '2'] 1",
        "['full', 'null', 'random', 'urandom', 'zero']",
        "['', '', '']",
        "OSError",
        "end",
        "",
    ]
    assert outside.read_text() == ""
    assert (place.tree / "mine").exists()
    assert not Path("/tmp/own").exists()  # noqa: S108


def test_a_folder_of_any_depth_and_any_rights_is_removed(tmp_path: Path) -> None:
    folder, before = tmp_path / "deep", Path.cwd()
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path / "kept")
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").touch()
    try:
        os.chdir(folder)
        for _ in range(3_000):
            os.mkdir("d")  # noqa: PTH102  # deeper than any path
            os.chdir("d")
        Path("locked").mkdir()
        Path("locked/file").touch()
        Path("locked").chmod(0)
    finally:
        os.chdir(before)

    assert folder_size(str(folder), 1 << 40) == (1 << 40) + 1, "it is too deep to be measured"
    remove_folder(folder)

    assert [each.name for each in tmp_path.iterdir()] == ["kept"]
    assert (tmp_path / "kept" / "file").exists()


def test_a_report_is_a_file_of_the_place_and_nothing_else(place: Place, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret")
    (place.tree / "link").symlink_to(tmp_path / "secret")
    (place.tree / "folder").symlink_to(tmp_path)
    os.mkfifo(place.tree / "fifo")
    (place.tree / "report").write_text("report")

    assert [
        read_file(place.tree / name, place.root, 3) for name in ("link", "folder/secret", "fifo", "none", "report")
    ] == [None, None, None, None, b"repo"]


@on_linux
def test_a_family_is_all_that_a_process_started() -> None:
    with subprocess.Popen(["sh", "-c", "sleep 600 & wait"], start_new_session=True) as shell:
        try:
            deadline = time.monotonic() + 30
            while len(found := family(shell.pid)) < 1 and time.monotonic() < deadline:
                time.sleep(0.01)
        finally:
            os.killpg(shell.pid, signal.SIGKILL)
    assert [each.parent for each in found] == [shell.pid]
    assert family(shell.pid) == []
