"""The pictures of README.md, each made of a real run: ``python -m tests.pictures``."""

import re
from pathlib import Path

FOLDER = Path(__file__).parents[2] / ".github" / "pictures"
SEEN = ("run.svg", "issue.png", "pull-request.png")
"""The pictures, by their files."""


def settled(text: str) -> str:
    """Replace what differs from run to run: oids, dates, times, ports."""
    text = re.sub(r"\b([0-9a-f]{40}|[0-9a-f]{7,10})\b", "<oid>", text)
    text = re.sub(r"http://127\.0\.0\.1:\d+", "https://github.com", text)
    text = re.sub(r"\b\d{1,2} [A-Z][a-z]{2} \d\d:\d\d\b", "<date>", text)
    return re.sub(r"\b\d+(\.\d+)? ?m?s\b", "<time>", text)
