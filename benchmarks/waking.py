"""waking: care beside a hundred thousand promos that wait for the same second, and how fast these go."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from benchmarks.figures import Delay
from benchmarks.lanes import AIM_MS, p99_ms, waits_s
from benchmarks.requests import promo, publish
from benchmarks.servers import Bench, process
from garbo.common.events.requests import SendRequested
from garbo.common.events.topics import DECISION_MADE, SEND_PROMO, Topic
from libs.common.tests.support.waiting import until
from tests.support.ports import free_ports

PROMOS: Final = 100_000
READ_PER_S: Final = 2_000
"""Slower than any router: all of them wait before the first is due."""
CARES: Final = 500
WITHIN_S: Final = 600.0


def measure(bench: Bench) -> Delay:
    """Ask for care while nobody is due, then while everybody is."""
    return asyncio.run(_measure(bench))


async def _measure(bench: Bench) -> Delay:
    (port,) = free_ports(1)
    with process(bench, "garbo.router", ready_port=port, GARBO_ROUTER_PORT=str(port)):
        due_at = datetime.now(UTC) + timedelta(seconds=PROMOS / READ_PER_S + 30)
        await publish(bench.kafka, [_later(n, due_at) for n in range(PROMOS)])
        await _until(bench, DECISION_MADE, PROMOS)
        alone = await waits_s(bench, cares=CARES)
        if datetime.now(UTC) >= due_at:
            raise AssertionError("they were due before all of them waited")
        await asyncio.sleep((due_at - datetime.now(UTC)).total_seconds())
        began_s = time.perf_counter()
        beside = await waits_s(bench, cares=CARES)
        await _until(bench, SEND_PROMO, PROMOS)
        woken_per_s = PROMOS / (time.perf_counter() - began_s)
    name = f"care, {PROMOS // 1000} k due at once"
    return Delay(name, p99_ms(beside), f"none due ({woken_per_s:,.0f} woken/s)", p99_ms(alone), AIM_MS)


def _later(person: int, due_at: datetime) -> SendRequested:
    return promo(person).model_copy(update={"not_before": due_at})


async def _until(bench: Bench, topic: Topic[Any], records: int) -> None:
    await until(lambda: bench.end_offset(topic), lambda seen: seen >= records, within_s=WITHIN_S)
