"""Fuzz the parsers of untrusted text: ``python -m tests.fuzz command --minutes 10``.

A text of ``data/hostile/`` is changed at random, parsed, and what comes of it is checked.  What is found is printed
shortened: put it into ``data/hostile/<target>/`` and fix the parser.  The exit code is 1 if anything was found.
"""

import argparse
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from tests.hostile import CHECKS, load, seeds

_LIMIT = 20_000
"""Characters in a text; longer ones take more time and find nothing that these don't."""
_SLOW = 4.0
"""Seconds of processor time that a text may take.  PyYAML, the slowest, needs a quarter of it for so many."""
_TOKENS = (
    *(
        "/generate",
        "/regenerate",
        "/rollback to ",
        "--cascade",
        "--max-tokens ",
        " -- ",
        "\u2014",
        "entity/Post",
        "[bot]",
    ),
    *(
        "- User: ",
        "entities:",
        "instructions:",
        "```",
        "~~~",
        "<!--",
        "-->",
        "enum(a|b)",
        " -> User",
        "?",
        " = ",
        "unique",
    ),
    *(
        "Phasebot-Run: a",
        "Phasebot-Phase: ",
        "Phasebot-Status: complete",
        "Phasebot-Reverts: ",
        "in=1 out=2",
        ": ",
        "\n\n",
    ),
    *(
        '{"files": [',
        '"path": ',
        '"content": ',
        "app/main.py",
        "../",
        ".git/config",
        "{",
        "}",
        "[",
        "]",
        '"',
        "'",
        "\\",
        ",",
    ),
    *(
        "@acme/team",
        "fixes #1",
        "closes a/b#2",
        "[skip ci]",
        "::set-output name=a::b",
        "##[group]",
        "https://a.b",
        "www.a.b",
    ),
    *(
        "\x00",
        "\x1b[31m",
        "\u202e",
        "\u200d",
        "\ufeff",
        "\ud800",
        "\U000e0041",
        "\r\n",
        "\u2028",
        "\x85",
        "\xa0",
        "\u00e9",
    ),
    *(
        "&a ",
        "*a",
        "!!python/object:os.system ",
        "<<: ",
        "|",
        ">",
        "%YAML 1.1",
        "---",
        "...",
        "1e999",
        "NaN",
        "-0",
        "9" * 30,
    ),
    *(
        "true",
        "null",
        "0x1",
        "\u0661",
        "On 1 Jan 2026, A <a@b.c> wrote:",
        "> ",
        "-- \n",
        "__proto__",
        "${{ secrets.A }}",
        "{{ 7*7 }}",
    ),
)


@dataclass
class Findings:
    """What a run of the fuzzer did."""

    cases: int = 0
    accepted: int = 0
    slowest: float = 0.0
    found: dict[str, str] = field(default_factory=dict)
    """What went wrong → the shortest text that shows it."""


def fuzz(target: str, *, seconds: float, seed: int, most: int = sys.maxsize) -> Findings:
    """Try texts for so many *seconds*, or *most* texts."""
    random, check, pool = Random(seed), CHECKS[target], [*load(target).values(), *seeds(target)]  # noqa: S311  # no secret
    findings, end = Findings(), time.monotonic() + seconds
    while findings.cases < most and time.monotonic() < end:
        text = _changed(random, pool)
        findings.cases += 1
        began = time.process_time()
        fault = _fault(check, text, findings)
        took = time.process_time() - began
        findings.slowest = max(findings.slowest, took)
        if took > _SLOW:
            fault = fault or "slow"
        if fault and len(text) < len(findings.found.get(fault, text + "x")):
            findings.found[fault] = _shortened(text, lambda each, kept=fault: _fault(check, each) == kept)  # type: ignore[misc]
        if random.random() < 0.001 and len(pool) < 2_000:  # grows slowly
            pool.append(text)
    return findings


def _fault(check: Callable[[str], bool], text: str, findings: Findings | None = None) -> str:
    """Return what went wrong, and where; empty if the text was parsed or properly refused."""
    try:
        accepted = check(text)
    except Exception as exc:  # noqa: BLE001  # whatever it is, it is what we look for
        frame = traceback.extract_tb(exc.__traceback__)[-1]
        return f"{type(exc).__name__} at {frame.name}:{frame.lineno}: {frame.line}"
    if findings:
        findings.accepted += accepted
    return ""


def _shortened(text: str, fails: Callable[[str], bool]) -> str:
    """Return a short part of *text* that still fails."""
    size = len(text) // 2
    while size and fails(text):
        for start in range(0, len(text), size):
            shorter = text[:start] + text[start + size :]
            if fails(shorter):
                text = shorter
                break
        else:
            size //= 2
    return text


def _changed(random: Random, pool: Sequence[str]) -> str:
    text = random.choice(pool)
    for _ in range(random.choice((1, 1, 2, 3, 5, 9))):
        start = random.randint(0, len(text))
        end = min(len(text), start + random.choice((0, 0, 1, 2, 5, 20, 100)))
        piece = text[start:end]
        new = random.choice((
            random.choice(_TOKENS),
            random.choice(_TOKENS) * random.choice((2, 3, 50, 500)),
            chr(random.choice((random.randrange(128), random.randrange(0x3000), random.randrange(0x110000)))),
            piece * random.choice((0, 2, 3, 100)),
            piece[::-1],
            piece.swapcase(),
            _part(random, random.choice(pool)),
        ))  # fmt: skip
        text = text[:start] + new + text[end:]
    return text[:_LIMIT]


def _part(random: Random, text: str) -> str:
    start = random.randint(0, len(text))
    return text[start : start + random.choice((5, 50, 500))]


def main() -> None:
    """Run one target and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=sorted(CHECKS))
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    options = parser.parse_args()
    findings = fuzz(options.target, seconds=options.minutes * 60, seed=options.seed)
    print(
        f"{options.target}: seed {options.seed}, {findings.cases:,} texts, {findings.accepted:,} accepted, "
        f"slowest {findings.slowest:.2f} s, {len(findings.found)} found"
    )
    for fault, text in findings.found.items():
        print(f"- {fault}\n  {text!r}")
    sys.exit(bool(findings.found))


if __name__ == "__main__":
    main()
