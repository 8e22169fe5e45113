"""The page in a real browser, at the width of a phone and of a desk: nothing overflows, overlaps, loads or complains.

It needs a Chromium or Chrome on the PATH; where there is none, the tests are skipped, but not in CI.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from bot.page.page_facts import PageFacts
from bot.page.web_page import render_page
from tests.page_stories import complete, hostile, large, nothing, trouble

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"))), None
)
Scheme = Literal["light", "dark"]
PHONE, DESK = (375, 740), (1280, 800)
MEASURE = """
() => {
  const width = document.documentElement.clientWidth, bad = []
  const inner = '.canvas, pre, nav, .many ol, .axis, thead'
  const scrolls = (e) => e.closest(inner) || getComputedStyle(e).position === 'absolute'
  for (const e of document.querySelectorAll('body *')) {
    const box = e.getBoundingClientRect()
    if (box.width && box.height && !scrolls(e) && (box.right > width + 1 || box.left < -1))
      bad.push(`${e.tagName}.${e.getAttribute('class')} leaves the page: ${e.textContent.slice(0, 40)}`)
  }
  const beside = (a, b) => a.left >= b.right - 1 || b.left >= a.right - 1
  const apart = (a, b) => beside(a, b) || a.top >= b.bottom - 1 || b.top >= a.bottom - 1
  const overlaps = (a, b) => !apart(a, b)
  const told = (e) => e.textContent.slice(0, 30)
  const groups = ['section', '.tiles li', '.chart li', '.phases tr', '.phases td, .phases th', '.where div', '.pill']
  for (const name of [...groups, '.axis span']) {
    const shown = [...document.querySelectorAll(name)].filter((e) => e.checkVisibility() && !e.closest('thead, .many'))
    const boxes = shown.map((e) => [e, e.getBoundingClientRect()]).filter(([, box]) => box.width)
    for (let i = 1; i < boxes.length; i++)
      for (let j = Math.max(0, i - 6); j < i; j++)
        if (overlaps(boxes[i][1], boxes[j][1]))
          bad.push(`${name} overlap: ${told(boxes[j][0])} and ${told(boxes[i][0])}`)
  }
  const drawn = [...document.querySelectorAll('svg a.box rect')].map((e) => e.getBoundingClientRect())
  for (let i = 0; i < drawn.length; i++)
    for (let j = 0; j < i; j++) if (overlaps(drawn[i], drawn[j])) bad.push(`entities ${i} and ${j} overlap`)
  for (const box of document.querySelectorAll('svg a.box'))
    for (const text of box.querySelectorAll('text')) {
      const inner = text.getBoundingClientRect(), outer = box.querySelector('rect').getBoundingClientRect()
      if (inner.right > outer.right || inner.left < outer.left) bad.push(`text leaves its box: ${text.textContent}`)
    }
  return {bad: bad.slice(0, 20), width, scroll: document.documentElement.scrollWidth}
}
"""
CONTRAST = """
() => {
  const parse = (c) => c.match(/[\\d.]+/g).map(Number)
  const light = (c) => { const [r, g, b] = c.map((v) => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    return .2126 * r + .7152 * g + .0722 * b }
  const behind = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor)
    if (c.length < 4 || c[3]) return c.slice(0, 3) } return [255, 255, 255] }
  const found = []
  for (const e of document.querySelectorAll('body *:not(svg *)')) {
    if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) || !e.checkVisibility()) continue
    const [a, b] = [light(parse(getComputedStyle(e).color).slice(0, 3)), light(behind(e))].sort((x, y) => y - x)
    const ratio = (a + .05) / (b + .05)
    if (ratio < 4.5) found.push(`${e.tagName}.${e.className} ${ratio.toFixed(2)}: ${e.textContent.slice(0, 30)}`)
  }
  return found.slice(0, 20)
}
"""

pytestmark = [
    pytest.mark.slow,  # a machine that checks a push need not have a browser
    pytest.mark.skipif(BROWSER is None and not os.environ.get("CI"), reason="there is no Chromium on the PATH"),
    pytest.mark.xdist_group("browser"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start the machine's own browser once."""
    assert BROWSER, "CI has a browser; install chromium"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=BROWSER)
        yield started
        started.close()


