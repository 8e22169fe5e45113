"""Draws a thread as GitHub shows it: Markdown to HTML with GitHub's style sheet, and Chromium to a PNG.

The style sheet and Mermaid come from npm; Chromium and npm have to be installed. Nothing else of Phasebot needs them.
"""

import io
import re
import shutil
import subprocess
from collections.abc import Sequence
from html import escape
from pathlib import Path

from markdown_it import MarkdownIt
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.pictures.thread import Post, Thread

_PACKAGES = ("github-markdown-css@5.9.0", "mermaid@11.17.2")
_WIDTH = 900
_KEY = "Thread"
"""The name of the text in the PNG from which it was made."""
_COLOURS = 64
_STYLE = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
_EMOJI = {"rocket": "🚀", "eyes": "👀", "+1": "👍", "confused": "😕"}


def install_tools(scratch: Path) -> None:
    """Install what a page needs into *scratch*."""
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(scratch), *_PACKAGES]
    subprocess.run(command, check=True)


def draw_page(thread: Thread, scratch: Path) -> bytes:
    """Return the PNG of a thread, with the text that it was made of; *scratch* has the tools."""
    page = scratch / "page.html"
    page.write_text(_page(thread), encoding="utf-8")
    height = re.search(r'data-height="(\d+)"', _chromium(page, "--dump-dom"))
    if not height:
        raise RuntimeError("Chromium did not tell the height of the page")
    drawn = scratch / "page.png"
    _chromium(page, f"--screenshot={drawn}", f"--window-size={_WIDTH},{height[1]}", "--force-device-scale-factor=2")
    return _with_text(drawn.read_bytes(), thread.text)


def _chromium(page: Path, *options: str) -> str:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not program:
        raise RuntimeError("the pictures of GitHub's pages need Chromium; install it")
    profile = f"--user-data-dir={page.with_name('profile')}"
    command = [program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", profile]
    command += ["--virtual-time-budget=20000", f"--window-size={_WIDTH},1000", *options, page.as_uri()]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def _page(thread: Thread) -> str:
    opened = f"<b>{escape(thread.posts[0].author)}</b> opened this {'pull request' if thread.commits else 'issue'}"
    return (
        '<!doctype html><meta charset="utf-8"><link rel="stylesheet" '
        f'href="node_modules/github-markdown-css/github-markdown-light.css"><style>{_STYLE}</style>'
        f'<h1 class="title">{escape(thread.title)} <span>#{thread.number}</span></h1>'
        f'<span class="state {thread.state}">{thread.state}</span><span class="by">{opened}</span>'
        f"{''.join(map(_post, thread.posts))}{_commits(thread.commits)}"
        '<script src="node_modules/mermaid/dist/mermaid.min.js"></script><script>'
        "mermaid.initialize({startOnLoad: false}); mermaid.run().finally(() => "
        "document.documentElement.dataset.height = document.body.offsetHeight)</script>"
    )


def _post(post: Post) -> str:
    shown = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(post.markdown)
    shown = re.sub(
        r'<pre><code class="language-mermaid">(.*?)</code></pre>',
        r'<pre class="mermaid">\1</pre>',
        shown,
        flags=re.DOTALL,
    )
    shown = re.sub(r"<blockquote>\n<p>\[!(\w+)\]\n(.*?)</blockquote>", _alert, shown, flags=re.DOTALL)
    bot = post.author.removesuffix("[bot]")
    who = f"<b>{escape(bot)}</b>{' <i>bot</i>' if bot != post.author else ''}"
    reactions = "".join(f'<span class="reaction">{_EMOJI[each]} 1</span>' for each in post.reactions)
    return f'<div class="box"><div class="who">{who}</div><div class="markdown-body">{shown}</div>{reactions}</div>'


def _alert(quote: re.Match[str]) -> str:
    kind = quote[1].lower()
    return (
        f'<div class="markdown-alert markdown-alert-{kind}"><p class="markdown-alert-title">{kind.title()}</p>'
        f"<p>{quote[2]}</div>"
    )


def _commits(commits: Sequence[tuple[str, str]]) -> str:
    rows = (f"<div>{escape(subject)} <code>{oid}</code></div>" for oid, subject in commits)
    return f'<div class="commits">{"".join(rows)}</div>' if commits else ""


def _with_text(png: bytes, text: str) -> bytes:
    """Return a PNG with fewer colours, which is a third as large, and with *text* in it."""
    about = PngInfo()
    about.add_itxt(_KEY, text, zip=True)
    content = io.BytesIO()
    with Image.open(io.BytesIO(png)) as picture:
        few = picture.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
        few.save(content, "PNG", optimize=True, pnginfo=about)
    return content.getvalue()


def text_of(png: bytes) -> str:
    """Return the text from which a PNG was made."""
    with Image.open(io.BytesIO(png)) as picture:
        return str(picture.info[_KEY])
