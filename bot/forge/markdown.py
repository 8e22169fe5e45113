"""The sanitiser: turns text from people, models and git into Markdown that shows the text and has no other effect.

GitHub looks for mentions and references in the rendered text, so a backslash does not stop them.  It also looks in
commit messages, and a squash merge builds one from a pull request's raw text.  So active text is split by a code span:
``@alice`` becomes ``@`alice```.  That works in both places, shows every character and adds no invisible ones.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from bot.text import all_newlines, count, truncate, without_hidden

if TYPE_CHECKING:
    from jinja2 import Environment

LIMIT = 60_000
"""Characters in a body; GitHub refuses more than 65,536."""
CUT = "*The rest was cut: GitHub limits the length of this text.*"
DETAILS, END_DETAILS = "<details>", "</details>"

_TITLE_LIMIT = 200

_ACTIVE = re.compile(
    r"(?P<whole>www\.(?:[^\s@#`<]*[^\s@#`<.,;:!?'\")])?|\$+(?!\d)[\w$]*)"
    r"|(?P<sign>@(?=[\w.-])|\#(?=\d)|(?<![^\W_])GH-(?=\d)|:(?=//))"
    r"(?P<target>(?<=:)//(?:[^\s@#`<]*[^\s@#`<.,;:!?'\")])?|[./$-]*\w+(?:[./$-]+\w+)*\$*|[./$-]+)",
    re.IGNORECASE,
)
"""Text that GitHub acts on: ``www.a.b``, ``$math$``; ``@a/b``, ``a@b.c``, ``#1``, ``GH-1``, ``https://a.b/c``."""
_MARKUP = re.compile(r"[\\`*~<\[\]|]|(?<![^\W_])_|_(?![^\W_])|!(?=[\[-])|&(?=\#?\w)")
_BLOCK = re.compile(r"(?=[-+=:/#>])|[0-9]{1,9}(?=[.)](?:\s|$))")
"""The start of a line that would be more than text: a list, heading, quote, rule, table or command."""
_URL = re.compile(r"https?://[A-Za-z0-9.-]+(:\d+)?(/[A-Za-z0-9._~%:@/?#=&+,-]*)?")
_BREAK = re.compile(r"(?<=[/:_])(?=\w)")
_COMMENT = "<!--"
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")


def visible(text: str) -> str:
    """Return *text* without hidden characters; lines end with a line feed."""
    return without_hidden(all_newlines(text), prose=True)


