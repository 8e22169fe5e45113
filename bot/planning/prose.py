"""Prose of a spec: which of its sentences ask for something that fields can't say."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from bot.planning import names
from bot.planning.plurals import singular
from bot.planning.sentences import each_sentence

MAX_SENTENCE = 1_000
_MARK = re.compile(r"(?:[-*+>]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?")
_ASKS = re.compile(
    r"""\b(?:must|shall|should|has\ to|have\ to|needs?\ to|can(?:['\u2019]t|not)|can\ only|may\ not|may\ only|never
    |only|at\ (?:least|most)|(?:more|less|fewer|greater|longer|shorter|older|newer)\ than|up\ to|minimum|maximum|exactly
    |unique|required|mandatory|refused?|reject(?:ed|s)?|forbidden|disallowed|not\ allowed|unless|automatically
    |between\ \S+\ and|by\ default|within|until|immutable|read-only|log(?:s|ged)?\ ?in|sign(?:s|ed)?\ (?:in|up)|logins?
    |(?:send|get|receive)s?\ (?:an?\ )?(?:e-?mails?|notifications?)|4\d\d)\b
    |\b(?:GET|POST|PUT|PATCH|DELETE)\s+/""",
    re.IGNORECASE | re.VERBOSE,
)
"""Words of requirements.  Prose in other words stays the description; only a model knows more."""


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of *text*, in any script, each in one line and without the marks of lists and headings."""
    for sentence in each_sentence(text):
        plain = _MARK.sub("", sentence, count=1) if _MARK.match(sentence) else sentence
        yield from _cut(plain.strip("#| "))


def _cut(sentence: str) -> Iterator[str]:
    """Yield *sentence* in pieces that a rule can hold, broken at a blank where there is one."""
    rest = " ".join(sentence.split())
    while len(rest) > MAX_SENTENCE:
        at = rest.rfind(" ", 1, MAX_SENTENCE)
        at = at if at > 0 else MAX_SENTENCE
        yield rest[:at]
        rest = rest[at:].strip()
    if any(map(str.isalnum, rest)):
        yield rest


def asks(sentence: str) -> bool:
    """Whether *sentence* asks for something that a list of fields does not say."""
    return bool(_ASKS.search(sentence))


def owner_of(sentence: str, fields: Mapping[str, Collection[str]]) -> str | None:
    """Return the one entity that *sentence* is about; None if it is about several, or none.

    *fields* are the names of the fields by entity.  An entity that is named wins over one whose field is.
    """
    words = [singular(word) for word in re.findall(r"[a-z0-9_]+", sentence.lower())]
    text = f"_{'_'.join(words)}_"
    named = [entity for entity in fields if f"_{names.snake_case(entity)}_" in text]
    if not named:
        known = set(words)
        named = [entity for entity, own in fields.items() if any(singular(name) in known for name in own)]
    return named[0] if len(named) == 1 else None


def without(text: str, taken: Sequence[str]) -> str:
    """Return *text* without the sentences in *taken*; lines of which nothing is left go."""
    for sentence in taken:
        found = re.compile(
            (r"(?<!\w)" if sentence[:1].isalnum() else "") + r"\s++".join(map(re.escape, sentence.split()))
        )
        at = 0
        while match := found.search(text, at):
            at, text = _take_out(text, *match.span())
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _take_out(text: str, start: int, end: int) -> tuple[int, str]:
    """Return *text* without the characters from *start* to *end*, and where what followed them begins now."""
    line_start, line_end = text.rfind("\n", 0, start) + 1, text.find("\n", end)
    line_end = len(text) if line_end < 0 else line_end
    before, after = text[line_start:start].strip("#|> \t"), text[end:line_end].strip("|> \t")
    is_first = not before or bool(_MARK.fullmatch(f"{before} "))
    if is_first and not after:
        return line_start, text[:line_start] + text[line_end + 1 :]
    if is_first:
        return start, text[:start] + text[end:].lstrip(" \t")
    left = text[:start].rstrip(" \t") + (" " if after else "")
    return len(left), left + text[end:].lstrip(" \t")
