"""A router that dies by SIGKILL at a named point of its own work, or spends a budget until it is killed."""

import asyncio
import os
import random
import signal
from collections.abc import Sequence

from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.postgres import Database
from garbo.common.runtime.producer import Producer
from garbo.router.domain.policy import Policy
from garbo.router.flow.directory import Directory
from garbo.router.flow.jobs.expire_grants import ExpireGrants
from garbo.router.flow.jobs.lock_contacts import JobDependencies
from garbo.router.flow.jobs.relay_outbox import RelayOutbox
from garbo.router.flow.policy_in_force import PolicyInForce
from garbo.router.outbound.job_metrics import PrometheusJobMeter
from garbo.router.outbound.kafka import KafkaPublisher
from garbo.router.outbound.metrics import PrometheusMeter
from garbo.router.outbound.postgres.budgets import PostgresBudgetLeases, lock_leases, spend
from garbo.router.outbound.postgres.jobs import PostgresJobStore
from garbo.router.outbound.postgres.outbox import PostgresOutbox
from garbo.router.ports.budgets import BudgetRequest
from garbo.router.ports.publisher import OutgoingRecord
from services.router.tests.support.build import business

BUDGET = BudgetRequest(rule="total", scope="acme/spring", period=0, limit=2_000, count=10)
HELD_S = 1.0
GRANTED = "INSERT INTO router.spent_log (process, many) VALUES ($1, $2)"


class DyingAnnouncer:
    """Tells, waits until all is acknowledged, and dies."""

    def __init__(self, publisher: KafkaPublisher) -> None:
        self._announcer = publisher

    async def publish(self, records_to_publish: Sequence[OutgoingRecord]) -> None:
        """Do not return."""
        await self._announcer.publish(records_to_publish)
        die()


def die() -> None:
    """End as a process does whose machine is gone."""
    os.kill(os.getpid(), signal.SIGKILL)


async def before_publish(database: Database) -> None:
    """Release an ended lease, and die before anything of it is told."""
    policy = Policy(
        name="test",
        version="v",
        classes=(),
        rules=(),
        lease_us=900_000_000,
        send_budget_us=45_000_000,
        history_us=1,
        refund_codes=frozenset(),
    )
    store = PostgresJobStore(database)
    await ExpireGrants(
        JobDependencies(
            store, PrometheusMeter(), PrometheusJobMeter(), PolicyInForce(policy), Directory(business())
        )
    ).once()
    die()


async def before_delete(database: Database, kafka: str) -> None:
    """Publish, and die before the deletion is committed."""
    producer = Producer(kafka=KafkaSettings(kafka), service="router")
    await producer.start()
    publisher = DyingAnnouncer(KafkaPublisher(producer))
    await RelayOutbox(PostgresOutbox(database), publisher, PrometheusJobMeter()).once()


async def spend_all(database: Database) -> None:
    """Take from the budget until nothing is left."""
    stock = PostgresBudgetLeases(database, held_s=HELD_S)
    while lease_ids := await stock.fill([BUDGET]):
        async with database.transaction() as connection:
            for held in await lock_leases(connection, lease_ids):
                many = min(held.left, random.randint(1, 7))
                if many:
                    await spend(connection, {held.lease_id: many})
                    await connection.execute(GRANTED, os.getpid(), many)


async def _go(point: str, dsn: str, kafka: str) -> None:
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


def go_to(point: str, dsn: str, kafka: str, _: object) -> None:
    """Go to one of these points, for a process of its own.

    before_publish   an ended lease is released and committed, nothing is published
    before_delete    the outbox is published and acknowledged, its deletion is not committed
    spend            takes from the budget `total` of 2,000 until nothing is left, a few in each transaction
    """
    asyncio.run(_go(point, dsn, kafka))
