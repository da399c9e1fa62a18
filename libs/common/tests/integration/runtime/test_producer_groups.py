"""Several callers publish together: each is told once, of its own records."""

import asyncio
from collections import Counter
from typing import NoReturn

import pytest
from aiokafka import AIOKafkaProducer, errors

from garbo.common.errors import Reject, RetryLater
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.producer import Producer
from garbo.common.runtime.raw_producer import Outgoing
from libs.common.tests.support.delivery import Stand
from libs.common.tests.support.errors import every_error, made
from libs.common.tests.support.waiting import until
from tests.support.own_servers import OwnKafka

pytestmark = pytest.mark.integration
PUBLISH_S = 2.0


class Told:
    """Notes what each caller is told."""

    def __init__(self) -> None:
        self.ends: list[tuple[int, Exception | None]] = []

    def __call__(self, place: int, error: Exception | None) -> None:
        self.ends.append((place, error))

    @property
    def places(self) -> list[int]:
        return sorted(place for place, _ in self.ends)

    @property
    def kinds(self) -> set[type[Exception] | None]:
        return {type(error) if error else None for _, error in self.ends}


def group(topic: str, name: str, count: int, size: int = 10) -> list[Outgoing]:
    return [Outgoing(topic, b"%d" % n, f"{name}/{n}/".encode() + b"x" * size) for n in range(count)]


@pytest.mark.parametrize(
    ("counts", "size"),
    [([1, 2, 3], 10), ([40, 1, 0, 25], 10), ([300, 300], 2_000), ([2, 20], 90_000)],
    ids=["few", "together", "more than a batch", "large ones"],
)
async def test_each_is_told_once_when_its_records_are_there(
    stand: Stand, counts: list[int], size: int
) -> None:
    groups = [group(stand.topic.name, f"g{place}", count, size) for place, count in enumerate(counts)]
    told = Told()
    await stand.producer.publish_groups(groups, told)
    assert told.places == list(range(len(counts)))
    assert told.kinds == {None}
    written = Counter((record.value or b"").split(b"/")[0] for record in await stand.read(stand.topic.name))
    assert written == {b"g%d" % place: count for place, count in enumerate(counts) if count}


@pytest.mark.parametrize("ends", ["kill", "freeze"])
async def test_all_are_told_in_time_when_the_broker_is_gone_and_it_goes_on_afterwards(
    private_kafka: OwnKafka, ends: str
) -> None:
    settings = KafkaSettings(private_kafka.bootstrap_servers, publish_s=PUBLISH_S)
    stand = Stand(private_kafka.bootstrap_servers)
    await stand.start()
    producer = Producer(kafka=settings, service="tests")
    await producer.start()
    try:
        groups = [group(stand.topic.name, f"g{place}", 10) for place in range(3)]
        await producer.publish_groups(groups, Told())
        await asyncio.to_thread(getattr(private_kafka, ends))
        for _ in range(2):
            told = Told()
            async with asyncio.timeout(PUBLISH_S + 3):
                await producer.publish_groups(groups, told)
            assert (told.places, told.kinds) == ([0, 1, 2], {RetryLater})
        private_kafka.thaw()
        await asyncio.to_thread(private_kafka.start)
        await until(lambda: producer.healthy)
        told = Told()
        await producer.publish_groups(groups, told)
        assert (told.places, told.kinds) == ([0, 1, 2], {None})
    finally:
        private_kafka.thaw()
        await producer.stop()
        await stand.stop()


async def test_every_error_of_aiokafka_is_told_as_a_retry_or_a_reject(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    classes = [c for c in every_error(errors) if issubclass(c, errors.KafkaError)]
    for error in (*classes, OSError, ConnectionResetError):
        with monkeypatch.context() as broken:

            def fail(*_: object, error: type[Exception] = error, **__: object) -> NoReturn:
                raise made(error)

            broken.setattr(AIOKafkaProducer, "send_batch", fail)
            told = Told()
            groups = [group(stand.topic.name, f"{error.__name__}{n}", 10) for n in range(2)]
            await stand.producer.publish_groups(groups, told)
            expected = Reject if error is errors.MessageSizeTooLargeError else RetryLater
            assert (told.places, told.kinds) == ([0, 1], {expected}), error.__name__
    assert await stand.read(stand.topic.name) == []
