"""The tokens that DBML, Prisma and JDL share, and a cursor over them.

Each character is looked at once: what is opened and not closed is a problem at once, not a reason to look again.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bot.planning.schema_files.source import SchemaError
from bot.text import shown

_PIECE = re.compile(r"[ \t\r\f\v\xa0]+|[^\W\d]\w*|\d[\w.]*|[\s\S]")
_DOUBLE = re.compile(r'"((?:[^"\\\n]|\\[^\n])*+)"')
_SINGLE = re.compile(r"'((?:[^'\\\n]|\\[^\n])*+)'")
_BACKTICKS = re.compile(r"`([^`]*+)`")
_REGEX = re.compile(r"/((?:[^/\\\n]|\\[^\n])++)/")
_STRINGS = {'"': _DOUBLE, "'": _SINGLE, "`": _BACKTICKS, "/": _REGEX}
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([\s\S]))")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "\n": ""}


class Token(NamedTuple):
    """*kind* is word, number, string, expression, regex, comment, end (of a line), or symbol."""

    kind: str
    text: str
    line: int
    is_close: bool = False
    """It follows the token before it without a space."""


class Language(NamedTuple):
    """How a language writes comments and texts."""

    comments: Sequence[str] = ("///", "//")
    texts: Mapping[str, str] = {'"': "string", "'": "string"}
    triple: bool = False
    """``'''`` begins a text of many lines."""
    regex_after: Sequence[str] = ()
    """The words after whose bracket a ``/regex/`` stands."""


def unescape(text: str) -> str:
    r"""Return what a quoted *text* means: ``\n``, ``\"``, ``\u00e9``."""

    def replace(match: re.Match[str]) -> str:
        if match[1]:
            return chr(int(match[1], 16))
        return _ESCAPED.get(match[2], match[2])

    return _ESCAPE.sub(replace, text)


def tokenize(text: str, language: Language) -> list[Token]:
    """Split *text* into tokens; the last one is an ``end``.

    Raises:
        SchemaError: A text or comment is not closed.
    """
    tokens: list[Token] = []
    place, line, close = 0, 1, False
    while place < len(text):
        token, end, skipped = _next(text, place, line, language, tokens)
        if token:
            tokens.append(token._replace(is_close=close))
        close = token is not None and token.kind not in {"end", "comment"}
        line += skipped
        place = end
    tokens.append(Token("end", "", line))
    return tokens


def _next(text: str, place: int, line: int, language: Language, before: list[Token]) -> tuple[Token | None, int, int]:
    """Return the token at *place*, where it ends and how many lines it covers."""
    first = text[place]
    if any(text.startswith(mark, place) for mark in language.comments):
        end = text.find("\n", place)
        end = len(text) if end < 0 else end
        return Token("comment", text[place:end], line), end, 0
    if text.startswith("/*", place):
        return _until(text, place, line, "*/", "comment")
    if language.triple and text.startswith("'''", place):
        return _until(text, place, line, "'''", "string")
    kind = language.texts.get(first, "")
    if first == "/" and len(before) > 1 and before[-1].text == "(" and before[-2].text in language.regex_after:
        kind = "regex"
    return _quoted(text, place, line, kind) if kind else _word(text, place, line)


def _quoted(text: str, place: int, line: int, kind: str) -> tuple[Token, int, int]:
    match = _STRINGS[text[place]].match(text, place)
    if not match:
        raise SchemaError([(line, f"the {kind} that begins with {shown(text[place : place + 20])} is not closed")])
    content = match[1] if kind != "string" else unescape(match[1])
    return Token(kind, content, line), match.end(), match[0].count("\n")


def _word(text: str, place: int, line: int) -> tuple[Token | None, int, int]:
    match = _PIECE.match(text, place)
    piece = match[0] if match else text[place]
    if piece == "\n":
        return Token("end", piece, line), place + 1, 1
    if piece[0] in " \t\r\f\v\xa0":
        return None, place + len(piece), 0
    name = "number" if piece[0].isdigit() else "word" if piece[0].isalpha() or piece[0] == "_" else "symbol"
    return Token(name, piece, line), place + len(piece), 0


