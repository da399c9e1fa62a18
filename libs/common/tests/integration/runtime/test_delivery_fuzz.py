"""Arbitrary records amid normal traffic: nothing ends, all that is good is handled, all else is buried."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from garbo.common.runtime.deliver import Delivered, RefusalPace
from libs.common.tests.support.delivery import Noted, Stand, note
from libs.common.tests.support.raw_batches import write_batch
from libs.common.tests.support.waiting import until

pytestmark = pytest.mark.integration

ARBITRARY, GOOD = 3000, 300
NAMES = ["garbo-attempt", "garbo-origin-topic", "garbo-whole-bytes", "traceparent", "ce_source", "\u2028", ""]
STARTS = [b"", b"{", b"[" * 200, b'{"number": ', b'{"client": "', b"\xff\xfe", b"\x00", b'{"number": 1e999}']


def arbitrary(dice: Random) -> tuple[bytes | None, list[tuple[str, bytes]]]:
    """Make a value that is no event, and any headers."""
    value = dice.choice(STARTS) + dice.randbytes(dice.choice([0, 1, 50, 5000])) + b"\xff"
    sizes = [0, 3, 5000]
    headers = [
        (dice.choice(NAMES), dice.choice([dice.randbytes(dice.choice(sizes)), b"9" * dice.choice(sizes)]))
        for _ in range(dice.randrange(5))
    ]
    return dice.choice([value, value, value, None]), headers


async def write_arbitrary(stand: Stand, dice: Random, count: int, *, compressed: str | None) -> None:
    writer: Any = AIOKafkaProducer(**stand.kafka.connection(), compression_type=compressed, linger_ms=20)
    await writer.start()
    try:
        for _ in range(count):
            value, headers = arbitrary(dice)
            key = dice.randbytes(4)
            await writer.send(stand.topic.name, value, key, headers=headers)
    finally:
        await writer.stop()


@pytest.mark.parametrize("seed", [1, 2])
async def test_arbitrary_records_end_nothing_and_good_ones_are_all_handled(stand: Stand, seed: int) -> None:
    handled: list[int] = []

    async def handle(batch: Sequence[Delivered[Noted]]) -> None:
        handled.extend(record.event.number for record in batch)

    async def normal_traffic() -> None:
        for first in range(0, GOOD, 10):
            await stand.write(*(note(n) for n in range(first, first + 10)))

    dice = Random(seed)
    lane = replace(stand.lane(handle), refusals=RefusalPace(slow_per_s=1000, burst_count=1000))
    async with stand.delivering(lane) as deliveries, asyncio.TaskGroup() as writing:
        writing.create_task(normal_traffic())
        writing.create_task(write_arbitrary(stand, dice, ARBITRARY // 2, compressed=None))
        writing.create_task(write_arbitrary(stand, dice, ARBITRARY // 2, compressed="gzip"))
        for partition in range(4):
            broken = [(dice.randbytes(9), True) for _ in range(3)]
            writing.create_task(write_batch(stand.kafka, stand.topic.name, partition, broken))
            huge = b" " * 20 * 1024 * 1024
            writing.create_task(stand.write_to(partition, huge, compressed="gzip"))
        bad = ARBITRARY + 4 * 4
        await until(lambda: stand.all_committed(bad + GOOD), within_s=120)
        assert deliveries.healthy
    assert sorted(handled) == list(range(GOOD))
    letters = [dict(letter.headers) for letter in await stand.read(stand.dead.name)]
    assert len({(h["garbo-origin-partition"], h["garbo-origin-offset"]) for h in letters}) == bad
