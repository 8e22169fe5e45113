"""What a model answered, taken apart into files: the paths that were asked for, and nothing else.

The answer is hostile.  It is data, ``(path, content)``; each entry is judged by itself, so that a bad one costs
only its own file.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.generation.llm.file_checks import find_fault
from bot.planning.path_rules import path_problem
from bot.text import one_line, shown, unix_newlines

_FENCED = re.compile(r"\s*```(?:json)?\s*\n(.*?)\n?```\s*", re.DOTALL)
_OPENING = re.compile(r'\s*(?:```(?:json)?\s*)?(?:\{\s*"files"\s*:\s*)?\[')
_BETWEEN = re.compile(r"[\s,]*")
_TOLD = 20
_LONG_ENUM = 20

NOT_THERE = "it was not in the answer"


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    path: str
    content: str


@dataclass(frozen=True, slots=True)
class ParsedFiles:
    """An answer, judged.  Every wanted path is in exactly one of *files* and *faults*."""

    files: Mapping[str, str]
    faults: Mapping[str, str]
    """Wanted path → why its file can't be taken, in one printable line."""
    refused: tuple[str, ...]
    """What nobody asked for, a printable line each."""


def files_schema(paths: Sequence[str]) -> Mapping[str, Any]:
    """Return the JSON schema of an answer with *paths*; lean, because services refuse what is too complex."""
    path = {"type": "string"} | ({"enum": list(paths)} if len(paths) <= _LONG_ENUM else {})
    entry = {"type": "object", "properties": {"path": path, "content": {"type": "string"}}}
    files = {"type": "array", "items": entry | {"required": ["path", "content"]}}
    return {"type": "object", "properties": {"files": files}, "required": ["files"]}


FILES_FORM = 'Answer with JSON only: {"files": [{"path": "…", "content": "…"}]}, one entry for each file.'
"""The same in words, for a service that refuses the schema."""


def parse_json(text: str) -> Any:  # noqa: ANN401  # any JSON there is
    """Read the JSON of an answer, fenced or not.

    Raises:
        ValueError: It is none.
    """
    if match := _FENCED.fullmatch(text):
        text = match[1]
    try:
        return json.loads(text)  # not pydantic's: one half character in a string must cost a file, not all of them
    except (ValueError, RecursionError) as exc:
        raise ValueError(f"it is no JSON: {exc}"[:200]) from None


def parse_files(text: str, wanted: Sequence[str], *, cut: bool, secrets: Collection[str]) -> ParsedFiles:
    """Judge an answer that should hold the files *wanted*; none may hold one of *secrets*.

    Raises:
        ValueError: It is no JSON, or not a list of files.
    """
    files: dict[str, str] = {}
    faults: dict[str, str] = {}
    refused: list[str] = []
    for entry in _entries(text, cut=cut):
        path, content, fault = _judge(entry, wanted, secrets)
        if path not in wanted:
            refused.append(f"{shown(path)}: {fault}")
        elif fault:
            faults.setdefault(path, fault)
        elif files.setdefault(path, content) != content:
            faults[path] = "it is given twice, with different contents"
    for path in wanted:
        if path not in files:
            faults.setdefault(path, NOT_THERE)
    more = [f"and {len(refused) - _TOLD} more"] if len(refused) > _TOLD else []
    return ParsedFiles(
        {path: text for path, text in files.items() if path not in faults}, faults, (*refused[:_TOLD], *more)
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
        raise ValueError("it holds no list of files")  # noqa: TRY004  # text that was sent, not an argument
    return entries


def _whole_entries(text: str) -> Iterator[object]:
    """Yield the entries that ended before the answer was cut off."""
    opening = _OPENING.match(text)
    end = opening.end() if opening else len(text)
    with suppress(ValueError, RecursionError):
        while between := _BETWEEN.match(text, end):
            entry, end = json.JSONDecoder().raw_decode(text, between.end())
            yield entry


def _judge(entry: object, wanted: Collection[str], secrets: Collection[str]) -> tuple[str, str, str | None]:
    """Return path, content and fault of one entry."""
    if not isinstance(entry, dict):
        return "an entry", "", "it is no plain path with its content"
    try:
        file = _File.model_validate(entry)
    except ValidationError as exc:
        path = entry.get("path")
        where = one_line(".".join(map(str, exc.errors()[0]["loc"])), 100)
        fault = f"it is no plain path with its content ({where}: {exc.errors()[0]['msg']})"
        return path if isinstance(path, str) else "an entry", "", fault
    if file.path not in wanted:
        return file.path, "", _why_not(file.path, wanted)
    text = unix_newlines(file.content)
    text = text if text.endswith("\n") or not text else f"{text}\n"
    if any(secret in text for secret in secrets):
        return file.path, "", "it holds a secret of this process"
    return file.path, text, find_fault(file.path, text)


def _why_not(path: str, wanted: Collection[str]) -> str:
    near = next((other for other in wanted if other.casefold() == path.casefold()), None)
    return path_problem(path) or (f"differs from {near} in case" if near else None) or "is no file that was asked for"
