"""A router that dies by SIGKILL at a named point of its own work, or spends a budget until it is killed.

`python dying_router.py POINT DSN KAFKA`, with POINT one of

before_publish   an ended lease is released and committed, nothing is published
before_delete    the outbox is published and acknowledged, its deletion is not committed
spend            takes from the budget `total` of 2,000 until nothing is left, a few in each transaction
"""

import asyncio
import os
import random
import signal
import sys
from collections.abc import Sequence

from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.postgres import Database
from garbo.common.runtime.producer import Producer
from garbo.router.domain.policy import Policy
from garbo.router.flow.outbox import EmptyOutbox
from garbo.router.flow.policies import Policies
from garbo.router.flow.reaping import EndLeases
from garbo.router.outbound.kafka import KafkaAnnouncer
from garbo.router.outbound.metrics import PrometheusMeter
from garbo.router.outbound.postgres_budget import PostgresStock, hold_slices, spend
from garbo.router.outbound.postgres_outbox import PostgresOutbox
from garbo.router.outbound.postgres_work import PostgresWorkStore
from garbo.router.outbound.work_metrics import PrometheusWorkMeter
from garbo.router.ports import Announcement
from garbo.router.work_ports import Want

BUDGET = Want(rule="total", scope="acme/spring", period=0, limit=2_000, count=10)
HELD_S = 1.0
GRANTED = "INSERT INTO router.spent_log (process, many) VALUES ($1, $2)"


class DyingAnnouncer:
    """Tells, waits until all is acknowledged, and dies."""

    def __init__(self, announcer: KafkaAnnouncer) -> None:
        self._announcer = announcer

    async def announce(self, announcements: Sequence[Announcement]) -> None:
        """Do not return."""
        await self._announcer.announce(announcements)
        die()


def die() -> None:
    """End as a process does whose machine is gone."""
    os.kill(os.getpid(), signal.SIGKILL)


async def before_publish(database: Database) -> None:
    """Release an ended lease, and die before anything of it is told."""
    policy = Policy("test", "v", (), (), 900_000_000, 45_000_000, 1, frozenset())
    store = PostgresWorkStore(database)
    await EndLeases(store, PrometheusMeter(), PrometheusWorkMeter(), Policies(policy)).once()
    die()


async def before_delete(database: Database, kafka: str) -> None:
    """Publish, and die before the deletion is committed."""
    producer = Producer(kafka=KafkaSettings(kafka), service="router")
    await producer.start()
    announcer = DyingAnnouncer(KafkaAnnouncer(producer))
    await EmptyOutbox(PostgresOutbox(database), announcer, PrometheusWorkMeter()).once()


async def spend_all(database: Database) -> None:
    """Take from the budget until nothing is left."""
    stock = PostgresStock(database, held_s=HELD_S)
    while slice_ids := await stock.fill([BUDGET]):
        async with database.transaction() as connection:
            for held in await hold_slices(connection, slice_ids):
                many = min(held.left, random.randint(1, 7))
                if many:
                    await spend(connection, {held.slice_id: many})
                    await connection.execute(GRANTED, os.getpid(), many)


async def main(point: str, dsn: str, kafka: str) -> None:
    """Go to that point."""
    database = Database(dsn, service="router", size=3)
    await database.start()
    match point:
        case "before_publish":
            await before_publish(database)
        case "before_delete":
            await before_delete(database, kafka)
        case "spend":
            await spend_all(database)
    await database.stop()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
