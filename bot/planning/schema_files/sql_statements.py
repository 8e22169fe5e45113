"""Split SQL into statements with their lines, and name their kinds; no library is needed for that.

Dumps are mostly data.  Only what declares tables is parsed, so a dump of a megabyte takes little time.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from bot.planning.schema_files.source import SchemaError

_MARK = re.compile(
    r"""(?P<comment>--|\#(?!>)|/\*)|(?P<quote>['"`])|(?P<dollar>\$(?:[^\W\d]\w*)?\$)|(?P<end>;|^[ \t]*+GO[ \t]*+$)"""
    r"""|(?P<noend>\bEND\s+(?:IF|LOOP|WHILE|REPEAT|FOR)\b)|(?P<close>\bEND\b)|(?P<open>\bBEGIN\b|\bCASE\b)""",
    re.IGNORECASE | re.MULTILINE,
)
_ESCAPED_QUOTE = re.compile(r"'(?:[^'\\]|\\[\s\S]|'')*+'")
_PLAIN_QUOTE = re.compile(r"'(?:[^']|'')*+'")
_DOUBLE_QUOTE = re.compile(r'"(?:[^"]|"")*+"')
_BACKTICKS = re.compile(r"`(?:[^`]|``)*+`")
_BODY = re.compile(
    r"CREATE\s+(?:OR\s+REPLACE\s+)?(?:DEFINER\s*=\s*\S+\s+)?(?:CONSTRAINT\s+)?(?:TEMP\s+|TEMPORARY\s+)?"
    r"(?:TRIGGER|PROCEDURE|FUNCTION|EVENT)\b",
    re.IGNORECASE | re.MULTILINE,
)
_FROM_STDIN = re.compile(r"COPY\b[^;]*\bFROM\s+stdin\b[^;]*", re.IGNORECASE)
_DELIMITER = re.compile(r"[ \t]*DELIMITER[ \t]+(\S{1,8})[ \t]*(?:\n|\Z)", re.IGNORECASE)
_META = re.compile(r"[ \t]*(?:\\[A-Za-z]\w*[^\n]*|GO[ \t]*)(?:\n|\Z)")
_BLANK = re.compile(r"[\s;]*+")
_DIALECTS = {
    "mysql": r"`\w+`|\bENGINE\s*=|\bAUTO_INCREMENT\b|\bUNSIGNED\b|/\*!\d|\bTINYINT\s*\(|\bDELIMITER\b|\bDATETIME\b"
    r"|\bON\s+UPDATE\s+CURRENT_TIMESTAMP|\b(?:MEDIUM|LONG|TINY)(?:TEXT|INT|BLOB)\b|\bENUM\s*\(",
    "postgres": r"\b(?:BIG|SMALL)?SERIAL\b|::\s*\w|\bCREATE\s+(?:TYPE|DOMAIN|EXTENSION)\b|\bTIMESTAMPTZ\b|\bJSONB\b"
    r"|\bALTER\s+TABLE\s+ONLY\b|\bBYTEA\b|\bCOMMENT\s+ON\b|\bnextval\s*\(|\bgen_random_uuid\b|\bcharacter\s+varying\b"
    r"|\bUSING\s+(?:btree|gin|gist)\b|\bpg_catalog\b",
    "sqlite": r"\bAUTOINCREMENT\b|\bPRAGMA\b|\bWITHOUT\s+ROWID\b|\)\s*STRICT\b|\bsqlite_",
    "tsql": r"\[\w+\]|\bIDENTITY\s*\(|\bNVARCHAR\b|\bGETDATE\b|\bUNIQUEIDENTIFIER\b|\bCLUSTERED\b|^GO\s*$",
}
_SIGNS = {name: re.compile(pattern, re.IGNORECASE | re.MULTILINE) for name, pattern in _DIALECTS.items()}


_SAMPLE = 100_000
"""How many characters of a file show its dialect; the rest of a dump is data."""


class Statement(NamedTuple):
    text: str
    line: int


def dialect_of(text: str) -> str:
    """Return which of the dialects *text* looks like most; PostgreSQL if it looks like none."""
    text = text[:_SAMPLE]
    counts = {name: sum(1 for _ in sign.finditer(text)) for name, sign in _SIGNS.items()}
    if "`" not in text and counts["tsql"] <= counts["mysql"] and counts["sqlite"]:
        counts["sqlite"] += counts["mysql"]
    return max(("postgres", "mysql", "sqlite", "tsql"), key=lambda name: counts[name])