def prose(text: str) -> str:
    """Return *text* as plain paragraphs: no markup, link, mention, reference or command in it has an effect."""
    shown = "\n".join(_plain(each) for each in visible(text).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", shown).strip("\n")


def line(text: str) -> str:
    """Return *text* sanitised like :func:`prose`, on one line, for a list, table or sentence."""
    return _plain(visible(text))


def breakable(text: str) -> str:
    """Return *text* sanitised like :func:`line`, for a narrow cell: a long path or name may break within."""
    shown = line(text)
    return shown if "`" in shown else _BREAK.sub("<wbr>", shown)


def _plain(text: str) -> str:
    return escape_start(escape_inline(" ".join(text.split())))


def escape_inline(text: str) -> str:
    """Return a piece of a line as plain text: no markup, link, mention or reference in it has an effect."""
    parts, end = [], 0
    for match in _ACTIVE.finditer(text):
        parts += [_escape(text[end : match.start()]), _defuse(match)]
        end = match.end()
    return "".join([*parts, _escape(text[end:])])


def escape_start(text: str) -> str:
    """Return a line of Markdown so that its start is not that of a block."""
    start = _BLOCK.match(text)
    return f"{start[0]}\\{text[start.end() :]}" if start else text


def is_active(text: str) -> bool:
    """Whether GitHub would act on something in *text*, or could if it were part of a commit message."""
    return _COMMENT in text or _ACTIVE.search(text) is not None


def inert_code(text: str) -> str:
    """Return *text* as inline code, in several pieces where it holds a mention, reference or address."""
    if _COMMENT in text:  # it might be taken for a marker
        return escape_inline(" ".join(text.split()))
    parts, start, signs = [""], 0, []
    for match in _ACTIVE.finditer(text):
        if match["sign"]:
            parts[-1] = text[start : match.start("sign")]
            signs.append(match["sign"])
            start = match.end("sign")
            parts.append("")
    parts[-1] = text[start:]
    pieces = [f"{code(part)}{' ' * part.endswith(' ')}" if part.strip() else part[:1] for part in parts]
    return "".join(f"{piece}{sign}" for piece, sign in zip(pieces, [*signs, ""], strict=True))


def _escape(text: str) -> str:
    return _MARKUP.sub(r"\\\g<0>", text)


def _defuse(match: re.Match[str]) -> str:
    return code(match["whole"]) if match["whole"] else match["sign"] + code(match["target"])


def title(text: str) -> str:
    """Return *text* for the title of a pull request, where GitHub supports code spans but no escapes."""
    shown = " ".join(visible(text).replace("`", "'").split())
    return _ACTIVE.sub(_defuse, truncate(shown, _TITLE_LIMIT))


def code(text: str) -> str:
    """Return *text* as inline code on one line; ``|``, which would end a table cell, becomes ``¦``."""
    shown = " ".join(visible(text).split()).replace("|", "\u00a6") or " "
    ticks = "`" * (_longest_run(shown) + 1)
    pad = " " if "`" in {shown[0], shown[-1]} else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def fenced(text: str, language: str = "") -> str:
    """Return *text* as a code block, with a fence longer than any in the text."""
    shown = visible(text).strip("\n")
    fence = "`" * max(3, _longest_run(shown) + 1)
    return f"{fence}{re.sub(r'[^A-Za-z0-9+-]', '', language)}\n{shown}\n{fence}"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def link(label: str, url: str) -> str:
    """Return the Markdown *label* as a link, or unchanged if *url* is not a plain web address."""
    return f"[{label}]({url})" if _URL.fullmatch(url) else label


def folded(summary: str, rows: Iterable[str]) -> str:
    """Return *rows* of Markdown, collapsed under *summary*, which must be trusted text."""
    body = "\n".join(rows)
    return f"{DETAILS}\n<summary>{summary}</summary>\n\n{body}\n\n{END_DETAILS}"


def cut(body: str, limit: int = LIMIT, note: str = CUT) -> str:
    """Return *body* in at most *limit* characters: cut after a line, open blocks closed, *note* appended."""
    if len(body) <= limit:
        return body
    length, fence, folds = 0, "", 0
    kept, ending = 0, note[:limit]
    for each in body.split("\n"):
        length += len(each) + 1
        if length > limit:
            break
        if found := _FENCE.match(each):
            fence = _fence_after(fence, found[1], found[2])
        elif not fence:
            folds = max(0, folds + each.count(DETAILS) - each.count(END_DETAILS))
        closing = (f"{fence}\n" if fence else "") + f"\n{END_DETAILS}\n" * folds + f"\n{note}"
        if length + len(closing) <= limit:
            kept, ending = length, closing
    return body[:kept] + ending


def _fence_after(fence: str, marks: str, rest: str) -> str:
    """Return the fence that is open after a line of *marks*; *fence* was open before it."""
    if not fence:
        return marks
    return "" if marks.startswith(fence) and not rest.strip() else fence


def within(rows: Iterable[str], room: int, word: str, more: str = "- and {}") -> Iterator[str]:
    """Yield the *rows* that fit into *room* characters, then one row that counts the others as *word*."""
    left_out = 0
    for each in rows:
        room -= len(each) + 1
        if room < 0:
            left_out += 1
        else:
            yield each
    if left_out:
        yield more.format(count(left_out, f"more {word}"))


def paths(names: Sequence[str], few: int = 4, show: Callable[[str], str] = code) -> str:
    """Return *names* as inline code, or as *show* gives them, separated by commas; of many, only the first *few*."""
    if len(names) <= few + 1:
        return ", ".join(map(show, names))
    return f"{', '.join(map(show, names[:few]))} and {len(names) - few} more"


def span(seconds: float) -> str:
    """``42s``, ``3m 12s``, ``1h 5m``."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes}m" if hours else f"{minutes}m {rest}s" if minutes else f"{rest}s"


class Markdown(str):
    """Text that is already safe Markdown: templates insert it unchanged."""

    __slots__ = ()


def fill(template: str, values: Mapping[str, object], **more: object) -> str:
    """Render *template*, with every value sanitised unless it is :class:`Markdown`."""
    text = _templates().get_template(f"{template}.md.j2").render({**values, **more})
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n")


def _fenced(text: str, language: str = "") -> Markdown:
    return Markdown(fenced(text, language))


@cache
def _templates() -> "Environment":
    from jinja2 import Environment, PackageLoader

    environment = Environment(  # noqa: S701  # this is Markdown, not HTML; finalize sanitises it
        loader=PackageLoader("bot.forge"),
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: value if isinstance(value, Markdown) else line(str(value)),
    )
    environment.filters |= {
        "code": lambda text: Markdown(code(text)),
        "fenced": _fenced,
        "paths": lambda names: Markdown(paths(names)),
    }
    return environment
