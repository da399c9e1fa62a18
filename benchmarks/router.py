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
from garbo.cli.local.ports import free_ports
from garbo.common.business import load_business
from garbo.common.events.topics import DECISION_MADE
from garbo.common.events.wire import encode
from garbo.common.runtime.postgres import Database
from garbo.router.flow.ask import Asked
from garbo.router.flow.directory import Directory
from garbo.router.flow.means import Means
from garbo.router.flow.policies import Policies
from garbo.router.flow.requests import DecideRequests
from garbo.router.inbound.policy_file.load import load_policy
from garbo.router.outbound.postgres import PostgresStore
from garbo.router.outbound.postgres_budget import PostgresStock
from garbo.router.ports import Announcement
from garbo.router.testing.memory import CountingMeter

REQUESTS = 30_000
PEOPLE = 3_000
"""Ten requests each: one is granted, nine are held back and explained."""
BATCH = 500


class Untold:
    """An announcer that tells nobody."""

    async def announce(self, announcements: Sequence[Announcement]) -> None:
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
    means = Means(
        store=store,
        announcer=Untold(),
        meter=CountingMeter(),
        policies=Policies(load_policy(Path(bench.env["GARBO_POLICY"]))),
        directory=Directory(business),
        hash_key=bench.env["GARBO_HASH_KEY"].encode(),
        stock=PostgresStock(database),
    )
    return DecideRequests(means)


def _asked(person: int) -> Asked:
    event = promo(person)
    return Asked(event, None, encode(event))


def _short(rows: int) -> str:
    return f"{rows // 1_000_000} M" if rows >= 1_000_000 else f"{rows // 1_000} k"
