"""Several routers and their jobs over one real database."""

import asyncio
from collections.abc import Callable

from garbo.common.events.decisions import DecisionMade
from garbo.common.events.requests import SendRequested
from garbo.common.runtime.postgres import Database
from garbo.router.outbound.postgres.budgets import PostgresBudgetLeases
from garbo.router.outbound.postgres.jobs import PostgresJobStore
from garbo.router.outbound.postgres.outbox import PostgresOutbox
from services.router.tests.support.jobs import Jobs
from services.router.tests.support.router import Router

LEASES_END = (
    "UPDATE router.send_grant SET valid_until = clock_timestamp() - $1::interval WHERE state = 'reserved'"
)


def person(number: int) -> dict[str, str]:
    return {"phone": f"+39333{number:07d}"}


def another(work: Jobs, database: Database) -> Jobs:
    """A second router on the same database."""
    store, stock = PostgresJobStore(database), PostgresBudgetLeases(database)
    router = Router(store, work.router.policy, budget_leases=stock)
    return Jobs(router, store, stock, PostgresOutbox(database))


async def run(database: Database, sql: str, *arguments: object) -> None:
    async with database.connection() as connection:
        await connection.execute(sql, *arguments)


async def count(database: Database, sql: str) -> dict[str, int]:
    async with database.connection() as connection:
        return {row[0]: row[1] for row in await connection.fetch(sql)}


async def records_of(work: Jobs, asked: SendRequested) -> list[DecisionMade]:
    stored = await work.store.decision(asked.message_id)
    assert stored is not None
    return [DecisionMade.model_validate_json(value) for value in stored.records]


async def until_done(*works: Callable[[], object]) -> None:
    """Do all kinds at once, each until nothing is left."""

    async def keep(once: Callable[[], object]) -> None:
        while await once():  # type: ignore[misc]  # a bound coroutine function
            pass

    await asyncio.gather(*(keep(once) for once in works))
