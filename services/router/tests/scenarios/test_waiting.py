"""Scenarios 19 to 21: what waits is asked about by the new clock, in time or not at all, and is spread."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from garbo.router.domain.decide import decide
from garbo.router.domain.decision import Decision
from garbo.router.domain.instants import HOUR_US, MINUTE_US, SECOND_US
from garbo.router.domain.policy import Policy
from garbo.router.domain.state import RecipientState
from garbo.router.domain.values import replace
from services.router.tests.support.build import AT, requested
from services.router.tests.support.build_domain import ROME, UTILITY, a_request, at, in_zone, sends_at
from services.router.tests.support.in_memory import clock, filled, memory_of
from services.router.tests.support.jobs import Jobs
from services.router.tests.support.policies import NIGHT, ONE_A_DAY, RECIPIENTS_NIGHT, MakePolicy, quiet


def asked(policy: Policy, now: str, state: RecipientState = ROME) -> Decision:
    return decide(policy, state, a_request(), at(now))


def test_scenario_19_a_moved_person_is_asked_about_by_the_new_clock(make_policy: MakePolicy) -> None:
    cap = "id: day, type: cap, limit: 1, window: { rolling: 24h }, counts: { class: promo }"
    policy, now = make_policy(NIGHT, cap), at("2026-06-05T22:00+02:00")
    rome = replace(ROME, sends=sends_at("2026-06-05T12:00+02:00"))
    assert decide(policy, rome, a_request(), now).next_allowed_at_us == at("2026-06-06T12:00+02:00")
    new_york = in_zone(rome, "America/New_York")
    woken = decide(policy, new_york, a_request(first_decided_at_us=now), at("2026-06-06T12:00+02:00"))
    assert woken.next_allowed_at_us == at("2026-06-06T09:00-04:00")
    assert [(a.id, a.ok) for a in woken.results] == [("night", False), ("day", True)]


def test_scenario_20_what_cannot_be_in_time_is_denied_at_once(make_policy: MakePolicy) -> None:
    late = a_request(expires_at_us=at("2026-06-06T08:00+02:00"))
    decision = decide(make_policy(NIGHT), ROME, late, at("2026-06-05T22:00+02:00"))
    assert (decision.verdict, decision.reason) == ("deny", "would_expire")
    assert decision.next_allowed_at_us == at("2026-06-06T09:00+02:00")
    assert decision.expires_at_us == at("2026-06-06T08:00+02:00")
    assert decision.deciding is not None
    assert decision.deciding.id == "night"


def test_scenario_20_a_rules_patience_runs_from_the_first_decision(make_policy: MakePolicy) -> None:
    policy, now = make_policy(NIGHT + ", on_hit: { defer: 12h }"), at("2026-06-05T21:00+02:00")
    assert decide(policy, ROME, a_request(), now).verdict == "defer"
    again = decide(policy, ROME, a_request(first_decided_at_us=now - 1), now)
    assert (again.verdict, again.reason) == ("deny", "would_expire")
    assert again.expires_at_us == now - 1 + 12 * HOUR_US


@pytest.mark.parametrize("hit", ["on_hit: deny", "hard: true"])
def test_a_rule_that_wants_no_waiting_denies_and_says_when_all_the_same(
    make_policy: MakePolicy, hit: str
) -> None:
    decision = asked(make_policy(f"{NIGHT}, {hit}"), "2026-06-05T22:00+02:00")
    assert (decision.verdict, decision.reason) == ("deny", "quiet")
    assert decision.next_allowed_at_us == at("2026-06-06T09:00+02:00")


def test_scenario_21_a_release_is_spread_the_same_way_each_time(make_policy: MakePolicy) -> None:
    policy = dataclasses.replace(make_policy(NIGHT), spread_us=30 * MINUTE_US)
    nine, now = at("2026-06-06T09:00+02:00"), at("2026-06-05T22:00+02:00")
    people = [a_request(n, campaign="june", contact=f"c-{n}") for n in range(1, 301)]
    due = [decide(policy, ROME, request, now).due_at_us for request in people]
    assert due == [decide(policy, ROME, request, now + HOUR_US).due_at_us for request in people]
    waits = sorted(at_us - nine for at_us in due if at_us is not None)
    assert 0 <= waits[0] < MINUTE_US
    assert 29 * MINUTE_US < waits[-1] < 30 * MINUTE_US
    assert all(gap_us < 4 * MINUTE_US for gap_us in [b - a for a, b in pairwise(waits)])


def test_scenario_21_nobody_is_spread_into_what_another_rule_closes(make_policy: MakePolicy) -> None:
    noon = quiet("09:10", "12:00", name="noon")
    policy = dataclasses.replace(make_policy(NIGHT, noon), spread_us=HOUR_US)
    nine, now = at("2026-06-06T09:00+02:00"), at("2026-06-05T22:00+02:00")
    for n in range(50):
        due_us = decide(policy, ROME, a_request(n, campaign="june"), now).due_at_us
        assert due_us is not None
        assert nine <= due_us < nine + 10 * MINUTE_US


def test_promo_waits_a_moment_for_others_to_the_same_person(make_policy: MakePolicy) -> None:
    policy = dataclasses.replace(make_policy(NIGHT), gather_us=10 * SECOND_US)
    now = at("2026-06-05T12:00+02:00")
    first = decide(policy, ROME, a_request(), now)
    assert (first.verdict, first.reason, first.due_at_us) == ("defer", "gathering", now + 10 * SECOND_US)
    assert decide(policy, ROME, a_request(gathered=True), now).verdict == "allow"
    assert decide(policy, ROME, a_request(purpose="utility", body=UTILITY), now).verdict == "allow"
    assert decide(policy, ROME, a_request(expires_at_us=now + SECOND_US), now).verdict == "allow"


def test_not_before_waits_without_a_rule_and_with_the_rule_it_runs_into(make_policy: MakePolicy) -> None:
    policy, now = make_policy(NIGHT), at("2026-06-05T12:00+02:00")
    planned = decide(policy, ROME, a_request(not_before_us=now + HOUR_US), now)
    assert (planned.verdict, planned.reason, planned.deciding) == ("defer", "not_before", None)
    assert planned.next_allowed_at_us == now + HOUR_US
    evening = decide(policy, ROME, a_request(not_before_us=at("2026-06-05T22:00+02:00")), now)
    assert (evening.verdict, evening.reason) == ("defer", "quiet")
    assert evening.next_allowed_at_us == at("2026-06-06T09:00+02:00")


async def test_scenario_19_a_zone_that_changed_meanwhile_counts_at_the_wake(
    work: Jobs, make_policy: Callable[..., Policy]
) -> None:
    """Deferred for a night in Rome; at the wake the person is in New York, where it is 03:00."""
    work.router.policy = make_policy(RECIPIENTS_NIGHT)
    clock(work, datetime(2026, 6, 1, 20, tzinfo=UTC))
    (waits,) = await work.router.ask(requested())
    assert waits.next_allowed_at == datetime(2026, 6, 2, 7, tzinfo=UTC), "09:00 in Rome"
    tables = memory_of(work).tables
    ((contact_id, state),) = tables.states.items()
    tables.states[contact_id] = in_zone(state, "America/New_York")
    clock(work, datetime(2026, 6, 2, 7, tzinfo=UTC))
    await work.retry()
    again = work.router.decided[-1]
    assert (again.verdict, again.sequence, again.rule) == ("defer", 2, "night")
    assert again.next_allowed_at == datetime(2026, 6, 2, 13, tzinfo=UTC), "09:00 in New York"
    clock(work, datetime(2026, 6, 2, 13, tzinfo=UTC))
    await work.retry()
    assert (work.router.decided[-1].verdict, work.router.decided[-1].sequence) == ("allow", 3)


async def test_scenario_20_what_cannot_come_in_time_is_denied_once_and_never_woken(
    work: Jobs, make_policy: Callable[..., Policy]
) -> None:
    work.router.policy = make_policy(ONE_A_DAY)
    await filled(work)
    (denied,) = await work.router.ask(requested(expires_at=AT + timedelta(hours=23)))
    assert (denied.verdict, denied.reason, denied.sequence) == ("deny", "would_expire", 1)
    assert denied.next_allowed_at == AT + timedelta(days=1)
    clock(work, AT + timedelta(days=2))
    assert not await work.retry()
    assert work.router.decided[-1] == denied


async def test_scenario_21_wakes_are_spread_and_the_place_is_the_same_on_redelivery(
    work: Jobs, make_policy: Callable[..., Policy]
) -> None:
    """Everybody is free at 09:00; within the hour each has a place of their own."""
    work.router.policy = dataclasses.replace(make_policy(RECIPIENTS_NIGHT), spread_us=HOUR_US)
    clock(work, datetime(2026, 6, 1, 20, tzinfo=UTC))
    asked = [requested(to={"phone": f"+39333{n:07d}"}, campaign="spring") for n in range(400)]
    first = await work.router.ask(*asked)
    again = await work.router.ask(*asked)
    assert {d.message_id: d.due_at for d in again} == {d.message_id: d.due_at for d in first}
    opening = datetime(2026, 6, 2, 7, tzinfo=UTC)
    quarters = [0, 0, 0, 0]
    for decided in first:
        assert decided.due_at is not None
        quarters[(decided.due_at - opening) // timedelta(minutes=15)] += 1
    assert all(60 <= count <= 140 for count in quarters), quarters
    clock(work, opening + timedelta(minutes=15))
    while await work.retry():
        pass
    assert work.meter.verdicts == ["allow"] * quarters[0]
