"""A followed topic: whole before the process is ready, newest last, and no record stops it."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from garbo.common.errors import StartRefused
from garbo.common.events.template_observed import TemplateObserved
from garbo.common.events.template_registry import TemplateRegistry
from garbo.common.events.topics import TEMPLATE_OBSERVED, Topic
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.followed_topic import FollowedTopic
from garbo.common.runtime.outgoing import outgoing
from garbo.common.runtime.producer import Producer
from garbo.common.runtime.raw_producer import Outgoing
from libs.common.tests.support.delivery import Stand
from libs.common.tests.support.waiting import until
from tests.support.own_servers import OwnKafka
from tests.support.servers import SharedKafka

pytestmark = pytest.mark.integration

AT = datetime(2026, 11, 1, 10, tzinfo=UTC)


def read(name: str, status: str = "APPROVED") -> TemplateObserved:
    return TemplateObserved(waba="1", name=name, language="it", status=status, observed_at=AT)


@pytest_asyncio.fixture(loop_scope="session")
async def topic(kafka: SharedKafka) -> Topic[TemplateObserved]:
    own = replace(TEMPLATE_OBSERVED, name=f"test.templates.{uuid.uuid4().hex[:8]}")
    await kafka.create_topics([own])
    return own


@pytest_asyncio.fixture(loop_scope="session")
async def known() -> AsyncIterator[TemplateRegistry]:
    yield TemplateRegistry()


async def write(stand: Stand, topic: Topic[TemplateObserved], *records: TemplateObserved) -> None:
    told = [outgoing(TEMPLATE_OBSERVED, one, key=one.key) for one in records]
    await stand.producer.publish([replace(one, topic=topic.name) for one in told])


async def test_all_there_is_is_taken_before_the_start_ends_and_what_comes_after(
    stand: Stand, kafka: SharedKafka, topic: Topic[TemplateObserved], known: TemplateRegistry
) -> None:
    await write(stand, topic, *(read(f"t{n}") for n in range(500)), read("t7", "PAUSED"))
    followed = FollowedTopic(KafkaSettings(kafka.bootstrap_servers), topic, known.apply)
    try:
        await followed.start()
        assert (followed.ready, len(known.of("1"))) == (True, 500)
        assert known.known["1:t7:it"].status == "PAUSED"
        await write(stand, topic, read("new"))
        await until(lambda: "1:new:it" in known.known)
    finally:
        await followed.stop()


async def test_record_that_cannot_be_read_is_passed_over(
    stand: Stand, kafka: SharedKafka, topic: Topic[TemplateObserved], known: TemplateRegistry
) -> None:
    bad = [Outgoing(topic.name, b"k", value) for value in (b"{", b"", b'{"waba": 1}')]
    await stand.producer.publish(bad)
    await write(stand, topic, read("good"))
    followed = FollowedTopic(KafkaSettings(kafka.bootstrap_servers), topic, known.apply)
    try:
        await followed.start()
        assert list(known.known) == ["1:good:it"]
    finally:
        await followed.stop()


async def test_it_goes_on_after_its_broker_was_away(private_kafka: OwnKafka, known: TemplateRegistry) -> None:
    await SharedKafka(private_kafka.bootstrap_servers).create_topics([TEMPLATE_OBSERVED])
    kafka = KafkaSettings(private_kafka.bootstrap_servers)
    producer = Producer(kafka=kafka, service="test")
    followed = FollowedTopic(kafka, TEMPLATE_OBSERVED, known.apply)
    await producer.start()
    try:
        await followed.start()
        await asyncio.to_thread(private_kafka.stop)
        assert followed.ready, "what was taken stays"
        await asyncio.to_thread(private_kafka.start)
        await until(lambda: producer.healthy)
        late = read("late")
        await producer.publish([outgoing(TEMPLATE_OBSERVED, late, key=late.key)])
        await until(lambda: late.key in known.known)
    finally:
        await followed.stop()
        await producer.stop()


async def test_missing_topic_and_missing_broker_are_said_with_what_to_type(
    kafka: SharedKafka, known: TemplateRegistry
) -> None:
    nowhere = replace(TEMPLATE_OBSERVED, name="test.templates.nowhere")
    followed = FollowedTopic(KafkaSettings(kafka.bootstrap_servers), nowhere, known.apply)
    with pytest.raises(StartRefused, match="does not exist, or may not be read: type garbo topics apply"):
        await followed.start()
    await followed.stop()
    gone = FollowedTopic(KafkaSettings("127.0.0.1:9", start_s=2), nowhere, known.apply)
    with pytest.raises(StartRefused, match="does not answer"):
        await gone.start()
    await gone.stop()
