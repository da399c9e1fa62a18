"""The rate row, and what only PostgreSQL can show: its clock, and the router's real door."""

import time

import pytest

from garbo.common.runtime.postgres import Database
from garbo.sender.outbound.postgres import PostgresAttempts
from garbo.sender.outbound.postgres_rates import PostgresRateLeases
from garbo.sender.ports.attempts import PlannedAttempt
from garbo.sender.ports.rates import Lease, NoLease, RateLeases
from services.sender.tests.support.builders import a_grant, a_send
from services.sender.tests.support.fakes import MemoryRates
from services.sender.tests.support.postgres import SenderDatabase
from tests.support.servers import SharedPostgres

pytestmark = pytest.mark.integration


async def lease(rates: RateLeases, *, ceiling: float = 100, wanted: int = 1000) -> Lease | NoLease:
    first = await rates.acquire("1", ceiling_per_s=ceiling, wanted=wanted, ready_in_s=0)
    if isinstance(first, Lease) or first.after_s:
        return first
    return await lease(rates, ceiling=ceiling, wanted=wanted)


@pytest.fixture(params=["memory", "postgres"])
def any_rates(request: pytest.FixtureRequest) -> RateLeases:
    if request.param == "memory":
        return MemoryRates(time.monotonic)
    return PostgresRateLeases(request.getfixturevalue("sender_database").database)


@pytest.mark.parametrize(
    ("ceiling", "wanted", "count"),
    [(100, 1000, 14), (100, 3, 3), (1, 500, 1), (1000, 500, 147), (5, 9, 1)],
    ids=["a_lease_of_100", "no_more_than_wanted", "at_least_one", "a_lease_of_1000", "a_slow_number"],
)
async def test_a_lease_holds_150_ms_of_98_percent_of_the_ceiling(
    any_rates: RateLeases, ceiling: float, wanted: int, count: int
) -> None:
    held = await lease(any_rates, ceiling=ceiling, wanted=wanted)
    assert isinstance(held, Lease)
    assert held.count == count
    assert held.interval_s == pytest.approx(1 / (0.98 * ceiling))


async def test_a_second_lease_waits_until_the_first_is_nearly_over(sender_database: SenderDatabase) -> None:
    rates = PostgresRateLeases(sender_database.database)
    first = await lease(rates)
    assert isinstance(first, Lease)
    assert first.count == 14
    assert first.interval_s == pytest.approx(1 / 98)
    second = await lease(rates)
    assert isinstance(second, NoLease)
    assert 0 < second.after_s <= 0.1


async def test_a_lease_tells_for_how_long_nobody_else_has_had_one(sender_database: SenderDatabase) -> None:
    ours, others = (PostgresRateLeases(sender_database.database) for _ in range(2))

    async def next_of(rates: RateLeases) -> Lease:
        async with sender_database.database.connection() as connection:
            await connection.execute(
                "UPDATE sender.number_rate SET tat = now(), held_since = held_since - interval '3 s'"
            )
        held = await lease(rates)
        assert isinstance(held, Lease)
        return held

    assert (await next_of(ours)).alone_s < 1
    assert (await next_of(ours)).alone_s == pytest.approx(3, abs=0.5)
    assert (await next_of(ours)).alone_s == pytest.approx(6, abs=0.5)
    assert (await next_of(others)).alone_s < 1
    assert (await next_of(ours)).alone_s < 1


async def test_a_throttled_number_is_halved_once_for_all_replicas(sender_database: SenderDatabase) -> None:
    rates = PostgresRateLeases(sender_database.database)
    await rates.acquire("1", ceiling_per_s=100, wanted=1, ready_in_s=0)
    for _ in range(5):
        await rates.slow_down("1", ceiling_per_s=100, rest_s=0)
    slower = await lease(rates)
    assert isinstance(slower, Lease)
    assert slower.interval_s == pytest.approx(1 / 49, rel=0.05)


async def test_a_throttled_number_rests_everywhere_for_as_long_as_was_said(
    sender_database: SenderDatabase,
) -> None:
    rates = PostgresRateLeases(sender_database.database)
    await rates.acquire("1", ceiling_per_s=100, wanted=1, ready_in_s=0)
    for rest_s in (30, 5):
        await rates.slow_down("1", ceiling_per_s=100, rest_s=rest_s)
    other = await PostgresRateLeases(sender_database.database).acquire(
        "1", ceiling_per_s=100, wanted=1, ready_in_s=0
    )
    assert isinstance(other, NoLease)
    assert 20 < other.after_s <= 30


async def test_a_lowered_ceiling_counts_at_once(sender_database: SenderDatabase) -> None:
    rates = PostgresRateLeases(sender_database.database)
    await rates.acquire("1", ceiling_per_s=100, wanted=1, ready_in_s=0)
    slower = await lease(rates, ceiling=20)
    assert isinstance(slower, Lease)
    assert slower.interval_s == pytest.approx(1 / 19.6)


async def test_a_database_clock_that_steps_back_neither_locks_a_number_nor_opens_it(
    sender_database: SenderDatabase,
) -> None:
    rates = PostgresRateLeases(sender_database.database)
    await rates.acquire("1", ceiling_per_s=100, wanted=1, ready_in_s=0)
    await rates.slow_down("1", ceiling_per_s=100, rest_s=0)
    async with sender_database.database.connection() as connection:
        ahead = (
            "UPDATE sender.number_rate SET tat = now() + interval '1 h', rated_at = now() + interval '1 h'"
        )
        await connection.execute(ahead)
    wait = await rates.acquire("1", ceiling_per_s=100, wanted=1000, ready_in_s=0)
    assert isinstance(wait, NoLease)
    assert 0 < wait.after_s <= 2
    async with sender_database.database.connection() as connection:
        await connection.execute(
            "UPDATE sender.number_rate"
            " SET tat = now(), rests_until = now(), rated_at = now() + interval '1 h'"
        )
    again = await lease(rates)
    assert isinstance(again, Lease)
    assert again.interval_s >= 1 / 98
    await rates.slow_down("1", ceiling_per_s=100, rest_s=0)
    async with sender_database.database.connection() as connection:
        await connection.execute("UPDATE sender.number_rate SET tat = now()")
    assert isinstance(await lease(rates), Lease)


async def test_the_routers_own_door_opens(postgres: SharedPostgres) -> None:
    database = Database(postgres.database("router", "sender"), service="sender")
    await database.start()
    try:
        grant = a_grant()
        attempts = PostgresAttempts(database)
        [begun] = await attempts.begin([PlannedAttempt(a_send(grant), None)])
        assert begun.outcome == "refused"
        result = (await attempts.results([grant.message_id]))[grant.message_id]
        assert (result.outcome, result.reason) == ("not_sent", "unknown_grant")
    finally:
        await database.stop()
