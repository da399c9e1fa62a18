"""router: requests decided and their decisions acknowledged, beside the same SQL without Kafka."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks.figures import Figure
from benchmarks.people import write_people
from benchmarks.progress import rate
from benchmarks.requests import promo, publish
from benchmarks.servers import Bench, process
from garbo.common.business import load_business
from garbo.common.events.topics import DECISION_MADE
from garbo.common.events.wire import encode
from garbo.common.runtime.postgres import Database
from garbo.router.flow.decide_requests import DecideRequests
from garbo.router.flow.dependencies import Dependencies
from garbo.router.flow.directory import Directory
from garbo.router.flow.policy_in_force import PolicyInForce
from garbo.router.flow.request import ReceivedRequest
from garbo.router.inbound.policy_file.load import load_policy
from garbo.router.outbound.postgres.budgets import PostgresBudgetLeases
from garbo.router.outbound.postgres.store import PostgresStore
from garbo.router.ports.publisher import OutgoingRecord
from services.router.tests.support.meter import CountingMeter
from tests.support.ports import free_ports

REQUESTS = 30_000
PEOPLE = 3_000
"""Ten requests each: one is granted, nine are held back and explained."""
BATCH = 500


class Untold:
    """An announcer that tells nobody."""

    async def publish(self, records_to_publish: Sequence[OutgoingRecord]) -> None:
        pass


def measure(bench: Bench, *, rows: int = 10_000, processes: int = 1) -> Figure:
    """Write the people; then Kafka with real processes, then the use case alone on the same database."""
    hash_key = bench.env["GARBO_HASH_KEY"].encode()
    asyncio.run(write_people(bench.dsn, hash_key, rows=rows, asked=2 * PEOPLE))
    measured = asyncio.run(_through_kafka(bench, processes))
    reference = asyncio.run(_sql_alone(bench))
    name = f"router x{processes}, {_short(rows)}"
    return Figure(name, "decisions/s", [measured], "the same SQL without Kafka", [reference], aim=0.5)


async def _through_kafka(bench: Bench, processes: int) -> float:
    """Let the requests wait in Kafka before the routers start: whoever publishes takes nothing of a core."""
    await publish(bench.kafka, [promo(n % PEOPLE) for n in range(REQUESTS)])
    with ExitStack() as running:
        for port in free_ports(processes):
            running.enter_context(
                process(bench, "garbo.router", ready_port=port, GARBO_ROUTER_PORT=str(port))
            )
        consumer = AIOKafkaConsumer(bootstrap_servers=bench.kafka)
        await consumer.start()
        partitions = [TopicPartition(DECISION_MADE.name, p) for p in range(DECISION_MADE.partitions)]

        async def decided() -> int:
            return sum((await consumer.end_offsets(partitions)).values())

        try:
            return await rate(decided, total=REQUESTS)
        finally:
            await consumer.stop()


async def _sql_alone(bench: Bench) -> float:
    database = Database(bench.dsn, service="bench", size=2)
    await database.start()
    try:
        decide = await _decider(bench, database)
        others = [_asked(PEOPLE + n % PEOPLE) for n in range(REQUESTS)]
        tenth = REQUESTS // 10
        began = 0.0
        for start in range(0, REQUESTS, BATCH):
            if start == tenth:
                began = time.perf_counter()
            await decide.decide(others[start : start + BATCH])
        return (REQUESTS - tenth) / (time.perf_counter() - began)
    finally:
        await database.stop()


async def _decider(bench: Bench, database: Database) -> DecideRequests:
    business = load_business(Path(bench.env["GARBO_CONFIG"]))
    store = PostgresStore(database)
    await store.seed(business)
    dependencies = Dependencies(
        store=store,
        publisher=Untold(),
        meter=CountingMeter(),
        policies=PolicyInForce(load_policy(Path(bench.env["GARBO_POLICY"]))),
        directory=Directory(business),
        hash_key=bench.env["GARBO_HASH_KEY"].encode(),
        budget_leases=PostgresBudgetLeases(database),
    )
    return DecideRequests(dependencies)


def _asked(person: int) -> ReceivedRequest:
    event = promo(person)
    return ReceivedRequest(event, None, encode(event))


def _short(rows: int) -> str:
    return f"{rows // 1_000_000} M" if rows >= 1_000_000 else f"{rows // 1_000} k"
