"""Parse a model's response into files, and accept only the requested paths.

The response is untrusted data, so it is parsed and judged by the bounded worker.  Each entry is checked by itself, so a
bad entry spoils only its own file.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.history.reasons import REASONS, Reason
from bot.planning.path_rules import path_problem
from bot.redaction import MIN_SEARCHED, Redactor
from bot.sandbox.protocol import Failure, Run
from bot.text import one_line, shown, unix_newlines

_FENCE = "```"
_START = re.compile(r'\s*(?:```(?:json)?\s*)?(?:\{\s*"files"\s*:\s*)?\[')
_SEPARATOR = re.compile(r"[\s,]*")
_MAX_REFUSED = 20
_LONG_ENUM = 20

NOT_THERE = Reason("absent", "it was not in the response")


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    path: str
    content: str


@dataclass(frozen=True, slots=True)
class ParsedFiles:
    """A parsed response.  Every wanted path is in exactly one of *files* and *faults*."""

    files: Mapping[str, str]
    faults: Mapping[str, Reason]
    """Wanted path → why its file was rejected, in one printable line."""
    refused: tuple[str, ...]
    """Entries that were not requested, one printable line each."""


def files_schema(paths: Sequence[str]) -> Mapping[str, Any]:
    """Return the JSON schema of a response with *paths*; small, because services reject complex schemas."""
    path = {"type": "string"} | ({"enum": list(paths)} if len(paths) <= _LONG_ENUM else {})
    entry = {"type": "object", "properties": {"path": path, "content": {"type": "string"}}}
    files = {"type": "array", "items": entry | {"required": ["path", "content"]}}
    return {"type": "object", "properties": {"files": files}, "required": ["files"]}


FILES_FORM = 'Answer with JSON only: {"files": [{"path": "…", "content": "…"}]}, one entry for each file.'
"""The schema in words, for services that reject it."""


def parse_json(text: str) -> Any:  # noqa: ANN401  # any JSON value
    """Parse the JSON of a response, with or without a Markdown fence.

    Raises:
        ValueError: It is not JSON.
    """
    try:
        return json.loads(_without_fence(text))  # accepts lone surrogates, unlike pydantic; they spoil only their file
    except (ValueError, RecursionError) as exc:
        raise ValueError(f"it is not JSON: {exc}"[:200]) from None


def _without_fence(text: str) -> str:
    """Return what is inside the Markdown fence around *text*, or the text itself if there is none."""
    whole = text.strip()
    if not (whole.startswith(_FENCE) and whole.endswith(_FENCE) and len(whole) > 2 * len(_FENCE)):
        return text
    inner = whole[len(_FENCE) : -len(_FENCE)].removeprefix("json")
    blank = inner[: len(inner) - len(inner.lstrip())]
    if "\n" not in blank:
        return text
    return inner[blank.rindex("\n") + 1 :].removesuffix("\n")


def parse_files(text: str, wanted: Sequence[str], *, cut: bool, secrets: Collection[str], run: Run) -> ParsedFiles:
    """Parse a response that should contain the files *wanted*; reject files that contain one of *secrets*.

    Secrets of fewer than 16 characters are not searched for: every file holds such a word.  The bounded worker, *run*,
    does the rest of the work; it does not know the secrets.

    Raises:
        ValueError: The response is not JSON or not a list of files.
    """
    keys = Redactor(secrets, shortest=MIN_SEARCHED)
    entries = [_without_keys(each, wanted, keys) for each in _read_in_worker(text, wanted, cut=cut, run=run)]
    judged = _judge({(each.path, each.content) for each in entries if each.path in wanted and not each.fault}, run)
    files: dict[str, str] = {}
    faults: dict[str, Reason] = {}
    refused: list[str] = []
    for path, content, problem in entries:
        fault = problem or judged.get((path, content))
        if path not in wanted:
            refused.append(f"{shown(path)}: {fault}")
        elif fault:
            faults.setdefault(path, fault)
        elif files.setdefault(path, content) != content:
            faults[path] = Reason("unfit", "it appears twice with different contents")
    for path in wanted:
        if path not in files:
            faults.setdefault(path, NOT_THERE)
    more = [f"and {len(refused) - _MAX_REFUSED} more"] if len(refused) > _MAX_REFUSED else []
    return ParsedFiles(
        {path: text for path, text in files.items() if path not in faults}, faults, (*refused[:_MAX_REFUSED], *more)
    )


class _Entry(NamedTuple):
    """An entry of a response, with its fault if it is not acceptable."""

    path: str
    content: str
    fault: Reason | None


def _read_in_worker(text: str, wanted: Sequence[str], *, cut: bool, run: Run) -> Sequence[_Entry]:
    [answer] = run("entries", (list(wanted), cut), [text])
    match answer:
        case {"entries": list(entries)}:
            return [_Entry(path, content, fault and Reason("unfit", fault)) for path, content, fault in entries]
        case {"error": str(error)}:
            raise ValueError(error)
        case Failure(what=what):
            raise ValueError(f"it can't be parsed: {what}")
    raise ValueError("it can't be parsed")


def _without_keys(entry: _Entry, wanted: Sequence[str], keys: Redactor) -> _Entry:
    if entry.path in wanted and not entry.fault and keys.finds(entry.content):
        return _Entry(entry.path, "", Reason("secret", "it holds a key of this run; use a placeholder instead"))
    return entry


def _judge(files: Collection[tuple[str, str]], run: Run) -> Mapping[tuple[str, str], Reason]:
    """Return why *files* can't be committed, for those that can't."""
    faults: dict[tuple[str, str], Reason] = {}
    order = sorted(files)
    for file, answer in zip(order, run("judge", None, order), strict=True):
        match answer:
            case None:
                continue
            case [str(code), str(fault)] if code in REASONS:
                faults[file] = Reason(code, fault)
            case Failure(what=what):
                faults[file] = Reason("unfit", f"its check failed: {what}")
            case _:
                faults[file] = Reason("unfit", "its check failed")
    return faults


def read_entries(text: str, wanted: Sequence[str], cut: bool) -> Mapping[str, object]:  # noqa: FBT001
    """Return ``entries`` of a response, each with path, content and fault; or ``error``, if it has none.

    This is the worker's part: it runs in the child process.
    """
    try:
        return {"entries": [_check_entry(entry, wanted) for entry in _entries(text, cut=cut)]}
    except ValueError as exc:
        return {"error": str(exc)}


def _entries(text: str, *, cut: bool) -> list[object]:
    try:
        content = parse_json(text)
    except ValueError:
        if cut:
            return list(_whole_entries(text))
        raise
    entries = content.get("files") if isinstance(content, dict) else content
    if not isinstance(entries, list):
        raise ValueError("it has no list of files")  # noqa: TRY004  # wrong content, not a wrong argument
    return entries


def _whole_entries(text: str) -> Iterator[object]:
    """Yield the entries that are complete in a response that was cut off."""
    start = _START.match(text)
    end = start.end() if start else len(text)
    with suppress(ValueError, RecursionError):
        while separator := _SEPARATOR.match(text, end):
            entry, end = json.JSONDecoder().raw_decode(text, separator.end())
            yield entry


def _check_entry(entry: object, wanted: Collection[str]) -> tuple[str, str, str | None]:
    """Return the path and content of an entry, and its fault if it is not acceptable."""
    if not isinstance(entry, dict):
        return "an entry", "", "it is not an object with path and content"
    try:
        file = _File.model_validate(entry)
    except ValidationError as exc:
        path = entry.get("path")
        where = one_line(".".join(map(str, exc.errors()[0]["loc"])), 100)
        fault = f"it is not an object with path and content ({where}: {exc.errors()[0]['msg']})"
        return path if isinstance(path, str) else "an entry", "", fault
    if file.path not in wanted:
        return file.path, "", _path_fault(file.path, wanted)
    text = unix_newlines(file.content)
    text = text if text.endswith("\n") or not text else f"{text}\n"
    return file.path, text, None


def _path_fault(path: str, wanted: Collection[str]) -> str:
    similar = next((other for other in wanted if other.casefold() == path.casefold()), None)
    return path_problem(path) or (f"differs from {similar} in case" if similar else None) or "was not requested"
