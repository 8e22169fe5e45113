"""Read the tables of SQL (PostgreSQL, MySQL, SQLite, and what SQL Server writes), with sqlglot.

Each statement is parsed by itself, so that one that sqlglot does not know hides none of the others.
"""

import importlib.util
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bot.planning.schema_files.source import SchemaError, Source
from bot.planning.schema_files.sql_statements import Statement, dialect_of, statements
from bot.text import shown

if TYPE_CHECKING:
    from sqlglot.expressions import Expr

NEEDS = "this needs sqlglot; install it with pip install 'phasebot[import]'"

_NAME = r"""(?:[\w$]+|"[^"]+"|`[^`]+`|\[[^\]]+\])(?:\s*\.\s*(?:[\w$]+|"[^"]+"|`[^`]+`|\[[^\]]+\]))*"""
_TABLE = re.compile(
    r"CREATE\s+(?:OR\s+REPLACE\s+)?(?:GLOBAL\s+|LOCAL\s+)?(?:TEMP\s+|TEMPORARY\s+|UNLOGGED\s+)?TABLE\b", re.IGNORECASE
)
_NO_TABLE = re.compile(
    rf"CREATE\s[\w\s]{{0,40}}?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?{_NAME}\s+(PARTITION\s+OF|AS|LIKE|OF)\b", re.IGNORECASE
)
_ENUM = re.compile(rf"CREATE\s+TYPE\s+({_NAME})\s+AS\s+ENUM\s*\(([\s\S]*)\)\s*$", re.IGNORECASE)
_DOMAIN = re.compile(rf"CREATE\s+DOMAIN\s+({_NAME})\s+(?:AS\s+)?([\s\S]+)$", re.IGNORECASE)
_TEXT = re.compile(r"'((?:[^']|'')*+)'")
_WORDS = re.compile(r"[A-Za-z]+")
_TRAILER = re.compile(r"\)\s*+(?:(?:WITHOUT\s++ROWID|STRICT)\s*+,?\s*+)++$", re.IGNORECASE)
_IDENTITY = re.compile(
    rf"ALTER\s+TABLE\s+(?:ONLY\s+)?({_NAME})\s+ALTER\s+(?:COLUMN\s+)?({_NAME})\s+ADD\s+GENERATED\b", re.IGNORECASE
)
_LONG_KINDS = ("CREATE", "ALTER", "DROP", "INSERT", "REPLACE", "LOCK", "START")


def read_sql(text: str) -> Source:
    """Read the tables that the statements of *text* declare.

    Raises:
        SchemaError: sqlglot is missing, or a quote or comment is not closed.
    """
    if importlib.util.find_spec("sqlglot") is None:
        raise SchemaError([(0, NEEDS)])
    reader = _Reader(text)
    reader.read()
    return reader.source


def unquoted(name: str) -> str:
    """Return a name, which may have dots, without its quotes and without the usual schema."""
    parts = [part.strip().strip('"`[]') for part in name.split(".")]
    return ".".join(
        part for n, part in enumerate(parts) if n == len(parts) - 1 or part.lower() not in {"public", "dbo"}
    )


