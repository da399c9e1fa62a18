"""Scenario 35: another policy looks again at what an earlier one granted."""

import dataclasses
from collections.abc import Callable
from datetime import timedelta

import pytest

from garbo.common.runtime.postgres import Database
from garbo.router.domain.policy import Policy
from garbo.router.domain.values import replace
from services.router.tests.support.build import requested
from services.router.tests.support.in_memory import memory_of
from services.router.tests.support.jobs import Jobs
from services.router.tests.support.policies import NEVER, ONE_A_DAY, PROMO, THREE_A_DAY
from services.router.tests.support.shared_database import another, count, person, until_done


async def test_scenario_35_undispatched_grants_are_decided_again_and_dispatched_ones_stand(
    work: Jobs, make_policy: Callable[..., Policy]
) -> None:
    work.router.policy = make_policy(THREE_A_DAY)
    asked = [requested(priority=priority) for priority in (10, 20, 30)]
    decided = await work.router.ask(*asked)
    assert {d.verdict for d in decided} == {"allow"}
    grants = memory_of(work).tables.grants
    on_the_wire = asked[0].message_id
    grants[on_the_wire] = replace(grants[on_the_wire], state="dispatched")
    lower = make_policy(ONE_A_DAY.replace("limit: 1", "limit: 2"))
    assert await work.reevaluate(lower)
    states = {message_id: grant.state for message_id, grant in memory_of(work).tables.grants.items()}
    assert states == {
        on_the_wire: "dispatched",
        asked[2].message_id: "reserved",
        asked[1].message_id: "revoked",
    }
    told = work.router.decided[-1]
    assert (told.message_id, told.verdict, told.sequence) == (asked[1].message_id, "defer", 2)
    assert told.policy_version == lower.version
    assert decided[0].policy_version != lower.version, "decisions keep the version they used"
    assert not await work.reevaluate(lower), "what stands is marked"
    assert not await work.reevaluate(lower)
    (send_ids,) = [{s.message_id for s in state.sends} for state in memory_of(work).tables.states.values()]
    assert send_ids == {on_the_wire, asked[2].message_id}


async def test_what_another_policy_forbids_is_denied_and_what_it_ends_sooner_ends_sooner(
    work: Jobs, make_policy: Callable[..., Policy]
) -> None:
    work.router.policy = make_policy(THREE_A_DAY)
    (first,) = await work.router.ask(requested())
    shorter = dataclasses.replace(make_policy(ONE_A_DAY), lease_us=60_000_000)
    await work.reevaluate(shorter)
    (grant,) = memory_of(work).tables.grants.values()
    assert grant.state == "reserved"
    assert grant.valid_until_us == grant.not_before_us + 60_000_000
    await work.reevaluate(make_policy(NEVER))
    told = work.router.decided[-1]
    assert (told.message_id, told.verdict, told.sequence, told.rule) == (first.message_id, "deny", 2, "never")
    (grant,) = memory_of(work).tables.grants.values()
    assert grant.state == "revoked"


async def test_taken_back_on_one_day_and_given_again_has_a_higher_epoch(
    work: Jobs, make_policy: Callable[..., Policy]
) -> None:
    """A grant keeps its id on the same day; the door refuses the old epoch."""
    work.router.policy = make_policy(THREE_A_DAY)
    await work.router.ask(requested())
    night = f'id: n, type: quiet, from: "11:00", to: "13:00", days: all, zone: Europe/Rome, {PROMO}'
    await work.reevaluate(make_policy(night))
    assert work.router.decided[-1].verdict == "defer"
    memory_of(work).advance(timedelta(hours=1))
    assert await work.retry()
    first, second = work.router.granted
    assert (second.grant_id, first.epoch, second.epoch) == (first.grant_id, 1, 2)
    last = work.router.decided[-1]
    assert last.grant is not None
    assert (last.sequence, last.grant.epoch) == (3, 2)


@pytest.mark.integration
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
