"""Read a Prisma schema, for which there is no library in Python."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from bot.planning.schema_files import naming
from bot.planning.schema_files.column_types import set_type
from bot.planning.schema_files.default_values import set_default
from bot.planning.schema_files.prisma_relations import Link, connect
from bot.planning.schema_files.schema_tokens import Cursor, Language, Token, documentation, joined, split, tokenize
from bot.planning.schema_files.source import Column, Group, SchemaError, Source, Table
from bot.text import shown

_LANGUAGE = Language(texts={'"': "string"})
_BLOCKS = ("model", "enum", "type", "view", "datasource", "generator")
_TYPES = {
    "String": "string",
    "Int": "int",
    "BigInt": "bigint",
    "Float": "float",
    "Decimal": "decimal",
    "Boolean": "boolean",
    "DateTime": "datetime",
    "Json": "json",
    "Bytes": "bytes",
}


class Attribute(NamedTuple):
    """``@name(arguments)``; an argument without a name has an empty one."""

    name: str
    arguments: dict[str, list[Token]]
    line: int


def read_prisma(text: str) -> Source:
    """Read the models and enums of *text*.

    Raises:
        SchemaError: A text or block is not closed.
    """
    reader = _Reader(text)
    reader.read()
    return reader.source


class _Reader:
    def __init__(self, text: str) -> None:
        self.source = Source("Prisma")
        self.tokens = tokenize(text, _LANGUAGE)
        self.cursor = Cursor(self.tokens)
        self.models = {
            name.text
            for word, name in zip(self.tokens, self.tokens[1:], strict=False)
            if word.text == "model" and word.kind == name.kind == "word"
        }
        self.composites = {
            name.text
            for word, name in zip(self.tokens, self.tokens[1:], strict=False)
            if word.text in {"type", "view"} and word.kind == name.kind == "word"
        }
        self.links: list[Link] = []

    def read(self) -> None:
        self._blocks(("enum",))  # models may come before the enums of their fields
        self.cursor = Cursor(self.tokens)
        self._blocks(("model", "type", "view", "datasource", "generator"))
        connect(self.source, self.links)

    def _blocks(self, wanted: Sequence[str]) -> None:
        while True:
            docs = documentation(self.cursor.skip_ends())
            if self.cursor.is_done:
                return
            word = self.cursor.take()
            if word.text not in _BLOCKS:
                if "model" in wanted:
                    self.source.fail(word.line, f"{shown(word.text)} is none of {', '.join(_BLOCKS)}")
                self.cursor.skip_line()
                if self.cursor.at("}", ")", "]"):
                    self.cursor.take()
                continue
            name = self.cursor.take().text
            if word.text not in wanted or word.text in {"type", "view", "datasource", "generator"}:
                self.cursor.skip_line()
                if word.text in wanted:
                    what = "composite type" if word.text == "type" else word.text
                    self.source.leave_out(word.line, f"{what} {name}")
            elif word.text == "enum":
                self._enum(name)
            else:
                self._model(name, word.line, docs)

    def _lines(self, what: str) -> list[tuple[str, list[Token]]]:
        """Take a block; return its lines, each with the documentation before it."""
        if not self.cursor.at("{"):
            self.source.fail(self.cursor.line, f"{what} has no '{{' on its line")
            self.cursor.skip_line()
            return []
        line = self.cursor.line
        self.cursor.take()
        found: list[tuple[str, list[Token]]] = []
        while True:
            docs = documentation(self.cursor.skip_ends())
            if self.cursor.at("}"):
                self.cursor.take()
                return found
            if self.cursor.is_done:
                raise SchemaError([(line, f"the block of {what} is not closed; add a '}}'")])
            tokens = self._line()
            trailing = documentation(self.cursor.comments)
            found.append((docs or trailing, [token for token in tokens if token.kind != "end"]))

    def _line(self) -> list[Token]:
        """Take the tokens of a line; one with an open bracket goes on in the next."""
        tokens: list[Token] = []
        depth = 0
        while not self.cursor.is_done and (depth or self.cursor.here.kind != "end"):
            if not depth and self.cursor.at("}"):
                break
            tokens.append(self.cursor.take())
            if tokens[-1].kind == "symbol":
                depth = max(0, depth + (tokens[-1].text in "([{") - (tokens[-1].text in ")]}"))
        return tokens

    def _enum(self, name: str) -> None:
        labels = []
        for _, tokens in self._lines(f"enum {name}"):
            if tokens[0].kind == "word":
                labels.append(tokens[0].text)
                for attribute in self._attributes(tokens[1:], f"enum {name}"):
                    what = " ".join(joined(each) for each in attribute.arguments.values())
                    self.source.note(
                        attribute.line, f"value {tokens[0].text} of {name} is not {what}, its name in the database"
                    )
        self.source.enums[name.lower()] = labels

    def _model(self, name: str, line: int, docs: str) -> None:
        table = Table(name, line, doc=docs, is_class=True)
        if any(each.name == name for each in self.source.tables):
            self.source.fail(line, f"model {name} is defined twice; rename one")
        self.source.tables.append(table)
        for doc, tokens in self._lines(f"model {name}"):
            if tokens[0].text == "@" and len(tokens) > 1 and tokens[1].text == "@":
                for attribute in self._attributes(tokens, name):
                    self._model_attribute(table, attribute)
            else:
                self._field(table, tokens, doc)

    def _attributes(self, tokens: Sequence[Token], place: str) -> list[Attribute]:
        cursor = Cursor([*tokens, Token("end", "", tokens[-1].line if tokens else 0)])
        found = []
        while cursor.at("@"):
            line = cursor.line
            cursor.take()
            cursor.accept("@")
            name = cursor.take().text
            while cursor.at("."):
                cursor.take()
                name += "." + cursor.take().text
            arguments: dict[str, list[Token]] = {}
            for n, part in enumerate(split(cursor.block()) if cursor.at("(") else []):
                is_named = len(part) > 2 and part[1].text == ":"  # noqa: PLR2004  # name: value
                key = part[0].text if is_named else str(n or "")
                arguments[key] = part[2:] if is_named else part
            found.append(Attribute(name, arguments, line))
        if not cursor.is_done:
            self.source.fail(cursor.line, f"{shown(joined(tokens)[:60])} of {place} can't be read")
        return found

    def _model_attribute(self, table: Table, attribute: Attribute) -> None:
        columns = _names(attribute.arguments.get("fields") or attribute.arguments.get("", []))
        match attribute.name:
            case "id":
                table.primary, table.primary_line = columns, attribute.line
            case "unique":
                table.uniques.append(Group(columns, attribute.line))
            case "index":
                table.indexes.append(Group(columns, attribute.line))
            case "map":
                table.table_name = joined(attribute.arguments.get("", []) or attribute.arguments.get("name", []))
            case _:
                self.source.leave_out(attribute.line, f"@@{attribute.name} of {table.name}")

    def _field(self, table: Table, tokens: Sequence[Token], doc: str) -> None:
        name, *rest = tokens
        if name.kind != "word" or not rest or rest[0].kind != "word":
            self.source.fail(name.line, f"{shown(joined(tokens)[:60])} of {table.name} is not 'name Type'")
            return
        kind = rest.pop(0).text
        column = Column(name.text, name.line, required=True, doc=doc)
        if kind == "Unsupported":
            self.source.leave_out(name.line, f"field {name.text} of {table.name}, whose type Prisma does not know")
            return
        is_list = [token.text for token in rest[:2]] == ["[", "]"]
        rest = rest[2:] if is_list else rest
        if rest and rest[0].text == "?":
            column.required = False
            rest = rest[1:]
        attributes = self._attributes(rest, f"{table.name}.{name.text}")
        if kind in self.models:
            self._link(table, column, kind, attributes, is_list=is_list)
            return
        if kind in self.composites:
            self.source.note(name.line, f"{table.name}.{name.text} of composite type {kind} is json")
            column.kind = "json"
        elif is_list:
            self.source.note(name.line, f"{table.name}.{name.text} of type {kind}[] is json")
            column.kind = "json"
        elif not self._type(table, column, kind, attributes):
            return
        table.columns.append(column)
        for attribute in attributes:
            self._attribute(table, column, attribute)

    def _type(self, table: Table, column: Column, kind: str, attributes: Sequence[Attribute]) -> bool:
        if kind not in _TYPES and kind.lower() not in self.source.enums:
            self.source.fail(column.line, f"{table.name}.{column.name}: there is no type, enum or model {shown(kind)}")
            return False
        native = next((each for each in attributes if each.name.startswith("db.")), None)
        if (
            native
            and native.name not in {"db.ObjectId", "db.Money", "db.Xml"}
            and kind.lower() not in self.source.enums
        ):
            arguments = [joined(part) for part in native.arguments.values()]
            if (native.name, kind) == ("db.Timestamptz", "DateTime") or native.name.startswith("db.Time"):
                arguments = []
            return set_type(self.source, table.name, column, native.name.removeprefix("db."), arguments)
        return set_type(self.source, table.name, column, _TYPES.get(kind, kind))

    def _attribute(self, table: Table, column: Column, attribute: Attribute) -> None:
        match attribute.name:
            case "id":
                column.primary = True
            case "unique":
                column.unique = True
            case "updatedAt":
                column.auto = "auto update"
            case "map":
                database = joined(attribute.arguments.get("", []))
                if database != naming.snake(column.name):
                    self.source.note(
                        attribute.line, f"{table.name}.{column.name} is not {database}, its name in the database"
                    )
            case "default":
                self._default(table, column, attribute)
            case _ if not attribute.name.startswith("db."):
                self.source.leave_out(attribute.line, f"@{attribute.name} of {table.name}.{column.name}")

    def _default(self, table: Table, column: Column, attribute: Attribute) -> None:
        value = attribute.arguments.get("", [])
        if not value:
            return
        text = joined(value)
        if column.kind == "json" and value[0].text == "[":
            parts = [part[0] for part in split(value[1:-1])]
            text = ", ".join(json.dumps(each.text) if each.kind in {"string", "word"} else each.text for each in parts)
            text = f"[{text}]"
            set_default(self.source, table.name, column, text, quoted=True)
        else:
            set_default(self.source, table.name, column, text, quoted=value[0].kind == "string")

    def _link(
        self, table: Table, column: Column, target: str, attributes: Sequence[Attribute], *, is_list: bool
    ) -> None:
        relation = next((each for each in attributes if each.name == "relation"), None)
        arguments = relation.arguments if relation else {}
        name = joined(arguments.get("", []) or arguments.get("name", []))
        if "onUpdate" in arguments and joined(arguments["onUpdate"]) not in {"NoAction", "Restrict"}:
            self.source.note(column.line, "onUpdate is needless, because the built-in id never changes")
        action = {"Cascade": "cascade", "SetNull": "set null", "SetDefault": "set default"}
        self.links.append(
            Link(
                table,
                column,
                target,
                is_list,
                name,
                _names(arguments.get("fields", [])),
                _names(arguments.get("references", [])),
                action.get(joined(arguments.get("onDelete", [])), ""),
            )
        )


def _names(tokens: Sequence[Token]) -> list[str]:
    """Return the names in ``[a, b(sort: Desc)]``."""
    inner = tokens[1:-1] if tokens and tokens[0].text == "[" else tokens
    return [part[0].text for part in split(inner)]
