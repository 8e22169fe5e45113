"""Read JHipster's domain language, for which there is no library in Python."""

from collections.abc import Callable, Sequence

from bot.planning.plurals import plural
from bot.planning.schema_files import naming
from bot.planning.schema_files.column_types import set_type
from bot.planning.schema_files.schema_tokens import Cursor, Language, Token, documentation, joined, tokenize
from bot.planning.schema_files.source import Column, SchemaError, Source, Table
from bot.text import shown

_LANGUAGE = Language(regex_after=("pattern",))
_TYPES = {
    "string": "string",
    "integer": "int",
    "long": "long",
    "bigdecimal": "bigdecimal",
    "float": "float",
    "double": "double",
    "boolean": "boolean",
    "localdate": "date",
    "zoneddatetime": "datetime",
    "instant": "datetime",
    "localdatetime": "datetime",
    "duration": "duration",
    "uuid": "uuid",
    "blob": "bytes",
    "anyblob": "bytes",
    "imageblob": "bytes",
    "textblob": "text",
    "localtime": "time",
}
_KINDS = ("onetomany", "manytoone", "onetoone", "manytomany")


def read_jdl(text: str) -> Source:
    """Read the entities, enums and relationships of *text*.

    Raises:
        SchemaError: A text or block is not closed.
    """
    reader = _Reader(text)
    reader.read()
    return reader.source


