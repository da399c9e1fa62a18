"""Scenario 33: a lease that ends unsent gives its slot back once, whoever says so first."""

import asyncio
import dataclasses
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest

from garbo.common.runtime.postgres import Database
from garbo.router.domain.policy import Policy
from garbo.router.domain.values import replace
from garbo.router.outbound.postgres.retention import PostgresRetention
from services.router.tests.support.build import AT, requested, result
from services.router.tests.support.claims import CLAIM
from services.router.tests.support.in_memory import memory_of
from services.router.tests.support.jobs import Jobs
from services.router.tests.support.policies import BUDGET_OF_TWO, ONE_A_DAY, THREE_A_DAY
from services.router.tests.support.router import Router
from services.router.tests.support.shared_database import LEASES_END, another, count, person, run

LEASE = timedelta(minutes=15)
SKEW = timedelta(seconds=2)


async def test_scenario_33_lease_that_ended_unsent_frees_the_slot_and_closes_the_decision(
    router: Router, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy("id: c, type: cap, limit: 1, window: { rolling: 7d }")
    await router.ask(requested())
    unsent = result(router.granted[0], "not_sent", reason="lease_expired")
    await router.hear(unsent)
    await router.hear(unsent)
    allowed, last = router.decided
    assert allowed.verdict == "allow"
    assert (last.verdict, last.reason, last.sequence) == ("deny", "lease_expired", 2)
    (second,) = await router.ask(requested())
    assert second.verdict == "allow"


async def test_scenario_33_an_ended_lease_is_released_once_and_whoever_waits_is_due(
    work: Jobs, make_policy: Callable[..., Policy]
) -> None:
    work.router.policy = make_policy(ONE_A_DAY)
    (first,) = await work.router.ask(requested())
    (second,) = await work.router.ask(requested())
    memory_of(work).now = AT + LEASE + SKEW - timedelta(microseconds=1)
    await work.expire()
    assert work.meter.reasons == []
    memory_of(work).advance(timedelta(microseconds=2))
    await work.expire()
    await work.expire()
    assert work.meter.reasons == ["lease_expired"]
    ended = work.router.decided[-1]
    assert (ended.message_id, ended.verdict, ended.reason) == (first.message_id, "deny", "lease_expired")
    assert (ended.sequence, ended.final, ended.grant) == (2, True, None)
    assert await work.retry()
    assert (work.router.decided[-1].message_id, work.router.decided[-1].verdict) == (
        second.message_id,
        "allow",
    )


async def test_scenario_33_the_senders_own_word_about_an_ended_lease_changes_nothing_more(
    work: Jobs, make_policy: Callable[..., Policy]
) -> None:
    work.router.policy = make_policy(THREE_A_DAY)
    await work.router.ask(requested())
    memory_of(work).advance(LEASE + timedelta(minutes=1))
    await work.expire()
    before = memory_of(work).tables.states
    await work.router.hear(result(work.router.granted[-1], "not_sent", reason="lease_expired"))
    assert {c: s.sends for c, s in memory_of(work).tables.states.items()} == dict.fromkeys(before, ())
    sequences = {d.sequence for d in work.router.decided}
    assert sequences == {1, 2}


async def test_claimed_grants_are_never_reaped(work: Jobs, make_policy: Callable[..., Policy]) -> None:
    work.router.policy = make_policy(ONE_A_DAY)
    (first,) = await work.router.ask(requested())
    grants = memory_of(work).tables.grants
    (message_id,) = grants
    grants[message_id] = replace(grants[message_id], state="dispatched")
    memory_of(work).advance(timedelta(days=3))
    await work.expire()
    assert grants[message_id].state == "dispatched"
    assert work.router.decided == [first]


async def test_budget_is_never_exceeded_and_a_slot_given_back_is_given_to_another(
    work: Jobs, make_policy: Callable[..., Policy]
) -> None:
    work.router.policy = make_policy(BUDGET_OF_TWO)
    people = [{"phone": f"+39333000000{n}"} for n in range(4)]
    asked = [requested(to=to, campaign="spring", priority=90 - n) for n, to in enumerate(people)]
    decided = {d.message_id: d for d in await work.router.ask(*asked)}
    assert [decided[a.message_id].verdict for a in asked] == ["allow", "allow", "deny", "deny"]
    assert decided[asked[2].message_id].rule == "total"
    (elsewhere,) = await work.router.ask(requested(to=people[0], campaign="autumn"))
    assert elsewhere.verdict == "allow", "each campaign has its own"
    (spring, _) = memory_of(work).tables.leases.values()
    assert spring.left == 0
    memory_of(work).advance(LEASE + timedelta(minutes=1))
    await work.expire()
    assert {one.left for one in memory_of(work).tables.leases.values()} == {2}
    (later,) = await work.router.ask(requested(to=people[3], campaign="spring"))
    assert later.verdict == "allow"


@pytest.mark.integration
async def test_scenario_33_each_grant_is_claimed_or_released_though_both_race(
    stored_work: Jobs, database: Database, make_policy: Callable[..., Policy]
) -> None:
    policy = dataclasses.replace(make_policy(ONE_A_DAY), clock_skew_us=0)
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


@pytest.mark.integration
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
