"""What aiokafka cannot read is stepped over: its origin is kept, and nothing else is lost."""

import asyncio
from collections.abc import Sequence

import pytest
from aiokafka.errors import TopicAuthorizationFailedError

from garbo.common.errors import RetryLater
from garbo.common.runtime import careful_consumer, unpacking
from garbo.common.runtime.careful_consumer import CarefulConsumer
from garbo.common.runtime.careful_records import POLL_BYTES
from garbo.common.runtime.deliver import Delivered
from garbo.common.runtime.unpacking import MAX_UNPACKED_BYTES
from libs.common.tests.support.delivery import Noted, Stand, note
from libs.common.tests.support.raw_batches import write_batch
from libs.common.tests.support.waiting import until
from tests.support.own_servers import OwnKafka

pytestmark = pytest.mark.integration


class Seen:
    """A flow that remembers what it was handed."""

    def __init__(self) -> None:
        self.numbers: list[int] = []

    async def __call__(self, batch: Sequence[Delivered[Noted]]) -> None:
        self.numbers.extend(record.event.number for record in batch)


async def origins(stand: Stand) -> list[tuple[int, int, bytes]]:
    letters = [dict(letter.headers) for letter in await stand.read(stand.dead.name)]
    return sorted(
        (
            int(letter["garbo-origin-partition"] or b"-1"),
            int(letter["garbo-origin-offset"] or b"-1"),
            letter["garbo-reason"] or b"",
        )
        for letter in letters
    )


async def test_header_that_is_not_utf8_costs_its_own_record_alone(stand: Stand) -> None:
    seen = Seen()
    for first in range(0, 40, 10):
        await stand.write_to(first // 10, *(note(n) for n in range(first, first + 5)))
    await write_batch(stand.kafka, stand.topic.name, 1, [(note(98), False), (note(99), True)])
    for first in range(5, 45, 10):
        await stand.write_to(first // 10, *(note(n) for n in range(first, first + 5)))
    async with stand.delivering(stand.lane(seen, max_records=7)) as deliveries:
        await until(lambda: stand.all_committed(42))
        assert deliveries.ready
    assert sorted(seen.numbers) == [*range(40), 98], "what a failed poll had read of others comes again"
    assert await origins(stand) == [(1, 6, b"unreadable:UnicodeDecodeError")]


async def test_many_unreadable_records_in_a_row_are_each_stepped_over(stand: Stand) -> None:
    seen = Seen()
    await write_batch(stand.kafka, stand.topic.name, 0, [(note(n), True) for n in range(20)])
    await stand.write_to(0, note(20))
    async with stand.delivering(stand.lane(seen)):
        await until(lambda: stand.all_committed(21))
    assert seen.numbers == [20]
    assert [origin[:2] for origin in await origins(stand)] == [(0, n) for n in range(20)]


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
async def test_batch_that_is_huge_once_unpacked_is_stepped_over(stand: Stand, codec: str) -> None:
    seen = Seen()
    await stand.write_to(0, note(1))
    await stand.write_to(0, b" " * (MAX_UNPACKED_BYTES + 1), compressed=codec)
    await stand.write_to(0, note(2), compressed=codec)
    async with stand.delivering(stand.lane(seen)):
        await until(lambda: stand.all_committed(3))
    assert seen.numbers == [1, 2]
    assert await origins(stand) == [(0, 1, b"unreadable:TooLargeUnpacked")]


async def test_batch_of_many_records_that_cannot_be_unpacked_is_one_letter(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = Seen()
    await write_batch(
        stand.kafka, stand.topic.name, 0, [(note(n), False) for n in range(9999)], compressed="zstd"
    )
    await stand.write_to(0, note(1))
    monkeypatch.setattr(unpacking, "cramjam", None)  # as on a machine for which it is not built
    async with stand.delivering(stand.lane(seen)):
        await until(lambda: stand.all_committed(10_000))
    assert seen.numbers == [1]
    assert await origins(stand) == [(0, 9998, b"unreadable:UnknownCompression")]


async def test_what_one_poll_hands_over_is_bounded(stand: Stand) -> None:
    sizes: list[int] = []

    async def measure(batch: Sequence[Delivered[Noted]]) -> None:
        sizes.append(sum(len(record.value) for record in batch))

    large = note(1) + b" " * 3 * 1024 * 1024
    for _ in range(20):  # 3 kB each as they are fetched, all 20 at once
        await stand.write_to(0, large, compressed="zstd")
    await stand.write_to(1, note(2))
    async with stand.delivering(stand.lane(measure)):
        await until(lambda: stand.all_committed(21))
    assert sum(sizes) > 60 * 1024 * 1024
    assert max(sizes) < POLL_BYTES + len(large)


async def test_batch_whose_checksum_is_wrong_on_disk_is_stepped_over(private_kafka: OwnKafka) -> None:
    stand, seen = Stand(private_kafka.bootstrap_servers, partitions=1), Seen()
    await stand.start()
    try:
        for number in (111, 222, 333):
            await stand.write_to(0, note(number))
        await asyncio.to_thread(private_kafka.stop)
        for segment in private_kafka._log.parent.rglob(f"{stand.topic.name}-0/*.log"):
            segment.write_bytes(segment.read_bytes().replace(note(222), note(229)))
        await asyncio.to_thread(private_kafka.start)
        async with stand.delivering(stand.lane(seen)):
            await until(lambda: stand.all_committed(3), within_s=30)
        assert seen.numbers == [111, 333]
        assert await origins(stand) == [(0, 1, b"unreadable:WrongChecksum")]
    finally:
        await stand.stop()


async def test_unreadable_record_waits_for_its_dead_letter(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, publish, tries = Seen(), stand.producer.publish, 0

    async def publish_later(records: Sequence[object]) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise RetryLater("kafka_publish")
        await publish(records)  # type: ignore[arg-type] # as it was given

    await write_batch(stand.kafka, stand.topic.name, 0, [(note(1), False), (note(2), True)])
    monkeypatch.setattr(stand.producer, "publish", publish_later)
    async with stand.delivering(stand.lane(seen)):
        await until(lambda: stand.all_committed(2))
    assert await origins(stand) == [(0, 1, b"unreadable:UnicodeDecodeError")]


async def test_failing_polls_wait_longer_each_time_and_make_the_process_unready(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(careful_consumer, "FIRST_WAIT_S", 0.01)
    monkeypatch.setattr(careful_consumer, "LONGEST_WAIT_S", 0.05)
    seen, waits, denied = Seen(), [], True
    poll = CarefulConsumer._poll

    async def refuse(self: CarefulConsumer, *partitions: object, **more: object) -> object:
        if not denied:
            return await poll(self, *partitions, **more)  # type: ignore[arg-type] # as it was given
        waits.append(self._wait_s)
        raise TopicAuthorizationFailedError

    monkeypatch.setattr(CarefulConsumer, "_poll", refuse)
    await stand.write_to(0, note(1))
    async with stand.delivering(stand.lane(seen)) as deliveries:
        await until(lambda: not deliveries.ready, within_s=30)
        assert deliveries.healthy
        assert waits[:3] == [0.01, 0.02, 0.04]
        denied = False
        await until(lambda: deliveries.ready and seen.numbers == [1], within_s=30)
    assert await origins(stand) == []
