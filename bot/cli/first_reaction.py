"""The program that reacts to a comment before Phasebot is installed; ``action/react.sh`` runs it.

It needs nothing but the standard library, and always exits with 0: a reaction is no reason for a job to fail.
"""

import os
import threading
from collections.abc import Mapping
from pathlib import Path

from bot.action.first_reaction import react_first
from bot.cli.secrets import NAMES, take_secrets
from bot.cli.streams import guarded_streams
from bot.errors import PhasebotError
from bot.forge.bare_client import BareClient
from bot.forge.client import Reaction
from bot.redaction import Redactor

_PATIENCE = 10.0
"""Seconds for all of it: a server may send its answer a byte at a time."""


def run(reaction: Reaction) -> None:
    """Add *reaction* to the comment of the job's event, and say in the log what was done."""
    environ = {**os.environ, **take_secrets()}
    redactor = Redactor(environ.get(name, "").strip() for name in NAMES)
    with guarded_streams(redactor, in_job=environ.get("GITHUB_ACTIONS") == "true") as streams:
        said: list[str] = []
        thread = threading.Thread(target=lambda: said.append(_react(environ, reaction)), daemon=True)
        thread.start()
        thread.join(_PATIENCE)
        late = f"no reaction yet: it took longer than {_PATIENCE:.0f} seconds"
        streams.err.log(said[0] if said else late)


def _react(environ: Mapping[str, str], reaction: Reaction) -> str:
    try:
        forge = BareClient(
            environ.get("GITHUB_TOKEN", "").strip(),
            repository=environ.get("GITHUB_REPOSITORY", ""),
            api_url=environ.get("GITHUB_API_URL", "").rstrip("/"),
            certificates=environ.get("REQUESTS_CA_BUNDLE") or environ.get("CURL_CA_BUNDLE") or "",
        )
        content = Path(environ.get("GITHUB_EVENT_PATH", "")).read_bytes()
    except PhasebotError as exc:
        return f"no reaction yet: {exc}"
    except OSError as exc:
        return f"no reaction yet: reading the event at GITHUB_EVENT_PATH: {exc.strerror}"
    return react_first(environ.get("GITHUB_EVENT_NAME", ""), content, forge, reaction)
