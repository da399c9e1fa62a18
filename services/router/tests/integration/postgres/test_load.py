"""What a load promises of time: its clock is read when the people are locked, however long that took."""

import asyncio
from datetime import datetime

import pytest

from garbo.common.runtime.postgres import Database
from garbo.router.domain.instants import to_us
from garbo.router.outbound.postgres.store import PostgresStore
from garbo.router.ports.store import Scope, Snapshot
from libs.common.tests.support.waiting import until
from services.router.tests.support.build import PHONE_ADDRESS

pytestmark = pytest.mark.integration

WAITING_FOR_LOCKS = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


async def ask(database: Database, sql: str) -> object:
    async with database.connection() as connection:
        return await connection.fetchval(sql)


async def test_clock_is_read_after_the_locks(database: Database) -> None:
    store = PostgresStore(database)
    known = await store.get_or_create_contacts([PHONE_ADDRESS])
    scope = Scope(contacts=frozenset(contact.contact_id for contact in known.values()))

    async def load() -> Snapshot:
        async with store.transaction() as transaction:
            return await transaction.load(scope)

    async with asyncio.TaskGroup() as together, store.transaction() as holder:
        await holder.load(scope)
        late = together.create_task(load())
        await until(lambda: ask(database, WAITING_FOR_LOCKS))
        held_until = await ask(database, "SELECT clock_timestamp()")
    assert isinstance(held_until, datetime)
    assert late.result().now_us >= to_us(held_until)
