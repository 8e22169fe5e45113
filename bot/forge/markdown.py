"""The one sanitiser: what people, models and git wrote, as Markdown that shows it and does nothing else.

GitHub looks for mentions and references in the text that comes out of Markdown, so a backslash does not stop them, and
in commit messages, which a squash merge makes of a pull request's raw text.  So what would act is split by a code span:
that breaks it both ways, shows every character, and puts nothing invisible between.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from bot.text import all_newlines, truncate, without_hidden

if TYPE_CHECKING:
    from jinja2 import Environment

LIMIT = 60_000
"""Characters of a body; GitHub refuses more than 65,536."""
CUT = "*The rest is cut: it is longer than GitHub takes.*"
DETAILS, END_DETAILS = "<details>", "</details>"

_TITLE_LIMIT, _BAR_LIMIT = 200, 60

_ACTS = re.compile(
    r"(?P<whole>www\.(?:[^\s@#`<]*[^\s@#`<.,;:!?'\")])?|\$+(?!\d)[\w$]*)"
    r"|(?P<sign>@(?=[\w.-])|\#(?=\d)|(?<![^\W_])GH-(?=\d)|:(?=//))"
    r"(?P<target>(?<=:)//(?:[^\s@#`<]*[^\s@#`<.,;:!?'\")])?|[./$-]*\w+(?:[./$-]+\w+)*\$*|[./$-]+)",
    re.IGNORECASE,
)
"""What GitHub acts on: ``www.a.b``, ``$math$``; ``@a/b``, ``a@b.c``, ``#1``, ``GH-1``, ``https://a.b/c``."""
_MARKUP = re.compile(r"[\\`*~<\[\]|]|(?<![^\W_])_|_(?![^\W_])|!(?=[\[-])|&(?=\#?\w)")
_BLOCK = re.compile(r"(?=[-+=:/#>])|[0-9]{1,9}(?=[.)](?:\s|$))")
"""What makes a line another thing than text: a list, heading, quote, rule, table; or a command."""
_URL = re.compile(r"https?://[A-Za-z0-9.-]+(:\d+)?(/[A-Za-z0-9._~%:@/?#=&+,-]*)?")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")


def visible(text: str) -> str:
    """Return *text* without hidden characters; its lines end with a line feed."""
    return without_hidden(all_newlines(text), prose=True)


def prose(text: str) -> str:
    """Return *text* as paragraphs of plain text: no markup, link, mention, reference or command in it acts."""
    shown = "\n".join(_plain(each) for each in visible(text).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", shown).strip("\n")


def line(text: str) -> str:
    """Return *text* as :func:`prose` does, on one line: for a list, a table, a sentence."""
    return _plain(visible(text))


def _plain(text: str) -> str:
    text = " ".join(text.split())
    parts, end = [], 0
    for found in _ACTS.finditer(text):
        parts += [_escaped(text[end : found.start()]), _split(found)]
        end = found.end()
    shown = "".join([*parts, _escaped(text[end:])])
    start = _BLOCK.match(shown)
    return f"{start[0]}\\{shown[start.end() :]}" if start else shown


def _escaped(text: str) -> str:
    return _MARKUP.sub(r"\\\g<0>", text)


def _split(found: re.Match[str]) -> str:
    return code(found["whole"]) if found["whole"] else found["sign"] + code(found["target"])


def title(text: str) -> str:
    """Return *text* for where GitHub knows code spans but no escapes: the title of a pull request."""
    shown = " ".join(visible(text).replace("`", "'").split())
    return _ACTS.sub(_split, truncate(shown, _TITLE_LIMIT))


def code(text: str) -> str:
    """Return *text* as inline code, on one line; a bar, which would end a table's cell, becomes a broken bar."""
    shown = " ".join(visible(text).split()).replace("|", "\u00a6") or " "
    ticks = "`" * (_longest_run(shown) + 1)
    pad = " " if "`" in {shown[0], shown[-1]} else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def fenced(text: str, language: str = "") -> str:
    """Return *text* as a block of code that nothing in it can end."""
    shown = visible(text).strip("\n")
    fence = "`" * max(3, _longest_run(shown) + 1)
    return f"{fence}{re.sub(r'[^A-Za-z0-9+-]', '', language)}\n{shown}\n{fence}"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def link(label: str, url: str) -> str:
    """Return the Markdown *label* as a link, or as it is where *url* is not plainly an address."""
    return f"[{label}]({url})" if _URL.fullmatch(url) else label


def folded(summary: str, rows: Iterable[str]) -> str:
    """Return *rows* of Markdown, shown when people click on *summary*, which is a text of ours."""
    body = "\n".join(rows)
    return f"{DETAILS}\n<summary>{summary}</summary>\n\n{body}\n\n{END_DETAILS}"


def cut(body: str, limit: int = LIMIT, note: str = CUT) -> str:
    """Return *body* in at most *limit* characters: cut after a line, what is open closed, and *note* under it."""
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
    """Return the fence that is open after a line of *marks*, *fence* being open before."""
    if not fence:
        return marks
    return "" if marks.startswith(fence) and not rest.strip() else fence


def within(rows: Iterable[str], room: int, word: str, more: str = "- and {}") -> Iterator[str]:
    """Yield as many *rows* as there is *room* for, then one that says how many *more* of what there are."""
    left_out = 0
    for each in rows:
        room -= len(each) + 1
        if room < 0:
            left_out += 1
        else:
            yield each
    if left_out:
        yield more.format(count(left_out, f"more {word}"))


def paths(names: Sequence[str], few: int = 4) -> str:
    """Return *names* as inline code, with commas; of many the first *few*."""
    if len(names) <= few + 1:
        return ", ".join(map(code, names))
    return f"{', '.join(map(code, names[:few]))} and {len(names) - few} more"


def count(number: int, word: str) -> str:
    """``1 file``, ``2 files``."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def span(seconds: float) -> str:
    """``42s``, ``3m 12s``, ``1h 5m``."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes}m" if hours else f"{minutes}m {rest}s" if minutes else f"{rest}s"


def gantt(bars: Sequence[tuple[str, float, float]]) -> str:
    """Return names with begin and end in seconds as a Mermaid Gantt chart, from the first one's begin."""
    start = min(begin for _, begin, _ in bars)
    lines = ["gantt", "    dateFormat x", "    axisFormat %M:%S", "    todayMarker off"]
    for place, (name, begin, end) in enumerate(bars, 1):  # the number keeps a name from being one of Mermaid's words
        shown = truncate(re.sub(r"[^A-Za-z0-9_./ -]+", " ", name), _BAR_LIMIT)
        first, last = round((begin - start) * 1000), round((end - start) * 1000)
        lines.append(f"    {place}. {shown}, {span(end - begin)} :done, {first}, {max(first + 1, last)}")
    return "\n".join(lines)


class Markdown(str):
    """Text that is Markdown already: a template puts it in as it is."""

    __slots__ = ()


def fill(template: str, values: Mapping[str, object], **more: object) -> str:
    """Return the *template* with all values but :class:`Markdown` sanitised."""
    text = _templates().get_template(f"{template}.md.j2").render({**values, **more})
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n")


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
        "fenced": lambda text: Markdown(fenced(text)),
        "paths": lambda names: Markdown(paths(names)),
    }
    return environment
