"""Read one field of a Django model from its syntax tree; nothing of the file is executed."""

import ast
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.planning.schema_files.checks import whole
from bot.planning.schema_files.default_values import set_default
from bot.planning.schema_files.source import Column, Source

_BY_KIND = {
    "string": "Char Slug File Image FilePath Duration GenericIPAddress IPAddress CommaSeparatedInteger AutoSlug "
    "PhoneNumber Country CIChar ",
    "text": "Text RichText RichTextUploading Markdown CIText",
    "email": "Email CIEmail",
    "url": "URL",
    "integer": "Integer SmallInteger BigInteger Auto PositiveInteger PositiveSmallInteger BigAuto PositiveBigInteger "
    "SmallAuto ",
    "float": "Float",
    "decimal": "Decimal Money",
    "boolean": "Boolean NullBoolean",
    "date": "Date",
    "datetime": "DateTime",
    "time": "Time",
    "uuid": "UUID",
    "json": "JSON Array HStore",
    "bytes": "Binary",
}
_KINDS = {f"{name}Field": kind for kind, names in _BY_KIND.items() for name in names.split()}
_WHOLE = re.compile(r"-?\d{1,9}")
_LENGTHS = {"SlugField": 50, "FileField": 100, "ImageField": 100, "FilePathField": 100, "AutoSlugField": 50}
_RELATIONS = (
    "ForeignKey",
    "OneToOneField",
    "ManyToManyField",
    "ParentalKey",
    "TreeForeignKey",
    "ParentalManyToManyField",
)
_ON_DELETE = {"CASCADE": "cascade", "SET_NULL": "set null", "SET_DEFAULT": "set default", "SET": "set"}
_QUIET = frozenset(
    [
        "max_length",
        "choices",
        "default",
        "unique",
        "null",
        "blank",
        "db_index",
        "help_text",
        "validators",
        "primary_key",
        "verbose_name",
        "auto_now",
        "auto_now_add",
        "max_digits",
        "decimal_places",
        "on_delete",
        "to",
        "related_name",
        "to_field",
        "through",
        "base_field",
        "size",
        "db_column",
        "related_query_name",
        "symmetrical",
        "protocol",
        "unpack_ipv4",
        "upload_to",
        "max_value",
        "min_value",
        "encoder",
        "decoder",
        "default_currency",
        "through_fields",
        "blank_label",
    ]
)


@dataclass(slots=True)
class Names:
    """What names of the file stand for, where that can be seen without running it."""

    constants: dict[str, ast.expr] = field(default_factory=dict)
    """``STATUS`` and ``Post.STATUS`` → its value."""
    choices: dict[str, list[str]] = field(default_factory=dict)
    """Class of choices → its values."""
    labelled: set[str] = field(default_factory=set)
    """The classes of choices that show other words than the values."""


def called(node: ast.expr | None) -> str:
    """Return the last name of what a call calls: ``models.CharField(…)`` → ``CharField``."""
    return last_name(node.func) if isinstance(node, ast.Call) else ""


def last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def is_field(node: ast.expr | None) -> bool:
    """Whether *node* declares a column or a relation."""
    name = called(node)
    return name in _RELATIONS or name in _KINDS or (name.endswith("Field") and len(name) > len("Field"))


