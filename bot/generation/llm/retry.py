"""Ask a question until it is answered: retries, waits and other models, as :mod:`bot.generation.llm.retry_policy` says.

The only place that retries model calls.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential_jitter

from bot.errors import NoModelAnswered, ProviderError
from bot.generation.llm.client import ModelClient, ModelRequest, ModelResponse
from bot.generation.llm.rate_limiter import RateLimiter
from bot.generation.llm.retry_policy import AfterFailure, FailureKind, ModelError, Timeouts
from bot.generation.llm.token_budget import TokenBudget

_WORTH_TELLING = 5.0
"""Seconds of waiting that people are told about."""


_MOST_ATTEMPTS = 10
"""Of one model, whatever mixture of failures there is."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ParsedResponse(Generic[T]):
    """An answer that could be read."""

    content: T
    model: str


class RetryingClient:
    """Puts questions to models in their order; shared by all phases of a run, so that they learn from each other."""

    def __init__(
        self,
        model: ModelClient,
        names: Sequence[str],
        *,
        budget: TokenBudget,
        jobs: int,
        patience: Timeouts,
        tell: Callable[[str], None],
    ) -> None:
        """Ask the models *names* in that order, at most *jobs* requests at a time; *tell* people what takes long."""
        self._model = model
        self._names = tuple(dict.fromkeys(names))
        self._budget = budget
        self._patience = patience
        self._tell = tell
        self._paces = {name: RateLimiter(jobs) for name in self._names}
        self._out: dict[str, ModelError] = {}
        """Models that are asked no more in this process, and why."""
        self._schemaless: set[str] = set()
        self._wait = wait_exponential_jitter(
            initial=patience.first_wait, max=patience.longest_wait / 3, jitter=patience.first_wait
        )

    async def ask(self, question: ModelRequest, *, phase: str, read: Callable[[ModelResponse], T]) -> ParsedResponse[T]:
        """Ask until *read* can make something of the answer; it raises ValueError when it can't.

        What it costs is entered under *phase* in the budget, failed attempts included.

        Raises:
            BudgetSpent: There are no tokens left for another attempt.
            Unanswered: No model answered; the message says why and what to do.
            ProviderError: No question would be answered.
        """
        end = asyncio.get_running_loop().time() + self._patience.question
        told: list[str] = []
        remedy = ""
        for name in self._names:
            failure = self._out.get(name)
            if failure is None:
                try:
                    return ParsedResponse(await self._retry(name, question, phase, read, end), name)
                except ModelError as exc:
                    failure = exc
            told.append(f"{name}: {failure}")
            remedy = remedy or failure.rule.remedy
            self._give_up_on(name, failure)
            if failure.rule.then is AfterFailure.RUN:
                raise ProviderError(f"asking {told[-1]}; {failure.rule.remedy}")
            if failure.rule.then is AfterFailure.PHASE or asyncio.get_running_loop().time() >= end:
                break
        raise NoModelAnswered(f"{'; '.join(told)}; {remedy}")

    def _give_up_on(self, name: str, failure: ModelError) -> None:
        if failure.rule.then is AfterFailure.LEAVE and name not in self._out:
            self._out[name] = failure
            others = [other for other in self._names if other not in self._out]
            self._tell(f"{name}: {failure}" + (f"; going on with {others[0]}" if others else ""))

    async def _retry(
        self, name: str, question: ModelRequest, phase: str, read: Callable[[ModelResponse], T], end: float
    ) -> T:
        seen: Counter[FailureKind] = Counter()

        def stop(state: RetryCallState) -> bool:
            failure = _failure(state)
            seen[failure.kind] += 1
            late = asyncio.get_running_loop().time() + state.upcoming_sleep > end
            too_long = state.upcoming_sleep > self._patience.longest_wait
            often = seen[failure.kind] >= failure.rule.attempts or state.attempt_number >= _MOST_ATTEMPTS
            return late or too_long or often or name in self._out

        retrying = AsyncRetrying(
            retry=retry_if_exception_type(ModelError),
            wait=self._seconds_to_wait,
            stop=stop,
            before_sleep=lambda state: self._tell_of_wait(name, state),
            sleep=asyncio.sleep,
            reraise=True,
        )
        return await retrying(self._once, name, question, phase, read, end)

    def _seconds_to_wait(self, state: RetryCallState) -> float:
        failure = _failure(state)
        if failure.kind is FailureKind.SCHEMA:
            return 0.0  # another request, not the same again
        return max(self._wait(state), failure.delay or 0.0)

    def _tell_of_wait(self, name: str, state: RetryCallState) -> None:
        if state.upcoming_sleep >= _WORTH_TELLING:
            self._tell(f"{name}: {_failure(state)}; trying again in {state.upcoming_sleep:.0f} s")

    async def _once(
        self, name: str, question: ModelRequest, phase: str, read: Callable[[ModelResponse], T], end: float
    ) -> T:
        pace = self._paces[name]
        if name in self._schemaless:
            question = replace(question, schema=None)
        try:
            async with pace, self._budget.request(phase) as spend:
                try:
                    async with asyncio.timeout_at(min(end, asyncio.get_running_loop().time() + self._patience.request)):
                        answer = await self._model.ask(name, question)
                except ModelError as exc:
                    spend(exc.tokens)
                    raise
                spend(answer.tokens)
        except TimeoutError as exc:
            raise ModelError(FailureKind.TIMEOUT, f"{self._patience.request:.0f} s") from exc
        except ModelError as exc:
            if exc.kind is FailureKind.RATE:
                delay = exc.delay or 0.0
                pace.slow_down(delay if delay <= self._patience.longest_wait else 0.0)
            elif exc.kind is FailureKind.SCHEMA:
                self._schemaless.add(name)
            raise
        pace.speed_up()
        try:
            return read(answer)
        except ValueError as exc:
            raise ModelError(FailureKind.UNREADABLE, str(exc)) from exc


def _failure(state: RetryCallState) -> ModelError:
    failure = state.outcome.exception() if state.outcome else None
    assert isinstance(failure, ModelError), "nothing else is retried"  # noqa: S101
    return failure
