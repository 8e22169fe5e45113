"""Write the text that a plan was made from as Markdown, for the file ``.phasebot/spec.md``."""

import re

from bot.text import unix_newlines, without_hidden

_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_YAML_KEYS = ("entities", "openapi", "swagger")
_BLOCKS = {"model": "prisma", "datasource": "prisma", "generator": "prisma", "table": "dbml", "entity": "jdl"}
"""What a block of a schema file begins with, and its language."""
_MAX_WORDS = 4
"""In the first line of a block; a sentence has more."""


def format_spec(text: str) -> str:
    """Return *text* as Markdown, without hidden characters: in a fenced block if it is in another language."""
    shown = without_hidden(unix_newlines(text), prose=True).strip("\n")
    language = _language(shown)
    if not language:
        return f"{shown}\n"
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", shown)), default=0))
    return f"{fence}{language}\n{shown}\n{fence}\n"


def _language(text: str) -> str:
    """Return the language of *text*, by a line outside its fenced blocks; an empty string for Markdown."""
    if text.lstrip().startswith("{"):
        return "json"
    fence = ""
    for line in text.split("\n"):
        if fence:
            fence = "" if line.lstrip().startswith(fence) else fence
        elif found := _FENCE.match(line):
            fence = found[1]
        elif language := _language_of(line):
            return language
    return ""


def _language_of(line: str) -> str:
    words = line.lower().split(maxsplit=_MAX_WORDS)
    if line.partition(":")[0].rstrip() in _YAML_KEYS:
        return "yaml"
    if words[:2] == ["create", "table"]:
        return "sql"
    if words[:1] == ["erdiagram"]:
        return "mermaid"
    if words[:1] == ["class"] and "models.Model" in line:
        return "python"
    return _BLOCKS.get(words[0], "") if line.rstrip().endswith("{") and 1 < len(words) <= _MAX_WORDS else ""
