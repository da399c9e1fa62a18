import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

import pytest

from garbo.common.errors import RetryLater
from garbo.common.runtime.deliver import Delivered, Deliveries, DeliveryTimes
from garbo.common.runtime.producer import Producer
from libs.common.tests.support.delivery import Noted, Stand, note
from libs.common.tests.support.waiting import until

pytestmark = pytest.mark.integration

OUTAGE_S = 20.0


class Broker(Protocol):
    bootstrap_servers: str

    def start(self) -> None: ...
    def stop(self) -> None: ...


async def publish_for_sure(stand: Stand, number: int) -> None:
    """As a flow does it: again until it is acknowledged."""
    while True:
        with suppress(RetryLater):
            await stand.write(note(number))
            return
        await asyncio.sleep(0.2)  # the pause of a careful client between two tries


async def test_a_broker_stopped_for_20_s_needs_no_restart_of_ours(private_kafka: Broker) -> None:
    seen: set[int] = set()

    async def handle(batch: Sequence[Delivered[Noted]]) -> None:
        await asyncio.sleep(0.05)  # stands for the work: the broker goes away while a batch is in hand
        seen.update(record.event.number for record in batch)

    stand = Stand(private_kafka.bootstrap_servers)
    await stand.start()
    try:
        await stand.write(*(note(n) for n in range(1000)))
        lane = stand.lane(handle, max_records=10)
        async with stand.delivering(lane, times=DeliveryTimes(look_every_s=1)) as deliveries:
            failed = asyncio.create_task(deliveries.wait_failed())
            await until(lambda: len(seen) >= 50)
            await asyncio.to_thread(private_kafka.stop)
            during = asyncio.create_task(publish_for_sure(stand, 1000))
            await asyncio.sleep(OUTAGE_S)  # the outage itself, not a wait for something
            assert not failed.done()
            await asyncio.to_thread(private_kafka.start)
            await asyncio.wait_for(during, 40)
            await publish_for_sure(stand, 1001)
            await until(lambda: len(seen) == 1002, within_s=40)
            await until(lambda: caught_up(stand), within_s=20)
            assert not failed.done()
            assert deliveries.healthy
            await until(lambda: stand.producer.healthy, within_s=10)
            failed.cancel()
    finally:
        await stand.stop()


async def test_a_process_may_start_before_its_broker(private_kafka: Broker) -> None:
    seen: set[int] = set()

    async def handle(batch: Sequence[Delivered[Noted]]) -> None:
        seen.update(record.event.number for record in batch)

    stand = Stand(private_kafka.bootstrap_servers)
    await stand.start()
    await stand.write(note(1))
    await stand.stop()
    await asyncio.to_thread(private_kafka.stop)
    late = Producer(kafka=stand.kafka, service=stand.service)
    deliveries = Deliveries(
        kafka=stand.kafka, service=stand.service, producer=late, lanes=[stand.lane(handle)]
    )
    try:
        async with asyncio.TaskGroup() as starting:
            starting.create_task(late.start())
            starting.create_task(deliveries.start())
            starting.create_task(asyncio.to_thread(private_kafka.start))
        await until(lambda: seen == {1})
    finally:
        await deliveries.stop()
        await late.stop()


async def caught_up(stand: Stand) -> bool:
    """All that stands in the topic is committed; an unacknowledged record may stand there twice."""
    written = len(await stand.read(stand.topic.name))
    return written >= 1002 and await stand.all_committed(written)