class _Reader:
    def __init__(self, text: str) -> None:
        from bot.planning.schema_files.sql_tables import Tables

        self.source = Source("SQL")
        self.text = text
        self.dialect = dialect_of(text)
        self.all = list(statements(text, self.dialect))
        self.tables = Tables(self.source, self.dialect)
        self.kinds: dict[str, list[int]] = {}

    def read(self) -> None:
        later: list[Statement] = []
        for statement in self.all:
            if match := _ENUM.match(statement.text):
                labels = [label.replace("''", "'") for label in _TEXT.findall(match[2])]
                self.source.enums[unquoted(match[1]).lower()] = labels
            elif match := _DOMAIN.match(statement.text):
                self._domain(statement, unquoted(match[1]), match[2])
            else:
                later.append(statement)
        # Tables first: a dump may have what changes them in any order.
        rest = [statement for statement in later if not self._create(statement)]
        for statement in rest:
            self._other(statement)
        self.tables.finish()
        if lines := [number for number, line in enumerate(self.text.split("\n"), 1) if "/*!" in line]:
            self.kinds["/*! … */ for some versions of MySQL"] = lines
        for kind, lines in self.kinds.items():
            many = f" ({len(lines)} statements, the first here)" if len(lines) > 1 else ""
            self.source.leave_out(lines[0], f"{kind}{many}")
        self.source.tables = self.tables.all()

    def _create(self, statement: Statement) -> bool:
        if not _TABLE.match(statement.text):
            return False
        if match := _NO_TABLE.match(statement.text):
            self._skip(statement, f"CREATE TABLE … {' '.join(match[1].upper().split())}")
            return True
        text = _TRAILER.sub(")", statement.text)
        if node := self._parse(statement, text, must=True):
            with self._bounded(statement):
                self.tables.create(node, statement.line)
        return True

    def _other(self, statement: Statement) -> None:
        words = [word.upper() for word in _WORDS.findall(statement.text[:200])]
        actions: dict[str, Callable[[Expr, int], bool]] = {
            "ALTER TABLE": self.tables.alter,
            "COMMENT ON": self.tables.comment,
            "CREATE INDEX": self.tables.index,
            "CREATE UNIQUE": self.tables.index,
        }
        action = actions.get(" ".join(words[:2]))
        if match := _IDENTITY.match(statement.text):
            self.tables.generate(unquoted(match[1]), unquoted(match[2]))
        elif action is None or not (node := self._parse(statement, statement.text, must=False)):
            self._skip(statement, _kind(statement, words))
        else:
            with self._bounded(statement):
                if not action(node, statement.line):
                    self._skip(statement, _kind(statement, words))

    def _domain(self, statement: Statement, name: str, rest: str) -> None:
        if node := self._parse(statement, f"CREATE TABLE d (value {rest})", must=False):
            with self._bounded(statement):
                self.tables.domain(name, node, statement.line)
        else:
            self._skip(statement, "CREATE DOMAIN")

    def _skip(self, statement: Statement, kind: str) -> None:
        self.kinds.setdefault(kind, []).append(statement.line)

    @contextmanager
    def _bounded(self, statement: Statement) -> Iterator[None]:
        try:
            yield
        except RecursionError:
            self.source.fail(statement.line, "this statement is nested too deeply")

    def _parse(self, statement: Statement, text: str, *, must: bool) -> "Expr | None":
        """Parse one statement in its dialect or else in another; if it *must* be read, a failure is a problem."""
        import sqlglot
        from sqlglot.errors import SqlglotError

        problem = ""
        for dialect in dict.fromkeys((self.dialect, "postgres", "mysql", "sqlite", "tsql")):
            try:
                node = sqlglot.parse_one(text, read=dialect)
            except RecursionError:
                problem = problem or "this statement is nested too deeply"
                break
            except SqlglotError as exc:
                problem = problem or self._problem(exc, statement)
                continue
            if not isinstance(node, sqlglot.exp.Command):
                return node
            problem = problem or f"{shown(text[:40])} is not SQL that can be read"
        if must:
            self.source.fail(statement.line, problem)
        return None

    @staticmethod
    def _problem(exc: Exception, statement: Statement) -> str:
        errors: Sequence[dict[str, Any]] = getattr(exc, "errors", ())
        if not errors:
            return "this statement can't be read: a quote or a bracket is not closed"
        first = errors[0]
        near = f"{first.get('highlight') or ''}".strip()
        line = statement.line + int(first.get("line") or 1) - 1
        place = f" near {shown(near[:40])} in line {line}" if near else f" in line {line}"
        return f"this statement can't be read{place}: {first.get('description', 'it is not SQL').rstrip('.')}"


def _kind(statement: Statement, words: Sequence[str]) -> str:
    """Return what a statement is, in a few words, for the list of what is left out."""
    kept = [word for word in words if word not in {"OR", "REPLACE", "TEMP", "TEMPORARY", "IF", "NOT", "EXISTS"}]
    if kept[:2] == ["CREATE", "DEFINER"]:
        kept = ["CREATE", *[word for word in kept if word in {"TRIGGER", "VIEW", "FUNCTION", "PROCEDURE", "EVENT"}][:1]]
    if kept[:2] == ["ALTER", "TABLE"]:
        actions = ("OWNER TO", "ENABLE", "DISABLE", "ATTACH PARTITION", "REPLICA IDENTITY", "RENAME", "CLUSTER ON")
        found = next((each for each in actions if each in " ".join(kept)), "")
        return f"ALTER TABLE … {found}" if found else f"{shown(' '.join(statement.text.split())[:80])}"
    if kept[:2] in (["CREATE", "INDEX"], ["CREATE", "UNIQUE"], ["COMMENT", "ON"]):
        return " ".join(statement.text.split())[:100]
    if kept[:2] == ["CREATE", "MATERIALIZED"]:
        return "CREATE MATERIALIZED VIEW"
    return " ".join(kept[: 2 if kept[:1] and kept[0] in _LONG_KINDS else 1]) or shown(statement.text[:40])
