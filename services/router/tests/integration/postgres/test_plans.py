"""Statements touch only the tables of the days they name, however often they were planned before."""

from collections.abc import Callable
from typing import Final

import pytest

from garbo.common.runtime.postgres import Database
from garbo.router.domain.policy import Policy
from garbo.router.outbound.postgres.store import PostgresStore
from garbo.router.ports.store import Scope
from services.router.tests.support.build import requested
from services.router.tests.support.router import Router

pytestmark = pytest.mark.integration

BATCH: Final = 500
OFTEN_ENOUGH: Final = 12
"""After five plans PostgreSQL may keep one that is right for any values."""
KEPT_PLANS: Final = """
SELECT statement, generic_plans FROM pg_prepared_statements
WHERE generic_plans > 0 AND statement ~ 'FROM router.(decision|send_grant)'
"""


async def test_no_plan_is_kept_that_looks_through_the_tables_of_all_days(
    stored: Router, database: Database, make_policy: Callable[..., Policy]
) -> None:
    stored.policy = make_policy("id: week, type: cap, limit: 3, window: { rolling: 7d }")
    asked = [requested(to={"phone": f"+39333{n:07d}"}) for n in range(BATCH)]
    await stored.ask(*asked)
    message_ids = [one.message_id for one in asked]
    store = PostgresStore(database)
    async with database.transaction() as connection:
        await connection.execute("SELECT router.make_partitions(7, current_date - 90)")
    async with database.connection() as connection:
        await connection.execute("ANALYZE router.send_grant, router.decision")
    async with store.transaction() as transaction:
        for _ in range(OFTEN_ENOUGH):
            assert len((await transaction.load(Scope(messages=frozenset(message_ids)))).grants) == BATCH
            assert len((await transaction.load(Scope(grants=frozenset(message_ids)))).locked_grants) == BATCH
        assert not await transaction._connection.fetch(KEPT_PLANS)
