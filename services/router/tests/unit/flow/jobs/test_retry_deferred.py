"""What waits is decided again when it is due: with the policy, the person and the clock of the wake."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from garbo.router.domain.instants import DAY_US, HOUR_US, SECOND_US, to_us
from garbo.router.domain.policy import Policy
from garbo.router.domain.values import replace
from services.router.tests.support.build import AT, consent, requested, result
from services.router.tests.support.in_memory import clock, filled, memory_of
from services.router.tests.support.jobs import Jobs
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.policies import ONE_A_DAY, PROMO, STOPPED
from services.router.tests.support.router import Router


async def test_what_waits_goes_at_the_instant_the_slot_frees_and_not_before(
    work: Jobs, make_policy: Callable[..., Policy]
) -> None:
    work.router.policy = make_policy(ONE_A_DAY)
    await filled(work)
    (waits,) = await work.router.ask(requested())
    assert (waits.verdict, waits.final, waits.sequence) == ("defer", False, 1)
    assert waits.next_allowed_at == AT + timedelta(days=1)
    clock(work, AT + timedelta(days=1) - timedelta(microseconds=1))
    assert not await work.retry()
    clock(work, AT + timedelta(days=1))
    assert await work.retry()
    last = work.router.decided[-1]
    assert (last.verdict, last.final, last.sequence, last.message_id) == ("allow", True, 2, waits.message_id)
    assert last.grant is not None
    grant = work.router.granted[-1]
    assert (grant.message_id, grant.grant_id, grant.epoch) == (waits.message_id, last.grant.id, 1)
    assert memory_of(work).tables.deferred == {}


async def test_waking_twice_is_waking_once(work: Jobs, make_policy: Callable[..., Policy]) -> None:
    work.router.policy = make_policy(ONE_A_DAY)
    await filled(work)
    await work.router.ask(requested(), requested())
    clock(work, AT + timedelta(days=1))
    assert await work.retry()
    told, tables = list(work.router.publisher.told), memory_of(work).tables
    assert not await work.retry()
    assert work.router.publisher.told == told
    assert memory_of(work).tables == tables


async def test_the_better_one_goes_first_although_its_timer_fires_later(
    work: Jobs, make_policy: Callable[..., Policy]
) -> None:
    """Both are free at ten; the spread lets one's timer fire before the other's."""
    work.router.policy = dataclasses.replace(make_policy(ONE_A_DAY), spread_us=HOUR_US)
    await filled(work)
    asked = [requested(campaign=f"c{n}", priority=n) for n in range(5)]
    await work.router.ask(*asked)
    waiting = memory_of(work).tables.deferred.values()
    first_due = min(waiting, key=lambda one: one.due_at_us)
    clock(work, AT + timedelta(days=1, hours=1))
    assert first_due.due_at_us <= to_us(memory_of(work).now)
    await work.retry()
    allowed = [d.message_id for d in work.router.decided if d.verdict == "allow" and d.sequence == 2]
    assert allowed == [asked[4].message_id], "one slot, for the highest priority"


async def test_who_is_still_blocked_waits_again_from_the_first_decision_on(
    work: Jobs, make_policy: Callable[..., Policy]
) -> None:
    work.router.policy = make_policy(ONE_A_DAY + ", on_hit: { defer: 36h }")
    await filled(work)
    await work.router.ask(requested(priority=90), requested(priority=10))
    clock(work, AT + timedelta(days=1))
    await work.retry()
    last = {d.message_id: d for d in work.router.decided if d.sequence == 2}
    ends = sorted((d.verdict, d.reason) for d in last.values())
    assert ends == [("allow", "allowed"), ("defer", "cap_reached")], "nothing is denied on an upper bound"
    await work.router.hear(result(work.router.granted[-1], "accepted", recorded_at=AT + timedelta(days=1)))
    await work.retry()
    ended = work.router.decided[-1]
    assert (ended.verdict, ended.reason) == ("deny", "would_expire")
    assert memory_of(work).tables.deferred == {}, "a second day is more than 36 hours from the first decision"


async def test_slot_that_comes_back_wakes_who_waits_at_once_the_best_first(
    work: Jobs, make_policy: Callable[..., Policy]
) -> None:
    work.router.policy = make_policy(ONE_A_DAY)
    (first,) = await work.router.ask(requested())
    low, high = requested(priority=10), requested(priority=90)
    await work.router.ask(low, high)
    clock(work, AT + timedelta(minutes=1))
    assert not await work.retry()
    await work.router.hear(result(work.router.granted[-1], "failed", recorded_at=AT))
    assert await work.retry()
    second = {d.message_id: d for d in work.router.decided if d.sequence == 2}
    assert second[high.message_id].verdict == "allow"
    assert second[low.message_id].verdict == "defer"
    assert not await work.retry(), "nothing goes in circles"
    assert first.verdict == "allow"


async def test_who_was_erased_or_forgotten_is_dropped_with_a_last_deny(
    work: Jobs, make_policy: Callable[..., Policy]
) -> None:
    work.router.policy = make_policy(ONE_A_DAY)
    for phone, change in (("+393330000001", "erased"), ("+393330000002", "forgotten")):
        to = {"phone": phone}
        await work.router.ask(requested(to=to))
        (waits,) = await work.router.ask(requested(to=to))
        tables = memory_of(work).tables
        (contact_id,) = [c.contact_id for c in tables.aliases.values() if c.address.value == phone]
        if change == "erased":
            tables.states[contact_id] = replace(tables.states[contact_id], erased=True)
        else:
            del tables.states[contact_id]
        memory_of(work).advance(timedelta(days=2))
        await work.retry()
        last = work.router.decided[-1]
        assert (last.message_id, last.verdict, last.final) == (waits.message_id, "deny", True)
        assert last.reason == ("erased" if change == "erased" else "unknown_contact")
        assert tables.deferred.keys() <= {waits.message_id}


async def test_gathered_promos_are_decided_together_the_best_first(
    work: Jobs, make_policy: Callable[..., Policy]
) -> None:
    work.router.policy = dataclasses.replace(make_policy(ONE_A_DAY), gather_us=10 * SECOND_US)
    (early,) = await work.router.ask(requested(priority=10))
    assert (early.verdict, early.reason, early.due_at) == ("defer", "gathering", AT + timedelta(seconds=10))
    memory_of(work).advance(timedelta(seconds=6))
    (late,) = await work.router.ask(requested(priority=90))
    assert late.reason == "gathering"
    memory_of(work).advance(timedelta(seconds=4))
    await work.retry()
    second = {d.message_id: d for d in work.router.decided if d.sequence == 2}
    assert (second[late.message_id].verdict, second[early.message_id].verdict) == ("allow", "defer")
    assert second[early.message_id].reason == "cap_reached"


async def test_only_the_newest_of_a_campaign_is_kept_where_the_policy_says_so(
    work: Jobs, make_policy: Callable[..., Policy]
) -> None:
    work.router.policy = dataclasses.replace(
        make_policy(ONE_A_DAY), same_campaign="keep_newest", gather_us=SECOND_US
    )
    older = requested(campaign="spring")
    newer = requested(campaign="spring", requested_at=AT + timedelta(seconds=1))
    await work.router.ask(older)
    await work.router.ask(newer)
    memory_of(work).advance(timedelta(seconds=2))
    await work.retry()
    last = {d.message_id: (d.verdict, d.reason) for d in work.router.decided}
    assert last == {older.message_id: ("deny", "superseded"), newer.message_id: ("allow", "allowed")}


async def test_waiting_is_measured_from_the_first_decision_and_the_grant_of_another_day_is_another(
    work: Jobs, make_policy: Callable[..., Policy]
) -> None:
    work.router.policy = make_policy(ONE_A_DAY)
    await filled(work)
    (waits,) = await work.router.ask(requested())
    ((_, one),) = memory_of(work).tables.deferred.items()
    assert one.first_decided_at_us == to_us(AT)
    assert one.free_at_us == to_us(AT) + DAY_US
    clock(work, AT + timedelta(days=1))
    await work.retry()
    day_of_wake = work.router.granted[-1].grant_id.int & 0xFFFF
    day_before = work.router.granted[0].grant_id.int & 0xFFFF
    assert day_of_wake == day_before + 1
    assert waits.message_id == work.router.granted[-1].message_id


async def test_no_consent_is_needed_to_wait_but_to_go(work: Jobs, make_policy: Callable[..., Policy]) -> None:
    opt_in = f"id: opt-in, type: consent, purpose: marketing, {PROMO}, hard: true"
    work.router.policy = make_policy(opt_in, ONE_A_DAY)
    to: dict[str, Any] = {"phone": f"+39333{uuid4().int % 10**7:07d}"}
    await work.router.hear(consent(to=to))
    await work.router.ask(requested(to=to))
    (waits,) = await work.router.ask(requested(to=to))
    assert waits.verdict == "defer"
    await work.router.hear(consent("withdrawn", to=to, occurred_at=AT))
    memory_of(work).advance(timedelta(days=2))
    await work.retry()
    last = work.router.decided[-1]
    assert (last.message_id, last.verdict, last.reason) == (waits.message_id, "deny", "not_opted_in")


async def test_nothing_waits_for_longer_than_its_decision_is_kept(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    """The tables of days are dropped: what waits for longer would end without a word."""
    router.policy = make_policy(STOPPED)
    history = timedelta(microseconds=router.policy.history_us)
    assert router.policy.history_us >= 30 * DAY_US
    (waits,) = await router.ask(requested(not_before=memory.now + history))
    assert (waits.verdict, waits.reason) == ("defer", "not_before")
    for beyond in (memory.now + history + timedelta(seconds=1), datetime(9999, 12, 31, 23, tzinfo=UTC)):
        (denied,) = await router.ask(requested(not_before=beyond))
        assert (denied.verdict, denied.reason) == ("deny", "would_expire")