class Opened:
    """The page of a run in the browser, and what the browser said about it."""

    def __init__(
        self, browser: Browser, folder: Path, facts: PageFacts, size: tuple[int, int], scheme: Scheme = "light"
    ) -> None:
        """Open it in a window of that *size*."""
        file = folder / "page.html"
        file.write_text(render_page(facts), "utf-8")
        self.complaints: list[str] = []
        self.context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
        self.page: Page = self.context.new_page()
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        self.page.on("request", lambda request: self._note(request.url))
        self.page.goto(file.as_uri())

    def _note(self, url: str) -> None:
        if not url.startswith(("file:", "data:")):
            self.complaints.append(f"loads {url}")

    def measure(self) -> dict[str, Any]:
        found: dict[str, Any] = self.page.evaluate(MEASURE)
        return found


def _check(browser: Browser, folder: Path, facts: PageFacts, size: tuple[int, int]) -> None:
    opened = Opened(browser, folder, facts, size)
    assert opened.measure() == {"bad": [], "width": size[0], "scroll": size[0]}
    opened.page.evaluate("() => document.querySelectorAll('details').forEach((each) => { each.open = true })")
    assert opened.measure() == {"bad": [], "width": size[0], "scroll": size[0]}, "all is unfolded"
    assert opened.complaints == []
    opened.context.close()


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_a_run_in_trouble_fits_and_is_quiet(browser: Browser, tmp_path: Path, size: tuple[int, int]) -> None:
    _check(browser, tmp_path, trouble(), size)


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_hostile_names_fit_and_do_nothing(browser: Browser, tmp_path: Path, size: tuple[int, int]) -> None:
    _check(browser, tmp_path, hostile(), size)


@pytest.mark.parametrize("size", [PHONE, DESK, (320, 600), (768, 1024)], ids=["phone", "desk", "small", "tablet"])
@pytest.mark.parametrize(
    "story", [complete, nothing, lambda: large(40), lambda: large(120)], ids=["complete", "nothing", "40", "120"]
)
def test_every_run_fits(
    browser: Browser, tmp_path: Path, story: Callable[[], PageFacts], size: tuple[int, int]
) -> None:
    _check(browser, tmp_path, story(), size)


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_five_hundred_entities_fit(browser: Browser, tmp_path: Path, size: tuple[int, int]) -> None:
    opened = Opened(browser, tmp_path, large(500), size)
    assert opened.measure() == {"bad": [], "width": size[0], "scroll": size[0]}
    assert opened.complaints == []
    opened.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_can_be_read_in_both_colour_schemes(browser: Browser, tmp_path: Path, scheme: Scheme) -> None:
    opened = Opened(browser, tmp_path, trouble(), DESK, scheme)
    opened.page.evaluate("() => document.querySelectorAll('details').forEach((each) => { each.open = true })")

    assert opened.page.evaluate(CONTRAST) == []
    opened.context.close()


def test_the_diagram_is_sized_and_leads_to_the_words(browser: Browser, tmp_path: Path) -> None:
    opened = Opened(browser, tmp_path, complete(), PHONE)
    page = opened.page

    def width() -> float:
        found = page.locator(".canvas svg").bounding_box()
        assert found
        return found["width"]

    full = width()
    assert full > PHONE[0], "it can be read, and scrolls"
    page.get_by_text("whole", exact=True).click()
    assert width() < PHONE[0]
    page.get_by_text("double", exact=True).click()
    assert width() == pytest.approx(2 * full, rel=0.01)
    page.get_by_text("full", exact=True).click()
    assert not page.locator("#e0").is_visible()
    page.locator("svg a.box").first.click()
    assert page.locator("#e0").is_visible()
    assert opened.complaints == []
    opened.context.close()


def test_only_what_has_something_to_tell_can_be_shown(browser: Browser, tmp_path: Path) -> None:
    opened = Opened(browser, tmp_path, large(97), DESK)
    shown = opened.page.locator(".phases tbody tr:visible")

    everything = shown.count()
    opened.page.locator("label[for=notable]").click()

    assert 0 < shown.count() < 10 < everything
    opened.context.close()


def test_the_policy_stops_even_markup_that_got_through(browser: Browser, tmp_path: Path) -> None:
    facts = nothing()
    page = render_page(facts).replace(
        "</main>", "<script>document.title = 'run'</script><img src=http://127.0.0.1:9/></main>"
    )
    file = tmp_path / "page.html"
    file.write_text(page)
    context = browser.new_context()
    opened = context.new_page()
    failed: list[str] = []
    opened.on("requestfailed", lambda request: failed.append(f"{request.url} {request.failure}"))
    opened.goto(file.as_uri())

    assert opened.title() != "run"
    assert [each for each in failed if "csp" not in each.lower()] == []
    context.close()
