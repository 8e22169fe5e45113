"""What ruff has to say about Python files: the only module that starts it."""

import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.assessment.finding import Diagnosis
from bot.errors import PhasebotError
from bot.history.child_process import read_to_end
from bot.text import one_line

_ERRORS = (
    "F402,F50,F52,F601,F602,F62,F63,F70,F72,F811,F82,F901,"  # what fails when it is executed
    "S102,S103,S201,S202,S30,S323,S324,S50,S60,S612,S70"  # what an attacker looks for
)
_WARNINGS = (
    "F401,F403,F405,F54,F841,B002,B003,B006,B012,B015,B018,B020,B021,B023,B025,B029,B030,B031,B032,B033,B035,B039"
)
_IGNORED = "S311,S603,S607"
"""Random numbers that are no secrets, and fixed commands, are no findings by themselves."""
_TIMEOUT = 120.0
_MAX_MESSAGE = 300


def diagnose(texts: Mapping[str, str]) -> list[Diagnosis]:
    """Return what ruff finds in Python files: path → text.

    Comments that silence it have no effect, but for an import that is there for its effect: ``# noqa: F401``.

    The paths are relative, and lead nowhere else. The files are written to a folder of their own, so that neither their
    configuration nor anything beside them matters.

    Raises:
        PhasebotError: ruff could not be started, or gave no answer.
    """
    with tempfile.TemporaryDirectory(prefix="phasebot-assess-") as folder:
        root = Path(folder).resolve()
        for path, text in texts.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8", errors="replace")
        answer = _run(root, ["--select", f"{_ERRORS},{_WARNINGS}", "--ignore", _IGNORED])
        return [each for each in _read(answer, root) if not _is_for_its_effect(each, texts[each.path])]


def _run(root: Path, options: Sequence[str]) -> bytes:
    from ruff import find_ruff_bin  # type: ignore[import-untyped]  # it has no annotations

    settings = ["--isolated", "--no-cache", "--ignore-noqa", "--exit-zero", "--no-fix", "--target-version", "py311"]
    try:
        command = [find_ruff_bin(), "check", *settings, "--output-format", "json", *options, "."]
        process = subprocess.Popen(  # noqa: S603  # its own binary, and options of ours
            command,
            cwd=root,
            env={"PATH": "", "HOME": str(root)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        out, told = read_to_end(process, _TIMEOUT)
    except TimeoutError:
        raise PhasebotError(f"assessing: ruff gave no answer within {_TIMEOUT:.0f} s; try again") from None
    except OSError as exc:
        why = one_line(str(exc), _MAX_MESSAGE)
        raise PhasebotError(f"assessing: ruff can't be started: {why}; install Phasebot again") from None
    if process.returncode:
        why = one_line(told.decode("utf-8", "replace"), _MAX_MESSAGE)
        raise PhasebotError(f"assessing: ruff ended with status {process.returncode}: {why}; report this, please")
    return out


def _read(answer: bytes, root: Path) -> Iterator[Diagnosis]:
    errors = tuple(_ERRORS.split(","))
    for each in json.loads(answer):
        rule = str(each.get("code") or "invalid-syntax")
        is_error = rule == "invalid-syntax" or rule.startswith(errors)
        path = Path(each["filename"]).resolve().relative_to(root).as_posix()
        yield Diagnosis(path, _line(each), rule, is_error, one_line(str(each["message"]), _MAX_MESSAGE))


def _is_for_its_effect(each: Diagnosis, text: str) -> bool:
    return each.rule == "F401" and each.line is not None and "noqa: F401" in text.split("\n")[each.line - 1]


def _line(each: Mapping[str, Any]) -> int | None:
    return (each.get("location") or {}).get("row")
