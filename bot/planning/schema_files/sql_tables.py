"""What the statements of SQL say about tables, from sqlglot's syntax trees."""

from collections.abc import Sequence

from sqlglot import exp

from bot.planning.schema_files.checks import set_check
from bot.planning.schema_files.source import Column, Group, Source, Table
from bot.planning.schema_files.sql_columns import USUAL, Columns, table_name


class Tables:
    """The tables as the statements so far have left them."""

    def __init__(self, source: Source, dialect: str) -> None:
        self._source = source
        self._dialect = dialect
        self._tables: dict[str, Table] = {}
        self._columns = Columns(source, dialect)

    def all(self) -> list[Table]:
        return list(self._tables.values())

    def finish(self) -> None:
        """Read the checks, which need all columns, and list the options of storage."""
        for table, check, line in self._columns.checks:
            set_check(self._source, table, check, line)
        if self._columns.options:
            names = ", ".join(self._columns.options)
            self._source.leave_out(min(self._columns.options.values()), f"options of tables: {names}")

    def create(self, node: exp.Expr, line: int) -> None:
        """Read a CREATE TABLE that begins in *line*."""
        self._columns.line = line
        table = Table(table_name(node.this), line)
        if table.name.lower() in self._tables:
            self._source.fail(line, f"table {table.name} is created twice; remove one")
            return
        self._tables[table.name.lower()] = table
        schema = node.this
        if not isinstance(schema, exp.Schema):
            self._source.fail(line, f"CREATE TABLE {table.name} has no columns")
            return
        for part in schema.expressions:
            if isinstance(part, exp.ColumnDef):
                self._columns.read(table, part)
            elif isinstance(part, exp.Identifier | exp.Column):  # SQLite: a column without a type
                table.columns.append(Column(part.name, self._columns.line_of(part), kind="text"))
            else:
                self._constraint(table, part)
        for option in (node.args.get("properties") or exp.Properties(expressions=[])).expressions:
            self._option(table, option, line)

    def _option(self, table: Table, option: exp.Expr, line: int) -> None:
        if isinstance(option, exp.SchemaCommentProperty):
            table.doc = option.this.name
        elif isinstance(option, exp.PartitionedByProperty | exp.InheritsProperty):
            self._source.leave_out(line, f"{option.sql(self._dialect)[:80]} of {table.name}")
        elif not isinstance(option, exp.AutoIncrementProperty):
            self._columns.options.setdefault(option.sql(self._dialect)[:40], line)

    def alter(self, node: exp.Expr, line: int) -> bool:
        """Read an ALTER TABLE; return whether everything in it was taken up."""
        self._columns.line = line
        table = self._find(node.this)
        if table is None:
            return False
        taken_up = [self._action(table, action) for action in node.args.get("actions") or ()]
        return all(taken_up)

    def _action(self, table: Table, action: exp.Expr) -> bool:
        if isinstance(action, exp.AddConstraint):
            for part in action.expressions:
                self._constraint(table, part)
        elif isinstance(action, exp.ColumnDef):
            self._columns.read(table, action)
        elif isinstance(action, exp.ModifyColumn) and isinstance(action.this, exp.ColumnDef):
            self._modify(table, action.this)
        elif isinstance(action, exp.AlterColumn) and (column := table.column(action.name)):
            if default := action.args.get("default"):
                self._columns.set_default(table, column, default)
            elif "allow_null" in action.args and action.args["allow_null"] is not None:
                column.required = not action.args["allow_null"]
            else:
                return False
        else:
            return False
        return True

    def _modify(self, table: Table, node: exp.ColumnDef) -> None:
        """Read a column again; its keys and references stay."""
        old, again = table.column(node.name), Table(table.name, self._columns.line)
        self._columns.read(again, node)
        if old is None:
            table.columns += again.columns
            return
        for new in again.columns:
            new.unique, new.primary, new.line = old.unique or new.unique, old.primary or new.primary, old.line
            new.target, new.target_column, new.on_delete = old.target, old.target_column, old.on_delete
            table.columns[table.columns.index(old)] = new

    def generate(self, table: str, column: str) -> None:
        """Note that the database makes the values of *column*."""
        found = self._tables.get(table.lower())
        if found and (made := found.column(column)):
            made.generated = True

    def comment(self, node: exp.Expr, line: int) -> bool:
        """Read a COMMENT ON; return whether it is of a table or column here."""
        self._columns.line = line
        text = node.args["expression"].name if node.args.get("expression") else ""
        target = node.this
        if isinstance(target, exp.Table):
            if table := self._find(target):
                table.doc = text
                return True
        elif isinstance(target, exp.Column):
            schema = target.args.get("db")
            name = f"{schema.name}.{target.table}" if schema and schema.name.lower() not in USUAL else target.table
            found = self._tables.get(name.lower())
            if found and (column := found.column(target.name)):
                column.doc = text
                return True
        return False

    def index(self, node: exp.Expr, line: int) -> bool:
        """Read a CREATE INDEX; return whether it is one on columns."""
        index = node.this
        if not isinstance(index, exp.Index):
            return False
        table = self._find(index.args.get("table"))
        params = index.args.get("params")
        if table is None or params is None or params.args.get("where"):
            return False
        names = _column_names(params.args.get("columns") or ())
        using = params.args.get("using")
        if not names or (using and using.name.lower() not in {"btree", "hash"}):
            return False
        (table.uniques if node.args.get("unique") else table.indexes).append(Group(names, line))
        return True

    def domain(self, name: str, node: exp.Expr, line: int) -> None:
        """Read what a domain is: a type with checks of its own."""
        self._columns.line = line
        table = Table(name, line)
        before = len(self._columns.checks)
        self._columns.read(table, node.this.expressions[0])
        checks = [(check, at) for _, check, at in self._columns.checks[before:]]
        del self._columns.checks[before:]
        if table.columns:
            self._columns.domains[name.lower()] = (table.columns[0], checks)

    def _find(self, node: exp.Expr | None) -> Table | None:
        name = table_name(node).lower()
        return self._tables.get(name) or self._tables.get(name.rpartition(".")[2])

    def _constraint(self, table: Table, node: exp.Expr) -> None:
        line = self._columns.line_of(node)
        match node:
            case exp.Constraint():
                for each in node.expressions:
                    self._constraint_of(table, each, line)
            case _:
                self._constraint_of(table, node, line)

    def _constraint_of(self, table: Table, node: exp.Expr, line: int) -> None:
        match node:
            case exp.PrimaryKey() | exp.PrimaryKeyColumnConstraint():
                table.primary, table.primary_line = _column_names(node.expressions), line
            case exp.ClusteredColumnConstraint():
                table.primary, table.primary_line = (
                    _column_names(node.this if isinstance(node.this, list) else []),
                    line,
                )
            case exp.UniqueColumnConstraint():
                names = _column_names(node.this.expressions if isinstance(node.this, exp.Schema) else node.expressions)
                self._group(table, table.uniques, node, names, line)
            case exp.ForeignKey():
                self._foreign_key(table, node, line)
            case exp.CheckColumnConstraint():
                self._columns.check(table, node, line)
            case exp.IndexColumnConstraint() if not node.args.get("kind"):
                self._group(table, table.indexes, node, _column_names(node.expressions), line)
            case _:
                self._source.leave_out(line, f"{' '.join(node.sql(self._dialect).split())[:100]} of {table.name}")

    def _group(self, table: Table, groups: list[Group], node: exp.Expr, names: list[str], line: int) -> None:
        if names:
            groups.append(Group(names, line))
        else:
            self._source.leave_out(
                line, f"{node.sql(self._dialect)[:100]} of {table.name}, because it is on an expression"
            )

    def _foreign_key(self, table: Table, node: exp.ForeignKey, line: int) -> None:
        names = _column_names(node.expressions)
        column = table.column(names[0]) if len(names) == 1 else None
        reference = node.args.get("reference")
        if column is None or reference is None:
            target = table_name(reference.this) if reference else "?"
            why = "a relation refers to one column" if len(names) > 1 else "there is no such column"
            self._source.leave_out(line, f"FOREIGN KEY ({', '.join(names)}) of {table.name} to {target}, because {why}")
            return
        self._columns.refer(column, reference)


def _column_names(nodes: Sequence[exp.Expr]) -> list[str]:
    """Return the names of columns; none, if one of *nodes* is an expression."""
    names = []
    for node in nodes:
        inner = node
        while isinstance(inner, exp.Ordered | exp.ColumnPrefix):
            inner = inner.this
        if not isinstance(inner, exp.Identifier | exp.Column):
            return []
        names.append(str(inner.name))
    return names
