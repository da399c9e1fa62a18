"""The router's own work on a real database: several routers, claims at the same time, crashes."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest

from garbo.common.events.contacts import CampaignChanged
from garbo.common.events.decisions import DecisionMade
from garbo.common.events.requests import SendRequested
from garbo.common.runtime.postgres import Database
from garbo.router.domain.policy import Policy
from garbo.router.domain.values import replace
from garbo.router.outbound.postgres.budgets import PostgresBudgetLeases
from garbo.router.outbound.postgres.jobs import PostgresJobStore
from garbo.router.outbound.postgres.outbox import PostgresOutbox
from garbo.router.outbound.postgres.retention import PostgresRetention
from services.router.tests.support.build import AT, consent, requested
from services.router.tests.support.jobs import Jobs
from services.router.tests.support.policies import NEVER, ONE_A_DAY
from services.router.tests.support.router import Router

pytestmark = pytest.mark.integration

LEASES_END = (
    "UPDATE router.send_grant SET valid_until = clock_timestamp() - $1::interval WHERE state = 'reserved'"
)
ALL_DUE = "UPDATE router.deferred SET due_at = now() - interval '1 s', free_at = now() - interval '1 s'"
SLOTS_FREE = "UPDATE router.recipient_state SET state = '{}'"
CLAIM = "SELECT grant_id, claimed, reason FROM router.claim_grants($1::uuid[], $2::int[])"


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


async def test_every_kind_of_work_is_quiet_where_there_is_none(stored_work: Jobs, database: Database) -> None:
    assert not await stored_work.retry()
    assert not await stored_work.expire()
    assert not await stored_work.publish()
    assert not await stored_work.reevaluate(stored_work.router.policy)
    assert not await stored_work.cancel()
    upkeep = PostgresRetention(database)
    assert await upkeep.tidy(keep_days=90, ahead_days=9) == []
    assert await upkeep.silent() == 0
    backlog = await upkeep.backlog()
    assert (backlog.deferred, backlog.outbox, backlog.oldest_due_s) == (0, 0, 0)
    assert backlog.unexpired_s < 60


async def test_four_routers_share_the_wakes_and_each_slot_is_given_once(
    stored_work: Jobs, database: Database, make_policy: Callable[..., Policy]
) -> None:
    stored_work.router.policy = make_policy(ONE_A_DAY)
    people = 300
    best = [requested(to=person(number), priority=90) for number in range(people)]
    others = [requested(to=person(n), priority=p) for n in range(people) for p in (99, 50, 10)]
    first = [one for one in others if one.priority == 99]
    await stored_work.router.ask(*first)
    await stored_work.router.ask(*best, *(one for one in others if one.priority < 99))
    await run(database, SLOTS_FREE)
    await run(database, ALL_DUE)
    routers = [stored_work, *(another(stored_work, database) for _ in range(3))]
    await until_done(*(router.retry for router in routers))
    woken = [len(router.meter.verdicts) for router in routers]
    assert sum(woken) == people * 3
    assert sum(count > 0 for count in woken) > 1, "they share"
    for asked in best:
        assert [r.verdict for r in await records_of(stored_work, asked)] == ["defer", "allow"]
    grants = await count(database, "SELECT message_id::text, 1 FROM router.send_grant")
    assert grants.keys() == {str(one.message_id) for one in (*first, *best)}
    states = await count(database, "SELECT state, count(*) FROM router.send_grant GROUP BY 1")
    assert states == {"reserved": people * 2}
    reasons = await count(database, "SELECT reason, count(*) FROM router.deferred GROUP BY 1")
    assert reasons == {"cap_reached": people * 2}
    assert not await stored_work.retry()


async def test_scenario_33_each_grant_is_claimed_or_released_though_both_race(
    stored_work: Jobs, database: Database, make_policy: Callable[..., Policy]
) -> None:
    policy = replace(make_policy(ONE_A_DAY), clock_skew_us=0)
    stored_work.router.policy = policy
    await stored_work.router.ask(*(requested(to=person(n)) for n in range(200)))
    grants = [(g.grant_id, g.epoch) for g in stored_work.router.granted]
    await run(database, LEASES_END, timedelta(milliseconds=-300))
    routers = [stored_work, another(stored_work, database)]
    claimed: list[object] = []

    async def claim(some: Sequence[tuple[object, int]]) -> None:
        for start in range(0, len(some), 5):
            async with database.transaction() as connection:
                part = some[start : start + 5]
                rows = await connection.fetch(CLAIM, [g for g, _ in part], [e for _, e in part])
                claimed.extend(row["grant_id"] for row in rows if row["claimed"])

    async def reap(router: Jobs) -> None:
        while (await count(database, "SELECT state, count(*) FROM router.send_grant GROUP BY 1")).get(
            "reserved"
        ):
            await router.expire()

    async with asyncio.timeout(30):
        await asyncio.gather(claim(grants), claim(grants[::-1]), *(reap(router) for router in routers))
    assert len(claimed) == len(set(claimed))
    states = await count(database, "SELECT state, count(*) FROM router.send_grant GROUP BY 1")
    assert states.get("dispatched", 0) == len(claimed)
    assert states.get("released", 0) == len(grants) - len(claimed)
    released = [reason for router in routers for reason in router.meter.reasons]
    assert len(released) == states.get("released", 0), "each slot is given back once"
    counted = "SELECT 'sends', count(*) FROM router.counted_send"
    assert (await count(database, counted))["sends"] == len(claimed)
    records = await count(database, "SELECT 'records', sum(cardinality(records)) FROM router.decision")
    assert records["records"] == len(grants) + len(released)


async def test_reaper_looks_back_far_enough_after_a_restart(
    stored_work: Jobs, database: Database, make_policy: Callable[..., Policy]
) -> None:
    """The mark moves on only behind what was looked at; a router that starts later goes on from it."""
    stored_work.router.policy = make_policy(ONE_A_DAY)
    await stored_work.router.ask(*(requested(to=person(n)) for n in range(3)))
    await run(database, LEASES_END, timedelta(minutes=5))
    await run(database, "UPDATE router.reaped SET until = clock_timestamp() - interval '3 days'")
    again = another(stored_work, database)
    await again.expire()
    assert again.meter.reasons == ["lease_expired"] * 3
    assert (await PostgresRetention(database).backlog()).unexpired_s < 60


async def test_scenario_35_recheck_is_shared_resumed_and_marked(
    stored_work: Jobs, database: Database, make_policy: Callable[..., Policy]
) -> None:
    stored_work.router.policy = make_policy(ONE_A_DAY)
    await stored_work.router.ask(*(requested(to=person(n), campaign=f"c{n % 2}") for n in range(300)))
    stands = make_policy(ONE_A_DAY.replace("limit: 1", "limit: 2"))
    await until_done(
        *(lambda r=r: r.reevaluate(stands) for r in (stored_work, another(stored_work, database)))
    )
    versions = await count(database, "SELECT policy_version, count(*) FROM router.send_grant GROUP BY 1")
    assert versions == {stands.version: 300}
    await until_done(lambda: stored_work.reevaluate(make_policy(NEVER)))
    states = await count(database, "SELECT state, count(*) FROM router.send_grant GROUP BY 1")
    assert states == {"revoked": 300}
    assert (await count(database, "SELECT 'sends', count(*) FROM router.counted_send"))["sends"] == 0


async def test_scenario_45_campaign_called_off_is_swept_by_any_router(
    stored_work: Jobs, database: Database, make_policy: Callable[..., Policy]
) -> None:
    stored_work.router.policy = make_policy(ONE_A_DAY)
    granted = [requested(to=person(n), campaign="spring") for n in range(250)]
    waiting = [requested(to=person(n), campaign="spring") for n in range(250)]
    await stored_work.router.ask(*granted)
    await stored_work.router.ask(*waiting)
    off = CampaignChanged(client="crm", brand="acme", campaign="spring", action="cancelled", occurred_at=AT)
    await stored_work.cancel(off)
    await until_done(another(stored_work, database).cancel, stored_work.cancel)
    states = await count(database, "SELECT state, count(*) FROM router.send_grant GROUP BY 1")
    assert states == {"revoked": 250}
    assert await count(database, "SELECT reason, count(*) FROM router.deferred GROUP BY 1") == {}
    for asked in (granted[0], granted[-1], waiting[0], waiting[-1]):
        assert (await records_of(stored_work, asked))[-1].reason == "campaign_cancelled"
    next_cancelled_campaign = await count(database, "SELECT campaign, 1 FROM router.campaign WHERE NOT swept")
    assert next_cancelled_campaign == {"spring": 1}, (
        "for a while a batch that had looked before may still write"
    )
    await run(database, "UPDATE router.campaign SET cancelled_at = clock_timestamp() - interval '11 minutes'")
    await stored_work.cancel()
    assert await count(database, "SELECT campaign, 1 FROM router.campaign WHERE NOT swept") == {}


async def test_wakes_requests_and_events_at_once_never_deadlock(
    stored_work: Jobs, database: Database, make_policy: Callable[..., Policy]
) -> None:
    stored_work.router.policy = make_policy(ONE_A_DAY)
    people = [person(n) for n in range(60)]
    await stored_work.router.ask(*(requested(to=to) for to in people for _ in range(2)))
    await run(database, LEASES_END, timedelta(seconds=10))
    await run(database, ALL_DUE)
    other = another(stored_work, database)
    await asyncio.gather(
        until_done(stored_work.retry),
        until_done(other.retry),
        until_done(other.expire),
        stored_work.router.hear(*(consent(to=to) for to in reversed(people))),
        stored_work.router.ask(*(requested(to=to) for to in people)),
    )
    await until_done(other.expire)
    await until_done(other.retry)
    open_sends = await count(
        database, "SELECT contact_id::text, count(*) FROM router.counted_send GROUP BY 1"
    )
    assert set(Counter(open_sends.values())) == {1}, "one slot a person, whoever has it"


async def test_campaigns_called_off_take_turns_none_waits_until_another_is_done_with(
    stored_work: Jobs, make_policy: Callable[..., Policy]
) -> None:
    work = stored_work
    work.router.policy = make_policy(ONE_A_DAY)
    names = ("one", "two", "three")
    asked = [requested(campaign=name, to=person(n)) for n, name in enumerate(names)]
    await work.router.ask(*asked)
    called_off = {"client": "crm", "brand": "acme", "action": "cancelled", "occurred_at": AT}
    for name in names:
        await work.cancel(CampaignChanged.model_validate({"campaign": name, **called_off}))
    for _ in range(60):
        await work.cancel()
    for one in asked:
        assert [record.reason for record in await records_of(work, one)] == ["allowed", "campaign_cancelled"]
