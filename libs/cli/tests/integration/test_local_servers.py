"""The servers that stand under all other integration tests."""

import asyncio
import logging

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from garbo.cli.topics import apply_topics, plan_topics
from garbo.common.events.topics import PLATFORM_CHANGE
from garbo.common.runtime.broker import KafkaSettings
from tests.support.own_servers import OwnKafka
from tests.support.servers import SharedKafka, SharedPostgres

pytestmark = pytest.mark.integration


async def _round_trip(bootstrap_servers: str, topic: str, value: bytes) -> bytes:
    async with asyncio.timeout(30):
        async with AIOKafkaProducer(bootstrap_servers=bootstrap_servers, acks="all") as producer:
            await producer.send_and_wait(topic, value)
        consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap_servers, auto_offset_reset="earliest")
        async with consumer:
            record = await consumer.getone()
            return bytes(record.value or b"")


async def test_a_record_comes_back_from_the_shared_broker(kafka: SharedKafka) -> None:
    topic = await kafka.fresh_topic(PLATFORM_CHANGE, partitions=1)
    assert await _round_trip(kafka.bootstrap_servers, topic.name, b"ciao") == b"ciao"


async def test_every_test_takes_an_empty_database_of_its_own(postgres: SharedPostgres) -> None:
    first, second = postgres.database(), postgres.database()
    connection = await asyncpg.connect(first)
    await connection.execute("CREATE TABLE mine (id int)")
    await connection.close()
    connection = await asyncpg.connect(second)
    tables = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    await connection.close()
    assert tables == 0


async def test_a_private_broker_keeps_its_address_and_records_over_a_kill(private_kafka: OwnKafka) -> None:
    topic = await SharedKafka(private_kafka.bootstrap_servers).fresh_topic(PLATFORM_CHANGE, partitions=1)
    await asyncio.to_thread(private_kafka.kill)
    await asyncio.to_thread(private_kafka.start)
    assert await _round_trip(private_kafka.bootstrap_servers, topic.name, b"ancora") == b"ancora"


async def test_topics_are_applied_so_that_a_group_forms_at_once_and_nothing_is_left_to_do(
    untouched_kafka: OwnKafka, caplog: pytest.LogCaptureFixture
) -> None:
    address = untouched_kafka.bootstrap_servers
    done = await apply_topics(KafkaSettings(address), replication=1)
    assert {change.kind for change in done} == {"create"}
    assert await plan_topics(KafkaSettings(address)) == []
    consumer = AIOKafkaConsumer(PLATFORM_CHANGE.name, bootstrap_servers=address, group_id="first.to.join")
    async with asyncio.timeout(30), consumer:
        assert len(consumer.assignment()) == PLATFORM_CHANGE.partitions
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING] == []
