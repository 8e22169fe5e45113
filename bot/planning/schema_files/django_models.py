"""Read Django's ``models.py`` from its syntax tree; nothing of the file is executed or imported."""

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import replace

from bot.planning.schema_files import naming
from bot.planning.schema_files.django_fields import FieldReader, Names, called, is_field, last_name
from bot.planning.schema_files.source import Column, Group, SchemaError, Source, Table

_WHOLE = re.compile(r"-?\d{1,18}")
_CHOICES = ("TextChoices", "IntegerChoices", "Choices", "StrEnum", "IntEnum", "Enum")
_USERS = {
    "AbstractUser": (
        "username",
        "first_name",
        "last_name",
        "email",
        "password",
        "is_staff",
        "is_active",
        "date_joined",
    ),
    "AbstractBaseUser": ("password", "last_login"),
}
_USER_FIELDS = {
    "username": Column("username", 0, most=150, required=True, unique=True),
    "first_name": Column("first_name", 0, most=150),
    "last_name": Column("last_name", 0, most=150),
    "email": Column("email", 0, kind="email"),
    "password": Column("password", 0, required=True),
    "is_staff": Column("is_staff", 0, kind="boolean", required=True, default="false"),
    "is_active": Column("is_active", 0, kind="boolean", required=True, default="true"),
    "date_joined": Column("date_joined", 0, kind="datetime", auto="auto"),
    "last_login": Column("last_login", 0, kind="datetime"),
}
_QUIET_META = (
    "abstract",
    "app_label",
    "managed",
    "unique_together",
    "index_together",
    "indexes",
    "constraints",
    "db_table",
)


