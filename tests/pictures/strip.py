"""Draws a film as an animated SVG, without a script: GitHub shows it as an image.

All frames lie in one strip, side by side, and CSS moves it behind a window. A row that several frames show is drawn
once. Readers who asked their system for less motion see the last frame.
"""

from collections.abc import Sequence
from html import escape
from xml.etree import ElementTree as ET

from tests.pictures.film import COLUMNS, ROWS, Frame, Row, Run, text_of

_CELL, _LINE, _SIZE, _EDGE, _BAR = 8.4, 18, 14, 14, 30
_WIDTH, _HEIGHT = round(COLUMNS * _CELL), ROWS * _LINE
_HOLD = 6.0
"""Seconds for which the last frame stays."""
_SHORTEST = 0.08
"""Frames that follow faster are left out."""
_SVG = "{http://www.w3.org/2000/svg}"

_STYLE = """
text { font: %(size)spx ui-monospace, SFMono-Regular, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace;
  white-space: pre; fill: var(--ink) }
svg { --paper: #f6f8fa; --edge: #d1d9e0; --ink: #1f2328; --quiet: #59636e; --green: #1a7f37; --red: #cf222e;
  --yellow: #9a6700; --blue: #0969da; --magenta: #8250df; --cyan: #1b7c83 }
@media (prefers-color-scheme: dark) { svg { --paper: #151b23; --edge: #3d444d; --ink: #e6edf3; --quiet: #9198a1;
  --green: #3fb950; --red: #f85149; --yellow: #d29922; --blue: #4493f8; --magenta: #ab7df8; --cyan: #39c5cf } }
.paper { fill: var(--paper); stroke: var(--edge) } .dot { fill: var(--edge) } .title { fill: var(--quiet) }
.green { fill: var(--green) } .red { fill: var(--red) } .brown, .yellow { fill: var(--yellow) }
.blue { fill: var(--blue) } .magenta { fill: var(--magenta) } .cyan { fill: var(--cyan) }
.bold { font-weight: 600 }
.strip { transform: translateX(%(last)spx); animation: film %(seconds).2fs step-end infinite }
@media (prefers-reduced-motion: reduce) { .strip { animation: none } }
"""


def draw_strip(frames: Sequence[Frame], title: str) -> str:
    """Return the SVG of a film."""
    kept = _kept(frames)
    seconds = kept[-1].at + _HOLD
    steps = "".join(
        f"{100 * each.at / seconds:.2f}%{{transform:translateX({-_WIDTH * n}px)}}" for n, each in enumerate(kept)
    )
    style = _STYLE % {"size": _SIZE, "last": -_WIDTH * (len(kept) - 1), "seconds": seconds}
    rows = {
        row: f"r{number}" for number, row in enumerate(dict.fromkeys(row for each in kept for row in each.rows if row))
    }
    width, height = _WIDTH + 2 * _EDGE, _HEIGHT + 2 * _EDGE + _BAR
    lines = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            'role="img" aria-labelledby="title last">'
        ),
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="last">At the end, the terminal shows:\n{escape(kept[-1].text)}</desc>',
        f"<style>{style}@keyframes film{{{steps}}}</style>",
        "<defs>",
        *(f'<g id="{name}">{_drawn(row)}</g>' for row, name in rows.items()),
        "</defs>",
        f'<rect class="paper" x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="8"/>',
        *(f'<circle class="dot" cx="{20 + 20 * n}" cy="18" r="6"/>' for n in range(3)),
        f'<text class="title" x="{width / 2}" y="23" text-anchor="middle">{escape(title)}</text>',
        f'<svg x="{_EDGE}" y="{_EDGE + _BAR}" width="{_WIDTH}" height="{_HEIGHT}"><g class="strip">',
        *(_placed(each, number, rows) for number, each in enumerate(kept)),
        "</g></svg></svg>",
    ]
    return "\n".join(lines) + "\n"


def _kept(frames: Sequence[Frame]) -> list[Frame]:
    """Leave out frames that nobody could see; the last one stays, and the film begins at once."""
    kept: list[Frame] = []
    for each in frames:
        if kept and each.at - kept[-1].at < _SHORTEST:
            kept[-1] = kept[-1]._replace(rows=each.rows)
        else:
            kept.append(each)
    return [kept[0]._replace(at=0.0), *kept[1:]]


def _drawn(row: Row) -> str:
    return "".join(_run(run) for run in row)


def _run(run: Run) -> str:
    # The length is given, since columns have to line up whatever font there is.
    style = f' class="{run.style}"' if run.style else ""
    length = round(len(run.text) * _CELL, 1)
    return f'<text{style} x="{round(run.column * _CELL, 1):g}" textLength="{length:g}">{escape(run.text)}</text>'


def _placed(frame: Frame, number: int, rows: dict[Row, str]) -> str:
    uses = "".join(f'<use href="#{rows[row]}" y="{n * _LINE + _SIZE}"/>' for n, row in enumerate(frame.rows) if row)
    return f'<g transform="translate({number * _WIDTH})">{uses}</g>'


def last_screen(svg: str) -> str:
    """Return the text of a strip's last frame, as it is drawn."""
    root = ET.fromstring(svg)  # noqa: S314  # a file of this repository
    drawn = {each.get("id"): [_read(text) for text in each] for each in root.iter(f"{_SVG}g") if each.get("id")}
    *_, last = (each for each in root.iter(f"{_SVG}g") if each.get("transform"))
    lines = [""] * ROWS
    for use in last:
        lines[(int(use.get("y", "")) - _SIZE) // _LINE] = text_of(drawn[use.get("href", "")[1:]])
    return "\n".join(lines).rstrip()


def _read(text: ET.Element) -> Run:
    return Run(round(float(text.get("x", "")) / _CELL), text.text or "", text.get("class") or "")
