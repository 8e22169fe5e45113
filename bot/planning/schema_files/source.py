"""What a schema file says, in the words of databases: the readers build it, and :mod:`carry_over` makes entities of it.

One reader per language ends here, so names, keys, limits and relations are carried over in one place.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

MAX_PROBLEMS = 20
MAX_TABLES = 500
"""As many as a plan has entities."""
MAX_COLUMNS = 200
"""As many as an entity has fields."""


class SchemaError(ValueError):
    """The schema can't be read; the message has a line for each problem, at most :data:`MAX_PROBLEMS` of them."""

    def __init__(self, problems: Sequence[tuple[int, str]]) -> None:
        shown = [f"line {line}: {what}" if line else what for line, what in problems[:MAX_PROBLEMS]]
        if len(problems) > MAX_PROBLEMS:
            shown.append(f"and {len(problems) - MAX_PROBLEMS} more")
        super().__init__("\n".join(shown))
        self.problems = tuple(problems)
        self.line = problems[0][0]


@dataclass(slots=True)
class Column:
    """One column of a table, or one relation that the language writes as a field."""

    name: str
    line: int
    kind: str = "string"
    """A type of the plan; ``relation`` has a *target*."""
    least: int | None = None
    most: int | None = None
    """How many characters a text may have."""
    digits: tuple[int, int] | None = None
    low: str = ""
    high: str = ""
    """The limits of a number."""
    labels: list[str] = field(default_factory=list)
    pattern: str = ""
    required: bool = False
    unique: bool = False
    index: bool = False
    primary: bool = False
    generated: bool = False
    """The database or the server makes the value: a serial, an identity, ``uuid()``."""
    secret: bool = False
    default: str | None = None
    auto: str = ""
    """``auto`` or ``auto update``."""
    doc: str = ""
    target: str = ""
    target_column: str = ""
    many: bool = False
    on_delete: str = ""
    type_name: str = ""
    """The type as written, for types that the file declares: enums and domains."""
    exact_name: bool = False
    """The name is the relation's already, without ``_id``."""
    field_name: str = ""
    """The name that the field gets, where it is not made of *name*."""


@dataclass(slots=True)
class Group:
    """Columns of a table that are unique or indexed together."""

    columns: list[str]
    line: int


@dataclass(slots=True)
class Table:
    """One table or class."""

    name: str
    line: int
    columns: list[Column] = field(default_factory=list)
    uniques: list[Group] = field(default_factory=list)
    indexes: list[Group] = field(default_factory=list)
    primary: list[str] = field(default_factory=list)
    """The columns of a key that is written apart from them."""
    primary_line: int = 0
    doc: str = ""
    table_name: str = ""
    """The name of the database's table, where a class has one of its own."""
    is_class: bool = False
    """The name is that of a class, so it is not a plural unless it begins with a small letter."""

    def column(self, name: str) -> Column | None:
        """Return the column of that name in any case."""
        wanted = name.lower()
        return next((each for each in self.columns if each.name.lower() == wanted), None)


@dataclass(slots=True)
class Source:
    """A schema file as it was read, and what its reader left out or read differently."""

    language: str
    project: str = ""
    description: str = ""
    tables: list[Table] = field(default_factory=list)
    enums: dict[str, list[str]] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)
    left_out: list[tuple[int, str]] = field(default_factory=list)
    notes: list[tuple[int, str]] = field(default_factory=list)

    def leave_out(self, line: int, what: str) -> None:
        self.left_out.append((line, what))

    def note(self, line: int, what: str) -> None:
        self.notes.append((line, what))

    def fail(self, line: int, what: str) -> None:
        self.problems.append((line, what))
