"""router: requests decided and their decisions acknowledged, beside the same SQL without Kafka."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks.figures import Figure
from benchmarks.progress import rate
from benchmarks.requests import promo, publish
from benchmarks.servers import Bench, process
from garbo.cli.local.ports import free_ports
from garbo.common.business import load_business
from garbo.common.events.topics import DECISION_MADE
from garbo.common.runtime.postgres import Database
from garbo.router.flow.ask import Asked
from garbo.router.flow.directory import Directory
from garbo.router.flow.policies import Policies
from garbo.router.flow.requests import DecideRequests
from garbo.router.inbound.policy_file.load import load_policy
from garbo.router.outbound.postgres import PostgresStore
from garbo.router.ports import Announcement
from garbo.router.testing.memory import CountingMeter

REQUESTS = 20_000
PEOPLE = 2_000
"""Ten requests each: one is granted, nine are held back and explained."""
BATCH = 500


class Untold:
    """An announcer that tells nobody."""

    async def announce(self, announcements: Sequence[Announcement]) -> None:
        pass


def measure(bench: Bench) -> Figure:
    """First through Kafka with the real process, then the same use case on the same database alone."""
    measured = asyncio.run(_through_kafka(bench))
    reference = asyncio.run(_sql_alone(bench))
    return Figure("router", "decisions/s", [measured], "the same SQL without Kafka", [reference], aim=0.3)


async def _through_kafka(bench: Bench) -> float:
    (port,) = free_ports(1)
    requests = [promo(n % PEOPLE) for n in range(REQUESTS)]
    with process(bench, "garbo.router", ready_port=port, GARBO_ROUTER_PORT=str(port)):
        consumer = AIOKafkaConsumer(bootstrap_servers=bench.kafka)
        await consumer.start()
        partitions = [TopicPartition(DECISION_MADE.name, p) for p in range(DECISION_MADE.partitions)]

        async def decided() -> int:
            return sum((await consumer.end_offsets(partitions)).values())

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(publish(bench.kafka, requests))
                measuring = group.create_task(rate(decided, total=REQUESTS))
            return measuring.result()
        finally:
            await consumer.stop()


async def _sql_alone(bench: Bench) -> float:
    business = load_business(Path(bench.env["GARBO_CONFIG"]))
    database = Database(bench.dsn, service="bench", size=2)
    await database.start()
    try:
        store = PostgresStore(database)
        await store.seed(business)
        decide = DecideRequests(
            store=store,
            announcer=Untold(),
            meter=CountingMeter(),
            policies=Policies(load_policy(Path(bench.env["GARBO_POLICY"]))),
            directory=Directory(business),
            hash_key=bench.env["GARBO_HASH_KEY"].encode(),
        )
        others = [Asked(promo(PEOPLE + n % PEOPLE), None) for n in range(REQUESTS)]
        tenth = REQUESTS // 10
        began = 0.0
        for start in range(0, REQUESTS, BATCH):
            if start == tenth:
                began = time.perf_counter()
            await decide.decide(others[start : start + BATCH])
        return (REQUESTS - tenth) / (time.perf_counter() - began)
    finally:
        await database.stop()
