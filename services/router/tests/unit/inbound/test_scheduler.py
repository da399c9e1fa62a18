"""The loops of the router's own work: they go on, rest, try again, and end the process by a bug."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeAlias

from garbo.common.errors import Reject, RetryLater
from garbo.router.flow.jobs.schedule import Schedule
from garbo.router.inbound.scheduler import Scheduler
from libs.common.tests.support.waiting import until
from services.router.tests.support.memory_jobs import CountingJobMeter

HOUR_S = 3600.0
Round: TypeAlias = Callable[[], Awaitable[bool]]


@dataclass(frozen=True)
class RoundJob:
    """A job that does what a test says."""

    name: str
    work: Round
    schedule: Schedule

    async def once(self) -> bool:
        return await self.work()


@asynccontextmanager
async def ticking(*rounds: Round, every_s: float = HOUR_S) -> AsyncIterator[Scheduler]:
    jobs = tuple(RoundJob(f"job-{n}", once, Schedule(every_s)) for n, once in enumerate(rounds))
    clockwork = Scheduler(jobs, CountingJobMeter())
    await clockwork.start()
    try:
        yield clockwork
    finally:
        await clockwork.stop()


async def test_round_follows_round_while_there_is_more_and_then_it_looks_seldom() -> None:
    done = 0

    async def five_rounds() -> bool:
        nonlocal done
        done += 1
        return done < 5

    async with ticking(five_rounds):
        await until(lambda: done == 5)
    assert done == 5


async def test_each_kind_has_a_loop_of_its_own() -> None:
    both = asyncio.Barrier(2)

    async def meets_the_other() -> bool:
        await both.wait()
        return False

    async with ticking(meets_the_other, meets_the_other):
        await until(lambda: both.n_waiting == 0)


async def test_what_is_not_ready_is_counted_and_tried_again() -> None:
    tries = 0

    async def stumbles_twice() -> bool:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise RetryLater("postgres:down")
        if tries == 2:
            raise Reject("record_too_large")
        return False

    async with ticking(stumbles_twice, every_s=0.01) as clockwork:
        await until(lambda: tries >= 3)
    assert isinstance(clockwork.meter, CountingJobMeter)
    assert clockwork.meter.failures == [("job-0", "postgres:down"), ("job-0", "record_too_large")]


async def test_bug_in_one_loop_ends_the_process() -> None:
    async def fine() -> bool:
        return False

    async def breaks() -> bool:
        raise KeyError("bug")

    async with ticking(fine, breaks) as clockwork, asyncio.timeout(10):
        assert isinstance(await clockwork.wait_failed(), KeyError)
