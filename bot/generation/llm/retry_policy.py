"""What is done about each way a model can fail: one table, which ``bot/README.md`` repeats for people.

Attempts are of one model; each model of the order (``--model``, then every ``--fallback-model``) has its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from bot.generation.provider import Tokens


class FailureKind(StrEnum):
    """A way to fail, by what helps against it."""

    RATE = "too many requests"
    QUOTA = "quota used up"
    SERVER = "server error"
    TIMEOUT = "no answer in time"
    CONNECTION = "connection failed"
    UNREADABLE = "unreadable answer"
    EMPTY = "empty answer"
    BLOCKED = "blocked"
    RECITATION = "recitation"
    SCHEMA = "schema refused"
    REQUEST = "request refused"
    MODEL = "unknown model"
    KEY = "key refused"


class AfterFailure(StrEnum):
    """What comes after the last attempt."""

    NEXT = "next model"
    LEAVE = "next model, this one no more"
    PHASE = "stop the phase"
    RUN = "stop the run"


class RetryRule(NamedTuple):
    """What is done about one kind of failure."""

    when: str
    attempts: int
    then: AfterFailure
    remedy: str
    """What a person can do."""


RETRY_POLICY: Mapping[FailureKind, RetryRule] = {
    FailureKind.RATE: RetryRule(
        "429 per minute", 6, AfterFailure.NEXT, "run generate again in a few minutes, or lower --jobs"
    ),
    FailureKind.QUOTA: RetryRule(
        "429 per day, limit 0; 402", 1, AfterFailure.LEAVE, "run generate again tomorrow, or name another --model"
    ),
    FailureKind.SERVER: RetryRule("5xx, 408", 5, AfterFailure.NEXT, "run generate again later"),
    FailureKind.TIMEOUT: RetryRule(
        "no whole answer in 5 minutes", 2, AfterFailure.NEXT, "run generate again, or name a faster --model"
    ),
    FailureKind.CONNECTION: RetryRule(
        "refused, reset, cut off", 5, AfterFailure.PHASE, "check the network, then run generate again"
    ),
    FailureKind.UNREADABLE: RetryRule("no JSON, or not the JSON asked for", 3, AfterFailure.NEXT, "run generate again"),
    FailureKind.EMPTY: RetryRule("no candidate or text, and no reason", 3, AfterFailure.NEXT, "run generate again"),
    FailureKind.BLOCKED: RetryRule(
        "SAFETY and its like, prompt or answer", 1, AfterFailure.NEXT, "word the plan differently and try again"
    ),
    FailureKind.RECITATION: RetryRule(
        "RECITATION", 2, AfterFailure.NEXT, "give the phase an instruction of its own and try again"
    ),
    FailureKind.SCHEMA: RetryRule("400 to a request with a schema", 2, AfterFailure.NEXT, "name another --model"),
    FailureKind.REQUEST: RetryRule("any other 4xx, a redirect", 1, AfterFailure.NEXT, "name another --model"),
    FailureKind.MODEL: RetryRule("404", 1, AfterFailure.LEAVE, "correct --model"),
    FailureKind.KEY: RetryRule(
        "400 API_KEY_INVALID, 401, 403", 1, AfterFailure.RUN, "set GEMINI_API_KEY to a key that may use the model"
    ),
}
"""A second attempt waits, but for ``schema refused``: it goes out without the schema."""


class ModelError(Exception):
    """One request to a model failed; the message is one printable line without a secret in it."""

    def __init__(
        self, kind: FailureKind, detail: str, *, delay: float | None = None, tokens: Tokens | None = None
    ) -> None:
        """Name the failure; *delay* is how many seconds the server asks to wait, *tokens* what it cost all the same."""
        super().__init__(f"{kind}: {detail}" if detail else str(kind))
        self.kind = kind
        self.delay = delay
        self.tokens = tokens or Tokens()

    @property
    def rule(self) -> RetryRule:
        return RETRY_POLICY[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long to try, in seconds."""

    request: float = 300.0
    """For one whole answer, a trickling one too."""
    question: float = 900.0
    """For one question, all attempts, waits and models together."""
    first_wait: float = 1.0
    """Before the second attempt; doubled each time, with jitter."""
    longest_wait: float = 90.0
    """A server that asks for more is not waited for."""
