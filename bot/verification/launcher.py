"""Starts one command apart from the rest of the system, and watches over its processes.

It is a program of its own, which :mod:`bot.verification.command` starts, and uses nothing of Phasebot.  Where Linux
allows it, the command gets namespaces: it sees its own processes only, no network, and of the disk no home folder and
nothing that it could write to, but for its place.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import platform
import re
import resource
import signal
import socket
import struct
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

PROCESSES, NETWORK, USER = "processes", "network", "user"
"""What can be apart: processes and files, the network, and if root starts the command, the user."""
NOBODY = 65_534
"""The user that a command of root's runs as: root has no limit on processes, and owns most of the system's files."""

_IS_LINUX = sys.platform.startswith("linux")
_NEW_MOUNTS, _NEW_IPC, _NEW_USER, _NEW_PIDS, _NEW_NETWORK = 0x00020000, 0x08000000, 0x10000000, 0x20000000, 0x40000000
_BIND, _RECURSIVE, _PRIVATE = 0x1000, 0x4000, 0x40000
_NO_SUID, _NO_DEVICES, _NO_PROGRAMS = 0x2, 0x4, 0x8
_MOUNT_SETATTR, _HERE, _ALL_BELOW = 442, -100, 0x8000
_READ_ONLY, _WITHOUT_DEVICES = 0x1, 0x4
_DIE_WITH_PARENT, _SET_DUMPABLE, _DROP_BOUND, _SUBREAPER, _NO_NEW_PRIVILEGES, _AMBIENT = 1, 4, 24, 36, 38, 47
_CLEAR_AMBIENT = 4
_CAPABILITIES = 64
_SET_FLAGS, _UP_AND_RUNNING = 0x8914, 0x41
_DEVICES = ("null", "zero", "full", "random", "urandom")
_SHARED_MEMORY = "size=268435456,mode=1777"
_COUNTS_PER_NAMESPACE = (5, 14)
"""Linux counts the processes of a user per namespace since then."""
_LOOKS, _PAUSE = 10, 0.03
"""How often, and how many seconds apart, processes are looked for that are still there when the command has ended."""
_ROUNDS = 200
_NOT_STARTED = 127
_NICENESS = 5
"""So that thousands of processes don't keep those from working who are to end them."""


def main() -> NoReturn:
    """Do what the argument says, a JSON object, and write how it went to its descriptor ``answers``."""
    request = json.loads(sys.argv[1])
    os.set_inheritable(request["answers"], False)
    _die_with(request["parent"])
    for name, value in request["limits"].items():
        _limit(getattr(resource, name), value)
    apart = request["apart"]
    if not {PROCESSES, NETWORK} & {*apart}:
        _keep(request)
    try:
        _leave(apart)
    except OSError as exc:
        _answer(request, {"failed": "apart", "why": str(exc)})
        os._exit(1)
    _die_with(request["parent"])  # leaving took it back
    outer = os.getpid()
    keeper = os.fork()
    if keeper == 0:
        _die_with(outer if PROCESSES not in apart else 0)
        try:
            _arrange(request)
        except OSError as exc:
            _answer(request, {"failed": "apart", "why": str(exc)})
            os._exit(1)
        _keep(request)
    os.close(request["answers"])
    os._exit(os.waitstatus_to_exitcode(os.waitpid(keeper, 0)[1]) & 0xFF)


def _answer(request: Mapping[str, Any], content: Mapping[str, object]) -> None:
    os.write(request["answers"], json.dumps(content).encode() + b"\n")


def _limit(kind: int, value: int) -> None:
    with contextlib.suppress(ValueError, OSError):
        _, most = resource.getrlimit(kind)
        value = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(kind, (value, value))


# ---- namespaces


def _call(name: str, *arguments: object) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _control(option: int, *arguments: int) -> None:
    """Set an attribute of the process, where the system knows it."""
    if _IS_LINUX:
        with contextlib.suppress(OSError):
            _call("prctl", option, *map(ctypes.c_ulong, (*arguments, *(0,) * (4 - len(arguments)))))


def adopt_orphans() -> None:
    """Become, instead of the system's first process, the parent of those below whose own parent ends."""
    _control(_SUBREAPER, 1)


