"""Where a repository is on the web, told from the URL of its remote: only for what is surely GitHub."""

import re
from urllib.parse import quote

_PART = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_REMOTE = re.compile(
    r"(?:(?:https?|ssh|git)://(?:[^@/\s]*@)?|[A-Za-z0-9._-]+@)"
    rf"(?P<host>github\.com|github\.[A-Za-z0-9.-]+|[A-Za-z0-9-]+\.ghe\.com)(?::\d+)?[/:]"
    rf"(?P<owner>{_PART})/(?P<name>{_PART}?)(?:\.git)?/?"
)
_MAX_URL = 500


def repository_page(remote: str) -> str:
    """Return the repository's page for the URL of a remote; empty if that is not on a host of GitHub's.

    A user, a password or a token in the URL is left out.
    """
    found = _REMOTE.fullmatch(remote) if len(remote) <= _MAX_URL else None
    return f"https://{found['host']}/{found['owner']}/{found['name']}" if found else ""


def page_of(repository: str, *parts: str) -> str:
    """Return the address of something in the *repository* on the web; empty without one."""
    return "/".join([repository, *(quote(part, errors="replace") for part in parts)]) if repository else ""
