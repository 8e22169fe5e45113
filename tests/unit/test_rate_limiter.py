"""How many requests run at the same time."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

import pytest

from bot.generation.llm.rate_limiter import RateLimiter


class Crowd:
    """Many that want to go at the same time."""

    def __init__(self, pace: RateLimiter) -> None:
        self.pace = pace
        self.inside = self.most = self.done = 0
        self.open = asyncio.Event()

    async def go(self) -> None:
        async with self.pace:
            self.inside += 1
            self.most = max(self.most, self.inside)
            await self.open.wait()
            self.inside -= 1
            self.done += 1


async def settle() -> None:
    """Let everybody get as far as they can without waiting for the clock."""
    for _ in range(50):
        await asyncio.sleep(0)


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, 10))


def test_no_more_go_at_a_time_than_allowed_and_all_get_their_turn() -> None:
    async def story() -> None:
        crowd = Crowd(RateLimiter(3))
        async with asyncio.TaskGroup() as group:
            for _ in range(10):
                group.create_task(crowd.go())
            await settle()
            assert crowd.inside == 3
            crowd.open.set()
        assert (crowd.most, crowd.done) == (3, 10)

    run(story())


@pytest.mark.parametrize(("most", "limits"), [(8, [4, 2, 1, 1]), (5, [2, 1, 1]), (1, [1])])
def test_too_many_halves_and_one_always_goes(most: int, limits: list[int]) -> None:
    async def story() -> None:
        pace = RateLimiter(most)
        assert pace.limit == most
        for limit in limits:
            pace.slow_down(0.0)
            assert pace.limit == limit

    run(story())


def test_answers_let_one_more_go_and_never_more_than_at_the_beginning() -> None:
    async def story() -> None:
        pace = RateLimiter(4)
        pace.slow_down(0.0)
        pace.slow_down(0.0)
        limits = []
        for _ in range(20):
            pace.speed_up()
            limits.append(pace.limit)
        assert limits == [2, 2, 3, 3, 3, *[4] * 15]

    run(story())


def test_answers_before_too_many_do_not_count_after_it() -> None:
    async def story() -> None:
        pace = RateLimiter(8)
        for _ in range(7):
            pace.speed_up()
        pace.slow_down(0.0)
        for _ in range(3):
            pace.speed_up()
        assert pace.limit == 4
        pace.speed_up()
        assert pace.limit == 5

    run(story())


def test_after_too_many_those_under_way_end_and_fewer_begin() -> None:
    async def story() -> None:
        pace = RateLimiter(4)
        early, late = Crowd(pace), Crowd(pace)
        async with asyncio.TaskGroup() as group:
            for crowd in (early, late):
                for _ in range(4):
                    group.create_task(crowd.go())
            await settle()
            pace.slow_down(0.0)
            early.open.set()
            await settle()
            assert (early.done, late.inside) == (4, 2)
            late.open.set()
        assert (late.most, late.done) == (2, 4)

    run(story())


def test_who_waits_begins_when_answers_let_one_more_go() -> None:
    async def story() -> None:
        pace = RateLimiter(2)
        pace.slow_down(0.0)
        crowd = Crowd(pace)
        async with asyncio.TaskGroup() as group:
            for _ in range(2):
                group.create_task(crowd.go())
            await settle()
            assert crowd.inside == 1
            pace.speed_up()
            await settle()
            assert crowd.inside == 2
            crowd.open.set()

    run(story())


async def _begin(pace: RateLimiter, times: list[float]) -> None:
    async with pace:
        times.append(time.monotonic())


def test_none_begins_before_the_delay_is_over() -> None:
    async def story() -> None:
        pace, times = RateLimiter(4), list[float]()
        began = time.monotonic()
        pace.slow_down(0.1)
        await asyncio.gather(*(_begin(pace, times) for _ in range(4)))
        assert min(times) - began >= 0.09

    run(story())


def test_the_longest_of_several_delays_holds() -> None:
    async def story() -> None:
        pace, times = RateLimiter(4), list[float]()
        began = time.monotonic()
        pace.slow_down(0.15)
        pace.slow_down(0.01)
        await _begin(pace, times)
        assert times[0] - began >= 0.14

    run(story())


def test_who_already_waits_for_a_delay_waits_for_a_longer_one_that_comes_meanwhile() -> None:
    async def story() -> None:
        pace, times = RateLimiter(4), list[float]()
        began = time.monotonic()
        pace.slow_down(0.05)
        waiting = asyncio.create_task(_begin(pace, times))
        await settle()
        pace.slow_down(0.2)
        await waiting
        assert times[0] - began >= 0.19

    run(story())


@pytest.mark.parametrize("delay", [0.0, 30.0], ids=["for a turn", "for a delay"])
def test_who_gives_up_waiting_takes_no_turn(delay: float) -> None:
    async def story() -> None:
        pace, crowd = RateLimiter(2), Crowd(RateLimiter(1))
        pace.slow_down(delay)
        crowd.pace = pace
        tasks = [asyncio.create_task(crowd.go()) for _ in range(3)]
        await settle()
        assert crowd.inside == (0 if delay else 1)
        for task in tasks[1:] if not delay else tasks:
            task.cancel()
        crowd.open.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert crowd.inside == 0
        pace._paused_until = 0.0  # noqa: SLF001  # or this would take the whole delay
        again = Crowd(pace)
        again.open.set()
        await asyncio.gather(*(again.go() for _ in range(3)))
        assert again.done == 3

    run(story())


def test_a_failure_gives_its_turn_back() -> None:
    async def fail(pace: RateLimiter) -> None:
        async with pace:
            raise ValueError("no")

    async def story() -> None:
        pace = RateLimiter(1)
        for _ in range(3):
            with pytest.raises(ValueError, match="no"):
                await fail(pace)
        await _begin(pace, [])

    run(story())


def test_a_pace_may_be_made_before_there_is_a_loop() -> None:
    pace = RateLimiter(2)
    assert pace.limit == 2

    async def story() -> None:
        pace.slow_down(0.0)
        assert pace.limit == 1
        await _begin(pace, [])

    run(story())
