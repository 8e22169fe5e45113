"""Splits a spec into sentences, so that each can be looked at, and none is forgotten.

The same text always gives the same sentences.  A line of code, of a table or of a list is never joined to the next.
"""

import re
from collections.abc import Iterator, Sequence

MAX_SENTENCES = 400
"""More sentences are joined to so many groups."""
_FENCE = re.compile(r" {0,3}(```++(?=[^`]*$)|~~~++)\s*+(\S*+)(.*)")
_OWN_LINE = re.compile(r"\s*(?:#{1,6}\s|[-*+•]\s|\(?\d{1,9}[.)、]\s?|\||>)")
"""A heading, an item of a list, a row of a table or a quote: it begins a new sentence."""
_END = re.compile(
    r"""(?<![.!?\u2026])[.!?\u2026]++["'\u201d\u2019\u00bb)\]*_`]*+(?=\s)"""
    r"|[\u3002\uff01\uff1f\uff61\u0964\u06d4\u061f]++[\u201d\u2019\u300d\u300f\uff09]*+"
)
"""The end of a sentence: behind it, scripts with spaces have one; Chinese, Arabic and Hindi have marks of their own."""
_WORD = re.compile(r"\w")


def split_sentences(text: str) -> Sequence[str]:
    """Return the sentences of *text*, each on one line; at most :data:`MAX_SENTENCES`."""
    sentences = [sentence for sentence in each_sentence(text) if _WORD.search(sentence)]
    size = -(-len(sentences) // MAX_SENTENCES) or 1
    return [" ".join(sentences[at : at + size]) for at in range(0, len(sentences), size)]


def each_sentence(text: str) -> Iterator[str]:
    """Yield the sentences of *text* in their order, and empty texts between them."""
    paragraph: list[str] = []
    fence = ""
    for line in text.split("\n"):
        plain = " ".join(line.split())
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence) and not mark[2]:
                fence = ""
            else:
                yield plain
        elif mark or not plain or _OWN_LINE.match(line):
            yield from _ends(" ".join(paragraph))
            paragraph = []
            if mark:
                fence = mark[1]
                yield plain if mark[3].strip() else ""  # one word is the language
            elif plain.startswith(("#", "|")):
                yield plain
            else:
                paragraph.append(plain)
        else:
            paragraph.append(plain)
    yield from _ends(" ".join(paragraph))


def _ends(paragraph: str) -> Iterator[str]:
    """Yield the sentences of a paragraph; one that may go on after an abbreviation is not split."""
    start = 0
    for match in _END.finditer(paragraph):
        following = paragraph[match.end() : match.end() + 2].strip()
        word = paragraph[max(start, match.start() - 20) : match.start()].rpartition(" ")[2]
        is_number = match.start() - start == len(word) and word.isdigit()  # of an item of a list
        abbreviated = match[0] == "." and (is_number or (len(word) == 1 and word.isalpha()) or "." in word)
        if not abbreviated and not following.islower():
            yield paragraph[start : match.end()].strip()
            start = match.end()
    yield paragraph[start:].strip()
