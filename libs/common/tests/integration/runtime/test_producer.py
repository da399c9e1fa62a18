import asyncio
from typing import NoReturn

import pytest
from aiokafka import AIOKafkaProducer, errors

from garbo.common.errors import Reject, RetryLater
from garbo.common.events.topics import SEND_PROMO
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.producer import ASK_S, CLOSE_S, KNOCK_EVERY_S, Producer
from garbo.common.runtime.raw_producer import Outgoing
from libs.common.tests.support.delivery import Stand, note
from libs.common.tests.support.errors import every_error, made
from libs.common.tests.support.waiting import until
from tests.support.own_servers import OwnKafka
from tests.support.servers import SharedKafka

pytestmark = pytest.mark.integration

MIB = 1024 * 1024
PUBLISH_S = 2.0


@pytest.mark.parametrize("count", [5, 50], ids=["one by one", "together"])
async def test_same_key_goes_to_one_partition(stand: Stand, count: int) -> None:
    await stand.producer.publish([Outgoing(stand.topic.name, b"k", note(n)) for n in range(count)])
    records = await stand.read(stand.topic.name)
    assert len({record.partition for record in records}) == 1
    assert [record.value for record in records] == [note(n) for n in range(count)]


@pytest.mark.parametrize("largest_bytes", [2_000, 100_000], ids=["in batches", "one of them large"])
async def test_many_records_keep_each_keys_order_headers_and_partition(
    stand: Stand, largest_bytes: int
) -> None:
    sizes = [2_000] * 999 + [largest_bytes]
    told = [
        Outgoing(stand.topic.name, b"key %d" % (n % 7), b"%03d " % n + b"x" * size, (("n", b"%d" % n),))
        for n, size in enumerate(sizes)
    ]
    await stand.producer.publish(told)
    await stand.producer.publish([Outgoing(stand.topic.name, b"key %d" % n, b"last") for n in range(7)])
    records = await stand.read(stand.topic.name)
    assert len(records) == len(told) + 7
    for key in {record.key for record in told}:
        mine = [record for record in records if record.key == key]
        assert len({record.partition for record in mine}) == 1, "by whichever way it was sent"
        assert [r.value for r in mine] == [*(r.value for r in told if r.key == key), b"last"]
        assert [r.headers for r in mine[:-1]] == [r.headers for r in told if r.key == key]


async def test_dead_sender_task_is_noticed_and_the_producer_rebuilt(stand: Stand) -> None:
    current = stand.producer._current
    assert current is not None
    sender = current._producer._sender.sender_task
    sender.cancel()
    await asyncio.wait({sender}, timeout=5)
    assert stand.producer.healthy is False
    await stand.write(note(1))
    assert stand.producer._current is not current
    assert [record.value for record in await stand.read(stand.topic.name)] == [note(1)]


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(Outgoing(SEND_PROMO.name, None, b"x" * (5 * MIB)), id="value"),
        pytest.param(Outgoing(SEND_PROMO.name, None, b"x" * (4 * MIB)), id="by what surrounds it"),
        pytest.param(Outgoing(SEND_PROMO.name, b"k" * (4 * MIB), b"x"), id="key"),
        pytest.param(Outgoing(SEND_PROMO.name, None, b"x", (("h", b"h" * (4 * MIB)),)), id="header"),
    ],
)
async def test_record_that_can_never_be_published_is_rejected_and_others_do_not_notice(
    stand: Stand, record: Outgoing
) -> None:
    await stand.write(note(1))
    current = stand.producer._current
    with pytest.raises(Reject, match="record_too_large"):
        await stand.producer.publish([Outgoing(stand.topic.name, None, note(2)), record])
    await stand.write(note(3))
    assert stand.producer._current is current, "a batch that Kafka refuses leaves a hole in the sequence"
    assert {record.value for record in await stand.read(stand.topic.name)} == {note(1), note(3)}


