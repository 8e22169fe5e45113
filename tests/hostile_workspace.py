"""A workspace that tries all it can, and what is seen of its job from outside; its files are in ``data/hostile``."""

import re
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from os.path import normpath
from pathlib import Path

FILES = Path(__file__).parent / "data" / "hostile" / "workspaces" / "job"
STEP = """\
sed "s#@WORKSPACE@#$GITHUB_WORKSPACE#g" github-env.txt >>"$GITHUB_ENV"
printf '%s\\n' "" . bin link-to-bin "$GITHUB_WORKSPACE/link-to-bin" "$GITHUB_WORKSPACE/bin" >>"$GITHUB_PATH"
"""
"""What an earlier step of the job does."""
_HOOKS = ("post-checkout", "post-index-change", "pre-commit", "pre-push", "reference-transaction", "sendemail-validate")


@dataclass
class Traps:
    """What notices that a job does what it should not."""

    outside: Path
    """A folder beside the workspace, where nothing may change."""
    trap: int
    """The port that nobody may connect to."""
    server: str
    connections: list[bytes] = field(default_factory=list)

    @property
    def noticed(self) -> str:
        """What planted programs and modules wrote when they ran."""
        path = self.outside / "noticed"
        return path.read_text() if path.exists() else ""

    @property
    def words(self) -> Mapping[str, object]:
        return {
            "NOTICED": self.outside / "noticed",
            "PROGRAM": self.outside / "program",
            "HOOKS": self.outside / "hooks",
            "OUTSIDE": self.outside,
            "TRAP": self.trap,
            "SERVER": self.server,
            "PORT": self.server.rpartition(":")[2],
        }

    def read(self, name: str) -> str:
        """Return a file with all words replaced but the workspace, which only the job knows."""
        text = (FILES / name).read_text()
        for word, value in self.words.items():
            text = text.replace(f"@{word}@", str(value))
        return text

    def plant(self, folder: Path) -> None:
        """Make a hostile workspace of a checkout."""
        for place in ("program", *(f"hooks/{name}" for name in _HOOKS)):
            self._write(self.outside / place, "program.sh", executable=True)
        for name in self.read("programs.txt").split():
            self._write(folder / "bin" / name, "program.sh", executable=True)
        for name in self.read("modules.txt").split():
            self._write(folder / name, "module.txt")
        for name in _HOOKS:
            self._write(folder / ".git" / "hooks" / name, "program.sh", executable=True)
        for place, name in {
            ".python-version": "python-version.txt",
            ".gitattributes": "git-attributes.txt",
            ".git/info/attributes": "git-attributes.txt",
            "github-env.txt": "github-env.txt",
            "issue.md": "issue.md",
        }.items():
            self._write(folder / place, name)
        (folder / "link-to-bin").symlink_to("bin")
        for name in ("app", ".phasebot", "requirements.txt", "tests"):
            (folder / name).symlink_to(self.outside / "target")
        (self.outside / "included").write_text(f"[http]\n\tproxy = http://127.0.0.1:{self.trap}\n")
        with (folder / ".git" / "config").open("a") as config:
            config.write(self.read("git-config.txt"))

    def _write(self, path: Path, name: str, *, executable: bool = False) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.read(name))
        path.chmod(0o755 if executable else 0o644)


@contextmanager
def traps(folder: Path, server: str) -> Iterator[Traps]:
    """Set the traps in *folder*; *server* is the address that the job may connect to."""
    (folder / "target").mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = Traps(folder, listener.getsockname()[1], server)

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        connection.settimeout(2)
                        found.connections.append(connection.recv(10_000))

        threading.Thread(target=serve, daemon=True).start()
        yield found
        listener.shutdown(socket.SHUT_RDWR)


def snapshot(*folders: Path) -> Mapping[str, tuple[int, int]]:
    """Return all files below *folders*, each with its size and when it was changed."""
    found = {}
    for top in folders:
        for path in [top, *top.rglob("*")]:
            status = path.lstat()
            found[str(path)] = (status.st_size, status.st_mtime_ns)
    return found


# What strace wrote of a job

_TRACED = (
    *("connect", "sendto", "execve", "open", "openat", "creat", "rename", "renameat", "renameat2", "mkdir", "mkdirat"),
    *("unlink", "unlinkat", "symlink", "symlinkat", "link", "linkat", "clone", "clone3", "fork", "vfork"),
)
STRACE = ("strace", "-f", "-qq", "-y", "-s", "4096", "-e", f"trace={','.join(_TRACED)}")
_CALL = re.compile(r"(\w+)\((.*)\) += (-?\d+)")
_ADDRESS = re.compile(r'sin6?_port=htons\((\d+)\).*?"([0-9a-f.:]+)"')
_WRITES = re.compile(r"O_(WRONLY|RDWR|CREAT|TRUNC|APPEND)")
_PLACE = re.compile(r'(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:[^"\\]|\\.)*)"')


@dataclass
class Trace:
    """What all processes of a job did."""

    connections: set[tuple[str, int]] = field(default_factory=set)
    written: set[str] = field(default_factory=set)
    """Files that were opened for writing, made, moved or removed."""
    programs: set[str] = field(default_factory=set)


def read_trace(text: str, runner: str) -> Trace:
    """Read what strace wrote of all processes but those that run the program *runner* themselves."""
    calls, parents, programs = list(_calls(text)), dict[str, str](), dict[str, str]()
    for pid, name, arguments, result in calls:
        if result > 0 and name in ("clone", "clone3", "fork", "vfork"):
            parents[str(result)] = pid
        elif result == 0 and name == "execve":
            programs[pid] = _places(arguments)[0]
    trace = Trace()
    for pid, name, arguments, result in calls:
        if _program(pid, parents, programs).endswith(runner):
            continue
        if name in ("connect", "sendto"):
            trace.connections |= {(host, int(port)) for port, host in _ADDRESS.findall(arguments)}
        elif result >= 0 and name == "execve":
            trace.programs.add(_places(arguments)[0])
        elif result >= 0 and (name not in ("open", "openat") or _WRITES.search(arguments)):
            links = name in ("link", "linkat", "symlink", "symlinkat")  # they change nothing where they point to
            trace.written |= set(_places(arguments)[-1 if links else 0 :])
    return trace


def _calls(text: str) -> Iterator[tuple[str, str, str, int]]:
    """Yield each call's process, name, arguments and result; a call may be told in two lines."""
    begun: dict[str, str] = {}
    for line in text.splitlines():
        pid, _, call = line.partition(" ")
        call = call.strip()
        if call.endswith(" <unfinished ...>"):
            begun[pid] = call.removesuffix(" <unfinished ...>")
            continue
        if call.startswith("<... "):
            call = begun.pop(pid, "") + call.partition(" resumed>")[2]
        if match := _CALL.match(call):
            yield pid, match[1], match[2], int(match[3])


def _program(pid: str, parents: Mapping[str, str], programs: Mapping[str, str]) -> str:
    while pid not in programs and pid in parents:
        pid = parents[pid]
    return programs.get(pid, "")


def _places(arguments: str) -> list[str]:
    """Return the paths in the arguments; for execve, the first one is the program.

    strace does not say where a relative path of an older call, such as mkdir, begins; one that stays below is left so.
    """
    return [normpath(Path(folder) / path) for folder, path in _PLACE.findall(arguments)]
