"""Text as people see it: hidden characters, line ends, and one printable line for a message.

This is the one definition of hidden characters.  Whoever refuses, drops or escapes them uses it, so that what one
module can't see gets past none of the others.
"""

import re

_CONTROL = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff"
_UNSEEN = (
    r"\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u2065\u206a-\u206f\u2800\u3164"
    r"\ufe00-\ufe0f\uffa0\ufff0-\ufffb\U00013430-\U0001343f\U00016fe4\U0001bca0-\U0001bca3\U0001d159"
    r"\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_EMOJI = (
    r"\xa9\xae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u27bf\u2900-\u297f\u2b00-\u2bff\u3030\u303d\u3297\u3299"
    r"\U0001f000-\U0001faff"
)
_JOINED = r"\u0620-\u06ff\u0750-\u077f\u08a0-\u08ff\u0900-\u0dff"

CONTROL = re.compile(f"[{_CONTROL}]")
r"""The hidden characters that a plan refuses: control characters other than ``\t`` and ``\n``, line separators, bidi
overrides, half surrogate pairs, the byte order mark.  A plan may hold the other hidden ones, because plans that earlier
releases committed must stay readable; what is rendered from a plan drops or escapes them."""
HIDDEN = re.compile(f"[{_CONTROL}{_UNSEEN}]")
"""All hidden characters: :data:`CONTROL`, and what draws nothing.  That is what Unicode ignores by default (zero width,
fillers, variation selectors, tags), invisible format characters, and blank letters and symbols."""
_HIDDEN_IN_PROSE = re.compile(
    rf"[{_CONTROL}{_UNSEEN}]"
    rf"(?<![{_EMOJI}][\ufe0e\ufe0f])(?<![#*0-9]\ufe0f(?=\u20e3))"
    rf"(?<![{_EMOJI}]\u200d(?=[{_EMOJI}]))(?<![{_EMOJI}]\ufe0f\u200d(?=[{_EMOJI}]))"
    rf"(?<![{_JOINED}][\u200c\u200d](?=[{_JOINED}]))"
)
"""The rule for prose.  Three uses of hidden characters are ordinary writing there: a variation selector after an emoji
or in a keycap; U+200D between two emoji; U+200C or U+200D between two letters of Arabic or of an Indic script
(Devanagari to Sinhala).  Tags stay hidden: they can spell out any text unseen, and only three flags need them."""

_PROSE_FILE = re.compile(r".*\.(?:md|markdown|rst|adoc|txt)")
_TXT_CODE = re.compile(r"(?>.*?requirements).*\.txt|constraints.*\.txt|cmakelists\.txt")
_OTHER_LINE_END = re.compile("[\v\f\x1c-\x1e\x85\u2028\u2029]")
_SHOWN = 100


def is_prose_file(path: str) -> bool:
    """Whether the file *path* holds text for people, so that the rule for prose applies; code in ``.txt`` doesn't."""
    name = path.rpartition("/")[2].lower()
    return bool(_PROSE_FILE.fullmatch(name)) and not _TXT_CODE.fullmatch(name)


def find_hidden(text: str, *, prose: bool = False) -> re.Match[str] | None:
    """Return the first hidden character of *text*; in *prose*, emoji and joined letters are none."""
    return (_HIDDEN_IN_PROSE if prose else HIDDEN).search(text)


def without_hidden(text: str, *, prose: bool = False, instead: str = "") -> str:
    """Return *text* with what :func:`find_hidden` finds dropped, or replaced by *instead*."""
    return (_HIDDEN_IN_PROSE if prose else HIDDEN).sub(instead, text)


def is_printable(text: str) -> bool:
    """Whether every character of *text* shows, and all on one line."""
    return text.isprintable() and not HIDDEN.search(text)


def unix_newlines(text: str) -> str:
    r"""Return *text* with each ``\r\n`` and ``\r`` as ``\n``."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def all_newlines(text: str) -> str:
    r"""Return *text* with every line end that Unicode knows as ``\n``, where dropping one would join two lines."""
    return _OTHER_LINE_END.sub("\n", unix_newlines(text))


def one_line(text: str, limit: int) -> str:
    """Return *text* for a message: one printable line of at most *limit* characters, what doesn't show escaped."""
    return truncate(_escaped(" ".join(text.split())[: limit + 1]), limit)


def shown(text: str) -> str:
    """Return *text* quoted for a message, visibly cut when long."""
    return _escaped(repr(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!r}…")


def truncate(text: str, limit: int) -> str:
    """Return *text* in at most *limit* characters; ``…`` stands for what was cut."""
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"


def count(number: int, word: str) -> str:
    """``1 file``, ``2 files``."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def _escaped(text: str) -> str:
    if is_printable(text):
        return text
    return "".join(each if is_printable(each) else ascii(each)[1:-1] for each in text)
