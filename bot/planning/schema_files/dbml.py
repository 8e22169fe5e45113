"""Read DBML.

By hand: pydbml 1.2 does not read what the language has had for long (``TablePartial``, ``records``, ``checks`` and
arrays), knows no lines, and stops at the first problem.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from bot.planning.schema_files.checks import set_check
from bot.planning.schema_files.column_types import set_type
from bot.planning.schema_files.dbml_references import Reference, References, arrow, read_settings
from bot.planning.schema_files.default_values import set_default
from bot.planning.schema_files.schema_tokens import Cursor, Language, Token, joined, split, tokenize
from bot.planning.schema_files.source import Column, Group, SchemaError, Source, Table
from bot.text import shown

_LANGUAGE = Language(comments=("//",), texts={'"': "string", "'": "string", "`": "expression"}, triple=True)
_HEAD = re.compile(r"[{\[]")
_SKIPPED = ("tablegroup", "note", "records", "diagramview", "use", "reuse")


def read_dbml(text: str) -> Source:
    """Read the tables, enums and references of *text*.

    Raises:
        SchemaError: A text, comment or bracket is not closed.
    """
    reader = _Reader(text)
    reader.read()
    return reader.source


class _Reader:
    def __init__(self, text: str) -> None:
        self.source = Source("DBML")
        self.tokens = tokenize(text, _LANGUAGE)
        self.cursor = Cursor(self.tokens)
        self.aliases: dict[str, str] = {}
        self.tables: dict[str, Table] = {}
        self.partials: dict[str, Table] = {}
        self.used: list[tuple[Table, str, int, int]] = []
        self.references: list[Reference] = []

    def read(self) -> None:
        self._elements({"enum": self._enum}, others=False)  # tables may come before the enums of their columns
        self.cursor = Cursor(self.tokens)
        self._elements(
            {
                "table": lambda: self._table(self.tables),
                "tablepartial": lambda: self._table(self.partials),
                "enum": lambda: self.cursor.skip_line() and None,
                "ref": self._ref,
                "project": self._project,
            },
            others=True,
        )
        for table, name, place, line in reversed(self.used):
            self._use(table, name, place, line)
        for name, partial in self.partials.items():
            if not any(used.lower() == name for _, used, _, _ in self.used):
                self.source.leave_out(partial.line, f"TablePartial {partial.name}, which no table uses")
        self.source.tables = list(self.tables.values())
        for table in self.source.tables:
            for column in table.columns:
                column.target = self.aliases.get(column.target.lower(), column.target)
        references = References(self.source, self.tables, self.aliases)
        for reference in self.references:
            references.connect(reference)

    def _elements(self, readers: dict[str, Callable[[], object]], *, others: bool) -> None:
        while True:
            self.cursor.skip_ends()
            if self.cursor.is_done:
                return
            token = self.cursor.take()
            word = token.text.lower() if token.kind == "word" else ""
            if word in readers:
                readers[word]()
                continue
            words = self.cursor.skip_line()
            if others and word in _SKIPPED:
                self.source.leave_out(token.line, f"{token.text} {_HEAD.split(words)[0].strip()[:60]}".strip())
            elif others:
                self.source.fail(
                    token.line, f"{shown(token.text)} is none of Project, Table, Enum, Ref, TableGroup and Note"
                )

    def _use(self, table: Table, name: str, place: int, line: int) -> None:
        partial = self.partials.get(name.lower())
        if not partial:
            self.source.fail(line, f"there is no TablePartial {shown(name)}")
            return
        own = {each.name.lower() for each in table.columns}
        table.columns[place:place] = [replace(each) for each in partial.columns if each.name.lower() not in own]
        table.uniques += partial.uniques
        table.indexes += partial.indexes

    def _name(self) -> str:
        """Take a name with dots, quoted or not."""
        parts = [self.cursor.take().text]
        while self.cursor.at("."):
            self.cursor.take()
            parts.append(self.cursor.take().text)
        if parts[0] == "public":
            del parts[0]
        return ".".join(parts)

    def _open(self, what: str) -> bool:
        self.cursor.skip_ends()
        if self.cursor.accept("{"):
            return True
        self.source.fail(self.cursor.line, f"{what} has no '{{'")
        self.cursor.skip_line()
        return False

    def _items(self, what: str, read: Callable[[], None]) -> None:
        """Read the items of a block, one per line, up to its end."""
        line = self.cursor.line
        while True:
            self.cursor.skip_ends()
            if self.cursor.accept("}"):
                return
            if self.cursor.is_done:
                raise SchemaError([(line, f"the block of {what} is not closed; add a '}}'")])
            read()
            if self.cursor.here.kind != "end" and not self.cursor.at("}"):
                words = self.cursor.skip_line()
                if words:
                    self.source.fail(self.cursor.line, f"{shown(words[:60])} in {what} can't be read")
                elif self.cursor.at(")", "]"):
                    self.cursor.take()

    def _project(self) -> None:
        name = "" if self.cursor.at("{") else self._name()
        self.source.project = name.replace("_", " ").strip()
        if self._open("Project"):
            self._items("Project", self._project_item)

    def _project_item(self) -> None:
        token = self.cursor.take()
        self.cursor.accept(":")
        if token.text.lower() == "note":
            self.source.description = self._note_text()
        else:
            words = self.cursor.skip_line()
            self.source.leave_out(token.line, f"{token.text} {words[:60]} of the project")

    def _note_text(self) -> str:
        """Take the text of a note, after its word."""
        self.cursor.accept(":")
        if self.cursor.accept("{"):
            self.cursor.skip_ends()
            text = self.cursor.take().text
            self.cursor.skip_ends()
            self.cursor.accept("}")
            return _dedent(text)
        self.cursor.skip_ends()
        return _dedent(self.cursor.take().text)

    def _enum(self) -> None:
        name = self._name()
        labels: list[str] = []

        def read() -> None:
            line = self.cursor.line
            labels.append(self.cursor.take().text)
            if self.cursor.at("["):
                settings = read_settings(self.cursor.block("[", "]"))
                if note := settings.get("note"):
                    self.source.leave_out(line, f"note {shown(joined(note))} of value {labels[-1]} of {name}")

        if self._open(f"Enum {name}"):
            self._items(f"Enum {name}", read)
        self.source.enums[name.lower()] = labels

    def _table(self, into: dict[str, Table]) -> None:
        line = self.cursor.line
        table = Table(self._name(), line)
        if self.cursor.accept("as"):
            self.aliases[self.cursor.take().text.lower()] = table.name
        if self.cursor.at("["):
            settings = read_settings(self.cursor.block("[", "]"))
            table.doc = joined(settings.pop("note", []))
            for key in settings:
                if key != "headercolor":
                    self.source.leave_out(line, f"{key} of {table.name}")
        if table.name.lower() in into:
            self.source.fail(line, f"table {table.name} is defined twice; rename one or merge them")
        into[table.name.lower()] = table
        if self._open(f"Table {table.name}"):
            self._items(f"Table {table.name}", lambda: self._table_item(table))

    def _table_item(self, table: Table) -> None:
        word = self.cursor.here.text.lower()
        line = self.cursor.line
        if self.cursor.accept("~"):
            self.used.append((table, self.cursor.take().text, len(table.columns), line))
            return
        token = self.cursor.take()
        is_word = token.kind == "word"
        if is_word and word == "note" and self.cursor.at(":", "{"):
            table.doc = self._note_text()
        elif is_word and word == "indexes" and self._next_is_block():
            self._items(f"indexes of {table.name}", lambda: self._index(table))
        elif is_word and word == "checks" and self._next_is_block():
            self._items(f"checks of {table.name}", lambda: self._check(table))
        elif is_word and word == "records" and self.cursor.at("{", "("):
            self.cursor.skip_line()
            self.source.leave_out(line, f"records of {table.name}")
        else:
            self._column(table, token)

    def _next_is_block(self) -> bool:
        self.cursor.skip_ends()
        return self.cursor.accept("{")

    def _check(self, table: Table) -> None:
        line = self.cursor.line
        expression = self.cursor.take().text
        if self.cursor.at("["):
            self.cursor.block("[", "]")
        set_check(self.source, table, expression, line)

    def _index(self, table: Table) -> None:
        line = self.cursor.line
        if self.cursor.at("("):
            parts = [
                joined(part) if part[0].kind != "expression" else f"`{part[0].text}`"
                for part in split(self.cursor.block())
            ]
        else:
            token = self.cursor.take()
            parts = [f"`{token.text}`" if token.kind == "expression" else token.text]
        settings = read_settings(self.cursor.block("[", "]")) if self.cursor.at("[") else {}
        if any(part.startswith("`") for part in parts):
            self.source.leave_out(
                line, f"the index on {', '.join(parts)} of {table.name}, because it is on an expression"
            )
        elif "pk" in settings or "primary key" in settings:
            table.primary, table.primary_line = parts, line
        else:
            (table.uniques if "unique" in settings else table.indexes).append(Group(parts, line))

    def _column(self, table: Table, token: Token) -> None:
        column = Column(token.text, token.line)
        if token.kind not in {"word", "string", "number"}:
            self.source.fail(token.line, f"{shown(token.text)} is no name of a column of {table.name}")
            self.cursor.skip_line()
            return
        if self.cursor.here.kind not in {"word", "string"}:
            self.source.fail(token.line, f"column {shown(token.text)} of {table.name} has no type")
            self.cursor.skip_line()
            return
        name = self._name()
        while self.cursor.here.kind == "word":  # timestamp with time zone
            name += " " + self.cursor.take().text
        arguments = [joined(part) for part in split(self.cursor.block())] if self.cursor.at("(") else []
        while self.cursor.here.kind == "word":
            name += " " + self.cursor.take().text
        inner: list[Token] = []
        if self.cursor.at("[") and self.cursor.here.is_close:
            inner = self.cursor.block("[", "]")
            if not inner or inner[0].kind == "number":
                inner = []
                self.source.note(token.line, f"{table.name}.{column.name} of type {name}[] is json")
                name, arguments = "json", []
        elif name.endswith("[]"):
            self.source.note(token.line, f"{table.name}.{column.name} of type {name} is json")
            name, arguments = "json", []
        if "(" in name:  # a type in quotes, "varchar(20)"
            name, _, rest = name.rstrip(")").partition("(")
            arguments = [each.strip() for each in rest.split(",")]
        settings = inner or (self.cursor.block("[", "]") if self.cursor.at("[") else [])
        if not set_type(self.source, table.name, column, name, arguments):
            return
        table.columns.append(column)
        self._read_settings(table, column, settings)

    def _read_settings(self, table: Table, column: Column, tokens: Sequence[Token]) -> None:
        for key, value in read_settings(tokens).items():
            match key:
                case "pk" | "primary key":
                    column.primary = True
                case "not null" | "null":
                    column.required = key == "not null"
                case "unique":
                    column.unique = True
                case "increment":
                    column.generated = True
                case "note":
                    column.doc = joined(value)
                case "default" if value:
                    quoted = value[0].kind == "string"
                    set_default(self.source, table.name, column, joined(value), quoted=quoted)
                case "check" if value:
                    set_check(self.source, table, joined(value), value[0].line)
                case _ if key.startswith("ref"):
                    self._inline_ref(table, column, value)
                case _:
                    self.source.leave_out(column.line, f"setting {shown(key)} of {table.name}.{column.name}")

    def _inline_ref(self, table: Table, column: Column, tokens: Sequence[Token]) -> None:
        symbol, rest = arrow(tokens)
        parts = [each.text for each in rest if each.kind in {"word", "string", "number"}]
        if not symbol or len(parts) < 2:  # noqa: PLR2004  # table.column
            self.source.fail(column.line, f"the ref of {table.name}.{column.name} needs the form 'ref: > table.column'")
            return
        target = ".".join(parts[:-1])
        if symbol in {">", "-"}:
            column.target, column.target_column = target, parts[-1]
            column.unique |= symbol == "-"
        else:
            self.references.append(Reference(table.name, [column.name], symbol, target, [parts[-1]], {}, column.line))

    def _ref(self) -> None:
        name = "" if self.cursor.at(":", "{") else self._name()
        if self.cursor.accept(":"):
            self._reference()
        elif self._open(f"Ref {name}"):
            self._items(f"Ref {name}", self._reference)

    def _reference(self) -> None:
        line = self.cursor.line
        left, left_columns = self._endpoint()
        symbol, taken = "", list[Token]()
        while self.cursor.at("<", ">", "-", "?") and len(taken) < 4:  # noqa: PLR2004  # "?<>?"
            taken.append(self.cursor.take())
        symbol, _ = arrow(taken)
        right, right_columns = self._endpoint()
        settings = {}
        if self.cursor.at("["):
            settings = {key: joined(value).lower() for key, value in read_settings(self.cursor.block("[", "]")).items()}
        if not (symbol and left_columns and right_columns):
            self.source.fail(line, "a reference is written 'Ref: table.column > other.column'")
            self.cursor.skip_line()
            return
        self.references.append(Reference(left, left_columns, symbol, right, right_columns, settings, line))

    def _endpoint(self) -> tuple[str, list[str]]:
        parts = [self.cursor.take().text]
        while self.cursor.accept("."):
            if self.cursor.at("("):
                columns = [joined(part) for part in split(self.cursor.block())]
                return ".".join(parts), columns
            parts.append(self.cursor.take().text)
        if parts[0] == "public" and len(parts) > 2:  # noqa: PLR2004
            del parts[0]
        return ".".join(parts[:-1]), parts[-1:] if len(parts) > 1 else []


def _dedent(text: str) -> str:
    return "\n".join(line.strip() for line in text.strip().split("\n"))
