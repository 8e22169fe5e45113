"""Parse a spec in Markdown or YAML.  Error messages name the line, its text and a fix."""

import re
from collections.abc import Sequence
from dataclasses import replace

from bot.errors import UsageError
from bot.planning import field_grammar, yaml_outline
from bot.planning.spec_draft import DraftEntity, SpecDraft, locate_fields
from bot.planning.yaml_spec import read_yaml_spec
from bot.text import CONTROL, unix_newlines

_ENTITY_LINE = re.compile(r" {0,3}[-*]\s+(\w+)\s*:(?:\s+(.*))?$")
_HEADING = re.compile(r" {0,3}#{1,6}\s+(.*)")
_CLOSING_MARKS = re.compile(r"(?:^|\s)#+$")
_CONTINUATION = re.compile(r"\s+\S")
_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_ENTITIES_KEY = re.compile(r"entities\s*:")


def read_spec(text: str, *, source: str) -> SpecDraft:
    """Parse a spec in any of its forms; the result is not validated yet.

    Raises:
        UsageError: The text is empty, too long, contains control characters or does not parse.
    """
    text = clean(text, source=source)
    lines = text.split("\n")
    if _is_yaml(lines):
        return read_yaml_spec(text, text, source)
    prose, blocks = _split_fences(lines)
    draft = _read_markdown(text, prose, source)
    if not blocks:
        return draft
    if draft.entities or len(blocks) > 1:
        line = draft.entities[0].line if draft.entities else blocks[1][0]
        draft.fail(line, "the entities are listed twice; keep either one YAML block or the '- Name: …' lines")
    first, block = blocks[0]
    inner = read_yaml_spec("\n" * first + "\n".join(block), text, source)
    return replace(inner, project=inner.project or draft.project, description=inner.description or draft.description)


def is_prose(text: str, *, source: str) -> bool:
    """Whether *text* has no entities in the exact form, or only lines that resemble them, so a model must plan it.

    Raises:
        UsageError: The text is empty, too long or contains control characters.
    """
    text = clean(text, source=source)
    lines = text.split("\n")
    prose, blocks = _split_fences(lines)
    if blocks or _is_yaml(lines):
        return False
    try:
        draft = _read_markdown(text, prose, source)
        for entity in draft.entities:
            for field, _ in entity.fields:
                field_grammar.parse_field(field)
    except (UsageError, ValueError):
        return True
    return not draft.entities or not all(entity.fields for entity in draft.entities)


def find_heading(text: str) -> str:
    """Return the first heading of a Markdown *text*, or an empty string."""
    prose, _ = _split_fences(_plain_lines(text).split("\n"))
    return next(filter(None, (_heading(line) for _, line, fenced in prose if not fenced)), "")


def clean(text: str, *, source: str) -> str:
    """Return a spec with normalized line ends and without a byte order mark.

    Raises:
        UsageError: The text is empty, too long or contains control characters.
    """
    text = _plain_lines(text)
    if not text.strip():
        raise UsageError(f"{source}: it is empty; {field_grammar.HELP}")
    if len(text) > yaml_outline.MAX_CHARACTERS:
        raise UsageError(
            f"{source}: {len(text):,} characters are too many; the limit is {yaml_outline.MAX_CHARACTERS:,}"
        )
    if match := CONTROL.search(text):
        line = text.count("\n", 0, match.start()) + 1
        raise UsageError(f"{source}, line {line}: it holds the control character U+{ord(match[0]):04X}; remove it")
    return text


def _plain_lines(text: str) -> str:
    return unix_newlines(text.removeprefix("\ufeff"))


def _is_yaml(lines: Sequence[str]) -> bool:
    """Whether ``entities:`` is a top-level key of the text, outside fenced blocks.

    Indented fences don't count, because they can be part of a YAML value.
    """
    fence = ""
    for line in lines:
        if fence:
            fence = "" if line.startswith(fence) else fence
        elif line.startswith(("```", "~~~")):
            fence = line[: len(line) - len(line.lstrip(line[0]))]
        elif _ENTITIES_KEY.match(line):
            return True
    return False


def _split_fences(lines: list[str]) -> tuple[list[tuple[int, str, bool]], list[tuple[int, list[str]]]]:
    """Separate the fenced blocks that contain ``entities:`` from all other lines.

    Returns the other lines as ``(number, line, fenced)`` and the blocks as ``(line number of the fence, lines)``.
    """
    prose: list[tuple[int, str, bool]] = []
    blocks: list[tuple[int, list[str]]] = []
    number = 0
    while number < len(lines):
        end = number + 1
        if match := _FENCE.match(lines[number]):
            close = re.compile(rf" {{0,3}}{re.escape(match[1])}{re.escape(match[1][0])}*\s*$")
            while end < len(lines) and not close.match(lines[end]):
                end += 1
            if any(map(_ENTITIES_KEY.match, lines[number + 1 : end])):
                blocks.append((number + 1, lines[number + 1 : end]))
            else:
                prose += [(n + 1, lines[n], True) for n in range(number, min(end + 1, len(lines)))]
            end += 1
        else:
            prose.append((number + 1, lines[number], False))
        number = end
    return prose, blocks


def _read_markdown(text: str, lines: list[tuple[int, str, bool]], source: str) -> SpecDraft:
    project, prose, entities = "", [], []
    rest = iter(enumerate(lines))
    for position, (number, line, fenced) in rest:
        if not (fenced or project) and _HEADING.match(line):
            project = _heading(line)
        elif not fenced and (match := _ENTITY_LINE.match(line)):
            body = match[2] or ""
            following = position + 1
            while body.rstrip().endswith(",") and following < len(lines) and _CONTINUATION.match(lines[following][1]):
                body += "\n" + lines[following][1].strip()
                following += 1
                next(rest)
            entities.append(DraftEntity(match[1], number, locate_fields(body, number, text, source)))
        else:
            prose.append(line.rstrip())
    return SpecDraft(text, source, project, re.sub(r"\n{3,}", "\n\n", "\n".join(prose)).strip(), entities)


def _heading(line: str) -> str:
    match = _HEADING.match(line)
    return _CLOSING_MARKS.sub("", " ".join(match[1].split())).strip() if match else ""
