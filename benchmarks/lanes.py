"""lanes: from a care request to its grant, alone and with a hundred thousand promos in line."""

import asyncio
import time
from datetime import UTC, datetime
from uuid import uuid4

from aiokafka import AIOKafkaConsumer

from benchmarks.figures import Delay
from benchmarks.requests import promo, publish
from benchmarks.servers import Bench, process
from garbo.common.events.addresses import Recipient
from garbo.common.events.content import TemplateContent
from garbo.common.events.requests import SendRequested
from garbo.common.events.template import Language, Template
from garbo.common.events.topics import DECISION_MADE, SEND_CARE, SEND_REQUESTED
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.outgoing import outgoing
from garbo.common.runtime.producer import Producer
from tests.support.ports import free_ports

PROMOS = 100_000
CARES = 200
EVERY_S = 0.02
AIM_MS = 250.0
ALONE_S = 4.0
PROMO_FLOOR = 0.1
"""Of the time, which promo keeps while care is under way."""
UTILITY = TemplateContent(template=Template(name="order_shipped", language=Language(code="it")))


def measure(bench: Bench) -> Delay:
    """Ask for care without and with promos waiting."""
    return asyncio.run(_measure(bench))


async def _measure(bench: Bench) -> Delay:
    (port,) = free_ports(1)
    with process(bench, "garbo.router", ready_port=port, GARBO_ROUTER_PORT=str(port)):
        alone = await waits_s(bench)
        await publish(bench.kafka, [promo(n) for n in range(PROMOS)])
        before, began_s = await bench.end_offset(DECISION_MADE), time.perf_counter()
        beside = await waits_s(bench)
        promos_per_s = (await bench.end_offset(DECISION_MADE) - before - CARES) / (
            time.perf_counter() - began_s
        )
        promos_alone_per_s = await _promos_per_s(bench)
        decided = await bench.end_offset(SEND_CARE)
    if decided < 2 * CARES:
        raise AssertionError(f"only {decided} care messages were granted")
    return Delay(
        f"care, {PROMOS // 1000} k promos wait",
        p99_ms(beside),
        f"none wait (promo {promos_per_s:,.0f}/s of {promos_alone_per_s:,.0f}/s)",
        p99_ms(alone),
        AIM_MS,
        load_ratio=promos_per_s / promos_alone_per_s,
        load_floor=PROMO_FLOOR,
    )


async def _promos_per_s(bench: Bench) -> float:
    """Measure how fast promos are decided while no care is asked for."""
    before, began_s = await bench.end_offset(DECISION_MADE), time.perf_counter()
    await asyncio.sleep(ALONE_S)
    decided = await bench.end_offset(DECISION_MADE) - before
    left = PROMOS + 2 * CARES - before - decided
    if left <= 0:
        raise AssertionError("all promos were decided before it could be measured: ask for more")
    return decided / (time.perf_counter() - began_s)


async def waits_s(bench: Bench, *, cares: int = CARES) -> list[float]:
    """Ask for care at an even pace; gives the seconds from each publish to its grant."""
    asked: dict[bytes, float] = {}
    waits: list[float] = []
    consumer = AIOKafkaConsumer(SEND_CARE.name, bootstrap_servers=bench.kafka)
    producer = Producer(kafka=KafkaSettings(bench.kafka), service="bench")
    await consumer.start()
    await producer.start()
    try:
        async with asyncio.timeout(120), asyncio.TaskGroup() as group:
            group.create_task(_ask(producer, asked, cares))
            while len(waits) < cares:
                record = await consumer.getone()
                known = next((k for k in asked if k in (record.value or b"")), None)
                if known:
                    waits.append(time.perf_counter() - asked.pop(known))
    finally:
        await producer.stop()
        await consumer.stop()
    return waits


async def _ask(producer: Producer, asked: dict[bytes, float], cares: int) -> None:
    for _ in range(cares):
        event = _care()
        asked[str(event.request_id).encode()] = time.perf_counter()
        await producer.publish([outgoing(SEND_REQUESTED, event, key=str(event.request_id), source="bench")])
        await asyncio.sleep(EVERY_S)


def _care() -> SendRequested:
    return SendRequested(
        request_id=uuid4(),
        client="shop",
        brand="acme",
        to=Recipient(phone=f"+39334{uuid4().int % 10**7:07d}"),
        purpose="utility",
        content=UTILITY,
        requested_at=datetime.now(UTC),
    )


def p99_ms(waits: list[float]) -> float:
    """Give the 99th percentile in milliseconds."""
    return sorted(waits)[int(len(waits) * 0.99) - 1] * 1000