def _die_with(parent: int) -> None:
    """End with the parent, which has the number *parent* here."""
    _control(_DIE_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _leave(apart: Sequence[str]) -> None:
    """Enter new namespaces, in which the user is who it was, and nobody is nobody."""
    if not _IS_LINUX:
        raise OSError(0, "there are no namespaces")
    flags = _NEW_USER | (_NEW_NETWORK if NETWORK in apart else 0)
    flags |= _NEW_PIDS | _NEW_MOUNTS | _NEW_IPC if PROCESSES in apart else 0
    user, group = os.geteuid(), os.getegid()
    if USER not in apart:
        _call("unshare", flags)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
        return
    reader, writer = os.pipe()
    helper = os.fork()  # only root outside may say who else there is inside
    if helper == 0:
        os.close(writer)
        os._exit(_say_who_there_is(os.getppid()) if os.read(reader, 1) else 1)
    os.close(reader)
    try:
        _call("unshare", flags)
        os.write(writer, b"1")
    finally:
        os.close(writer)
        status = os.waitpid(helper, 0)[1]
    if status:
        raise OSError(0, "the users of the namespace can't be set")


def _say_who_there_is(pid: int) -> int:
    """Map root and nobody to themselves in the namespace of the process *pid*; return the exit status."""
    try:
        for name in ("uid_map", "gid_map"):
            Path(f"/proc/{pid}/{name}").write_text(f"0 0 1\n{NOBODY} {NOBODY} 1")
    except OSError:
        return 1
    return 0


def _arrange(request: Mapping[str, Any]) -> None:
    """Arrange the new namespaces: what is mounted, and the loopback device."""
    if PROCESSES in request["apart"]:
        _arrange_files(request["hidden"], request["shown"], request["writable"])
    if NETWORK in request["apart"]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh22x", b"lo", _UP_AND_RUNNING))


def _arrange_files(hidden: Sequence[str], shown: Sequence[str], writable: Sequence[str]) -> None:
    """Make all read-only but *writable*; empty the folders *hidden*, but for what is *shown* and *writable*."""
    nodes = [f"/dev/{name}" for name in _DEVICES]
    places = sorted({*shown, *writable}, key=len)
    held = {path: os.open(path, os.O_PATH) for path in (*places, *nodes) if os.path.exists(path)}  # noqa: PTH110
    _mount("none", "/", None, _RECURSIVE | _PRIVATE)
    _set_attributes("/", add=_READ_ONLY | _WITHOUT_DEVICES, below=True)
    for folder in hidden:
        _mount("tmpfs", folder, "tmpfs", _NO_SUID | _NO_DEVICES, _SHARED_MEMORY)
    for path in places:
        if path in held:
            _show(path, held[path], hidden)
    for path in writable:
        _set_attributes(path, remove=_READ_ONLY)
    for folder in hidden:
        if folder != "/tmp":  # noqa: S108  # programs expect that they can write there
            _set_attributes(folder, add=_READ_ONLY)
    _arrange_devices(held)
    _mount("proc", "/proc", "proc", _NO_SUID | _NO_DEVICES | _NO_PROGRAMS)
    _set_attributes("/proc", add=_READ_ONLY)
    for descriptor in held.values():
        os.close(descriptor)


def _show(path: str, descriptor: int, hidden: Sequence[str]) -> None:
    """Put what *descriptor* holds where it was."""
    if any(path.startswith(f"{folder}/") for folder in hidden):
        parent = Path(path).parent
        parent.mkdir(parents=True, exist_ok=True)
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):  # noqa: PTH112
            Path(path).mkdir(exist_ok=True)
        else:
            Path(path).touch()
    _mount(f"/proc/self/fd/{descriptor}", path, None, _BIND | _RECURSIVE)


def _arrange_devices(held: Mapping[str, int]) -> None:
    """Leave of the devices only those that every program may use."""
    _mount("tmpfs", "/dev", "tmpfs", _NO_SUID | _NO_PROGRAMS, "size=65536,mode=755")
    for path, descriptor in held.items():
        if path.startswith("/dev/") and path.removeprefix("/dev/") in _DEVICES:
            _show(path, descriptor, ["/dev"])
            _set_attributes(path, add=0, remove=_READ_ONLY | _WITHOUT_DEVICES)
    for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        Path("/dev", name).symlink_to(f"/proc/self/fd{target}")
    for name, kind, options in (("shm", "tmpfs", _SHARED_MEMORY), ("pts", "devpts", "newinstance,ptmxmode=0666")):
        Path("/dev", name).mkdir()
        with contextlib.suppress(OSError):
            _mount(kind, f"/dev/{name}", kind, _NO_SUID | _NO_PROGRAMS, options)
    Path("/dev/ptmx").symlink_to("pts/ptmx")
    _set_attributes("/dev", add=_READ_ONLY)


def _mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    encoded = (each.encode() if each else None for each in (source, target, kind))
    _call("mount", *encoded, ctypes.c_ulong(flags), options.encode() or None)


def _set_attributes(path: str, *, add: int = 0, remove: int = 0, below: bool = False) -> None:
    content = struct.pack("QQQQ", add, remove, 0, 0)
    flags = _ALL_BELOW if below else 0
    arguments = (_MOUNT_SETATTR, _HERE, path.encode(), flags, content, ctypes.c_size_t(len(content)))
    _call("syscall", *map(_long, arguments))


