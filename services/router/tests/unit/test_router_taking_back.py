"""What the router takes back by itself: ended leases, what another policy forbids, campaigns called off."""

from collections.abc import Callable
from datetime import timedelta
from typing import cast

import pytest

from garbo.common.errors import RetryLater
from garbo.common.events.contacts import CampaignChanged
from garbo.common.events.topics import DECISION_MADE
from garbo.router.domain.policy import Policy
from garbo.router.domain.values import replace
from services.router.tests.support.build import AT, requested, result
from services.router.tests.support.jobs import Jobs
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.policies import BUDGET_OF_TWO, NEVER, ONE_A_DAY, PROMO

THREE_A_DAY = ONE_A_DAY.replace("limit: 1", "limit: 3")
LEASE = timedelta(minutes=15)
SKEW = timedelta(seconds=2)


def memory_of(work: Jobs) -> InMemoryStore:
    return cast("InMemoryStore", work.store)


def called_off(campaign: str = "spring") -> CampaignChanged:
    return CampaignChanged(client="crm", brand="acme", campaign=campaign, action="cancelled", occurred_at=AT)


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
    shorter = replace(make_policy(ONE_A_DAY), lease_us=60_000_000)
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


async def test_scenario_45_campaign_called_off_takes_back_grants_and_what_waits(
    work: Jobs, make_policy: Callable[..., Policy]
) -> None:
    work.router.policy = make_policy(ONE_A_DAY)
    granted, waiting, other = requested(campaign="spring"), requested(campaign="spring"), requested()
    await work.router.ask(granted)
    await work.router.ask(waiting, other)
    assert await work.cancel(called_off())
    last = {d.message_id: (d.verdict, d.reason, d.sequence) for d in work.router.decided}
    assert last[granted.message_id] == ("deny", "campaign_cancelled", 2)
    assert last[waiting.message_id] == ("deny", "campaign_cancelled", 2)
    assert last[other.message_id][0] == "defer"
    tables = memory_of(work).tables
    assert tables.grants[granted.message_id].state == "revoked"
    assert tables.deferred.keys() == {other.message_id}
    (later,) = await work.router.ask(requested(campaign="spring"))
    assert (later.verdict, later.reason) == ("deny", "campaign_cancelled")
    assert await work.retry(), "the slot that came back goes to who waits"
    assert (work.router.decided[-1].message_id, work.router.decided[-1].verdict) == (
        other.message_id,
        "allow",
    )
    told = len(work.router.publisher.told)
    assert not await work.cancel(called_off())
    assert len(work.router.publisher.told) == told, "calling off twice is calling off once"


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


async def test_what_is_told_stays_in_the_outbox_until_it_is_acknowledged(
    work: Jobs, make_policy: Callable[..., Policy]
) -> None:
    work.router.policy = make_policy(ONE_A_DAY)
    await work.router.ask(requested())
    memory_of(work).advance(timedelta(hours=1))
    work.router.publisher.failures_left = 1
    with pytest.raises(RetryLater):
        await work.expire()
    (left,) = memory_of(work).tables.outbox
    told = len(work.router.publisher.of(DECISION_MADE))
    await work.publish()
    assert memory_of(work).tables.outbox == ()
    assert work.router.publisher.bytes_of(DECISION_MADE)[told:] == [left.content]
