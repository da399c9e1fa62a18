import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta

import pytest

from garbo.common.errors import RetryLater, StartRefused
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.deliver import Delivered, Deliveries, DeliveryTimes
from garbo.common.runtime.producer import Producer
from garbo.common.runtime.watchdog import NotConsuming
from libs.common.tests.support.delivery import Noted, Stand, note
from libs.common.tests.support.waiting import until

pytestmark = pytest.mark.integration


class Hands:
    """Counts who has which record in hand, and who finished it."""

    def __init__(self) -> None:
        self.now: Counter[int] = Counter()
        self.most: Counter[int] = Counter()
        self.finished: Counter[int] = Counter()
        self.by: dict[str, int] = {}

    async def work(self, who: str, batch: Sequence[Delivered[Noted]]) -> None:
        numbers = [record.event.number for record in batch]
        for number in numbers:
            self.now[number] += 1
            self.most[number] = max(self.most[number], self.now[number])
        try:
            await asyncio.sleep(0.004 * len(numbers))  # stands for the work
            self.finished.update(numbers)
            self.by[who] = self.by.get(who, 0) + len(numbers)
        finally:
            for number in numbers:
                self.now[number] -= 1


class Load:
    """Writes records, 100 at a time, a little faster than one member can handle them."""

    def __init__(self, stand: Stand) -> None:
        self.written = 0
        self._stand = stand
        self._enough = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self._task = asyncio.create_task(self._write())
        try:
            yield
        finally:
            await self.stop()

    async def stop(self) -> None:
        self._enough.set()
        if self._task:
            await self._task

    async def _write(self) -> None:
        while not self._enough.is_set():
            await self._stand.write(*(note(n) for n in range(self.written, self.written + 100)))
            self.written += 100
            with suppress(TimeoutError):
                await asyncio.wait_for(self._enough.wait(), 0.3)


async def test_two_members_and_a_rebalance_under_load_handle_no_record_twice(stand: Stand) -> None:
    hands = Hands()
    load = Load(stand)

    def member(who: str) -> Deliveries:
        async def handle(batch: Sequence[Delivered[Noted]]) -> None:
            await hands.work(who, batch)

        return Deliveries(
            kafka=stand.kafka,
            service=stand.service,
            producer=stand.producer,
            lanes=[stand.lane(handle, max_records=100)],
        )

    first, second, third = member("first"), member("second"), member("third")
    async with AsyncExitStack() as stack:
        for deliveries in (first, second, third):
            stack.push_async_callback(deliveries.stop)
        await stack.enter_async_context(load.running())
        await first.start()
        await until(lambda: hands.by.get("first", 0) > 300)
        await second.start()
        await until(lambda: hands.by.get("second", 0) > 300)
        await third.start()
        await until(lambda: hands.by.get("third", 0) > 300)
        await first.stop()
        await load.stop()
        await until(lambda: stand.all_committed(load.written))
    assert max(hands.most.values()) == 1, "no record was in two hands at once"
    assert hands.finished == Counter(range(load.written)), "and none was finished twice"
    assert set(hands.by) == {"first", "second", "third"}


async def test_a_batch_that_outlives_the_drain_is_cancelled_before_others_get_it(stand: Stand) -> None:
    hands = Hands()
    stuck = asyncio.Event()

    async def hang(batch: Sequence[Delivered[Noted]]) -> None:
        stuck.set()
        await asyncio.Event().wait()

    async def handle(batch: Sequence[Delivered[Noted]]) -> None:
        await hands.work("second", batch)

    await stand.write(*(note(n) for n in range(40)))
    async with stand.delivering(stand.lane(hang), times=DeliveryTimes(drain_s=0.5, stop_s=0.5)) as first:
        await stuck.wait()
        async with stand.delivering(stand.lane(handle)):
            await until(lambda: hands.by.get("second", 0) > 0)
            await first.stop()
            await until(lambda: stand.all_committed(40))
    assert hands.finished == Counter(range(40))


async def test_retry_later_lets_other_partitions_go_on_and_keeps_order(stand: Stand) -> None:
    handled: list[tuple[int, int]] = []
    tries = 0
    ready = False

    async def handle(batch: Sequence[Delivered[Noted]]) -> None:
        nonlocal tries
        if not ready and any(record.partition == 0 for record in batch):
            tries += 1
            raise RetryLater("not_ready", after=timedelta(milliseconds=200))
        handled.extend((record.partition, record.event.number) for record in batch)

    async with stand.delivering(stand.lane(handle), times=DeliveryTimes(backoff_max_s=1)) as deliveries:
        await stand.write_to(0, *(note(n) for n in range(10)))
        await until(lambda: tries >= 1)
        await stand.write_to(1, *(note(n) for n in range(10)))
        await until(lambda: len(handled) == 10)
        assert {partition for partition, _ in handled} == {1}
        await until(lambda: tries >= 3)
        assert (await stand.committed()).get(0, 0) == 0
        ready = True
        await until(lambda: stand.all_committed(20))
        assert deliveries.healthy
    assert handled[10:] == [(0, n) for n in range(10)]


async def test_stop_does_not_wait_for_a_backoff(stand: Stand) -> None:
    tried = asyncio.Event()

    async def handle(batch: Sequence[Delivered[Noted]]) -> None:
        tried.set()
        raise RetryLater("never_ready", after=timedelta(hours=1))

    await stand.write(note(1))
    async with stand.delivering(stand.lane(handle)) as deliveries:
        await tried.wait()
        async with asyncio.timeout(5):
            await deliveries.stop()
    assert await stand.committed() == {}


async def test_a_bug_stops_the_process_and_commits_nothing(stand: Stand) -> None:
    async def handle(batch: Sequence[Delivered[Noted]]) -> None:
        raise KeyError("a bug")

    await stand.write(*(note(n) for n in range(10)))
    async with stand.delivering(stand.lane(handle)) as deliveries:
        async with asyncio.timeout(20):
            assert isinstance(await deliveries.wait_failed(), KeyError)
        await stand.write(*(note(n) for n in range(10)))
    assert await stand.committed() == {}
    assert await stand.read(stand.dead.name) == []


async def test_a_lane_that_no_longer_polls_ends_the_process(stand: Stand) -> None:
    async def hang(batch: Sequence[Delivered[Noted]]) -> None:
        await asyncio.Event().wait()

    await stand.write(note(1))
    times = DeliveryTimes(watchdog_s=1, look_every_s=0.2, stop_s=0.2)
    async with stand.delivering(stand.lane(hang), times=times) as deliveries:
        async with asyncio.timeout(10):
            assert isinstance(await deliveries.wait_failed(), NotConsuming)
        assert not deliveries.healthy
    assert await stand.committed() == {}


async def test_start_is_refused_when_a_topic_is_missing(stand: Stand) -> None:
    async def handle(batch: Sequence[Delivered[Noted]]) -> None: ...

    nowhere = Deliveries(
        kafka=KafkaSettings(stand.kafka.bootstrap_servers, request_s=1.0),
        service="nobody",
        producer=stand.producer,
        lanes=[stand.lane(handle)],
    )
    with pytest.raises(StartRefused, match="garbo topics apply"):
        await nowhere.start()
    await nowhere.stop()


async def test_start_is_refused_when_kafka_does_not_answer(unused_tcp_port: int) -> None:
    kafka = KafkaSettings(f"127.0.0.1:{unused_tcp_port}", start_s=1.5)
    producer = Producer(kafka=kafka, service="nobody")
    with pytest.raises(StartRefused, match="Kafka does not answer"):
        await producer.start()
    await producer.stop()
    assert not producer.healthy