def _long(value: object) -> object:
    return ctypes.c_long(value) if isinstance(value, int) else value


# ---- the command and its processes


def _keep(request: Mapping[str, Any]) -> NoReturn:
    """Start the command, wait for it, end what it left behind, and answer."""
    is_first = os.getpid() == 1
    adopt_orphans()
    _control(_SET_DUMPABLE, 0)  # so that the command can't look into this process
    command = os.fork()
    if command == 0:
        _start(request)
    if not is_first:  # nobody inside can end the first process of a namespace
        signal.signal(signal.SIGTERM, lambda *_: _give_up(command))
    status = 0
    while True:
        ended, state = os.wait()
        if ended == command:
            status = os.waitstatus_to_exitcode(state)
            break
    left = _left_behind()
    if not is_first:
        _end_children(command)
    _answer(request, {"status": status, "left": left})
    os._exit(0)


def _start(request: Mapping[str, Any]) -> NoReturn:
    """Become the command."""
    try:
        os.setsid()  # who kills its own group must not reach those who watch
        os.chdir(request["folder"])
        release = tuple(map(int, re.findall(r"\d+", platform.release())[:2]))
        is_counted_apart = bool({PROCESSES, NETWORK} & {*request["apart"]}) and release >= _COUNTS_PER_NAMESPACE
        user = NOBODY if USER in request["apart"] else os.geteuid()
        others = 0 if is_counted_apart else _threads_of(user)
        for number in range(_CAPABILITIES):
            _control(_DROP_BOUND, number)
        _control(_AMBIENT, _CLEAR_AMBIENT)
        if USER in request["apart"]:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
        if others is not None:  # root has no limit
            _limit(resource.RLIMIT_NPROC, request["processes"] + others)
        os.nice(_NICENESS)
        _control(_NO_NEW_PRIVILEGES, 1)
        os.execvpe(request["run"][0], request["run"], request["environment"])  # noqa: S606  # what it is for
    except (OSError, ValueError) as exc:
        what = "program" if isinstance(exc, FileNotFoundError | PermissionError) else "start"
        _answer(request, {"failed": what, "why": getattr(exc, "strerror", None) or str(exc)})
    os._exit(_NOT_STARTED)


def _left_behind() -> int:
    """Return how many processes the command left behind; those that end at once don't count."""
    left = 0
    for _ in range(_LOOKS):
        _reap()
        left = len(_children())
        if not left:
            break
        time.sleep(_PAUSE)
    return left


def _end_children(command: int) -> None:
    """Kill the group of *command* and all descendants.

    Only children are killed by their number: nobody else gets it before they are waited for.  What they started becomes
    children of this process when they end.  A whole group at once can't outrun that by forking.
    """
    with contextlib.suppress(OSError):
        os.killpg(command, signal.SIGKILL)
    for _ in range(_ROUNDS):
        found = _children()
        if not found:
            return
        for pid in (pid for pid, parent in found.items() if parent == os.getpid()):
            with contextlib.suppress(OSError):
                if (group := os.getpgid(pid)) != os.getpgrp():
                    os.killpg(group, signal.SIGKILL)
                os.kill(pid, signal.SIGKILL)
        _reap()
        time.sleep(_PAUSE / 10)


def _give_up(command: int) -> NoReturn:
    _end_children(command)
    os._exit(1)


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _threads_of(user: int) -> int | None:
    """Return how many threads *user* has, which the system counts together; None if that can't be known."""
    if not _IS_LINUX or user == 0:
        return None
    count = 0
    for entry in os.listdir("/proc"):  # noqa: PTH208
        with contextlib.suppress(OSError):
            if entry.isdecimal() and os.stat(f"/proc/{entry}").st_uid == user:  # noqa: PTH116
                count += len(os.listdir(f"/proc/{entry}/task"))  # noqa: PTH208
    return count


def _children() -> dict[int, int]:
    """Return all descendants that run, each with its parent; none where the system does not tell."""
    parents = dict[int, int]()
    for entry in os.listdir("/proc") if _IS_LINUX else ():  # noqa: PTH208
        if entry.isdecimal():
            with contextlib.suppress(OSError, ValueError, IndexError):
                state, parent, *_ = Path("/proc", entry, "stat").read_text("latin-1").rpartition(")")[2].split()
                if state not in "ZX":
                    parents[int(entry)] = int(parent)
    below = {os.getpid()}
    while new := {pid for pid, parent in parents.items() if parent in below} - below:
        below |= new
    return {pid: parents[pid] for pid in below if pid != os.getpid()}


if __name__ == "__main__":
    main()