class _Reader:
    def __init__(self, text: str) -> None:
        self.source = Source("JDL")
        self.tokens = tokenize(text, _LANGUAGE)
        self.cursor = Cursor(self.tokens)
        self.numbers: dict[str, str] = {}
        self.tables: dict[str, Table] = {}
        self.back: list[str] = []

    def read(self) -> None:
        self._statements({"enum": self._enum}, constants=True)
        self.cursor = Cursor(self.tokens)
        self._statements({"entity": self._entity})
        self.cursor = Cursor(self.tokens)
        skip = self.cursor.skip_line
        self._statements(
            {
                "entity": lambda _docs, _line: _ignore(skip()),
                "enum": lambda _docs, _line: _ignore(skip()),
                "relationship": self._relationships,
                "application": self._application,
            },
            others=True,
        )

    def _statements(
        self, readers: dict[str, Callable[[str, int], None]], *, constants: bool = False, others: bool = False
    ) -> None:
        while True:
            docs = documentation(self.cursor.skip_ends())
            if self.cursor.is_done:
                return
            token = self.cursor.take()
            word = token.text.lower() if token.kind == "word" else ""
            if word in readers:
                readers[word](docs, token.line)
            elif token.text == "@":
                name = self.cursor.take().text
                value = joined(self.cursor.block()) if self.cursor.at("(") else ""
                if others:
                    self.source.leave_out(token.line, f"@{name}{f'({value})' if value else ''}")
            elif self.cursor.at("=") and word:
                self.cursor.take()
                if constants:
                    self.numbers[token.text] = self.cursor.take().text
                self.cursor.skip_line()
            else:
                words = self.cursor.skip_line()
                if others:
                    self._option(token, words)
                if self.cursor.at("}", ")", "]"):
                    self.cursor.take()

    def _option(self, token: Token, words: str) -> None:
        if token.kind == "word":
            text = f"{token.text} {words.partition('{')[0]}".strip()
            self.source.leave_out(token.line, text[:100])
        else:
            self.source.fail(token.line, f"{shown(token.text)} is none of entity, enum, relationship and the options")

    def _application(self, _docs: str, line: int) -> None:
        self.cursor.skip_ends()
        words = self.cursor.skip_line().replace(",", " ").split()
        if "baseName" in words[:-1]:
            self.source.project = self.source.project or words[words.index("baseName") + 1]
        self.source.leave_out(line, "the application block")

    def _enum(self, _docs: str, _line: int) -> None:
        name = self.cursor.take().text
        self.cursor.skip_ends()
        if not self.cursor.at("{"):
            self.source.fail(self.cursor.line, f"enum {name} has no '{{'")
            return
        block = self.cursor.block("{", "}")
        tokens = _outside_brackets(block)
        if len(tokens) < len(block):
            self.source.leave_out(block[0].line, f"the words in brackets behind the values of {name}")
        labels = [token.text for token in tokens if token.kind == "word"]
        self.source.enums[name.lower()] = labels

    def _entity(self, docs: str, line: int) -> None:
        name = self.cursor.take().text
        table = Table(name, line, doc=docs, is_class=True)
        if name.lower() in self.tables:
            self.source.fail(line, f"entity {name} is defined twice; rename one")
        self.tables[name.lower()] = table
        self.source.tables.append(table)
        if self.cursor.at("("):
            table.table_name = joined(self.cursor.block())
        if self.cursor.ahead.text != "{":
            return
        self.cursor.skip_ends()
        self.cursor.take()
        while True:
            docs = documentation(self.cursor.skip_ends())
            if self.cursor.accept("}"):
                return
            if self.cursor.accept(","):
                continue
            if self.cursor.is_done:
                raise SchemaError([(line, f"the block of entity {name} is not closed; add a '}}'")])
            self._field(table, docs)

    def _field(self, table: Table, docs: str) -> None:
        while self.cursor.accept("@"):
            name = self.cursor.take()
            value = joined(self.cursor.block()) if self.cursor.at("(") else ""
            self.source.leave_out(name.line, f"@{name.text}{f'({value})' if value else ''} of {table.name}")
            docs = documentation(self.cursor.skip_ends()) or docs
        token = self.cursor.take()
        column = Column(token.text, token.line, doc=docs)
        kind = self.cursor.here
        if token.kind != "word" or kind.kind != "word":
            self.source.fail(token.line, f"{shown(token.text)} of {table.name} is not 'name Type'")
            self.cursor.skip_line()
            return
        self.cursor.take()
        known = _TYPES.get(kind.text.lower())
        if known is None and kind.text.lower() not in self.source.enums:
            self.source.fail(token.line, f"{table.name}.{token.text}: there is no type or enum {shown(kind.text)}")
        elif set_type(self.source, table.name, column, known or kind.text):
            table.columns.append(column)
        while self.cursor.here.kind == "word":
            self._validator(table, column)
        column.doc = column.doc or documentation(self.cursor.comments)

    def _validator(self, table: Table, column: Column) -> None:
        token = self.cursor.take()
        inner = self.cursor.block() if self.cursor.at("(") else []
        value = self.numbers.get(joined(inner), joined(inner))
        is_number = value.replace(".", "", 1).lstrip("-").isdecimal()
        match token.text.lower():
            case "required":
                column.required = True
            case "unique":
                column.unique = True
            case "pattern":
                column.pattern = value.removeprefix("^").removesuffix("$")
            case "minlength" if value.isdecimal():
                column.least = int(value[:9])
            case "maxlength" if value.isdecimal():
                column.most = int(value[:9])
            case "minbytes" | "maxbytes" if value.isdecimal() and column.kind == "bytes":
                low = token.text.lower() == "minbytes"
                column.low, column.high = (value, column.high) if low else (column.low, value)
            case "min" if is_number:
                column.low = value
            case "max" if is_number:
                column.high = value
            case _:
                self.source.fail(
                    token.line,
                    f"{shown(f'{token.text} {value}'.strip())} of {table.name}.{column.name} is no validation",
                )

    def _relationships(self, _docs: str, line: int) -> None:
        kind = self.cursor.take().text
        if kind.lower() not in _KINDS:
            self.source.fail(line, f"{shown(kind)} is none of OneToMany, ManyToOne, OneToOne and ManyToMany")
        self.cursor.skip_ends()
        if not self.cursor.at("{"):
            self.source.fail(line, f"relationship {kind} has no '{{'")
            return
        start = self.cursor.take()
        while True:
            self.cursor.skip_ends()
            if self.cursor.accept("}"):
                return
            if self.cursor.is_done:
                raise SchemaError([(start.line, f"the block of relationship {kind} is not closed; add a '}}'")])
            if not self.cursor.accept(","):
                self._relationship(kind.lower())

    def _relationship(self, kind: str) -> None:
        line = self.cursor.line
        left = self._side()
        if not self.cursor.accept("to"):
            self.source.fail(line, "a relationship is written 'A{name} to B{name}'")
            self.cursor.skip_line()
            return
        self.cursor.skip_ends()
        right = self._side()
        options = []
        while self.cursor.accept("with"):
            options.append(self.cursor.take().text)
        for option in options:
            if option.lower() != "builtinentity":
                self.source.leave_out(line, f"with {option} of {left[0]} to {right[0]}")
        self._connect(kind, left, right, line)

    def _side(self) -> tuple[str, str, bool, str]:
        """Take one side; return entity, name, whether it is required, and its documentation."""
        self.cursor.skip_ends()
        docs = documentation(self.cursor.comments)
        while self.cursor.accept("@"):
            mark = self.cursor.take()
            value = joined(self.cursor.block()) if self.cursor.at("(") else ""
            self.source.leave_out(mark.line, f"@{mark.text}{f'({value})' if value else ''} of a relationship")
            docs = documentation(self.cursor.skip_ends()) or docs
        entity = self.cursor.take().text
        inner = _outside_brackets(self.cursor.block("{", "}")) if self.cursor.at("{") else []
        words = [token.text for token in inner if token.kind == "word"]
        name = words[0] if words and words[0].lower() != "required" else ""
        return entity, name, "required" in (word.lower() for word in words), docs

    def _connect(
        self, kind: str, left: tuple[str, str, bool, str], right: tuple[str, str, bool, str], line: int
    ) -> None:
        """Add the relation to the entity that holds the key: for OneToMany the right one, else the left one."""
        owner, other = (right, left) if kind == "onetomany" else (left, right)
        table = self.tables.get(owner[0].lower())
        if table is None:
            what = f"relationship of {left[0]} to {right[0]}, because {owner[0]} is not in this file"
            self.source.leave_out(line, what)
            return
        many = kind == "manytomany"
        own = naming.snake(other[0])
        name = owner[1] or (plural(own) if many else own)
        column = Column(name, line, kind="relation", target=other[0], many=many, doc=owner[3], exact_name=True)
        column.required = owner[2] and not many
        column.unique = kind == "onetoone"
        table.columns.append(column)
        if owner[2] and many:
            self.source.leave_out(line, f"required of {name} of {owner[0]}, because a relation to many may be empty")
        if other[1]:
            self.source.note(line, f"{other[1]} of {other[0]} is the other side of {name} of {owner[0]}")
        if other[2] and kind != "manytomany":
            self.source.leave_out(
                line, f"required of {other[1] or owner[0]} of {other[0]}, because {owner[0]} holds the key"
            )


def _outside_brackets(tokens: Sequence[Token]) -> list[Token]:
    """Return *tokens* without what is in round brackets: the field that a user sees, the value of a label."""
    found, depth = [], 0
    for token in tokens:
        depth += token.text == "(" and token.kind == "symbol"
        if not depth:
            found.append(token)
        depth -= token.text == ")" and token.kind == "symbol"
    return found


def _ignore(_text: str) -> None:
    return None
