"""Budgets of several processes that are killed: nothing is spent twice."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from garbo.common.runtime.postgres import Database
from garbo.router.domain.policy import Policy
from garbo.router.domain.rules.budget import BudgetRule
from garbo.router.domain.selectors import Reach, Selector
from garbo.router.outbound.postgres.budgets import PostgresBudgetLeases, slice_size
from garbo.router.outbound.postgres.jobs import PostgresJobStore
from garbo.router.outbound.postgres.outbox import PostgresOutbox
from garbo.router.ports.budgets import BudgetRequest
from libs.common.tests.support.waiting import until
from services.router.tests.support.build import business, requested
from services.router.tests.support.dying import LEASES_END, dying
from services.router.tests.support.jobs import Jobs
from services.router.tests.support.router import Router

pytestmark = pytest.mark.integration
LIMIT = 2_000
MOST_HELD = 3 * 20 + 7
"""Each of three living processes may hold a slice, a hundredth of the limit."""


async def test_budget_holds_with_four_processes_though_they_are_killed(
    dsn: str, own_database: Database
) -> None:
    async with own_database.connection() as connection:
        await connection.execute("CREATE TABLE router.spent_log (process int, many int)")

    async def spent() -> int:
        async with own_database.connection() as connection:
            return await connection.fetchval("SELECT coalesce(sum(many), 0)::int FROM router.spent_log") or 0

    async with (
        dying("spend", dsn) as first,
        dying("spend", dsn) as second,
        dying("spend", dsn) as third,
        dying("spend", dsn) as fourth,
    ):
        await until(spent, lambda total: total > LIMIT / 4)
        first.kill()
        await until(spent, lambda total: total > LIMIT / 2)
        second.kill()
        assert await third.exit_code() == 0
        assert await fourth.exit_code() == 0
    assert LIMIT - MOST_HELD <= await spent() <= LIMIT, "what the dead held is missing at most"
    async with asyncio.timeout(60):
        while await spent() < LIMIT:  # their slices have rested long enough now
            async with dying("spend", dsn) as last:
                assert await last.exit_code() == 0
    assert await spent() == LIMIT
    async with own_database.connection() as connection:
        row = await connection.fetchrow("SELECT sum(used), sum(size) FROM router.budget_slice")
        taken = await connection.fetchval("SELECT taken FROM router.budget")
    assert row is not None
    assert tuple(row) == (LIMIT, LIMIT)
    assert taken == LIMIT


async def test_budget_counts_with_the_grant_and_comes_back_with_the_slot(
    own_database: Database, make_policy: Callable[..., Policy]
) -> None:
    total = BudgetRule(Reach("total", Selector((("message_class", frozenset({"promo"})),))), 5, "campaign")
    policy = replace(make_policy("id: erased, type: block, state: erased"), rules=(total,))
    store = PostgresJobStore(own_database)
    await store.seed(business())
    works = [
        Jobs(Router(store, policy, budget_leases=stock), store, stock, PostgresOutbox(own_database))
        for stock in (
            PostgresBudgetLeases(own_database, held_s=0.2),
            PostgresBudgetLeases(own_database, held_s=0.2),
        )
    ]
    people = [{"phone": f"+39333000{n:04d}"} for n in range(40)]
    decided = await asyncio.gather(
        *(
            work.router.ask(*(requested(to=to, campaign="spring") for to in people[place::2]))
            for place, work in enumerate(works)
        )
    )
    allowed = sum(d.verdict == "allow" for told in decided for d in told)
    assert 1 <= allowed <= 5
    async with own_database.connection() as connection:
        assert await connection.fetchval("SELECT sum(used)::int FROM router.budget_slice") == allowed
        await connection.execute(LEASES_END)
    await works[0].expire()
    async with own_database.connection() as connection:
        assert await connection.fetchval("SELECT sum(used)::int FROM router.budget_slice") == 0

    async def all_come_back() -> int:
        more = await works[1].router.ask(*(requested(to=to, campaign="spring") for to in people))
        granted.extend(d for d in more if d.verdict == "allow")
        return len(granted)

    granted: list[object] = []
    assert await until(all_come_back, lambda count: count >= 5) == 5


@pytest.mark.parametrize(
    ("limit", "left", "wanted", "size"),
    [
        pytest.param(1_000_000, 1_000_000, 10, 1_000, id="a large one in slices of a thousand"),
        pytest.param(10_000, 10_000, 10, 100, id="a hundredth"),
        pytest.param(10_000, 10_000, 500, 500, id="what is wanted, where that is more"),
        pytest.param(10_000, 120, 1, 30, id="near the end less ahead"),
        pytest.param(10_000, 3, 500, 3, id="what there is"),
        pytest.param(10_000, 0, 500, 0, id="nothing"),
        pytest.param(10, -5, 5, 0, id="nothing after the limit was lowered"),
    ],
)
def test_slices_are_small_near_the_end(limit: int, left: int, wanted: int, size: int) -> None:
    assert slice_size(limit=limit, left=left, wanted=wanted) == size


async def test_lowered_limit_takes_back_what_is_leased_and_not_used(own_database: Database) -> None:
    stock = PostgresBudgetLeases(own_database)
    wants = BudgetRequest("total", "acme", 0, limit=1_000, count=400)
    assert await stock.fill([wants])
    assert await stock.fill([replace(wants, limit=100, count=50)])
    async with own_database.connection() as connection:
        assert await connection.fetchval("SELECT taken FROM router.budget") <= 100
        held = await connection.fetchval("SELECT sum(size - used)::int FROM router.budget_slice")
    assert held <= 100
