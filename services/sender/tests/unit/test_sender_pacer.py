"""Turns on one number, with rates in memory: care before promo, nobody forgotten, nobody stuck."""

import asyncio
import time

import pytest

from garbo.common.errors import RetryLater
from garbo.common.events.decisions import Lane
from garbo.sender.flow.pacer import Pacer
from garbo.sender.inbound.lanes import grants_count
from garbo.sender.ports import Lease, NoLease
from services.sender.tests.support.fakes import MemoryRates

NUMBER = "1"


def a_pacer(*, rate: float = 100) -> Pacer:
    return Pacer(MemoryRates(time.monotonic), ceilings_per_s={NUMBER: rate}, now=time.monotonic)


async def test_care_that_comes_later_overtakes_promo_that_keeps_its_tenth() -> None:
    pacer, order = a_pacer(), list[tuple[Lane, int]]()

    async def take(lane: Lane) -> None:
        slots = await pacer.acquire(number=NUMBER, lane=lane, wanted=100)
        order.append((lane, slots.count))

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        for lane in ("promo", "promo", "promo", "care", "care"):
            group.create_task(take(lane))
    assert order == [("promo", 14), ("care", 14), ("promo", 1), ("care", 14), ("promo", 14)]


async def test_promo_is_not_starved_by_care_that_never_ends() -> None:
    pacer, held = a_pacer(rate=400), {"care": 0, "promo": 0}

    async def go_on(lane: Lane) -> None:
        while sum(held.values()) < 600:
            slots = await pacer.acquire(number=NUMBER, lane=lane, wanted=500)
            held[lane] += slots.count

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        for lane in ("care", "care", "promo"):
            group.create_task(go_on(lane))
    assert 0.05 < held["promo"] / sum(held.values()) < 0.2


async def test_whoever_gives_up_waiting_holds_up_nobody() -> None:
    pacer = a_pacer(rate=20)
    await pacer.acquire(number=NUMBER, lane="promo", wanted=100)
    given_up = asyncio.create_task(pacer.acquire(number=NUMBER, lane="care", wanted=1))
    waits = asyncio.create_task(pacer.acquire(number=NUMBER, lane="promo", wanted=1))
    await asyncio.sleep(0)
    given_up.cancel()
    async with asyncio.timeout(5):
        assert (await waits).count == 1


async def test_a_throttled_number_rests() -> None:
    rates = MemoryRates(time.monotonic)
    pacer = Pacer(rates, ceilings_per_s={NUMBER: 100}, now=time.monotonic)
    await pacer.slow_down(NUMBER, rest_s=0.2)
    begun = time.monotonic()
    async with asyncio.timeout(5):
        await pacer.acquire(number=NUMBER, lane="care", wanted=1)
    assert time.monotonic() - begun >= 0.19
    assert rates.slowed == [NUMBER]


async def test_a_failing_database_fails_one_turn_only() -> None:
    class Failing(MemoryRates):
        fails = True

        async def acquire(
            self, number: str, *, ceiling_per_s: float, wanted: int, ready_in_s: float
        ) -> Lease | NoLease:
            if self.fails:
                self.fails = False
                raise RetryLater("postgres")
            return await super().acquire(
                number, ceiling_per_s=ceiling_per_s, wanted=wanted, ready_in_s=ready_in_s
            )

    pacer = Pacer(Failing(time.monotonic), ceilings_per_s={NUMBER: 100}, now=time.monotonic)
    with pytest.raises(RetryLater):
        await pacer.acquire(number=NUMBER, lane="care", wanted=1)
    async with asyncio.timeout(5):
        assert (await pacer.acquire(number=NUMBER, lane="care", wanted=1)).count == 1


@pytest.mark.parametrize(
    ("rates", "count"),
    [([80.0, 1000.0], 500), ([80.0, 10.0], 180), ([0.5], 20), ([], 20)],
    ids=["fast_numbers", "one_slow_number", "a_very_slow_number", "no_number"],
)
def test_a_batch_fits_its_time_for_the_slowest_number(rates: list[float], count: int) -> None:
    assert grants_count(rates) == count