class FieldReader:
    """Reads the fields of one class."""

    def __init__(self, source: Source, names: Names, model: str, user: str) -> None:
        self._source = source
        self._names = names
        self._model = model
        self._user = user

    def read(self, name: str, node: ast.Call) -> Column | None:
        """Return the column that *name* ``= models.…(…)`` declares."""
        kind = called(node)
        arguments = {each.arg: each.value for each in node.keywords if each.arg}
        column = Column(name, node.lineno, required=True, exact_name=True)
        column.doc = self._text(arguments.get("help_text"))
        column.required = not (self._is_true(arguments, "null") or self._is_true(arguments, "blank"))
        for key, value in arguments.items():
            made = {"auto_now", "auto_now_add", "primary_key"} & set(arguments)
            if key not in _QUIET and not (key == "editable" and made):
                self._leave_out(column, f"{key}={ast.unparse(value)[:60]}")
        if kind in _RELATIONS:
            return self._relation(column, kind, node, arguments)
        self._scalar(column, kind, arguments)
        return column

    def _leave_out(self, column: Column, what: str) -> None:
        self._source.leave_out(column.line, f"{what} of {self._model}.{column.name}")

    def _relation(self, column: Column, kind: str, node: ast.Call, arguments: Mapping[str, ast.expr]) -> Column | None:
        target = self._target(arguments.get("to") or (node.args[0] if node.args else None))
        column.kind, column.target = "relation", target
        related = self._text(arguments.get("related_name"))
        if related and related != "+":
            self._source.note(column.line, f"{related} of {target} is the other side of {column.name} of {self._model}")
        if "Many" in kind:
            if through := arguments.get("through"):
                link = self._target(through)
                self._source.note(column.line, f"{column.name} of {self._model} to {target} is the entity {link}")
                return None
            column.many = True
            return column
        column.unique = kind == "OneToOneField" or self._is_true(arguments, "unique")
        column.primary = self._is_true(arguments, "primary_key")
        action = arguments.get("on_delete") or (node.args[1] if len(node.args) > 1 else None)
        name = last_name(action.func if isinstance(action, ast.Call) else action) if action else ""
        column.on_delete = _ON_DELETE.get(name, "")
        if not self._is_true(arguments, "null"):
            column.required = True  # blank alone is about forms
        if "default" in arguments:
            self._leave_out(column, f"default={ast.unparse(arguments['default'])[:60]}")
        return column

    def _target(self, node: ast.expr | None) -> str:
        text = self._text(node) or (last_name(node) if node else "") or called(node)
        if text == "self":
            return self._model
        if text in {"AUTH_USER_MODEL", "get_user_model", "User"}:
            return self._user
        return text.rpartition(".")[2]

    def _scalar(self, column: Column, kind: str, arguments: Mapping[str, ast.expr]) -> None:
        if kind not in _KINDS:
            self._source.note(column.line, f"{self._model}.{column.name} of unknown type {kind} is a string")
        column.kind = _KINDS.get(kind, "string")
        if kind in {"FileField", "ImageField"}:
            self._leave_out(column, "the upload of files")
            self._source.note(column.line, f"{self._model}.{column.name} is a string, the path of the file")
        elif column.kind == "json" and kind != "JSONField":
            self._source.note(column.line, f"{self._model}.{column.name} of type {kind} is json")
        elif kind in {"DurationField", "GenericIPAddressField", "IPAddressField"}:
            self._source.note(column.line, f"{self._model}.{column.name} of type {kind} is a string")
        column.generated = "AutoField" in kind
        column.low = "0" if kind.startswith("Positive") else ""
        column.required = column.required and kind != "NullBooleanField"
        column.most = self._integer(arguments.get("max_length")) or _LENGTHS.get(kind)
        digits = self._integer(arguments.get("max_digits"))
        if column.kind == "decimal" and digits:
            column.digits = (digits, self._integer(arguments.get("decimal_places")) or 0)
        column.unique = self._is_true(arguments, "unique")
        column.index = self._is_true(arguments, "db_index") or (kind == "SlugField" and not column.unique)
        column.primary = self._is_true(arguments, "primary_key")
        column.auto = "auto" if self._is_true(arguments, "auto_now_add") else ""
        column.auto = "auto update" if self._is_true(arguments, "auto_now") else column.auto
        if "choices" in arguments:
            self._choices(column, arguments["choices"])
        for validator in self._list(arguments.get("validators")):
            self._validator(column, validator)
        if "default" in arguments:
            self._default(column, arguments["default"])

    def _choices(self, column: Column, node: ast.expr) -> None:
        if isinstance(node, ast.Attribute) and node.attr == "choices":
            node = node.value
        if labels := self._names.choices.get(self._key(node)) or self._names.choices.get(last_name(node)):
            column.labels = labels
            if {self._key(node), last_name(node)} & self._names.labelled:
                self._leave_out(column, "the words that are shown for the choices")
        else:
            pairs = self._list(node)
            if any(isinstance(pair, ast.Tuple | ast.List) and self.has_label(pair) for pair in pairs):
                self._leave_out(column, "the words that are shown for the choices")
            values = [
                self.value_of(pair.elts[0]) for pair in pairs if isinstance(pair, ast.Tuple | ast.List) and pair.elts
            ]
            column.labels = [value for value in values if value is not None]
            if not column.labels or len(values) < len(pairs):
                self._leave_out(column, f"choices={ast.unparse(node)[:60]}")
                column.labels = []
                return
        if column.kind in {"string", "text"}:
            column.kind = "enum"
            return
        numbers = sorted({int(label) for label in column.labels if _WHOLE.fullmatch(label)})
        if column.kind == "integer" and numbers and numbers[-1] - numbers[0] == len(column.labels) - 1:
            column.low, column.high = str(numbers[0]), str(numbers[-1])
        else:
            self._leave_out(column, f"the values {', '.join(column.labels)}")
        column.labels = []

    def _validator(self, column: Column, node: ast.expr) -> None:
        arguments = [*node.args, *(each.value for each in node.keywords)] if isinstance(node, ast.Call) else []
        value = self.value_of(arguments[0]) if arguments else None
        match called(node):
            case "MinValueValidator" if value is not None and column.kind in {"integer", "float", "decimal"}:
                column.low = value
            case "MaxValueValidator" if value is not None and column.kind in {"integer", "float", "decimal"}:
                column.high = value
            case "MinLengthValidator" if value is not None and value.isdecimal():
                column.least = int(value[:9])
            case "MaxLengthValidator" if value is not None and value.isdecimal():
                column.most = min(int(value[:9]), column.most or int(value[:9]))
            case "RegexValidator" if value is not None and not column.pattern:
                column.pattern = whole(value)
            case _:
                self._leave_out(column, f"validator {ast.unparse(node)[:60]}")

    def _default(self, column: Column, node: ast.expr) -> None:
        name = last_name(node)
        if name in {"dict", "list"} and column.kind == "json":
            column.default = "{}" if name == "dict" else "[]"
            return
        if name in {"uuid4", "uuid1", "uuid7"}:
            set_default(self._source, self._model, column, "uuid()", quoted=False)
            return
        if name in {"now", "utcnow", "today", "localdate"}:
            set_default(self._source, self._model, column, "now()" if column.kind != "date" else "today", quoted=False)
            return
        value = self.value_of(node)
        if value is None and isinstance(node, ast.Dict | ast.List) and column.kind == "json":
            value = _json(node)
        if value is not None:
            set_default(self._source, self._model, column, value, quoted=column.kind != "boolean")
        elif not (isinstance(node, ast.Constant) and node.value is None):
            set_default(self._source, self._model, column, ast.unparse(node)[:80], quoted=False)

    def _key(self, node: ast.expr) -> str:
        """Return the name by which a constant is known: ``Post.STATUS``."""
        if isinstance(node, ast.Attribute):
            return f"{last_name(node.value)}.{node.attr}"
        return f"{self._model}.{last_name(node)}"

    def _resolve(self, node: ast.expr | None) -> ast.expr | None:
        """Follow a name to the constant that it stands for."""
        for _ in range(5):
            if isinstance(node, ast.Name | ast.Attribute):
                found = self._names.constants.get(self._key(node)) or self._names.constants.get(last_name(node))
                if found is None:
                    break
                node = found
        return node

    def value_of(self, node: ast.expr | None) -> str | None:
        """Return the text of a constant; None if *node* is none."""
        if isinstance(node, ast.Attribute) and node.attr == "value":  # Status.DRAFT.value
            node = node.value
        node = self._resolve(node)
        if isinstance(node, ast.Tuple) and node.elts:  # a member of a class of choices, with its label
            node = node.elts[0]
        if isinstance(node, ast.Call) and called(node) in {
            "_",
            "gettext",
            "gettext_lazy",
            "Decimal",
            "ugettext_lazy",
            "str",
        }:
            node = node.args[0] if node.args else None
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
            return f"-{node.operand.value!r}"
        if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float | bool):
            return str(node.value).lower() if isinstance(node.value, bool) else str(node.value)
        return None

    def has_label(self, node: ast.expr) -> bool:
        """Whether *node* is a value with other words that are shown for it."""
        if not isinstance(node, ast.Tuple | ast.List) or len(node.elts) != 2:  # noqa: PLR2004  # a value and its words
            return False
        value, shown = map(self.value_of, node.elts)
        return shown is not None and _plain(shown) != _plain(value or "")

    def _text(self, node: ast.expr | None) -> str:
        if isinstance(node, ast.Name | ast.Attribute) and self._resolve(node) is node:
            return ""
        return (self.value_of(node) or "") if node is not None else ""

    def _integer(self, node: ast.expr | None) -> int | None:
        value = self.value_of(node) or ""
        return int(value) if _WHOLE.fullmatch(value) else None

    def _is_true(self, arguments: Mapping[str, ast.expr], key: str) -> bool:
        return self.value_of(arguments.get(key)) == "true"

    def _list(self, node: ast.expr | None) -> Sequence[ast.expr]:
        node = self._resolve(node)
        return node.elts if isinstance(node, ast.Tuple | ast.List) else []


def _plain(words: str) -> str:
    return words.lower().replace("_", " ").replace("-", " ")


def _json(node: ast.expr) -> str | None:
    try:
        return json.dumps(ast.literal_eval(node), ensure_ascii=False)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
