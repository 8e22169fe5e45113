"""What SQL says about one column, from sqlglot's syntax tree."""

import json
import re

from sqlglot import exp

from bot.planning.schema_files.checks import set_check
from bot.planning.schema_files.column_types import set_type
from bot.planning.schema_files.default_values import set_default
from bot.planning.schema_files.source import Column, Source, Table

_ARRAY = re.compile(r"\{([^{}\"\\]*)\}")
USUAL = ("public", "dbo")
"""Schemas that names leave out."""
_STORAGE = (exp.CollateColumnConstraint, exp.CharacterSetColumnConstraint, exp.ClusteredColumnConstraint)


def table_name(node: exp.Expr | None) -> str:
    """Return the name of a table, with its schema if that is not the usual one."""
    table = node.find(exp.Table) if node else None
    if not table:
        return node.name if node else ""
    schema = table.args.get("db")
    return f"{schema.name}.{table.name}" if schema and schema.name.lower() not in USUAL else str(table.name)


class Columns:
    """Reads columns, and keeps what must wait until all of them are there."""

    def __init__(self, source: Source, dialect: str) -> None:
        self._source = source
        self._dialect = dialect
        self.line = 1
        """The line on which the statement begins."""
        self.domains: dict[str, tuple[Column, list[tuple[str, int]]]] = {}
        self.checks: list[tuple[Table, str, int]] = []
        self.options: dict[str, int] = {}

    def line_of(self, node: exp.Expr) -> int:
        """Return the line of the first name in *node*."""
        for each in node.find_all(exp.Identifier):
            if "line" in each.meta:
                return self.line + int(each.meta["line"]) - 1
        return self.line

    def read(self, table: Table, node: exp.ColumnDef) -> None:
        line = self.line_of(node.this)
        column = Column(node.name, line)
        constraints: list[exp.Expr] = [each.args["kind"] for each in node.constraints]
        if any(isinstance(each, exp.ComputedColumnConstraint) for each in constraints):
            self._source.leave_out(line, f"the generated column {column.name} of {table.name}")
            return
        if table.column(column.name):
            self._source.fail(line, f"{table.name} has column {column.name} twice; rename one")
            return
        if not self._type(table, column, node.args.get("kind")):
            return
        table.columns.append(column)
        for each in constraints:
            self._constraint(table, column, each)

    def _type(self, table: Table, column: Column, node: exp.Expr | None) -> bool:
        if node is None:
            column.kind = "text"
            return True
        kind = node.this
        name = kind.value if isinstance(kind, exp.DataType.Type) else str(kind)
        if name == "USER-DEFINED":
            name = node.args["kind"].sql(self._dialect).strip('"') if node.args.get("kind") else name
            name = name.removeprefix("public.")
        if domain := self.domains.get(name.lower()):
            made, checks = domain
            for each in ("kind", "most", "digits", "labels", "low", "high", "required", "default"):
                setattr(column, each, getattr(made, each))
            for check, line in checks:
                set_check(self._source, Table(table.name, line, [column]), check, line, only=column)
            return True
        if name == "ARRAY":
            written = node.sql(self._dialect)
            self._source.note(column.line, f"{table.name}.{column.name} of type {written} is json")
            column.kind, column.type_name = "json", name
            return True
        if name == "ENUM":
            column.kind, column.labels = "enum", [each.name for each in node.expressions]
            return True
        if name == "SET":
            self._source.note(column.line, f"{table.name}.{column.name} of type {node.sql(self._dialect)} is json")
            column.kind = "json"
            return True
        arguments = [each.name or each.sql() for each in node.expressions]
        if name == "VARCHAR" and not arguments and self._dialect in {"postgres", "sqlite"}:
            name = "TEXT"  # without a limit
        return set_type(self._source, table.name, column, name.lower(), arguments)

    def _constraint(self, table: Table, column: Column, node: exp.Expr) -> None:
        match node:
            case exp.PrimaryKeyColumnConstraint():
                column.primary = True
            case exp.UniqueColumnConstraint():
                column.unique = True
            case exp.AutoIncrementColumnConstraint() | exp.GeneratedAsIdentityColumnConstraint():
                column.generated = True
            case exp.OnUpdateColumnConstraint():
                column.auto = "auto update"
            case exp.Reference():
                self.refer(column, node)
            case exp.ForeignKey() if node.args.get("reference"):
                self.refer(column, node.args["reference"])
            case _:
                self._value(table, column, node)

    def _value(self, table: Table, column: Column, node: exp.Expr) -> None:
        """Read a constraint on the value itself."""
        match node:
            case exp.NotNullColumnConstraint():
                column.required = not node.args.get("allow_null")
            case exp.DefaultColumnConstraint():
                self.set_default(table, column, node.this)
            case exp.CommentColumnConstraint():
                column.doc = node.this.name
            case exp.CheckColumnConstraint():
                self.check(table, node, column.line)
            case _ if isinstance(node, _STORAGE):
                self.options.setdefault(node.sql(self._dialect)[:40], column.line)
            case _:
                self._source.leave_out(column.line, f"{node.sql(self._dialect)[:80]} of {table.name}.{column.name}")

    def check(self, table: Table, node: exp.Expr, line: int) -> None:
        whole = exp.Paren(this=node.this.copy())
        for cast in reversed(list(whole.find_all(exp.Cast))):  # from the inside out
            cast.replace(cast.this)
        self.checks.append((table, whole.this.sql(self._dialect), line))

    def set_default(self, table: Table, column: Column, node: exp.Expr) -> None:
        while isinstance(node, exp.Cast | exp.Paren | exp.AtTimeZone):
            node = node.this
        if isinstance(node, exp.Anonymous) and node.name.lower() == "timezone" and node.expressions:
            node = node.expressions[-1]
        if column.type_name == "ARRAY" and (inner := _ARRAY.fullmatch(node.name)):
            values = [each.strip() for each in inner[1].split(",") if each.strip()]
            column.default = json.dumps(values, ensure_ascii=False)
        elif (isinstance(node, exp.Literal) and node.is_string) or isinstance(node, exp.BitString):
            set_default(self._source, table.name, column, node.name, quoted=True)
        else:
            text = "now()" if isinstance(node, exp.CurrentTimestamp) else node.sql(self._dialect)
            set_default(self._source, table.name, column, text, quoted=False)

    def refer(self, column: Column, node: exp.Expr) -> None:
        column.target = table_name(node.this)
        columns = [each.name for each in node.this.expressions] if isinstance(node.this, exp.Schema) else []
        column.target_column = columns[0] if columns else ""
        for option in node.args.get("options") or ():
            action = str(option if isinstance(option, str) else option.sql(self._dialect)).lower()
            if action.startswith("on delete "):
                column.on_delete = action.removeprefix("on delete ").replace("no action", "")
            elif action.startswith("on update ") and not action.endswith(("no action", "restrict")):
                self._source.note(column.line, "ON UPDATE is needless, because the built-in id never changes")
            elif not action.startswith("on update "):
                self.options.setdefault(action.upper(), column.line)
