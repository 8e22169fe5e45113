"""Parse a spec in Markdown or YAML.  Error messages name the lines, their text and a fix."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.errors import UsageError
from bot.planning import field_grammar, yaml_outline
from bot.planning.markdown_lines import HEADING, heading
from bot.planning.markdown_spec import FEATURES, Line, MarkdownReader
from bot.planning.prose import asks, sentences
from bot.planning.schema_spec import language_of, read_schema_spec
from bot.planning.spec_draft import Problem, SpecDraft
from bot.planning.yaml_spec import read_yaml_spec
from bot.text import CONTROL, unix_newlines

_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_ENTITIES_KEY = re.compile(r"entities\s*:")
_OTHER_KEYS = re.compile(r"(project|recipe):")
_FRONT_MATTER = ("title", "recipe", "output-dir", "options")
_INTRO = 3
"""How many sentences a description can have before a model reads it for what else it says."""


def read_spec(text: str, *, source: str) -> SpecDraft:
    """Parse a spec in any of its forms; the result is not validated yet.

    Raises:
        UsageError: The text is empty, too long, contains control characters or is not YAML of a simple kind.
    """
    text = clean(text, source=source)
    lines = text.split("\n")
    if _is_yaml(lines):
        return read_yaml_spec(text, text, source)
    if language := language_of(text):
        return read_schema_spec(text, language, text, source)
    start, settings = _front_matter(lines, text, source)
    prose, blocks = _split_fences(lines, start)
    draft = _read_markdown(text, prose, source)
    draft = replace(draft, **{**settings, "problems": [*settings.get("problems", ()), *draft.problems]})
    if not blocks:
        return draft
    if draft.entities or len(blocks) > 1:
        line = draft.entities[0].line if draft.entities else blocks[1][0]
        draft.fail(line, "the entities are listed twice; keep either one block or the '- Name: …' lines")
    first, block = blocks[0]
    if language := language_of("\n".join(block)):
        inner = read_schema_spec("\n".join(block), language, text, source, first=first)
    else:
        inner = read_yaml_spec("\n" * first + "\n".join(block), text, source)
    return _both(inner, draft)


def _both(inner: SpecDraft, outer: SpecDraft) -> SpecDraft:
    """Return the draft of a YAML block together with what the Markdown around it says."""
    features = [*outer.collections.get(FEATURES, ()), *inner.collections.get(FEATURES, ())]
    return replace(
        inner,
        project=inner.project or outer.project,
        description="\n\n".join(filter(None, (outer.description, inner.description)))
        if inner.language
        else (inner.description or outer.description),
        recipe=inner.recipe or outer.recipe,
        output_dir=inner.output_dir or outer.output_dir,
        options={**outer.options, **inner.options},
        collections={**inner.collections, **({FEATURES: features} if features else {})},
        rules=[*outer.rules, *inner.rules],
        left_out=[*outer.left_out, *inner.left_out],
        asks=outer.asks,
        problems=[*outer.problems, *inner.problems],
        notes=[*outer.notes, *inner.notes],
    )


def is_prose(text: str, *, source: str) -> bool:
    """Whether *text* has no entities in the exact form, or only lines that resemble them, so a model must plan it.

    Raises:
        UsageError: The text is empty, too long or contains control characters.
    """
    text = clean(text, source=source)
    lines = text.split("\n")
    if _is_yaml(lines) or language_of(text):
        return False
    prose, blocks = _split_fences(lines)
    if blocks:
        return False
    draft = _read_markdown(text, prose, source)
    if draft.problems or not draft.entities or not all(entity.fields for entity in draft.entities):
        return True
    return any(True for _ in draft.unreadable_fields())


def needs_a_model(draft: SpecDraft) -> bool:
    """Whether the prose beside the exact form says more than what is built."""
    if draft.asks or draft.language:
        return bool(draft.asks)
    found = list(sentences(draft.description))
    return len(found) > _INTRO or any(map(asks, found))


def find_heading(text: str) -> str:
    """Return the first heading of level 1 of a Markdown *text*, or an empty string."""
    prose, _ = _split_fences(_plain_lines(text).split("\n"))
    return next(filter(None, (_title(line.text) for line in prose if not line.fenced)), "")


def _title(line: str) -> str:
    match = HEADING.match(line)
    return heading(line) if match and len(match[1]) == 1 else ""


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
    """Whether ``entities:``, or ``project:`` and ``recipe:``, are top-level keys of the text, outside fenced blocks.

    Indented fences don't count, because they can be part of a YAML value.
    """
    fence, found = "", set[str]()
    for line in lines:
        if fence:
            fence = "" if line.startswith(fence) else fence
        elif line.startswith(("```", "~~~")):
            fence = line[: len(line) - len(line.lstrip(line[0]))]
        elif _ENTITIES_KEY.match(line):
            return True
        elif match := _OTHER_KEYS.match(line):
            found.add(match[1])
    return len(found) > 1


def _front_matter(lines: Sequence[str], text: str, source: str) -> tuple[int, Mapping[str, Any]]:
    """Read settings between two lines of ``---`` at the top; return where the rest starts, and the settings."""
    if not lines or lines[0].rstrip() != "---":
        return 0, {}
    end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() in ("---", "...")), 0)
    if not end or not any(":" in line for line in lines[1:end]):
        return 0, {}
    inner = read_yaml_spec("\n" + "\n".join(lines[1:end]), text, source)
    others = inner.rules or inner.left_out or inner.collections or inner.instructions or inner.description
    unknown = (
        [Problem(1, f"front matter takes {', '.join(_FRONT_MATTER)} only; write the rest below it")] if others else []
    )
    return end + 1, {
        **({"project": inner.project} if inner.project else {}),
        "recipe": inner.recipe,
        "output_dir": inner.output_dir,
        "options": inner.options,
        "problems": [*inner.problems, *unknown],
    }


def _split_fences(lines: Sequence[str], start: int = 0) -> tuple[list[Line], list[tuple[int, list[str]]]]:
    """Separate the fenced blocks that contain ``entities:``, or a schema, from all other lines, from line *start* on.

    Returns the other lines, and the blocks as ``(line number of the fence, lines)``.
    """
    prose: list[Line] = []
    blocks: list[tuple[int, list[str]]] = []
    number = start
    while number < len(lines):
        end = number + 1
        if match := _FENCE.match(lines[number]):
            close = re.compile(rf" {{0,3}}{re.escape(match[1])}{re.escape(match[1][0])}*\s*$")
            while end < len(lines) and not close.match(lines[end]):
                end += 1
            block = lines[number + 1 : end]
            if any(map(_ENTITIES_KEY.match, block)) or language_of("\n".join(block)):
                blocks.append((number + 1, list(block)))
            else:
                prose += [Line(n + 1, lines[n], fenced=True) for n in range(number, min(end + 1, len(lines)))]
            end += 1
        else:
            prose.append(Line(number + 1, lines[number], fenced=False))
        number = end
    return prose, blocks


def _read_markdown(text: str, lines: Sequence[Line], source: str) -> SpecDraft:
    reader = MarkdownReader(lines)
    reader.read()
    features = reader.items()
    return SpecDraft(
        text,
        source,
        reader.project,
        reader.description,
        reader.drafts(),
        collections={FEATURES: features} if features else {},
        rules=reader.rules,
        left_out=reader.left_out,
        asks=reader.asks,
        problems=reader.problems,
        notes=reader.notes,
    )
