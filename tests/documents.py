"""The documents that people read, as tests see them: their blocks of code, tables, links and headings."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
DOCS = ROOT / "bot" / "docs"
DOCUMENTS = (README, *sorted(DOCS.glob("*.md")), ROOT / ".github" / "CONTRIBUTING.md")


class Block(NamedTuple):
    """A fenced block."""

    language: str
    text: str
    first: int
    """The number of the line after the opening fence, from 0."""

    @property
    def session(self) -> list[tuple[str, str]]:
        """Each command of a session, and what it prints."""
        parts = re.split(r"^\$ (.*\n)", self.text, flags=re.MULTILINE)
        return [(parts[n].rstrip("\n"), parts[n + 1]) for n in range(1, len(parts), 2)]


def blocks(document: Path, language: str) -> list[Block]:
    """Return the fenced blocks of a language."""
    tokens = MarkdownIt("commonmark").parse(document.read_text(encoding="utf-8"))
    fences = ((each, each.map) for each in tokens if each.type == "fence" and each.info == language)
    return [Block(language, each.content, place[0] + 1) for each, place in fences if place]


def replace_block(document: Path, block: Block, text: str) -> None:
    """Write a document again with another text in one of its blocks."""
    lines = document.read_text(encoding="utf-8").split("\n")
    lines[block.first : block.first + block.text.count("\n")] = text.removesuffix("\n").split("\n")
    document.write_text("\n".join(lines), encoding="utf-8")


def write_between(document: Path, begin: str, end: str, text: str) -> None:
    """Write a document again with another text between two marks, which stay."""
    head, _, rest = document.read_text(encoding="utf-8").partition(f"{begin}\n")
    document.write_text(f"{head}{begin}\n{text}\n{end}{rest.partition(end)[2]}", encoding="utf-8")


def rows(document: Path, head: str) -> list[list[str]]:
    """Return the cells of the only table whose head begins with the cell *head*."""
    text = document.read_text(encoding="utf-8")
    (table,) = re.findall(rf"^\| {re.escape(head)} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", text, re.MULTILINE)
    return [
        [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in table.splitlines()
    ]


def links(document: Path) -> Iterator[tuple[str, str]]:
    """Yield path and anchor of each link to a file of this repository, and the path of each picture."""
    text = re.sub(r"^```.*?^```$", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)|(?:href|src)=\"([^\"]+)\"", text):
        address = target[0] or target[1]
        if not re.match(r"https?:", address):
            path, _, anchor = address.partition("#")
            yield path, anchor


def anchors(document: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a document."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
