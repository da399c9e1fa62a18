from collections.abc import Sequence
from dataclasses import replace

import pytest

from garbo.common.errors import Reject
from garbo.common.runtime.deliver import Delivered, RefusalPace
from garbo.common.runtime.raw_producer import Outgoing
from libs.common.tests.support.delivery import Noted, Stand, note
from libs.common.tests.support.raw_batches import write_batch
from libs.common.tests.support.waiting import until

pytestmark = pytest.mark.integration

BAD = b'{"client": "shop", "number": "x"}'
POISON = (b"\xff\xfe", b"", b"[" * 100_000, b'{"number": "x"}', b'{"number": 1e400}')


async def test_poison_goes_to_dead_letters_and_its_neighbours_do_not_notice(stand: Stand) -> None:
    handled: list[int] = []

    async def handle(batch: Sequence[Delivered[Noted]]) -> None:
        handled.extend(record.event.number for record in batch)

    await stand.write(*(note(n) for n in range(50)))
    await stand.write(*POISON, headers=(("bad-utf8", b"\xff"),))
    await stand.write(*(note(n) for n in range(50, 100)))
    async with stand.delivering(stand.lane(handle)):
        await until(lambda: stand.all_committed(100 + len(POISON)))
    assert sorted(handled) == list(range(100))
    letters = await stand.read(stand.dead.name)
    assert sorted(letter.value or b"" for letter in letters) == sorted(POISON)
    for letter in letters:
        headers = dict(letter.headers)
        assert headers["bad-utf8"] == b"\xff"
        assert headers["garbo-origin-topic"] == stand.topic.name.encode()
        assert headers["garbo-origin-partition"] is not None
        assert headers["garbo-origin-offset"] is not None
        assert headers["garbo-attempt"] == b"1"
        assert headers["garbo-failed-at"] is not None
    assert {dict(letter.headers)["garbo-reason"] for letter in letters} >= {b"empty", b"invalid:number"}


async def test_records_of_any_size_and_headers_are_buried_and_the_lane_goes_on(stand: Stand) -> None:
    handled: list[int] = []

    async def handle(batch: Sequence[Delivered[Noted]]) -> None:
        handled.extend(record.event.number for record in batch)

    await stand.write_to(0, b"{", headers=[("garbo-attempt", b"9" * 5000)])
    await stand.write_to(0, b" " * 6 * 1024 * 1024, compressed="gzip")
    await stand.write_to(0, b"{", headers=[("h", b"h" * 5 * 1024 * 1024)], compressed="gzip")
    await stand.write_to(0, note(1))
    async with stand.delivering(stand.lane(handle)):
        await until(lambda: stand.all_committed(4))
    assert handled == [1]
    letters = [dict(letter.headers) for letter in await stand.read(stand.dead.name)]
    assert sorted(letter["garbo-origin-offset"] or b"" for letter in letters) == [b"0", b"1", b"2"]
    cut = {letter["garbo-origin-offset"]: letter.get("garbo-whole-bytes") for letter in letters}
    assert cut == {b"0": None, b"1": b"6291456", b"2": b"1"}


async def test_only_the_rejected_record_of_a_batch_is_buried(stand: Stand) -> None:
    done: list[int] = []

    async def handle(batch: Sequence[Delivered[Noted]]) -> None:
        if any(record.event.number == 13 for record in batch):
            raise Reject("unlucky")
        done.extend(record.event.number for record in batch)

    await stand.write_to(0, *(note(n) for n in range(20)))
    async with stand.delivering(stand.lane(handle)):
        await until(lambda: stand.all_committed(20))
    assert done == [n for n in range(20) if n != 13]
    (letter,) = await stand.read(stand.dead.name)
    assert letter.value == note(13)
    assert dict(letter.headers)["garbo-reason"] == b"unlucky"
    assert dict(letter.headers)["garbo-origin-offset"] == b"13"