def _until(text: str, place: int, line: int, mark: str, kind: str) -> tuple[Token, int, int]:
    start = place + len(mark)
    end = text.find(mark, start)
    while kind == "string" and end > 0 and text[end - 1] == "\\":  # an escaped '''
        end = text.find(mark, end + 1)
    if end < 0:
        what = "comment" if kind == "comment" else "text"
        raise SchemaError([(line, f"the {what} that begins with {text[place:start]} is not closed")])
    end += len(mark)
    content = text[place:end] if kind == "comment" else unescape(text[start : end - len(mark)])
    return Token(kind, content, line), end, text.count("\n", place, end)


class Cursor:
    """Reads tokens in order; comments are skipped, unless :meth:`comments` asks for those before a token."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._place = 0
        self._before: list[Token] = []
        self._skip_comments()

    def _skip_comments(self) -> None:
        self._before = []
        while self._tokens[self._place].kind == "comment":
            self._before.append(self._tokens[self._place])
            self._place += 1

    @property
    def here(self) -> Token:
        return self._tokens[self._place]

    @property
    def ahead(self) -> Token:
        """The first token that is not the end of a line."""
        place = self._place
        while self._tokens[place].kind in {"end", "comment"} and place < len(self._tokens) - 1:
            place += 1
        return self._tokens[place]

    @property
    def line(self) -> int:
        return self.here.line

    @property
    def is_done(self) -> bool:
        return self._place == len(self._tokens) - 1

    @property
    def comments(self) -> Sequence[Token]:
        """The comments directly before :attr:`here`."""
        return self._before

    def take(self) -> Token:
        """Return the token here, and go on."""
        token = self.here
        if not self.is_done:
            self._place += 1
            self._skip_comments()
        return token

    def accept(self, text: str) -> bool:
        """Go on if *text* is here, a word in any case or a symbol."""
        if self.here.kind in {"word", "symbol"} and self.here.text.lower() == text:
            self.take()
            return True
        return False

    def words(self) -> list[str]:
        """Take the words here, as far as they go."""
        found = []
        while self.here.kind == "word":
            found.append(self.take().text)
        return found

    def at(self, *texts: str) -> bool:
        return self.here.kind in {"word", "symbol"} and self.here.text.lower() in texts

    def skip_ends(self) -> list[Token]:
        """Skip the ends of lines, and return the comments among them."""
        found = list(self._before)
        while self.here.kind == "end" and not self.is_done:
            self.take()
            found += self._before
        return found

    def skip_line(self) -> str:
        """Skip the rest of the line with the blocks that begin in it or below it; return the words."""
        words: list[Token] = []
        depth = 0
        while not self.is_done and (depth or self.here.kind != "end" or self.ahead.text == "{"):
            if depth == 0 and self.at("}", ")", "]"):
                break
            token = self.take()
            if token.kind == "symbol":
                depth += (token.text in "{[(") - (token.text in "}])")
            if token.kind != "end":
                words.append(token)
        return joined(words)

    def block(self, opening: str = "(", closing: str = ")") -> list[Token]:
        """Take the tokens between two brackets, the first of which is here.

        Raises:
            SchemaError: The bracket is not closed.
        """
        start = self.take()
        depth, found = 1, list[Token]()
        while not self.is_done:
            token = self.take()
            if token.kind == "symbol":
                depth += (token.text == opening) - (token.text == closing)
            if not depth:
                return found
            found.append(token)
        raise SchemaError([(start.line, f"the bracket {opening!r} is not closed")])


def split(tokens: Sequence[Token], mark: str = ",") -> list[list[Token]]:
    """Split *tokens* at each *mark* outside brackets; the ends of lines are dropped."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        if token.kind == "symbol":
            depth += (token.text in "{[(") - (token.text in "}])")
            if token.text == mark and depth == 0:
                parts.append([])
                continue
        if token.kind != "end":
            parts[-1].append(token)
    return [part for part in parts if part]


def joined(tokens: Sequence[Token]) -> str:
    """Return *tokens* as one text, with spaces where the source has them."""
    text = ""
    for token in tokens:
        text += ("" if token.is_close or not text else " ") + token.text
    return text


def documentation(comments: Sequence[Token]) -> str:
    """Return the text of those *comments* that document what follows: ``/// …`` and ``/** … */``."""
    lines: list[str] = []
    for comment in comments:
        if comment.text.startswith("///"):
            lines.append(comment.text[3:].strip())
        elif comment.text.startswith("/**"):
            lines += [line.strip().lstrip("*").strip() for line in comment.text[3:-2].split("\n")]
    return " ".join(filter(None, lines))
