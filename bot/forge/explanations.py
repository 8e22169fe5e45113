"""Explains in Markdown why a run is not complete, and what to do: missing files, a plan that can't be read.  Pure."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from bot.forge.markdown import Markdown, code, line, link, prose
from bot.history.reasons import count_reasons, meaning
from bot.history.run_state import PlanFault, RunState
from bot.history.shortfalls import Shortfall
from bot.text import truncate

_MAX_TEXT = 2_000
_SHORT = 10

Failures = Mapping[str, Mapping[str, str]]


def url_of(server_url: str, *parts: str) -> str:
    """Return a URL on the server."""
    return "/".join([server_url.rstrip("/"), *(quote(part, errors="replace") for part in parts)])


def explain_reasons(state: RunState, failures: Failures, error_code: str) -> Markdown:
    """Return why files are missing, with remedies, as a list; *error_code* is the reason of the error that ended it."""
    found = {each.meaning: each.words for each in count_reasons(state, failures)}
    if error_code and meaning(error_code) not in found:
        found = {meaning(error_code): meaning(error_code).words, **found}
    lines = (f"- {words[0].upper()}{words[1:]}: {reason.on_forge}." for reason, words in found.items())
    return Markdown("\n".join(lines))


def explain_shortfalls(found: Sequence[Shortfall]) -> Markdown:
    """Return what people asked for and the run could not do, with remedies, as a list."""
    rows = (f"- {line(f'{each.words[0].upper()}{each.words[1:]}')}: {each.on_forge}." for each in found)
    return Markdown("\n".join(rows))


def explain_fault(fault: PlanFault, server_url: str, repository: str) -> Markdown:
    """Return why the plan can't be read, with a link to the place."""
    shown = prose(truncate(fault.message, _MAX_TEXT))
    return Markdown(f"{shown}\n\n{link_to_fault(fault, server_url, repository)}")


def link_to_fault(fault: PlanFault, server_url: str, repository: str) -> str:
    """Return a link to the line that is wrong, or to the commit that removed the file."""
    if fault.removed:
        oid = fault.commit
        return link(f"See commit {code(oid[:_SHORT])}", url_of(server_url, repository, "commit", oid))
    url = url_of(server_url, repository, "blob", fault.commit, fault.path)
    place = f"line {fault.line} of {code(fault.path)}" if fault.line else code(fault.path)
    return link(f"See {place}", f"{url}#L{fault.line}" if fault.line else url)
