"""The help desk on a real Kafka."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import uuid4

import httpx
import orjson
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError

from garbo.common.events.engagement import CareMessage
from garbo.common.events.topics import CONVERSATION_CARE
from garbo.common.events.wire import encode
from garbo.common.runtime.background import Background
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.http import HttpServer
from garbo.simulator.business.help_desk import HelpDesk
from garbo.simulator.business.publisher import Publisher
from libs.common.tests.support.waiting import until
from libs.simulator.tests.support.world import Receiver, free_port


class Kafka(Protocol):
    bootstrap_servers: str


def question(text: str) -> CareMessage:
    now = datetime.now(UTC)
    return CareMessage(
        wamid=f"wamid.{uuid4()}",
        contact_id=uuid4(),
        brand="acme",
        number="1001",
        kind="text",
        text=text,
        window_until=now + timedelta(hours=24),
        occurred_at=now,
    )


async def write(kafka: Kafka, values: list[bytes]) -> None:
    """Write records to the care topic, which is made if it is missing."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(CONVERSATION_CARE.name, 1, 1)])
    except TopicAlreadyExistsError:
        pass
    finally:
        await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers)
    await producer.start()
    for value in values:
        await producer.send_and_wait(CONVERSATION_CARE.name, value)
    await producer.stop()


@asynccontextmanager
async def open_desk(kafka: Kafka) -> AsyncIterator[Receiver]:
    """Run a help desk that publishes to a receiver."""
    port = free_port()
    ingest = Receiver(otherwise=202)
    server = HttpServer(ingest, host="127.0.0.1", port=port)
    await server.start()
    async with httpx.AsyncClient() as client:
        publisher = Publisher(client, ingest_url=f"http://127.0.0.1:{port}", api_key="demo-key")
        settings = KafkaSettings(kafka.bootstrap_servers)
        desk = Background("help desk", HelpDesk(publisher, kafka=settings, think_s=0, case_s=60).run)
        await desk.start()
        yield ingest
        await desk.stop()
    await server.stop()


def answered(ingest: Receiver, asked: CareMessage) -> list[dict[str, Any]]:
    requests = [request for body in ingest.bodies for request in orjson.loads(body)]
    return [request for request in requests if request.get("reply_to") == asked.wamid]


@pytest.mark.integration
async def test_a_question_on_kafka_is_answered_once_and_poison_is_passed_over(kafka: Kafka) -> None:
    first, second = question("Where is my order?"), question("How do I return a pair of shoes?")
    await write(kafka, [encode(first), b"{", encode(second)])
    async with open_desk(kafka) as ingest:
        await until(lambda: answered(ingest, first) and answered(ingest, second), within_s=60)
        third = question("Can I change the delivery address?")
        await write(kafka, [encode(third)])
        await until(lambda: answered(ingest, third), within_s=60)
        assert len(answered(ingest, first)) == 1
    answer = answered(ingest, second)[0]
    assert (answer["purpose"], answer["number"], answer["brand"]) == ("care", "1001", "acme")
    assert answer["to"] == {"contact_id": str(second.contact_id)}
    assert "courier" in answer["content"]["text"]["body"]