@pytest.mark.parametrize("count", [1, 100])
async def test_it_is_ready_again_after_an_outage_though_nobody_publishes(
    private_kafka: OwnKafka, count: int
) -> None:
    await SharedKafka(private_kafka.bootstrap_servers).create_topics([SEND_PROMO])
    producer = Producer(kafka=KafkaSettings(private_kafka.bootstrap_servers, publish_s=2), service="test")
    await producer.start()
    try:
        await asyncio.to_thread(private_kafka.stop)
        with pytest.raises(RetryLater):
            await producer.publish([Outgoing(SEND_PROMO.name, b"k", note(n)) for n in range(count)])
        assert not producer.healthy
        await asyncio.to_thread(private_kafka.start)
        await until(lambda: producer.healthy)
    finally:
        await producer.stop()


@pytest.mark.parametrize("ends", ["kill", "freeze"])
async def test_it_is_not_ready_seconds_after_its_broker_is_gone_though_nobody_publishes(
    private_kafka: OwnKafka, ends: str
) -> None:
    producer = Producer(kafka=KafkaSettings(private_kafka.bootstrap_servers), service="test")
    await producer.start()
    try:
        assert producer.healthy
        await asyncio.to_thread(getattr(private_kafka, ends))
        await until(lambda: not producer.healthy, within_s=KNOCK_EVERY_S + ASK_S + 2)
        private_kafka.thaw()
        await asyncio.to_thread(private_kafka.start)
        await until(lambda: producer.healthy)
    finally:
        private_kafka.thaw()
        await producer.stop()


@pytest.mark.parametrize("ends", ["kill", "freeze"])
async def test_whoever_publishes_is_told_in_time_that_kafka_is_gone_every_time(
    private_kafka: OwnKafka, ends: str
) -> None:
    await SharedKafka(private_kafka.bootstrap_servers).create_topics([SEND_PROMO])
    producer = Producer(
        kafka=KafkaSettings(private_kafka.bootstrap_servers, publish_s=PUBLISH_S), service="test"
    )
    await producer.start()
    record = Outgoing(SEND_PROMO.name, b"k", note(1))
    try:
        await producer.publish([record])
        await asyncio.to_thread(getattr(private_kafka, ends))
        waited = [await asyncio.gather(*(_waits(producer, record) for _ in range(5))) for _ in range(4)]
        assert max(max(each) for each in waited) < PUBLISH_S + CLOSE_S / 2, "closing is nobody's wait"
        private_kafka.thaw()
        await asyncio.to_thread(private_kafka.start)
        await until(lambda: producer.healthy)
        await producer.publish([record])
    finally:
        private_kafka.thaw()
        await producer.stop()


async def _waits(producer: Producer, record: Outgoing) -> float:
    """Give the seconds until a publish is told that it is not known to be written."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(RetryLater):
        await producer.publish([record])
    return loop.time() - began


async def test_every_error_of_aiokafka_is_a_retry_or_a_reject(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    classes = [c for c in every_error(errors) if issubclass(c, errors.KafkaError)]
    assert len(classes) > 60
    for error in (*classes, OSError, ConnectionResetError):
        with monkeypatch.context() as broken:

            def fail(*_: object, error: type[Exception] = error, **__: object) -> NoReturn:
                raise made(error)

            broken.setattr(AIOKafkaProducer, "send", fail)
            with pytest.raises(Reject if error is errors.MessageSizeTooLargeError else RetryLater):
                await stand.write(note(0))
    await stand.write(note(1))
    assert [record.value for record in await stand.read(stand.topic.name)] == [note(1)]


async def test_a_broker_that_is_gone_costs_a_publish_no_more_than_its_own_time(
    private_kafka: OwnKafka,
) -> None:
    await SharedKafka(private_kafka.bootstrap_servers).create_topics([SEND_PROMO])
    producer = Producer(kafka=KafkaSettings(private_kafka.bootstrap_servers, publish_s=2), service="test")
    await producer.start()
    clock = asyncio.get_running_loop().time
    try:
        await asyncio.to_thread(private_kafka.stop)
        for _ in range(3):
            began = clock()
            with pytest.raises(RetryLater):
                await producer.publish([Outgoing(SEND_PROMO.name, b"k", note(1))])
            assert clock() - began < 3, "closing the producer that erred is not waited for"
    finally:
        await producer.stop()
