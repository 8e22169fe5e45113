"""How each kind of model failure is handled, as one table, which ``bot/README.md`` repeats.

Attempts are counted per model: ``--model`` and every ``--fallback-model`` have their own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from bot.generation.provider import Tokens
from bot.history.reasons import REASONS


class FailureKind(StrEnum):
    """A kind of failure; kinds differ in how they are handled."""

    RATE = "too many requests"
    QUOTA = "quota used up"
    SERVER = "server error"
    TIMEOUT = "timed out"
    CONNECTION = "connection failed"
    UNREADABLE = "unreadable response"
    EMPTY = "empty response"
    BLOCKED = "blocked"
    RECITATION = "recitation"
    SCHEMA = "schema rejected"
    REQUEST = "request rejected"
    MODEL = "unknown model"
    KEY = "API key rejected"

    @property
    def code(self) -> str:
        """The code in :mod:`bot.history.reasons`."""
        return self.name.lower()


class AfterFailure(StrEnum):
    """What happens after the last attempt."""

    NEXT = "next model"
    LEAVE = "next model; this one is not used again"
    PHASE = "stop the phase"
    RUN = "stop the run"


class RetryRule(NamedTuple):
    """How one kind of failure is handled."""

    kind: FailureKind
    when: str
    attempts: int
    then: AfterFailure

    @property
    def remedy(self) -> str:
        """What the user can do."""
        return REASONS[self.kind.code].remedy


_RULES = (
    RetryRule(FailureKind.RATE, "429 for a per-minute limit", 6, AfterFailure.NEXT),
    RetryRule(FailureKind.QUOTA, "429 for a daily limit or a limit of 0; 402", 1, AfterFailure.LEAVE),
    RetryRule(FailureKind.SERVER, "5xx, 408", 5, AfterFailure.NEXT),
    RetryRule(FailureKind.TIMEOUT, "no complete response within 5 minutes", 2, AfterFailure.NEXT),
    RetryRule(FailureKind.CONNECTION, "connection refused, reset or cut off", 5, AfterFailure.PHASE),
    RetryRule(FailureKind.UNREADABLE, "not JSON, or of the wrong form", 3, AfterFailure.NEXT),
    RetryRule(FailureKind.EMPTY, "no candidate or text, and no reason given", 3, AfterFailure.NEXT),
    RetryRule(FailureKind.BLOCKED, "SAFETY or similar, for the prompt or the response", 1, AfterFailure.NEXT),
    RetryRule(FailureKind.RECITATION, "RECITATION", 2, AfterFailure.NEXT),
    RetryRule(FailureKind.SCHEMA, "400 for a request with a schema", 2, AfterFailure.NEXT),
    RetryRule(FailureKind.REQUEST, "any other 4xx, or a redirect", 1, AfterFailure.NEXT),
    RetryRule(FailureKind.MODEL, "404", 1, AfterFailure.LEAVE),
    RetryRule(FailureKind.KEY, "400 API_KEY_INVALID, 401, 403", 1, AfterFailure.RUN),
)
RETRY_POLICY: Mapping[FailureKind, RetryRule] = {rule.kind: rule for rule in _RULES}
"""Each further attempt waits first, except after ``schema rejected``, where the next request has no schema."""


class ModelError(Exception):
    """A request to a model failed; the message is one printable line without secrets."""

    def __init__(
        self, kind: FailureKind, detail: str, *, delay: float | None = None, tokens: Tokens | None = None
    ) -> None:
        """Create the error; *delay* is the wait in seconds that the server asks for, *tokens* what the request cost."""
        super().__init__(f"{kind}: {detail}" if detail else str(kind))
        self.kind = kind
        self.delay = delay
        self.tokens = tokens or Tokens()

    @property
    def rule(self) -> RetryRule:
        return RETRY_POLICY[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Time limits and waits, in seconds."""

    request: float = 300.0
    """For one complete response, even if it arrives slowly."""
    total: float = 900.0
    """For one request with all its attempts, waits and models."""
    first_wait: float = 1.0
    """The wait before the second attempt; it doubles each time, with jitter."""
    longest_wait: float = 90.0
    """If a server asks for a longer wait, the request fails."""
