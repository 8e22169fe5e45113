"""What a rebuild found, as text and JSON.  Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from bot.history.proof import CommitProof, FileProof, Origin, Rebuild, Verdict, count_lines
from bot.text import one_line

_SHORT, _LENGTH = 10, 300
_WORDS: Mapping[Verdict, str] = {
    "proven": "proven",
    "tampered": "tampered",
    "unproven": "can't be rebuilt",
    "model": "by a model",
}
_LINES: Mapping[Origin, str] = {
    "bot": "bot",
    "model": "model",
    "human": "human",
    "base": "from the base",
    "unproven": "not rebuilt",
}


def format_rebuild(found: Rebuild) -> str:
    """Return *found* for people: a line for each commit and what is wrong with it, then lines by file, then sums."""
    return "\n".join(_lines(found))


def _lines(found: Rebuild) -> Iterator[str]:
    for commit in found.commits:
        why = f": {commit.why}" if commit.why else ""
        yield f"{commit.oid[:_SHORT]}  {_name(commit)}  {_WORDS[commit.verdict]}{why}"
        yield from (f"  {_place(each)}  {_text(each.why)}" for each in commit.files if each.verdict != "proven")
    if found.inherited:
        yield f"nothing to prove: the base has {_text(', '.join(found.inherited))}, without commits of this run"
    yield from ["", *_files(found), ""] if found.files else [""]
    yield summary(found)


def summary(found: Rebuild) -> str:
    """Return how many commits are what, and how many lines are whose, in one line."""
    verdicts = [commit.verdict for commit in found.commits]
    counts = [f"{verdicts.count(verdict)} {words}" for verdict, words in _WORDS.items() if verdict in verdicts]
    commits = ", ".join(counts) or "no commits to rebuild"
    lines = _counts(count_lines(found.files))
    return f"commits: {commits}; lines: {lines or 'none'}"


def _files(found: Rebuild) -> Iterator[str]:
    for phase, files in groupby(found.files, key=lambda each: each.phase):
        of_phase = list(files)
        yield f"{_text(phase)}  {_counts(count_lines(of_phase)) or 'no lines'}"
        yield from (f"  {_text(each.path)}  {_counts(each.counts) or 'no lines'}" for each in of_phase)


def _name(commit: CommitProof) -> str:
    return _text(commit.phase or "rollback")


def _place(file: FileProof) -> str:
    return f"{_text(file.path)}:{file.line}" if file.line else _text(file.path)


def _text(text: str) -> str:
    return one_line(text, _LENGTH)


def _counts(counts: Mapping[Origin, int]) -> str:
    return ", ".join(f"{number} {_LINES[origin]}" for origin, number in counts.items())


def format_rebuild_json(found: Rebuild) -> str:
    """Return *found* for programs.

    ``lines`` of a file are runs of lines with one origin, in order: ``[origin, number of lines]``.
    """
    content = {
        "run": found.run,
        "branch": found.branch,
        "head": found.head,
        "proven": not found.tampered and not found.unproven,
        "commits": [_commit(each) for each in found.commits],
        "inherited": [*found.inherited],
        "files": [
            {"path": each.path, "phase": each.phase, "counts": each.counts, "lines": _runs(each.lines)}
            for each in found.files
        ],
        "lines": count_lines(found.files),
    }
    return json.dumps(content, indent=2, ensure_ascii=False)


def _commit(commit: CommitProof) -> Mapping[str, object]:
    return {
        "commit": commit.oid,
        "phase": commit.phase,
        "verdict": commit.verdict,
        "why": commit.why,
        "files": [
            {"path": each.path, "verdict": each.verdict, "line": each.line, "why": each.why} for each in commit.files
        ],
    }


def _runs(lines: Sequence[Origin]) -> Sequence[tuple[Origin, int]]:
    return [(origin, len(list(group))) for origin, group in groupby(lines)]
