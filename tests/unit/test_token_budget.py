"""The token budget: a run never uses more than its limit, as far as that can be known in advance."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import BudgetExceeded
from bot.generation.llm.token_budget import TokenBudget
from bot.generation.provider import Tokens


class Asking:
    """A request under way, which costs what it is told to."""

    def __init__(self, budget: TokenBudget, phase: str = "core") -> None:
        self.begun = False
        self._cost = asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(self._go(budget, phase))

    async def _go(self, budget: TokenBudget, phase: str) -> None:
        async with budget.request(phase) as spend:
            self.begun = True
            spend(Tokens(0, await self._cost))

    async def end(self, cost: int) -> None:
        self._cost.set_result(cost)
        await self.task
        await settle()

    async def cancel(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await settle()


async def settle() -> None:
    """Let everybody get as far as they can."""
    for _ in range(50):
        await asyncio.sleep(0)


async def ask_many(budget: TokenBudget, count: int) -> list[Asking]:
    asking = [Asking(budget) for _ in range(count)]
    await settle()
    return asking


def begun(asking: Sequence[Asking]) -> int:
    return sum(each.begun for each in asking)


async def spend(budget: TokenBudget, cost: int, phase: str = "core") -> None:
    async with budget.request(phase) as entry:
        entry(Tokens(0, cost))


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, 10))


def test_without_a_limit_nobody_waits() -> None:
    async def story() -> None:
        budget = TokenBudget()
        asking = await ask_many(budget, 20)
        assert begun(asking) == 20
        for each in asking:
            await each.end(10**9)
        assert budget.spent == 20 * 10**9
        assert not budget.exhausted

    run(story())


def test_until_one_has_told_what_it_costs_they_go_one_at_a_time() -> None:
    async def story() -> None:
        budget = TokenBudget(1000)
        asking = await ask_many(budget, 8)
        assert begun(asking) == 1
        await asking[0].end(0)  # failed, and told nothing
        assert begun(asking) == 2
        await asking[1].end(100)
        assert begun(asking) == 8
        for each in asking[2:]:
            await each.end(100)
        assert budget.spent == 700

    run(story())


def test_as_many_go_as_fit_and_the_rest_wait_for_what_those_cost() -> None:
    async def story() -> None:
        budget = TokenBudget(400)
        await spend(budget, 100)
        asking = await ask_many(budget, 8)
        assert begun(asking) == 3
        await asking[0].end(20)
        assert begun(asking) == 3  # 120 and three of 100 are more than 400
        await asking[1].end(20)
        assert begun(asking) == 4
        for each in asking[2:4]:
            await each.end(100)
        assert budget.spent == 340
        for each in asking[4:]:
            with pytest.raises(BudgetExceeded, match=r"^340 of 400 tokens are used, .*; raise --max-tokens"):
                await each.task

    run(story())


def test_a_cheap_answer_makes_no_later_one_cheap() -> None:
    async def story() -> None:
        budget = TokenBudget(1000)
        await spend(budget, 300)
        await spend(budget, 1)
        assert begun(await ask_many(budget, 5)) == 2

    run(story())


def test_what_has_no_room_and_nothing_to_wait_for_is_refused_at_once() -> None:
    async def story() -> None:
        budget = TokenBudget(250)
        await spend(budget, 100)
        await spend(budget, 100)
        assert budget.exhausted
        with pytest.raises(BudgetExceeded, match=r"^200 of 250 tokens are used"):
            await spend(budget, 1)
        assert budget.spent == 200

    run(story())


def test_the_last_request_may_use_the_limit_up() -> None:
    async def story() -> None:
        budget = TokenBudget(300)
        for _ in range(3):
            assert not budget.exhausted
            await spend(budget, 100)
        assert budget.exhausted
        assert budget.spent == 300

    run(story())


def test_it_is_not_exhausted_while_something_is_under_way() -> None:
    async def story() -> None:
        budget = TokenBudget(200)
        await spend(budget, 100)
        (asking,) = await ask_many(budget, 1)
        assert not budget.exhausted
        await asking.end(50)
        assert budget.exhausted

    run(story())


def test_history_counts_and_tells_what_to_expect() -> None:
    async def story() -> None:
        commits = [50, 200, 10]
        budget = TokenBudget(700, lambda: commits)
        assert budget.spent == 260
        asking = await ask_many(budget, 5)
        assert begun(asking) == 2
        await asking[0].end(1)
        assert begun(asking) == 3
        commits.append(230)  # by another process
        await asking[1].end(1)
        await asking[2].end(1)
        assert budget.spent == 493
        for each in asking[3:]:
            with pytest.raises(BudgetExceeded):
                await each.task

    run(story())


@pytest.mark.parametrize("limit", [1, 260, 459])
def test_a_run_that_has_used_its_limit_before_asks_nothing(limit: int) -> None:
    async def story() -> None:
        budget = TokenBudget(limit, lambda: [60, 200])
        assert budget.exhausted
        with pytest.raises(BudgetExceeded, match=f"260 of {limit} tokens"):
            await spend(budget, 1)

    run(story())


def test_what_a_commit_says_is_forgotten_and_still_expected_of_the_next() -> None:
    async def story() -> None:
        commits: list[int] = []
        budget = TokenBudget(1000, lambda: commits)
        await spend(budget, 300, "core")
        await spend(budget, 100, "core")
        await spend(budget, 50, "main")
        assert budget.unrecorded("core") == Tokens(0, 400)
        assert budget.unrecorded("main") == Tokens(0, 50)
        assert budget.unrecorded("other") == Tokens()
        commits.append(400)
        budget.record("core")
        budget.record("never asked for")
        assert budget.unrecorded("core") == Tokens()
        assert budget.unrecorded("main") == Tokens(0, 50)
        assert budget.spent == 450
        assert begun(await ask_many(budget, 5)) == 1

    run(story())


def test_read_and_written_both_count() -> None:
    async def story() -> None:
        budget = TokenBudget(1000)
        async with budget.request("core") as entry:
            entry(Tokens(30, 4))
            entry(Tokens(500, 6))
        assert budget.unrecorded("core") == Tokens(530, 10)
        assert budget.spent == 540

    run(story())


def test_who_gives_up_waiting_holds_no_room() -> None:
    async def story() -> None:
        budget = TokenBudget(1000)
        asking = await ask_many(budget, 3)
        await asking[1].cancel()
        await asking[0].end(10)
        assert begun(asking) == 2
        await asking[2].end(10)
        assert budget.spent == 20
        assert not budget.exhausted

    run(story())


def test_who_is_stopped_while_asking_makes_room() -> None:
    async def story() -> None:
        budget = TokenBudget(1000)
        asking = await ask_many(budget, 3)
        await asking[0].cancel()
        assert begun(asking) == 2
        await asking[1].cancel()
        assert begun(asking) == 3
        await asking[2].end(10)
        assert budget.spent == 10

    run(story())


def test_all_that_wait_and_ask_may_be_stopped_at_once() -> None:
    async def story() -> None:
        budget = TokenBudget(300)
        await spend(budget, 100)
        asking = await ask_many(budget, 6)
        assert begun(asking) == 2
        for _ in range(3):
            for each in asking:
                each.task.cancel()
            await asyncio.sleep(0)
        await asyncio.gather(*(each.task for each in asking), return_exceptions=True)
        assert begun(await ask_many(budget, 6)) == 2

    run(story())


def test_a_failure_makes_room() -> None:
    async def fail(budget: TokenBudget) -> None:
        async with budget.request("core"):
            raise ValueError("no")

    async def story() -> None:
        budget = TokenBudget(1000)
        for _ in range(3):
            with pytest.raises(ValueError, match="no"):
                await fail(budget)
        assert begun(await ask_many(budget, 3)) == 1

    run(story())


def test_those_that_wait_are_refused_together_when_nothing_is_left() -> None:
    async def story() -> None:
        budget = TokenBudget(1000)
        asking = await ask_many(budget, 5)
        await asking[0].end(900)
        for each in asking[1:]:
            with pytest.raises(BudgetExceeded, match=r"^900 of 1,000 tokens"):
                await each.task

    run(story())


@st.composite
def bills(draw: st.DrawFn) -> tuple[int, list[tuple[int, int, bool]]]:
    """Draw a limit, and requests: cost, turns it takes, whether a commit follows; none is dearer than the first."""
    first = draw(st.integers(1, 50))
    costs = [first, *draw(st.lists(st.integers(0, first), max_size=30))]
    turns = st.tuples(st.integers(0, 5), st.booleans())
    return draw(st.integers(first, 600)), [(cost, *draw(turns)) for cost in costs]


@given(drawn=bills(), jobs=st.integers(1, 8))
def test_the_limit_is_never_exceeded_if_no_request_costs_more_than_the_first(
    drawn: tuple[int, list[tuple[int, int, bool]]], jobs: int
) -> None:
    limit, requests = drawn
    commits: list[int] = []
    refused: list[int] = []

    async def story() -> None:
        budget = TokenBudget(limit, lambda: commits)
        turn = asyncio.Semaphore(jobs)

        async def ask(number: int, cost: int, turns: int, *, committed: bool) -> None:
            phase = f"entity/{number}"
            async with turn:
                try:
                    async with budget.request(phase) as entry:
                        for _ in range(turns):
                            await asyncio.sleep(0)
                        entry(Tokens(cost, 0))
                except BudgetExceeded:
                    refused.append(number)
                    return
                assert budget.spent <= limit
                if committed:
                    commits.append(budget.unrecorded(phase).total)
                    budget.record(phase)

        await asyncio.gather(
            *(ask(number, cost, turns, committed=done) for number, (cost, turns, done) in enumerate(requests))
        )
        assert budget.spent == sum(cost for number, (cost, *_) in enumerate(requests) if number not in refused)
        assert budget.spent <= limit
        assert bool(refused) <= budget.exhausted

    run(story())
