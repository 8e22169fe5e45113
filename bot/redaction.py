"""Takes the keys of this process out of whatever is printed, posted or put into a file.

A key is found in every form in which servers and libraries repeat it: split by characters that don't show, quoted for a
URL or JSON, encoded, or cut off at the end.  So redaction comes before a text is escaped, and before it is cut.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator

from bot.text import HIDDEN, one_line

MIN_SEARCHED = 16
"""Shortest key that is searched for in files; ordinary words are shorter, and real keys longer."""
_MIN_REDACTED = 8
"""Shortest key that is taken out of messages: without a shorter one, no message would be readable."""
_MIN_PART = 12
"""Shortest beginning of a key at the end of a text that counts as a key that was cut off."""
_UNSEEN = re.compile(
    rf"(?:{HIDDEN.pattern}|\s|`|\\x[0-9a-fA-F]{{2}}|\\u[0-9a-fA-F]{{4}}|\\U[0-9a-fA-F]{{8}}|\\[abfnrtv0]|\\(?=[^A-Za-z0-9\s\\]))+"
)
"""What may be between two characters of a key: what doesn't show, also escaped, and Markdown's escapes."""
_CUT = ".\u2026'\""
"""What a message puts behind a text that it cut."""


class Redactor:
    """Redacts some keys."""

    def __init__(self, secrets: Iterable[str], *, shortest: int = _MIN_REDACTED) -> None:
        """Redact *secrets*, except those with fewer than *shortest* characters."""
        self._forms = sorted(
            {form for secret in secrets if len(secret) >= shortest for form in _forms(secret)}, key=len, reverse=True
        )
        self._pattern = re.compile("|".join(map(re.escape, self._forms)))

    def finds(self, text: str) -> bool:
        """Whether *text* holds a whole key."""
        return bool(self._forms) and any(map(self._pattern.search, (text, _UNSEEN.sub("", text))))

    def redact(self, text: str) -> str:
        """Return *text* with ``***`` for each key."""
        if not self._forms:
            return text
        text = self._pattern.sub("***", text)
        squeezed = _UNSEEN.sub("", text)
        spans = [match.span() for match in self._pattern.finditer(squeezed)]
        if (cut := self._cut_off(squeezed)) and not (spans and spans[-1][1] > cut[0]):
            spans.append(cut)
        if not spans:
            return text
        places, end = list[int](), 0
        for match in _UNSEEN.finditer(text):
            places.extend(range(end, match.start()))
            end = match.end()
        places.extend(range(end, len(text)))
        for start, stop in reversed(spans):
            text = f"{text[: places[start]]}***{text[places[stop - 1] + 1 :]}"
        return text

    def line(self, text: str, limit: int) -> str:
        """Return *text* for a message: without keys, then as one printable line of at most *limit* characters."""
        return one_line(self.redact(text), limit)

    def _cut_off(self, text: str) -> tuple[int, int] | None:
        """Return where a text ends with the beginning of a key."""
        end = len(text.rstrip(_CUT))
        for form in self._forms:
            for length in range(min(len(form) - 1, end), _MIN_PART - 1, -1):
                if text.startswith(form[:length], end - length):
                    return end - length, end
        return None


def _forms(secret: str) -> Iterator[str]:
    """Yield *secret* as it may stand in a text: as it is, in a URL, in JSON, in HTML, in hexadecimal and in base64."""
    for safe in ("_.-~", "_.-~/"):
        for form in ("%{:02X}", "%{:02x}"):
            yield "".join(each if each.isalnum() or each in safe else form.format(ord(each)) for each in secret)
    yield from (secret, re.sub(r'["\\]', r"\\\g<0>", secret))
    yield "".join(
        {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"}.get(each, each) for each in secret
    )
    raw = secret.encode()
    yield from (raw.hex(), raw.hex().upper(), b64encode(b"x-access-token:" + raw).decode())
    for before in range(3):  # what is before a text gives it one of three forms
        encoded = b64encode(b"\0" * before + raw).decode()
        whole = encoded[(before * 8 + 5) // 6 : (before + len(raw)) * 8 // 6]
        yield from (whole, whole.replace("+", "-").replace("/", "_"), whole.replace("+", "%2B").replace("/", "%2F"))