def statements(text: str, dialect: str) -> Iterator[Statement]:
    """Yield the statements of *text* without the comments before each.

    Raises:
        SchemaError: A quote or comment is not closed.
    """
    return _Splitter(text, dialect).split()


class _Splitter:
    def __init__(self, text: str, dialect: str) -> None:
        self._text = text
        single = _ESCAPED_QUOTE if dialect == "mysql" else _PLAIN_QUOTE
        self._quotes = {"'": single, '"': _DOUBLE_QUOTE, "`": _BACKTICKS}
        self._mysql = dialect == "mysql"
        self._counted, self._line = 0, 1

    def split(self) -> Iterator[Statement]:
        place, delimiter = 0, ""
        while place < len(self._text):
            place, delimiter = self._skip(place, delimiter)
            if place >= len(self._text):
                return
            end, after = self._end(place, delimiter)
            line = self._line_at(place)
            statement = self._text[place:end].strip()
            if statement:
                yield Statement(statement, line)
            if _FROM_STDIN.match(statement):
                after = self._data_end(after)
            place = after

    def _line_at(self, place: int) -> int:
        self._line += self._text.count("\n", self._counted, place)
        self._counted = place
        return self._line

    def _skip(self, place: int, delimiter: str) -> tuple[int, str]:
        """Skip spaces, comments, and what clients read themselves."""
        while True:
            match = _BLANK.match(self._text, place)
            place = match.end() if match else place
            at_line_start = (
                place == 0
                or self._text.rfind("\n", 0, place) + 1 == place
                or not self._text[self._text.rfind("\n", max(0, place - 80), place) + 1 : place].strip()
            )
            if at_line_start and (change := _DELIMITER.match(self._text, place)):
                delimiter = "" if change[1] == ";" else change[1]
                place = change.end()
            elif at_line_start and (meta := _META.match(self._text, place)):
                place = meta.end()
            elif delimiter and self._text.startswith(delimiter, place):
                place += len(delimiter)
            elif (comment := self._comment_end(place)) > place:
                place = comment
            else:
                return place, delimiter

    def _comment_end(self, place: int) -> int:
        if self._text.startswith("--", place) or (self._mysql and self._text.startswith("#", place)):
            end = self._text.find("\n", place)
            return len(self._text) if end < 0 else end
        if self._text.startswith("/*", place):
            end = self._text.find("*/", place + 2)
            if end < 0:
                raise SchemaError([(self._line_at(place), "the comment that begins with /* is not closed")])
            return end + 2
        return place

    def _end(self, start: int, delimiter: str) -> tuple[int, int]:
        """Return where the statement at *start* ends, and where the next may begin."""
        place = start
        has_body = _BODY.match(self._text, start) is not None
        depth = 0
        stop = self._text.find(delimiter, start) if delimiter else -1
        stop = len(self._text) if stop < 0 else stop
        if delimiter:
            return stop, stop + len(delimiter)
        while mark := _MARK.search(self._text, place):
            kind = mark.lastgroup
            place = mark.end()
            if kind == "comment":
                place = max(place, self._comment_end(mark.start()))
            elif kind == "quote":
                place = self._quote_end(mark)
            elif kind == "dollar":
                end = self._text.find(mark[0], place)
                if end < 0:
                    raise SchemaError([(self._line_at(start), f"the text that begins with {mark[0]} is not closed")])
                place = end + len(mark[0])
            elif kind == "open":
                depth += has_body
            elif kind == "close":
                depth -= has_body and depth > 0
            elif kind == "end" and depth == 0:
                return mark.start(), place
        return len(self._text), len(self._text)

    def _quote_end(self, mark: re.Match[str]) -> int:
        match = self._quotes[mark[0]].match(self._text, mark.start())
        if not match:
            line = self._line_at(self._counted) + self._text.count("\n", self._counted, mark.start())
            raise SchemaError([(line, f"the quote {mark[0]} is not closed")])
        return match.end()

    def _data_end(self, place: int) -> int:
        """Return where the data that follow a COPY end."""
        end = self._text.find("\n\\.", place)
        return len(self._text) if end < 0 else end + 3
