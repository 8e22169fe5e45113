"""Turns people's text into Markdown that keeps its lists, code and emphasis, and has no other effect.

Headings become bold lines, tables blocks of code.  HTML, images, links, mentions and references are shown as text, by
the sanitiser of :mod:`bot.forge.markdown`.
"""

import re
from collections.abc import Iterator, Sequence

from bot.forge.markdown import escape_inline, escape_start, fenced, inert_code, is_active, visible

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(?=\S)")
_ITEM = re.compile(r"([ \t]*)([-*+]|[0-9]{1,4}[.)])[ \t]+(?=\S)")
_RULE = re.compile(r" {0,3}(?:-{3,}|\*{3,}|_{3,}|={3,})[ \t]*")
_MARKED = re.compile(
    r"(?<!`)(?P<ticks>`{1,9})(?!`)(?P<code>[^`]+)(?P=ticks)(?!`)"
    r"|\*\*(?P<bold>[^\s*](?:[^*]*[^\s*])?)\*\*(?!\*)"
    r"|(?<![\w*])\*(?P<em>[^\s*](?:[^*]*[^\s*])?)\*(?![\w*])"
    r"|(?<![\w_])_(?P<under>[^\s_](?:[^_]*[^\s_])?)_(?![\w_])"
)
_LEVEL, _MAX_DEPTH = "    ", 4


def light(text: str) -> str:
    """Return *text* as blocks of Markdown."""
    return re.sub(r"\n{3,}", "\n\n", "\n".join(_blocks(visible(text).split("\n")))).strip("\n")


def light_line(text: str) -> str:
    """Return *text* on one line, for an item of a list."""
    return escape_start(_inline(" ".join(visible(text).split())))


def _blocks(lines: Sequence[str]) -> Iterator[str]:
    indents: list[int] = []
    """Indentation of the list items that are open."""
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if found := _FENCE.match(line):
            end = next((n for n in range(number, len(lines)) if lines[n].lstrip().startswith(found[1])), len(lines))
            yield from ("", _block_of_code(lines[number:end]), "")
            number = end + 1
        elif line.lstrip().startswith("|"):
            end = next((n for n in range(number, len(lines)) if not lines[n].lstrip().startswith("|")), len(lines))
            yield from ("", _block_of_code(lines[number - 1 : end]), "")
            number = end
        elif _RULE.fullmatch(line) or not line.strip():
            yield ""
        elif found := _HEADING.match(line):
            yield from ("", f"**{escape_inline(' '.join(line[found.end() :].split()))}**", "")
        elif found := _ITEM.match(line):
            indent = len(found[1].expandtabs(4))
            indents = [each for each in indents if each < indent][:_MAX_DEPTH]
            marker = found[2] if found[2][0].isdigit() else "-"
            yield f"{_LEVEL * len(indents)}{marker} {light_line(line[found.end() :])}"
            indents.append(indent)
            continue
        else:
            yield light_line(line)
            continue
        indents = indents if not line.strip() else []


def _block_of_code(lines: Sequence[str]) -> str:
    """Return *lines* as a block of code, or as lines of code where a block would let GitHub act on their text."""
    text = "\n".join(lines)
    if not is_active(text):
        return fenced(text)
    return "\\\n".join(inert_code(each) for each in lines if each.strip())


def _inline(line: str) -> str:
    parts, end = [], 0
    for match in _MARKED.finditer(line):
        parts.append(escape_inline(line[end : match.start()]))
        end = match.end()
        if match["code"]:
            parts.append(inert_code(match["code"]))
        elif match["bold"]:
            parts.append(f"**{escape_inline(match['bold'])}**")
        else:
            parts.append(f"*{escape_inline(match['em'] or match['under'])}*")
    return "".join([*parts, escape_inline(line[end:])])
