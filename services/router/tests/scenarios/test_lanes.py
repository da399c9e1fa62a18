"""Care beside promo: two groups on one topic, each passing over the other's records."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer

from garbo.common.events.requests import SendRequested
from garbo.common.events.topics import DECISION_MADE, RAW_TOPICS, SEND_REQUESTED, TOPICS
from garbo.common.events.wire import encode
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.deliver import Deliveries
from garbo.common.runtime.outgoing import outgoing
from garbo.common.runtime.postgres import Database
from garbo.common.runtime.producer import Producer
from garbo.router.flow.decide_requests import DecideRequests
from garbo.router.flow.events.apply_events import ApplyEvents
from garbo.router.inbound.lanes import is_promo, lanes
from garbo.router.outbound.kafka import KafkaPublisher
from services.router.tests.support.build import requested, template, text
from services.router.tests.support.router import Router
from tests.support.servers import SharedKafka

pytestmark = pytest.mark.integration

PROMOS, CARES = 20_000, 5
CARE_S = 5.0
"""Much more than it takes and much less than the promos take: this machine may be busy with other tests."""
DEADLINE_S = 120


@asynccontextmanager
async def router_of(stored: Router, kafka: SharedKafka) -> AsyncIterator[Producer]:
    """Run the router's lanes in this process; gives a producer."""
    settings = KafkaSettings(bootstrap_servers=kafka.bootstrap_servers)
    producer = Producer(kafka=settings, service="router")
    await producer.start()
    dependencies = replace(stored.dependencies, publisher=KafkaPublisher(producer))
    decide = DecideRequests(dependencies)
    every = lanes(care=decide, promo=decide, events=ApplyEvents(dependencies), batch_records=500)
    deliveries = Deliveries(kafka=settings, service="router", producer=producer, lanes=every)
    await deliveries.start()
    try:
        yield producer
    finally:
        await deliveries.stop()
        await producer.stop()


async def publish(producer: Producer, requests: Sequence[SendRequested]) -> None:
    records = [outgoing(SEND_REQUESTED, r, key=str(r.request_id), source="test") for r in requests]
    await producer.publish(records)


async def decisions(consumer: AIOKafkaConsumer) -> list[bytes]:
    polled = await consumer.getmany(timeout_ms=20)
    return [record.value or b"" for records in polled.values() for record in records]


async def waits_of_care(producer: Producer, consumer: AIOKafkaConsumer) -> tuple[list[float], int]:
    """Ask for care again and again; gives its waits, and how many promos were decided meanwhile."""
    waited_s: list[float] = []
    promos = 0
    for _ in range(CARES):
        to = {"phone": f"+39335{uuid4().int % 10**7:07d}"}
        care = requested(purpose="care", content=text(), to=to)
        asked_s, named, decided = time.perf_counter(), str(care.message_id).encode(), False
        await publish(producer, [care])
        while not decided:
            values = await decisions(consumer)
            decided = any(named in value for value in values)
            promos += len(values) - decided
        waited_s.append(time.perf_counter() - asked_s)
    return waited_s, promos


async def test_scenario_64_care_is_decided_promptly_while_promos_wait(
    stored: Router, database: Database, kafka: SharedKafka
) -> None:
    await kafka.create_topics([*TOPICS, *RAW_TOPICS])
    consumer = AIOKafkaConsumer(DECISION_MADE.name, bootstrap_servers=kafka.bootstrap_servers)
    async with asyncio.timeout(DEADLINE_S), router_of(stored, kafka) as producer:
        await consumer.start()
        try:
            promos = [requested(to={"phone": f"+39334{n:07d}"}) for n in range(PROMOS)]
            await publish(producer, promos)
            waited_s, decided = await waits_of_care(producer, consumer)
            assert decided < PROMOS, "no promo waited any more: nothing is shown"
            while not decided:
                decided += len(await decisions(consumer))  # promo still progresses
        finally:
            await consumer.stop()
    assert max(waited_s) < CARE_S, waited_s


@pytest.mark.parametrize(
    ("value", "promo"),
    [
        (encode(requested()), True),
        (encode(requested(purpose="care", content=text())), False),
        (encode(requested(purpose="utility", content=template("shipped"))), False),
        (b'{"purpose" : "promo"}', True),
        (b'{"purpose":"promotion"}', False),
        (encode(requested(purpose="care", content=text('"purpose":"promo"'))), False),
        (
            encode(
                requested(
                    purpose="care",
                    content={
                        "type": "interactive",
                        "interactive": {"type": "order_status", "purpose": "promo"},
                    },
                )
            ),
            False,
        ),
        (b'{"purpose":"promo","purpose":"care"}', False),
        (b"not json", False),
        (b"", False),
    ],
)
def test_promo_is_told_by_the_bytes(value: bytes, *, promo: bool) -> None:
    assert is_promo(value) is promo