async def test_flood_stops_nobody_and_a_restart_goes_on(stand: Stand) -> None:
    handled: list[int] = []

    async def handle(batch: Sequence[Delivered[Noted]]) -> None:
        handled.extend(record.event.number for record in batch)

    lane = replace(stand.lane(handle), refusals=RefusalPace(free_count=10, burst_count=10))
    await stand.write_to(0, *(b"poison" for _ in range(1000)))
    async with stand.delivering(lane):
        await until(lambda: buried(stand, 20))
    assert not await buried(stand, 500), "nothing good was seen: it may be our own fault"
    async with stand.delivering(lane) as deliveries:
        await stand.write_to(1, note(1))
        await until(lambda: stand.all_committed(1001))
        assert deliveries.ready
    assert handled == [1]
    assert len(await stand.read(stand.dead.name)) == 1000


async def buried(stand: Stand, count: int) -> bool:
    return len(await stand.read(stand.dead.name)) >= count


async def test_redriven_record_reaches_the_lane_of_its_origin_and_keeps_it(stand: Stand) -> None:
    handled: list[tuple[str, int]] = []

    async def handle(batch: Sequence[Delivered[Noted]]) -> None:
        for record in batch:
            if record.event.number == 2:
                raise Reject("still_bad")
            handled.append((record.topic, record.event.number))

    origin = (
        ("garbo-origin-topic", stand.topic.name.encode()),
        ("garbo-origin-partition", b"3"),
        ("garbo-origin-offset", b"77"),
        ("garbo-attempt", b"1"),
    )
    await stand.producer.publish(
        [
            Outgoing(stand.again.name, None, note(1), origin),
            Outgoing(stand.again.name, None, note(2), origin),
            Outgoing(stand.again.name, None, note(3), (("garbo-origin-topic", b"nobody's"),)),
        ]
    )

    async def both_buried() -> bool:
        return len(await stand.read(stand.dead.name)) == 2 and len(handled) >= 1

    async with stand.delivering(stand.lane(handle)):
        await until(both_buried)
    assert set(handled) == {(stand.topic.name, 1)}
    letters = {letter.value: dict(letter.headers) for letter in await stand.read(stand.dead.name)}
    assert letters[note(2)]["garbo-origin-offset"] == b"77"
    assert letters[note(2)]["garbo-attempt"] == b"2"
    assert letters[note(3)]["garbo-reason"] == b"unknown_topic"


async def test_good_record_of_another_behind_a_flood_in_its_partition_waits_for_no_slow_burial(
    stand: Stand,
) -> None:
    handled: list[int] = []

    async def handle(batch: Sequence[Delivered[Noted]]) -> None:
        handled.extend(record.event.number for record in batch)

    await write_batch(stand.kafka, stand.topic.name, 3, [(BAD, False)] * 5000)
    await stand.write_to(3, note(1))
    slow = RefusalPace(slow_per_s=1, burst_count=1)  # without the look ahead: an hour and more
    async with stand.delivering(replace(stand.lane(handle), refusals=slow)):
        await until(lambda: stand.all_committed(5001))
    assert handled == [1]


async def test_flood_in_one_partition_slows_nothing_of_its_publisher_in_another(stand: Stand) -> None:
    handled: list[int] = []

    async def handle(batch: Sequence[Delivered[Noted]]) -> None:
        handled.extend(record.event.number for record in batch)

    await write_batch(stand.kafka, stand.topic.name, 3, [(BAD, False)] * 2000)
    frozen = RefusalPace(slow_per_s=0, burst_count=0, proven_s=0)
    async with stand.delivering(replace(stand.lane(handle), refusals=frozen)) as deliveries:
        await until(lambda: _buried(stand, 100))
        await stand.write_to(1, *(b'{"client": "shop", "number": %d}' % n for n in range(50)))
        await until(lambda: len(handled) == 50)
        assert deliveries.healthy
    assert handled == list(range(50))


async def _buried(stand: Stand, count: int) -> bool:
    return len(await stand.read(stand.dead.name)) >= count
