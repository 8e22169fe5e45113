"""Send a request until a model answers: retries, waits and fallback models, as the retry policy says.

This is the only place that retries model requests.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential_jitter

from bot.errors import NoModelAnswered, ProviderError
from bot.generation.llm.client import ModelClient, ModelRequest, ModelResponse
from bot.generation.llm.rate_limiter import RateLimiter
from bot.generation.llm.retry_policy import AfterFailure, FailureKind, ModelError, Timeouts
from bot.generation.llm.token_budget import TokenBudget

_NOTIFY_FROM = 5.0
"""Shortest wait in seconds that the user is notified of."""
_MAX_ATTEMPTS = 10
"""Attempts per model and request, over all kinds of failure."""

T = TypeVar("T")
_Parse = Callable[[ModelResponse], Awaitable[T]]


@dataclass(frozen=True, slots=True)
class ParsedResponse(Generic[T]):
    """The parsed content of a response, and the model that sent it."""

    content: T
    model: str


class RetryingClient:
    """Tries models in order, with retries.

    All phases of a run share one client, so a failure that one of them meets counts for all.
    """

    def __init__(
        self,
        client: ModelClient,
        models: Sequence[str],
        *,
        budget: TokenBudget,
        jobs: int,
        timeouts: Timeouts,
        notify: Callable[[str], None],
    ) -> None:
        """Try *models* in that order, with at most *jobs* concurrent requests each; *notify* the user of long waits."""
        self._client = client
        self._models = tuple(dict.fromkeys(models))
        self._budget = budget
        self._timeouts = timeouts
        self._notify = notify
        self._limiters = {model: RateLimiter(jobs) for model in self._models}
        self._unavailable: dict[str, ModelError] = {}
        """Models that are not used again in this process, and why."""
        self._without_schema: set[str] = set()
        """Models that rejected the schema."""
        self._backoff = wait_exponential_jitter(
            initial=timeouts.first_wait, max=timeouts.longest_wait / 3, jitter=timeouts.first_wait
        )

    async def ask(self, request: ModelRequest, *, phase: str, parse: _Parse[T]) -> ParsedResponse[T]:
        """Send *request* until *parse* accepts the response; it raises ValueError to reject one.

        The budget records the tokens under *phase*, including those of failed attempts.

        Raises:
            BudgetExceeded: The budget does not allow another attempt.
            NoModelAnswered: No model answered; the message says why and what to do.
            ProviderError: Every further request would fail, too.
        """
        deadline = asyncio.get_running_loop().time() + self._timeouts.total
        reasons: list[str] = []
        first: ModelError | None = None
        for model in self._models:
            failure = self._unavailable.get(model)
            if failure is None:
                try:
                    return ParsedResponse(await self._retry(model, request, phase, parse, deadline), model)
                except ModelError as exc:
                    failure = exc
            reasons.append(f"{model}: {failure}")
            first = first or failure
            self._mark_unavailable(model, failure)
            if failure.rule.then is AfterFailure.RUN:
                raise ProviderError(f"asking {reasons[-1]}; {failure.rule.remedy}").with_code(failure.kind.code)
            if failure.rule.then is AfterFailure.PHASE or asyncio.get_running_loop().time() >= deadline:
                break
        assert first, "there is a model"  # noqa: S101
        raise NoModelAnswered(f"{'; '.join(reasons)}; {first.rule.remedy}").with_code(first.kind.code)

    def _mark_unavailable(self, model: str, failure: ModelError) -> None:
        if failure.rule.then is AfterFailure.LEAVE and model not in self._unavailable:
            self._unavailable[model] = failure
            others = [other for other in self._models if other not in self._unavailable]
            self._notify(f"{model}: {failure}" + (f"; continuing with {others[0]}" if others else ""))

    async def _retry(self, model: str, request: ModelRequest, phase: str, parse: _Parse[T], deadline: float) -> T:
        failures: Counter[FailureKind] = Counter()

        def stop(state: RetryCallState) -> bool:
            failure = _failure(state)
            failures[failure.kind] += 1
            too_late = asyncio.get_running_loop().time() + state.upcoming_sleep > deadline
            too_long = state.upcoming_sleep > self._timeouts.longest_wait
            too_often = failures[failure.kind] >= failure.rule.attempts or state.attempt_number >= _MAX_ATTEMPTS
            return too_late or too_long or too_often or model in self._unavailable

        retrying = AsyncRetrying(
            retry=retry_if_exception_type(ModelError),
            wait=self._seconds_to_wait,
            stop=stop,
            before_sleep=lambda state: self._notify_of_wait(model, state),
            sleep=asyncio.sleep,
            reraise=True,
        )
        return await retrying(self._attempt, model, request, phase, parse, deadline)

    def _seconds_to_wait(self, state: RetryCallState) -> float:
        failure = _failure(state)
        if failure.kind is FailureKind.SCHEMA:
            return 0.0  # the next request is a different one, without the schema
        return max(self._backoff(state), failure.delay or 0.0)

    def _notify_of_wait(self, model: str, state: RetryCallState) -> None:
        if state.upcoming_sleep >= _NOTIFY_FROM:
            self._notify(f"{model}: {_failure(state)}; trying again in {state.upcoming_sleep:.0f} s")

    async def _attempt(self, model: str, request: ModelRequest, phase: str, parse: _Parse[T], deadline: float) -> T:
        limiter = self._limiters[model]
        if model in self._without_schema:
            request = replace(request, schema=None)
        try:
            async with limiter, self._budget.request(phase) as spend:
                try:
                    now = asyncio.get_running_loop().time()
                    async with asyncio.timeout_at(min(deadline, now + self._timeouts.request)):
                        response = await self._client.ask(model, request)
                except ModelError as exc:
                    spend(exc.tokens)
                    raise
                spend(response.tokens)
        except TimeoutError as exc:
            raise ModelError(FailureKind.TIMEOUT, f"{self._timeouts.request:.0f} s") from exc
        except ModelError as exc:
            if exc.kind is FailureKind.RATE:
                delay = exc.delay or 0.0
                limiter.slow_down(delay if delay <= self._timeouts.longest_wait else 0.0)
            elif exc.kind is FailureKind.SCHEMA:
                self._without_schema.add(model)
            raise
        limiter.speed_up()
        try:
            return await parse(response)
        except ValueError as exc:
            raise ModelError(FailureKind.UNREADABLE, str(exc)) from exc


def _failure(state: RetryCallState) -> ModelError:
    failure = state.outcome.exception() if state.outcome else None
    assert isinstance(failure, ModelError), "only ModelError is retried"  # noqa: S101
    return failure
