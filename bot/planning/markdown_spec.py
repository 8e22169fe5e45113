"""Read a spec in Markdown: entities, features, rules and what is left out, in the forms in which people write them.

A line that looks like an entity or a field and can't be read is a problem.  All other text is the description.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bot.planning.entities import SCALARS
from bot.planning.entity_grammar import Option, read_option
from bot.planning.item_grammar import read_does
from bot.planning.markdown_lines import (
    EXACT,
    HEADING,
    ITEM,
    Body,
    are_fields,
    entity_name,
    first_error,
    heading,
    plain_name,
    read_body,
    split_name,
)
from bot.planning.prose import asks, sentences
from bot.planning.spec_draft import DraftEntity, DraftItem, Problem
from bot.planning.spec_tables import fields_of_table
from bot.text import shown

FEATURES, RULES, LEFT_OUT, ENTITIES = "features", "rules", "left-out", "entities"
_SECTIONS = {
    **dict.fromkeys(("features", "feature", "functions", "use cases"), FEATURES),
    **dict.fromkeys(("rules", "rule", "business rules", "validation rules", "validations", "constraints"), RULES),
    **dict.fromkeys(("left out", "not included", "out of scope", "non-goals", "non goals", "not part of it"), LEFT_OUT),
    **dict.fromkeys(
        ("entities", "data model", "data models", "models", "model", "schema", "tables", "data", "database",
         "domain model", "resources", "types"),
        ENTITIES,
    ),
}  # fmt: skip


class Line(NamedTuple):
    """One line of the spec."""

    number: int
    text: str
    fenced: bool


@dataclass(slots=True)
class _Open:
    """The entity or the feature that lines below it belong to."""

    name: str
    line: int
    indent: int
    fields: list[tuple[str, int]] = field(default_factory=list)
    options: list[tuple[Option, int]] = field(default_factory=list)
    does: str = ""
    rules: list[str] = field(default_factory=list)


@dataclass(slots=True)
class MarkdownReader:
    """Reads the lines of one spec, one after another."""

    lines: Sequence[Line]
    project: str = ""
    entities: list[_Open] = field(default_factory=list)
    features: list[_Open] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    prose: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[tuple[int, str]] = field(default_factory=list)
    _section: str = ""
    _heading: Line | None = None
    """A heading that can be the name of an entity, if fields follow."""
    _under: _Open | None = None
    _in_intro: bool = True
    _at: int = 0
    _spoken: list[str] = field(default_factory=list)
    """The prose again, without headings, and with an empty line wherever something else stood."""
    _paragraph: list[str] = field(default_factory=list)
    """The lines so far of a paragraph in a section of rules or of what is left out."""

    def read(self) -> None:
        """Read all lines."""
        while self._at < len(self.lines):
            line = self.lines[self._at]
            self._at += 1
            known = len(self._spoken)
            if line.fenced:
                self._end_paragraph()
                self._describe(line.text)
            elif match := HEADING.match(line.text):
                self._read_heading(line, len(match[1]))
            elif line.text.lstrip().startswith("|"):
                self._read_table(line)
            elif match := ITEM.fullmatch(line.text):
                self._read_item(line, len(match[1].expandtabs(4)), match[2])
            else:
                self._read_text(line)
            if len(self._spoken) == known:
                self._spoken.append("")
        self._end_paragraph()

    @property
    def asks(self) -> Sequence[str]:
        """The sentences of the prose that ask for something, once each."""
        return list(dict.fromkeys(each for each in sentences("\n".join(self._spoken)) if asks(each)))

    @property
    def description(self) -> str:
        """The prose that asks for nothing."""
        return re.sub(r"\n{3,}", "\n\n", "\n".join(self.prose)).strip()

    def drafts(self) -> Sequence[DraftEntity]:
        """Return the entities."""
        return [DraftEntity(each.name, each.line, each.fields, each.options) for each in self.entities]

    def items(self) -> Sequence[DraftItem]:
        """Return the features."""
        found = []
        for each in self.features:
            does, uses = read_does(" ".join(each.does.split()))
            found.append(DraftItem(each.name, each.line, does, uses, each.rules))
        return found

    # ---- headings

    def _read_heading(self, line: Line, level: int) -> None:
        title = heading(line.text)
        self._under, self._heading = None, None
        self._end_paragraph()
        section = _SECTIONS.get(title.rstrip(":").lower(), "")
        if level == 1 and not self.project and title:
            self.project = title
        elif section:
            self._section = section
            self._in_intro = False
        elif self._section == FEATURES and level > 2 and (name := entity_name(title)):  # noqa: PLR2004
            self._open_feature(name, title, line, -1)
        else:
            self._section = ""
            self._in_intro = False
            self._heading = line if entity_name(title) else None
            self._describe(line.text)

    # ---- items of lists

    def _read_item(self, line: Line, indent: int, text: str) -> None:
        self._end_paragraph()
        under = self._under if self._under and indent > self._under.indent else None
        self._under = under
        if under and under in self.features:
            under.rules.append(self._joined(text))
        elif under:
            of_heading = under.indent < 0
            if of_heading and self._read_field_of_heading(line, text):
                return
            if not (of_heading and self._read_entity(line, indent, text, bullet=True)):
                self._read_below(under, line, text)
        elif self._section in (RULES, LEFT_OUT):
            target = self.rules if self._section == RULES else self.left_out
            target.append(self._joined(plain_name(text)))
        elif self._section == FEATURES:
            self._read_feature(line, indent, text)
        elif not self._read_field_of_heading(line, text) and not self._read_entity(line, indent, text, bullet=True):
            self._describe(line.text)

    def _read_below(self, under: _Open, line: Line, text: str) -> None:
        """Read a line below an entity: a field, or what the entity says beside its fields."""
        option = read_option(self._joined(text))
        word = option.text.strip()
        if option.kind in ("unique", "index") and word in (*SCALARS, "enum"):
            option = Option("rule", text)  # a field of this name
        elif option.kind != "rule" or text.lower().startswith("rule:"):
            under.options.append((option, line.number))
            return
        body = read_body(text, line.number)
        if body.readable == len(body.fields) > 0 or body.near:
            under.fields += body.fields
        else:
            under.options.append((option, line.number))

    def _read_field_of_heading(self, line: Line, text: str) -> bool:
        """Read a field of the entity that the last heading names; return whether it is one."""
        if self._heading is None:
            return False
        body = read_body(text, line.number)
        if body.readable != 1 or len(body.fields) != 1:
            return False
        under = self._open_heading(self._heading)
        under.fields += body.fields
        return True

    def _open_heading(self, at: Line) -> _Open:
        title = heading(at.text)
        name = entity_name(title)
        if not (self.entities and self.entities[-1].line == at.number):
            self._open_entity(name, title, at, -1)
            if at.text.rstrip() in self.prose[-2:]:
                self.prose.remove(at.text.rstrip())
        self._under = self.entities[-1]
        return self.entities[-1]

    def _read_entity(self, line: Line, indent: int, text: str, *, bullet: bool) -> bool:
        """Read the line of an entity; return whether it is one."""
        exact = EXACT.match(line.text) if bullet else None
        written, body_text = (exact[1], exact[2] or "") if exact else split_name(text)
        name = entity_name(written)
        if exact and not name:
            name = written
        if not name:
            return False
        body_text, body = self._whole_body(body_text, line.number)
        below = self._fields_below(indent) if bullet and not body.fields else 0
        is_entity = body.near or (body.readable if bullet else body.readable == len(body.fields) > 0) or below
        if not (is_entity or exact):
            return False
        under = self._open_entity(name, written, line, indent)
        if body.problem:
            self.problems.append(body.problem)
        elif exact and body.fields and not (body.readable or body.near):
            remedy = f"if it is no entity, take '{written}:' away, or write it below '## Rules'"
            self.problems.append(Problem(line.number, f"{first_error(body.fields)}; {remedy}"))
            self.entities.pop()
            self._under = None
        under.fields += body.fields
        return True

    def _whole_body(self, text: str, number: int) -> tuple[str, Body]:
        """Take the lines that continue a list of fields, and read it; a note tells where a comma is missing."""
        while self._at < len(self.lines):
            line = self.lines[self._at]
            following = line.text.strip()
            if not (following and line.text[:1].isspace()):
                break
            if not text.rstrip().endswith(","):
                if not text.strip() or ITEM.fullmatch(line.text) or not are_fields(following):
                    break
                self.notes.append((line.number, f"{shown(following)} is more fields; no comma ends the line above"))
                text += ","
            text += f"\n{following}"
            self._at += 1
        return text, read_body(text, number)

    def _fields_below(self, indent: int) -> int:
        """Return how many of the items that follow, deeper than *indent*, are fields."""
        found = 0
        for line in self.lines[self._at :]:
            match = ITEM.fullmatch(line.text)
            if not match or len(match[1].expandtabs(4)) <= indent:
                if line.text.strip():
                    break
                continue
            body = read_body(match[2], line.number)
            found += body.readable + body.near
        return found

    def _open_entity(self, name: str, written: str, line: Line, indent: int) -> _Open:
        if name != plain_name(written):
            self.notes.append((line.number, f"{plain_name(written)} is {name}"))
        self._in_intro = False
        self._under = _Open(name, line.number, indent)
        self.entities.append(self._under)
        return self._under

    # ---- features, tables, text

    def _read_feature(self, line: Line, indent: int, text: str) -> None:
        written, _, does = text.partition(":")
        name = entity_name(written)
        does = does.lstrip("*_ ")
        if not (name and does.strip()):
            message = (
                "a feature is written 'Name: what it does. Uses A, B.'; give it a name of a few words before the ':'"
            )
            self.problems.append(Problem(line.number, message))
            return
        feature = self._open_feature(name, written, line, indent)
        feature.does = self._joined(does)

    def _open_feature(self, name: str, written: str, line: Line, indent: int) -> _Open:
        if name != plain_name(written):
            self.notes.append((line.number, f"{plain_name(written)} is {name}"))
        self._under = _Open(name, line.number, indent)
        self.features.append(self._under)
        return self._under

    def _read_table(self, first: Line) -> None:
        self._end_paragraph()
        rows = [first]
        while self._at < len(self.lines) and self.lines[self._at].text.lstrip().startswith("|"):
            rows.append(self.lines[self._at])
            self._at += 1
        fields = fields_of_table([(row.number, row.text) for row in rows])
        under = self._open_heading(self._heading) if fields and self._heading else None
        if not fields:
            for row in rows:
                self._describe(row.text)
        elif under is None:
            message = "a table of fields needs a heading above it that names its entity, such as '### Post'"
            self.problems.append(Problem(first.number, message))
        else:
            under.fields += fields

    def _read_text(self, line: Line) -> None:
        text = line.text.strip()
        if not text:
            self._end_paragraph()
            if self._section not in (FEATURES, RULES, LEFT_OUT):
                self._describe("")
            return
        under = self._under
        if under is not None and under in self.features and under.indent == -1:
            under.does += f" {text}"
        elif self._section in (RULES, LEFT_OUT):
            self._paragraph.append(text)
        elif self._section == FEATURES or not self._read_entity(line, 0, text, bullet=False):
            self._under = None
            self._describe(line.text)

    def _end_paragraph(self) -> None:
        """Make rules, or what is left out, of the sentences of a paragraph."""
        target = self.left_out if self._section == LEFT_OUT else self.rules
        target += sentences("\n".join(self._paragraph))
        self._paragraph = []

    def _joined(self, text: str) -> str:
        """Return an item which is text, with the lines that continue it.

        They are indented, or, in a section of text, go on with a sentence.
        """
        text = text.strip()
        while self._at < len(self.lines):
            following = self.lines[self._at]
            is_item = ITEM.fullmatch(following.text) or HEADING.match(following.text)
            goes_on = following.text[:1].isspace() or (self._section and not text.endswith((".", "!", "?")))
            if following.fenced or is_item or not goes_on or not following.text.strip():
                break
            text += f" {following.text.strip()}"
            self._at += 1
        return text

    def _describe(self, text: str) -> None:
        """Keep a line of the prose."""
        self.prose.append(text.rstrip())
        self._spoken.append("" if text.startswith("#") else text)