def read_django(text: str) -> Source:
    """Read the models of *text*.

    Raises:
        SchemaError: It is no Python.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd escapes in it
            tree = ast.parse(text)
    except SyntaxError as exc:
        raise SchemaError([(exc.lineno or 1, f"it is not Python: {exc.msg}")]) from exc
    except (RecursionError, MemoryError, ValueError) as exc:
        raise SchemaError([(1, "it is not Python that can be read: it is nested too deeply")]) from exc
    reader = _Reader(tree)
    reader.read()
    return reader.source


class _Reader:
    def __init__(self, tree: ast.Module) -> None:
        self.source = Source("Django", description=(ast.get_docstring(tree) or "").strip())
        self.tree = tree
        self.classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
        self.names = Names()
        self.tables: dict[str, Table] = {}

    def read(self) -> None:
        self._read_names(self.tree.body, "")
        user = next((name for name, node in self.classes.items() if {*_USERS} & set(_bases(node))), "User")
        for node in self.tree.body:
            if isinstance(node, ast.ClassDef):
                self._class(node, user)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                self.source.leave_out(node.lineno, f"function {node.name}")
            elif isinstance(node, ast.Expr | ast.If | ast.For | ast.With | ast.Try) and not _is_text(node):
                self.source.leave_out(node.lineno, f"{ast.unparse(node)[:60].splitlines()[0]}")
        self.source.tables = list(self.tables.values())

    def _read_names(self, body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, ast.ClassDef):
                if set(_bases(node)) & set(_CHOICES):
                    self._read_choices(node, prefix)
                elif not prefix:
                    self._read_names(node.body, f"{node.name}.")
                continue
            for target, value in _assignments(node):
                self.names.constants.setdefault(f"{prefix}{target}", value)
                if not is_field(value):
                    self.names.constants.setdefault(target, value)

    def _read_choices(self, node: ast.ClassDef, prefix: str) -> None:
        reader = FieldReader(self.source, self.names, node.name, "")
        members = [
            (target, value)
            for each in node.body
            for target, value in _assignments(each)
            if target.isupper() or not target.startswith("_")
        ]
        for target, value in members:
            self.names.constants[f"{node.name}.{target}"] = value
        values = [
            reader.value_of(value) or (target.lower() if called(value) == "auto" else target)
            for target, value in members
        ]  # one reader
        if any(reader.has_label(value) for _, value in members):
            self.names.labelled |= {node.name, f"{prefix}{node.name}"}
        self.names.choices[node.name] = values
        self.names.choices[f"{prefix}{node.name}"] = values

    def _is_model(self, node: ast.ClassDef) -> bool:
        """Whether *node* extends a model, through classes of the file or directly."""
        found, ahead = {node.name}, [node]
        while ahead:
            for base in _bases(ahead.pop()):
                if base in {"Model", *_USERS} or (base.endswith("Model") and base not in self.classes):
                    return True
                if base in self.classes and base not in found:
                    found.add(base)
                    ahead.append(self.classes[base])
        return False

    def _class(self, node: ast.ClassDef, user: str) -> None:
        if set(_bases(node)) & set(_CHOICES):
            return  # where it is used, a field has its values
        meta = _meta(node)
        if not self._is_model(node):
            if not any(is_field(value) for each in node.body for _, value in _assignments(each)):
                self.source.leave_out(node.lineno, f"class {node.name}")
            return  # a mixin is read with the models that have it
        if _is_set(meta, "abstract"):
            return
        if _is_set(meta, "proxy"):
            self.source.leave_out(node.lineno, f"proxy model {node.name}")
            return
        if node.name in self.tables:
            self.source.fail(node.lineno, f"class {node.name} is defined twice; rename one")
        table = Table(node.name, node.lineno, doc=ast.get_docstring(node) or "", is_class=True)
        self.tables[node.name] = table
        for each in reversed(list(self._lineage(node))):
            self._members(table, each, user, is_own=each is node)

    def _lineage(self, node: ast.ClassDef) -> Iterator[ast.ClassDef]:
        """Yield *node* and the abstract classes that it extends, the nearest first, each once."""
        found, ahead = {node.name}, [node]
        while ahead:
            each = ahead.pop(0)
            yield each
            for base in _bases(each):
                parent = self.classes.get(base)
                if parent is not None and base not in found and not self._is_concrete(parent):
                    found.add(base)
                    ahead.append(parent)

    def _is_concrete(self, node: ast.ClassDef) -> bool:
        return self._is_model(node) and not _is_set(_meta(node), "abstract")

    def _members(self, table: Table, node: ast.ClassDef, user: str, *, is_own: bool) -> None:
        self._inherited(table, node, is_own=is_own)
        reader = FieldReader(self.source, self.names, table.name, user)
        methods: list[str] = []
        for each in node.body:
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
                methods.append(each.name)
            for name, value in _assignments(each):
                if is_field(value) and isinstance(value, ast.Call):
                    self._replace(table, name, reader.read(name, value))
                elif isinstance(value, ast.Call) and is_own:
                    self.source.leave_out(value.lineno, f"{name} = {ast.unparse(value)[:60]} of {table.name}")
        if methods and is_own:
            self.source.leave_out(node.lineno, f"methods of {table.name}: {', '.join(methods)}"[:200])
        if meta := _meta(node):
            self._meta(table, meta, is_own=is_own)

    @staticmethod
    def _replace(table: Table, name: str, column: Column | None) -> None:
        table.columns = [each for each in table.columns if each.name != name]
        if column is not None:
            table.columns.append(column)

    def _inherited(self, table: Table, node: ast.ClassDef, *, is_own: bool) -> None:
        for base in _bases(node):
            if base in _USERS and base not in self.classes:
                table.columns += [replace(_USER_FIELDS[name], line=node.lineno) for name in _USERS[base]]
                self.source.note(node.lineno, f"{table.name} has the fields of {base}: {', '.join(_USERS[base])}")
            elif base in self.classes and self.classes[base] is not node and self._is_concrete(self.classes[base]):
                name = naming.snake(base)
                table.columns.append(
                    Column(
                        name, node.lineno, kind="relation", target=base, required=True, unique=True, on_delete="cascade"
                    )
                )
                self.source.note(node.lineno, f"{table.name} extends {base}, so it has a relation {name} to it")
            elif base not in self.classes and base not in {"Model", "object"} and is_own:
                self.source.leave_out(node.lineno, f"what {table.name} has from {base}, which is not in this file")

    def _meta(self, table: Table, meta: ast.ClassDef, *, is_own: bool) -> None:
        for each in meta.body:
            for name, value in _assignments(each):
                match name:
                    case "unique_together":
                        table.uniques += _groups(value)
                    case "index_together":
                        table.indexes += _groups(value)
                    case "indexes" | "constraints":
                        for item in value.elts if isinstance(value, ast.List | ast.Tuple) else []:
                            self._constraint(table, item)
                    case "db_table" if isinstance(value, ast.Constant) and is_own:
                        table.table_name = str(value.value)
                    case _ if name not in _QUIET_META and is_own:
                        self.source.leave_out(value.lineno, f"{name} of {table.name}: {ast.unparse(value)[:80]}")

    def _constraint(self, table: Table, node: ast.expr) -> None:
        keywords = {each.arg: each.value for each in node.keywords if each.arg} if isinstance(node, ast.Call) else {}
        fields = [each.lstrip("-") for each in _texts(keywords.get("fields"))]
        kind = called(node)
        if (
            kind in {"UniqueConstraint", "Index"}
            and fields
            and not set(keywords) & {"condition", "expressions", "opclasses"}
        ):
            (table.uniques if kind == "UniqueConstraint" else table.indexes).append(Group(fields, node.lineno))
        elif not (kind == "CheckConstraint" and _check(table, keywords.get("check") or keywords.get("condition"))):
            self.source.leave_out(node.lineno, f"{ast.unparse(node)[:120]} of {table.name}")


def _check(table: Table, node: ast.expr | None) -> bool:
    """Take up ``Q(age__gte=18, age__lte=99)``; return whether it was one of those."""
    parts = [node]
    while isinstance(parts[0], ast.BinOp) and isinstance(parts[0].op, ast.BitAnd):
        parts[:1] = [parts[0].left, parts[0].right]
    found: list[tuple[Column, str, str]] = []
    for part in parts:
        if not isinstance(part, ast.Call) or called(part) != "Q" or part.args:
            return False
        for each in part.keywords:
            name, _, lookup = (each.arg or "").rpartition("__")
            column = table.column(name)
            number = ast.unparse(each.value)
            if column is None or column.kind != "integer" or not _WHOLE.fullmatch(number):
                return False
            if lookup not in {"gte", "gt", "lte", "lt"}:
                return False
            value = int(number) + {"gt": 1, "lt": -1}.get(lookup, 0)
            found.append((column, "low" if lookup.startswith("g") else "high", str(value)))
    for column, side, limit in found:
        setattr(column, side, limit)
    return bool(found)


def _bases(node: ast.ClassDef) -> list[str]:
    return [last_name(base) or called(base) for base in node.bases]


def _meta(node: ast.ClassDef) -> ast.ClassDef | None:
    return next((each for each in node.body if isinstance(each, ast.ClassDef) and each.name == "Meta"), None)


def _is_set(meta: ast.ClassDef | None, name: str) -> bool:
    found = [value for each in (meta.body if meta else []) for target, value in _assignments(each) if target == name]
    return any(isinstance(value, ast.Constant) and value.value is True for value in found)


def _assignments(node: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Assign):
        yield from ((each.id, node.value) for each in node.targets if isinstance(each, ast.Name))
    elif isinstance(node, ast.AnnAssign) and node.value is not None and isinstance(node.target, ast.Name):
        yield node.target.id, node.value


def _texts(node: ast.expr | None) -> list[str]:
    elements = node.elts if isinstance(node, ast.List | ast.Tuple | ast.Set) else []
    return [each.value for each in elements if isinstance(each, ast.Constant) and isinstance(each.value, str)]


def _groups(node: ast.expr) -> list[Group]:
    """Return the groups in ``("a", "b")`` or ``(("a", "b"), …)``."""
    if plain := _texts(node):
        return [Group(plain, node.lineno)]
    elements = node.elts if isinstance(node, ast.List | ast.Tuple | ast.Set) else []
    return [Group(_texts(each), each.lineno) for each in elements if _texts(each)]


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
