"""Parse a model's response into files, and accept only the requested paths.

The response is untrusted data.  Each entry is checked by itself, so a bad entry spoils only its own file.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.generation.llm.file_checks import find_fault
from bot.history.reasons import Reason
from bot.planning.path_rules import path_problem
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


def parse_files(text: str, wanted: Sequence[str], *, cut: bool, secrets: Collection[str]) -> ParsedFiles:
    """Parse a response that should contain the files *wanted*; reject files that contain one of *secrets*.

    Raises:
        ValueError: The response is not JSON or not a list of files.
    """
    files: dict[str, str] = {}
    faults: dict[str, Reason] = {}
    refused: list[str] = []
    for entry in _entries(text, cut=cut):
        path, content, fault = _check_entry(entry, wanted, secrets)
        if path not in wanted:
            refused.append(f"{shown(path)}: {fault}")
        elif fault:
            faults.setdefault(path, fault if isinstance(fault, Reason) else Reason("unfit", fault))
        elif files.setdefault(path, content) != content:
            faults[path] = Reason("unfit", "it appears twice with different contents")
    for path in wanted:
        if path not in files:
            faults.setdefault(path, NOT_THERE)
    more = [f"and {len(refused) - _MAX_REFUSED} more"] if len(refused) > _MAX_REFUSED else []
    return ParsedFiles(
        {path: text for path, text in files.items() if path not in faults}, faults, (*refused[:_MAX_REFUSED], *more)
    )


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


def _check_entry(entry: object, wanted: Collection[str], secrets: Collection[str]) -> tuple[str, str, str | None]:
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
    if any(secret in text for secret in secrets):
        return file.path, "", "it contains a secret"
    return file.path, text, find_fault(file.path, text)


def _path_fault(path: str, wanted: Collection[str]) -> str:
    similar = next((other for other in wanted if other.casefold() == path.casefold()), None)
    return path_problem(path) or (f"differs from {similar} in case" if similar else None) or "was not requested"
