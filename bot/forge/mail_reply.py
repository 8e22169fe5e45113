"""What a person wrote in a comment, without what mail programs add: the quoted mail and the signature.

Pure, in time linear in the length of the text.  The libraries for this can't be used on a spec from a stranger:
they need half a minute for 5 kB of ``On a On a …``, drop the indentation or take a list for a signature.
"""

import re
from collections.abc import Sequence

_QUOTE = re.compile(r" {0,3}>")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_SIGNATURE = re.compile(r"(?:--|\u2014|\u2013\u2013?)\s*")
"""Programs strip the blank of ``-- ``, and phones make one dash of the two."""
_SENT_FROM = re.compile(
    r"(?:Sent (?:from|via) (?:my|Mail|Outlook|Yahoo|Proton|Gmail)\b|Get Outlook for |Von meinem .{1,40} gesendet"
    r"|Gesendet (?:von (?:meinem|Mail|Outlook)|mit der)\b|Envoy\u00e9 (?:de|depuis) mon |Enviado (?:desde mi|do meu) "
    r"|Inviato da(?:l mio)? |Verzonden vanaf mijn |Sendt fra min |Skickat fr\u00e5n min |Wys\u0142ano z ).{0,80}",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(
    r"-{2,}\s*(?:Original Message|Forwarded message|Urspr\u00fcngliche Nachricht|Weitergeleitete Nachricht"
    r"|Message d['\u2019]origine|Message transf\u00e9r\u00e9|Mensaje original|Mensaje reenviado|Messaggio originale"
    r"|Mensagem original|Oorspronkelijk bericht|Oprindelig meddelelse|Ursprungligt meddelande"
    r"|Wiadomo\u015b\u0107 oryginalna)\s*-{2,}\s*",
    re.IGNORECASE,
)
_FROM = re.compile(r"\*?(?:From|Von|De|Da|Van|Fra|Fr\u00e5n|Od)\s?:\*?\s*\S.*")
_SENT = re.compile(
    r"\*?(?:Sent|Date|Gesendet|Datum|Envoy\u00e9|Enviado(?: el)?|Fecha|Inviato|Data|Verzonden|Sendt|Dato|Skickat"
    r"|Wys\u0142ano)\s?:\*?\s*\S.*"
)
_RULE = re.compile(r"[_-]{5,}\s*")
"""Outlook draws one above the header of the mail that it quotes."""

_ATTRIBUTIONS = (
    *(("On ", "wrote"), ("Am ", "schrieb"), ("Le ", "a \u00e9crit"), ("El ", "escribi\u00f3"), ("Il ", "ha scritto")),
    *(("Em ", "escreveu"), ("Op ", "schreef"), ("Den ", "skrev"), ("W dniu ", "napisa\u0142"), ("Dne ", "napsal")),
)
"""How the line above quoted mail begins, and the verb in it: ``On Tue, Nov 24, 2026 at 3:01 PM Alice wrote:``."""
_WHEN_OR_WHO = re.compile(r"\b[12][0-9]{3}\b|[0-9]:[0-9]{2}|\S@\S")
_ADDRESS = re.compile(r"<[^<>\s@]+@[^<>\s@]+>")
_ATTRIBUTION_LINES = 3
"""Mail programs break long lines."""
_MAX_LINE = 300


def without_mail(text: str) -> str:
    """Return *text* up to the first line of quoted mail or of a signature; what is in a code block stays."""
    lines = text.split("\n")
    end = next((index for index in outside_code(lines) if _ends_text(lines, index)), None)
    return text if end is None else "\n".join(lines[: _start_of_header(lines, end)])


def without_leading_quote(text: str) -> str:
    """Return *text* without quoted mail at its beginning, which people answer below."""
    lines, start = text.split("\n"), 0
    while start < len(lines):
        length = 1 if not lines[start].strip() or _QUOTE.match(lines[start]) else _attribution(lines, start)
        if not length:
            break
        start += length
    return "\n".join(lines[start:])


def outside_code(lines: Sequence[str]) -> list[int]:
    """Return the indices of the lines outside fenced code blocks; a fence that is never closed begins none."""
    outside, inside = list[int](), list[int]()
    fence = ""
    for index, line in enumerate(lines):
        marks = match[1] if line and (match := _FENCE.match(line)) else ""
        (inside if fence or marks else outside).append(index)
        if fence:
            if marks.startswith(fence) and not line.strip(f" {fence[0]}"):
                fence, inside = "", []
        else:
            fence = marks
    return outside + inside


def _ends_text(lines: Sequence[str], index: int) -> bool:
    line = lines[index]
    if not line or line.isspace():
        return False
    if _QUOTE.match(line) or _SIGNATURE.fullmatch(line) or _attribution(lines, index):
        return True
    if len(line) > _MAX_LINE:
        return False
    return bool(_SENT_FROM.fullmatch(line) or _SEPARATOR.fullmatch(line)) or _is_header(lines, index)


def _is_header(lines: Sequence[str], index: int) -> bool:
    """Whether the header of a quoted mail begins here: ``From: …`` with ``Sent: …`` in the line below."""
    below = lines[index + 1 : index + 3]
    return bool(_FROM.fullmatch(lines[index])) and any(_SENT.fullmatch(each[:_MAX_LINE]) for each in below)


def _attribution(lines: Sequence[str], index: int) -> int:
    """Return how many lines the sentence above quoted mail takes that begins here; 0 if none does."""
    joined = ""
    for count, line in enumerate(lines[index : index + _ATTRIBUTION_LINES], 1):
        if not line.strip() or len(line) > _MAX_LINE:
            return 0
        joined = " ".join([*joined.split(), *line.split()])
        if joined.endswith((":", "\uff1a")) and _is_attribution(joined, whole=count == 1):
            return count
    return 0


def _is_attribution(sentence: str, *, whole: bool) -> bool:
    """Whether *sentence* introduces quoted mail; only if it is *whole* on its line, it may begin with a name."""
    found = [begin for begin, verb in _ATTRIBUTIONS if f" {verb}" in sentence]
    if any(map(sentence.startswith, found)):
        return bool(_WHEN_OR_WHO.search(sentence))
    return whole and bool(found and _ADDRESS.search(sentence))


def _start_of_header(lines: Sequence[str], end: int) -> int:
    """Return where the text ends if quoted mail begins at *end*: a line that only introduces it goes, too."""
    above = end
    while above and not lines[above - 1].strip():
        above -= 1
    if above and above == end and _RULE.fullmatch(lines[above - 1]):
        return above - 1
    if above and _QUOTE.match(lines[end]) and len(lines[above - 1]) <= _MAX_LINE:
        introduced = lines[above - 1].rstrip()
        if introduced.endswith((":", "\uff1a")) and _ADDRESS.search(introduced):  # in any language
            return above - 1
    return end
