"""What the environment says, read once and judged; keys are held so that they don't show in a message or a log."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from bot.errors import UsageError

KEY = "GEMINI_API_KEY"
_BASE_URL = "GOOGLE_GEMINI_BASE_URL"
_API_VERSION = "GOOGLE_GENAI_API_VERSION"


@dataclass(frozen=True, slots=True)
class GeminiSettings:
    """How Gemini is reached."""

    key: SecretStr | None = None
    base_url: str | None = None
    api_version: str = "v1"


def read_settings(environ: Mapping[str, str]) -> GeminiSettings:
    """Read the settings.

    Raises:
        UsageError: A value can't be right; the message names the variable and not the value, which may be a key.
    """
    key, url = environ.get(KEY, "").strip(), environ.get(_BASE_URL, "").strip()
    version = environ.get(_API_VERSION, "").strip() or "v1"
    if key and not re.fullmatch(r"[!-~]{1,500}", key):
        raise UsageError(f"{KEY}: it holds a blank or a character that no key has; copy the key again")
    if url and not _is_address(url):
        raise UsageError(f"{_BASE_URL}: it is no plain http or https address; correct it, or unset it")
    if not re.fullmatch(r"[A-Za-z0-9]{1,20}", version):
        raise UsageError(f"{_API_VERSION}: it is no version such as v1 or v1beta; correct it, or unset it")
    return GeminiSettings(SecretStr(key) if key else None, url or None, version)


@dataclass(frozen=True, slots=True)
class ActionsSettings:
    """What GitHub Actions tells a step of itself."""

    repository: str
    """``owner/name``."""
    api_url: str
    server_url: str
    workspace: Path
    run_id: str
    token: SecretStr
    workflow: tuple[str, str] | None
    """The file that defines the workflow, and the ref it was taken from; None where that is not told."""

    @property
    def run_url(self) -> str:
        """The page of the workflow's run."""
        return f"{self.server_url}/{self.repository}/actions/runs/{self.run_id}"


def read_actions_settings(environ: Mapping[str, str]) -> ActionsSettings:
    """Read what the runner of GitHub Actions, or an emulator, put into the environment.

    Raises:
        UsageError: A variable is missing; the message names it.
    """

    def needed(name: str, todo: str = "run this in GitHub Actions, by action.yml") -> str:
        value = environ.get(name, "").strip()
        if not value:
            raise UsageError(f"running as an action: {name} is not set; {todo}")
        return value

    path, _, ref = environ.get("GITHUB_WORKFLOW_REF", "").partition("@")
    return ActionsSettings(
        repository=needed("GITHUB_REPOSITORY"),
        api_url=needed("GITHUB_API_URL").rstrip("/"),
        server_url=needed("GITHUB_SERVER_URL").rstrip("/"),
        workspace=Path(needed("GITHUB_WORKSPACE")),
        run_id=environ.get("GITHUB_RUN_ID", "").strip() or "0",
        token=SecretStr(needed("GITHUB_TOKEN", "give the action its input github-token")),
        workflow=(path.rpartition("/")[2], ref) if path and ref else None,
    )


def _is_address(url: str) -> bool:
    """Whether it is an address and no more: no user, no query, where a key could be."""
    try:
        parts = urlsplit(url)
        host = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # a port that is none, brackets that don't match
        return False
    return bool(host and re.fullmatch(r"[!-~]+", url)) and not any((parts.username, parts.password, parts.query))
