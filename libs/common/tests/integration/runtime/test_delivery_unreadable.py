"""What aiokafka cannot read is stepped over: its origin is kept, and nothing else is lost."""

import asyncio
import gzip
from collections.abc import Sequence

import pytest
from aiokafka.errors import TopicAuthorizationFailedError

from garbo.common.errors import RetryLater
from garbo.common.runtime import careful_consumer
from garbo.common.runtime.careful_consumer import MAX_UNPACKED_BYTES, CarefulConsumer, unpack_gzip
from garbo.common.runtime.deliver import Delivered
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


async def test_batch_that_is_huge_once_unpacked_is_stepped_over(stand: Stand) -> None:
    seen = Seen()
    await stand.write_to(0, note(1))
    await stand.write_to(0, b" " * (MAX_UNPACKED_BYTES + 1), compressed="gzip")
    await stand.write_to(0, note(2), compressed="gzip")
    async with stand.delivering(stand.lane(seen)):
        await until(lambda: stand.all_committed(3))
    assert seen.numbers == [1, 2]
    assert await origins(stand) == [(0, 1, b"unreadable:ValueError")]


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
        assert await origins(stand) == [(0, 1, b"unreadable:CorruptRecordException")]
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


@pytest.mark.parametrize(
    ("packed", "error"),
    [
        (gzip.compress(b"\0" * (MAX_UNPACKED_BYTES + 1)), ValueError),
        (gzip.compress(b"a") * 2 + gzip.compress(b"\0" * MAX_UNPACKED_BYTES), ValueError),
        (gzip.compress(b"abc")[:-9], EOFError),
        (b"no gzip", Exception),
    ],
    ids=["bomb", "bomb in parts", "broken off", "none"],
)
def test_gzip_is_unpacked_up_to_a_bound(packed: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        unpack_gzip(packed)


def test_gzip_in_several_members_is_one() -> None:
    assert unpack_gzip(gzip.compress(b"ab") + gzip.compress(b"c")) == b"abc"
