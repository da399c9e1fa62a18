"""Requests that come together go to Kafka together, and each is answered by itself, and in time."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from garbo.common.errors import Reject, RetryLater
from garbo.common.events.topics import INBOUND_MESSAGE, record_limit_bytes
from garbo.common.runtime.raw_producer import Outgoing
from garbo.ingest.outbound.wide_produce import MAX_RECORDS, MAX_UNDER_WAY, WideProduce
from libs.common.tests.support.waiting import until

TOPIC = INBOUND_MESSAGE.name


def record(name: str) -> Outgoing:
    return Outgoing(TOPIC, None, name.encode())


def large(size_bytes: int) -> Outgoing:
    return Outgoing(TOPIC, None, b"x" * size_bytes)


@dataclass
class Kafka:
    """Keeps what is published; holds it back, fails, or takes only so much, as it is told."""

    open: asyncio.Event = field(default_factory=asyncio.Event)
    published: list[list[str]] = field(default_factory=list)
    begun: list[int] = field(default_factory=list)
    fails: Exception | None = None
    takes_bytes: int = 1 << 30
    held: tuple[bytes, ...] = ()
    """What lies on a broker that holds still until `let_go`."""
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    async def publish_groups(
        self, groups: Sequence[Sequence[Outgoing]], ended: Callable[[int, Exception | None], None]
    ) -> None:
        async def one(place: int) -> None:
            held = any(record.value in self.held for record in groups[place])
            await (self.let_go.wait() if held else asyncio.sleep(0))
            ended(place, None)

        try:
            await self.publish([record for group in groups for record in group])
        except (Reject, RetryLater) as error:
            for place in range(len(groups)):
                ended(place, error)
            return
        await asyncio.gather(*(one(place) for place in range(len(groups))))

    async def publish(self, records: Sequence[Outgoing]) -> None:
        self.begun.append(len(records))
        await self.open.wait()
        if self.fails:
            raise self.fails
        if any(len(one.value) > self.takes_bytes for one in records):
            raise Reject("record_too_large")
        self.published.append([one.value.decode()[:9] for one in records])


@pytest.fixture
def kafka() -> Kafka:
    made = Kafka()
    made.open.set()
    return made


async def begun(kafka: Kafka, count: int) -> None:
    await until(lambda: len(kafka.begun) >= count)


async def test_what_comes_together_goes_together_and_the_next_gathers_meanwhile(kafka: Kafka) -> None:
    kafka.open.clear()
    wide = WideProduce(kafka)
    async with asyncio.TaskGroup() as requests:
        for name in "ab":
            requests.create_task(wide.publish([record(name), record(f"{name}2")]))
        await begun(kafka, 1)
        for name in "cde":
            requests.create_task(wide.publish([record(name)]))
        await asyncio.sleep(0)
        kafka.open.set()
    assert kafka.published == [["a", "a2", "b", "b2"], ["c", "d", "e"]]


async def test_nobody_is_answered_before_kafka_has_it(kafka: Kafka) -> None:
    kafka.open.clear()
    request = asyncio.create_task(WideProduce(kafka).publish([record("a")]))
    await begun(kafka, 1)
    assert not request.done()
    kafka.open.set()
    await request


async def test_all_are_told_when_kafka_does_not_take_it(kafka: Kafka) -> None:
    kafka.fails = RetryLater("kafka_publish:KafkaError")
    wide = WideProduce(kafka)
    ends = await asyncio.gather(*(wide.publish([record(n)]) for n in "abc"), return_exceptions=True)
    assert [type(end) for end in ends] == [RetryLater] * 3
    kafka.fails = None
    await wide.publish([record("d")])
    assert kafka.published == [["d"]]


async def test_a_bug_is_told_to_who_waits_and_the_next_go_on(kafka: Kafka) -> None:
    kafka.fails = RuntimeError("bug")
    wide = WideProduce(kafka)
    with pytest.raises(RuntimeError):
        await wide.publish([record("a")])
    kafka.fails = None
    await wide.publish([record("b")])


async def test_one_too_large_is_refused_alone(kafka: Kafka) -> None:
    wide = WideProduce(kafka)
    too_large = wide.publish([large(record_limit_bytes(TOPIC) + 1)])
    ends = await asyncio.gather(wide.publish([record("a")]), too_large, return_exceptions=True)
    assert ends[0] is None
    assert isinstance(ends[1], Reject)
    assert kafka.published == [["a"]]


async def test_a_broker_that_takes_less_than_we_measure_by_costs_nobody_else(kafka: Kafka) -> None:
    kafka.takes_bytes = 1000
    wide = WideProduce(kafka)
    ends = await asyncio.gather(
        wide.publish([record("a")]),
        wide.publish([large(2000)]),
        wide.publish([record("b")]),
        return_exceptions=True,
    )
    assert [type(end) for end in ends] == [type(None), Reject, type(None)]
    assert kafka.published == [["a"], ["b"]]


async def test_who_waits_is_answered_in_time_however_long_kafka_takes(kafka: Kafka) -> None:
    kafka.open.clear()
    wide = WideProduce(kafka, answer_s=0.1)
    began_s = asyncio.get_running_loop().time()
    ends = await asyncio.gather(*(wide.publish([record(n)]) for n in "ab"), return_exceptions=True)
    assert [str(end) for end in ends] == ["kafka_publish:slow"] * 2
    with pytest.raises(RetryLater):
        await wide.publish([record("c")])
    assert asyncio.get_running_loop().time() - began_s < 5
    kafka.open.set()
    await wide.publish([record("d")])
    assert kafka.published == [["a", "b"], ["c"], ["d"]]


async def test_one_broker_that_holds_still_delays_whoever_has_a_record_there_alone(kafka: Kafka) -> None:
    kafka.held = (b"held",)
    wide = WideProduce(kafka)
    waits = asyncio.create_task(wide.publish([record("held")]))
    await wide.publish([record("beside")])
    await wide.publish([record("after")])
    assert not waits.done()
    kafka.let_go.set()
    await waits


async def test_no_more_is_begun_than_memory_holds(kafka: Kafka) -> None:
    kafka.held = (b"held",)
    wide = WideProduce(kafka, answer_s=0.3)
    crowd = [asyncio.create_task(wide.publish([record("held")] * 4_000)) for _ in range(12)]
    ends = await asyncio.gather(*crowd, return_exceptions=True)
    assert {type(end) for end in ends} == {RetryLater}
    assert MAX_UNDER_WAY <= sum(kafka.begun) < MAX_UNDER_WAY + MAX_RECORDS + 4_000
    kafka.let_go.set()
    await wide.publish([record("after")])


async def test_who_has_gone_is_passed_over(kafka: Kafka) -> None:
    kafka.open.clear()
    wide = WideProduce(kafka)
    first = asyncio.create_task(wide.publish([record("a")]))
    await begun(kafka, 1)
    gone = asyncio.create_task(wide.publish([record("b")]))
    stays = asyncio.create_task(wide.publish([record("c")]))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait([gone])
    kafka.open.set()
    await asyncio.gather(first, stays)
    assert kafka.published == [["a"], ["c"]]


async def test_so_many_go_at_once_at_most(kafka: Kafka) -> None:
    kafka.open.clear()
    wide = WideProduce(kafka)
    async with asyncio.TaskGroup() as requests:
        requests.create_task(wide.publish([record("first")]))
        await begun(kafka, 1)
        for name in "abc":
            requests.create_task(wide.publish([record(name)] * 4000))
        await asyncio.sleep(0)
        kafka.open.set()
    assert kafka.begun == [1, 8000, 4000]
