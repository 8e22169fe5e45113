"""Settings from environment variables, read and validated once; secrets are masked in messages and logs."""

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
_ATTEMPT = re.compile("[1-9][0-9]{0,5}")


@dataclass(frozen=True, slots=True)
class GeminiSettings:
    """How to reach Gemini."""

    key: SecretStr | None = None
    base_url: str | None = None
    api_version: str = "v1"


def read_settings(environ: Mapping[str, str]) -> GeminiSettings:
    """Read the settings.

    Raises:
        UsageError: A value is invalid.  The message names the variable but not the value, which may be a key.
    """
    key, url = environ.get(KEY, "").strip(), environ.get(_BASE_URL, "").strip()
    version = environ.get(_API_VERSION, "").strip() or "v1"
    if key and not re.fullmatch(r"[!-~]{1,500}", key):
        raise UsageError(f"{KEY}: the value contains a space or a character that no API key has; copy the key again")
    if url and not _is_plain_url(url):
        raise UsageError(f"{_BASE_URL}: the value is not a plain http or https URL; correct it or unset the variable")
    if not re.fullmatch(r"[A-Za-z0-9]{1,20}", version):
        raise UsageError(
            f"{_API_VERSION}: the value is not a version such as v1 or v1beta; correct it or unset the variable"
        )
    return GeminiSettings(SecretStr(key) if key else None, url or None, version)


@dataclass(frozen=True, slots=True)
class ActionsSettings:
    """What GitHub Actions tells a step about its workflow run."""

    repository: str
    """``owner/name``."""
    api_url: str
    server_url: str
    workspace: Path
    run_id: str
    attempt: int
    """1 for a job's first attempt; somebody may run the job again, with the same run id."""
    token: SecretStr
    workflow: tuple[str, str] | None
    """The workflow's file name and the ref it was read from; None if the runner does not say."""

    @property
    def run_url(self) -> str:
        """The web page of the workflow run."""
        return f"{self.server_url}/{self.repository}/actions/runs/{self.run_id}"


def read_actions_settings(environ: Mapping[str, str]) -> ActionsSettings:
    """Read the variables set by the GitHub Actions runner, or by an emulator.

    Raises:
        UsageError: A variable is missing; the message names it.
    """

    def required(name: str, remedy: str = "run this in GitHub Actions, through action.yml") -> str:
        value = environ.get(name, "").strip()
        if not value:
            raise UsageError(f"running as an action: {name} is not set; {remedy}")
        return value

    path, _, ref = environ.get("GITHUB_WORKFLOW_REF", "").partition("@")
    return ActionsSettings(
        repository=required("GITHUB_REPOSITORY"),
        api_url=required("GITHUB_API_URL").rstrip("/"),
        server_url=required("GITHUB_SERVER_URL").rstrip("/"),
        workspace=Path(required("GITHUB_WORKSPACE")),
        run_id=environ.get("GITHUB_RUN_ID", "").strip() or "0",
        attempt=int(attempt) if _ATTEMPT.fullmatch(attempt := environ.get("GITHUB_RUN_ATTEMPT", "")) else 1,
        token=SecretStr(required("GITHUB_TOKEN", "set the action's input github-token")),
        workflow=(path.rpartition("/")[2], ref) if path and ref else None,
    )


def _is_plain_url(url: str) -> bool:
    """Whether *url* has a host but no user, password or query, which could contain a key."""
    try:
        parts = urlsplit(url)
        host = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # invalid port or unbalanced brackets
        return False
    return bool(host and re.fullmatch(r"[!-~]+", url)) and not any((parts.username, parts.password, parts.query))
