"""Scenarios 40, 42 to 44 and 46: what counts, beside what, as how many, and what is kept for others."""

import dataclasses
from datetime import date
from typing import Literal

import pytest

from garbo.router.domain.decide import decide, decide_and_count, message_of_part
from garbo.router.domain.instants import DAY_US
from garbo.router.domain.policy_settings import Counting, Zones
from garbo.router.domain.prepared_request import prepare
from garbo.router.domain.request import UNLIMITED, Body, Request
from garbo.router.domain.values import replace
from services.router.tests.support.build_domain import (
    FREE,
    JUNE_5,
    PROMO,
    UTILITY,
    a_request,
    a_state,
    at,
    message,
    sends_at,
)
from services.router.tests.support.policies import ONE_A_DAY, PROMO_ONLY, SOME_A_WEEK, MakePolicy

BUDGET = "id: total, type: budget, limit: 1000, per: campaign, window: %s, applies_to: { class: promo }"


def test_scenario_40_utility_pushes_promo_away_and_not_the_reverse(make_policy: MakePolicy) -> None:
    gap = make_policy(
        "id: gap, type: gap, min: 2h, applies_to: { class: promo }, counts: { class: [promo, utility] }"
    )
    after_utility = a_state(sends=sends_at("2026-06-05T09:00Z", message_class="utility"))
    promo = decide(gap, after_utility, a_request(), JUNE_5)
    assert (promo.reason, promo.next_allowed_at_us) == ("gap", at("2026-06-05T11:00Z"))
    after_promo = a_state(sends=sends_at("2026-06-05T09:00Z"))
    assert decide(gap, after_promo, a_request(purpose="utility", body=UTILITY), JUNE_5).verdict == "allow"


def test_scenario_40_except_tag_passes_the_gap(make_policy: MakePolicy) -> None:
    gap = make_policy(
        "id: gap, type: gap, min: 2h, except: { tag: restock }, counts: { class: [promo, utility] }"
    )
    state = a_state(sends=sends_at("2026-06-05T09:00Z"))
    assert decide(gap, state, a_request(tags=("restock",)), JUNE_5).verdict == "allow"
    assert decide(gap, state, a_request(tags=("sale",)), JUNE_5).verdict == "defer"


def test_scenario_42_a_send_counts_with_the_tags_it_was_granted_with(make_policy: MakePolicy) -> None:
    cap = make_policy("id: vip, type: cap, limit: 1, window: { rolling: 24h }, counts: { tag: vip }")
    _, state = decide_and_count(cap, a_state(), a_request(1, campaign="june", tags=("vip",)), JUNE_5)
    assert decide(cap, state, a_request(2, campaign="june", tags=()), JUNE_5).verdict == "defer"


def test_scenario_43_brand_caps_and_the_portfolio_cap_hold_together(make_policy: MakePolicy) -> None:
    policy = make_policy(
        "id: day, type: cap, limit: 1, window: { rolling: 1d }, per: [recipient, brand], counts: {}",
        SOME_A_WEEK % 3,
    )
    days = sends_at("2026-06-01T10:00Z", "2026-06-02T10:00Z") + sends_at("2026-06-03T10:00Z", brand="bolt")
    for brand in ("acme", "bolt"):
        decision = decide(policy, a_state(sends=days), a_request(brand=brand), JUNE_5)
        assert (decision.reason, decision.next_allowed_at_us) == ("cap_reached", at("2026-06-08T10:00Z"))


def test_scenario_44_the_parts_of_a_message_count_each_and_go_together_or_not_at_all(
    make_policy: MakePolicy,
) -> None:
    policy, two = make_policy(SOME_A_WEEK % 2), a_request(7, parts=2)
    allowed, state = decide_and_count(policy, a_state(), two, JUNE_5)
    assert allowed.verdict == "allow"
    assert {s.message_id for s in state.sends} == {message(7), message_of_part(message(7), 1)}
    assert decide(policy, state, a_request(8), JUNE_5).verdict == "defer"
    one_left = a_state(sends=sends_at("2026-06-04T10:00Z"))
    decision, after = decide_and_count(policy, one_left, two, JUNE_5)
    assert (decision.verdict, after) == ("defer", one_left)
    assert decision.next_allowed_at_us == at("2026-06-11T10:00Z")
    assert decide(policy, a_state(), a_request(parts=3), JUNE_5).verdict == "deny"
    once = dataclasses.replace(policy, counting=Counting(parts="once"))
    assert len(decide_and_count(once, one_left, two, JUNE_5)[1].sends) == 2


def test_scenario_44_budgets_that_are_no_obstacle_are_none_to_several_parts(make_policy: MakePolicy) -> None:
    policy = make_policy(BUDGET % "lifetime")
    two = a_request(campaign="june", parts=2, budget_left=UNLIMITED)
    assert decide(policy, a_state(), two, JUNE_5).verdict == "allow"
    decision = decide(policy, a_state(), replace(two, budget_left={"total": 1}), JUNE_5)
    assert (decision.verdict, decision.reason) == ("deny", "budget_spent")
    assert prepare(policy, a_state(), two, JUNE_5).slots == 2


def test_scenario_46_the_last_slot_is_kept_for_high_priority(make_policy: MakePolicy) -> None:
    policy = make_policy(SOME_A_WEEK % 3 + ", keep_for: { slots: 1, min_priority: 80 }")
    state = a_state(sends=sends_at("2026-06-01T10:00Z", "2026-06-02T10:00Z"))
    low = decide(policy, state, a_request(priority=50), JUNE_5)
    assert (low.verdict, low.next_allowed_at_us) == ("defer", at("2026-06-08T10:00Z"))
    assert decide(policy, state, a_request(priority=90), JUNE_5).verdict == "allow"


def test_a_lifetime_cap_of_a_campaign_remembers_what_the_row_has_forgotten(make_policy: MakePolicy) -> None:
    policy = make_policy(
        "id: once, type: cap, limit: 1, window: lifetime, per: [recipient, campaign], on_hit: deny, "
        + PROMO_ONLY
    )
    long_ago = sends_at("2020-01-01T00:00Z", campaign="june")
    state = a_state(campaign_sends=long_ago)
    decision = decide(policy, state, a_request(campaign="june"), JUNE_5)
    assert (decision.verdict, decision.reason, decision.next_allowed_at_us) == ("deny", "cap_reached", None)
    assert decide(policy, state, a_request(campaign="july"), JUNE_5).verdict == "allow"
    assert decide(policy, state, a_request(campaign=None), JUNE_5).verdict == "allow"


@pytest.mark.parametrize(
    ("window", "verdict", "free"),
    [("lifetime", "deny", None), ("{ calendar: month }", "defer", "2026-07-01T00:00Z")],
    ids=["lifetime", "month"],
)
def test_a_spent_budget_is_whole_again_in_its_next_period_or_never(
    make_policy: MakePolicy, window: str, verdict: str, free: str | None
) -> None:
    policy = make_policy(f"{BUDGET % window}, on_hit: {{ defer: 30d }}")

    def asked(**left: int) -> Request:
        return a_request(campaign="june", budget_left=left)

    assert decide(policy, a_state(), asked(total=1), JUNE_5).verdict == "allow"
    for spent in (asked(total=0), asked()):
        decision = decide(policy, a_state(), spent, JUNE_5)
        assert (decision.verdict, decision.reason) == (verdict, "budget_spent")
        assert decision.next_allowed_at_us == (at(free) if free else None)
    assert [a.rule for a in prepare(policy, a_state(), asked(), JUNE_5).budgets_needed] == ["total"]
    assert prepare(policy, a_state(), a_request(campaign=None), JUNE_5).budgets_needed == []


@pytest.mark.parametrize(
    ("fallback", "needed"), [(None, []), (PROMO, ["total"]), (UTILITY, [])], ids=["none", "promo", "utility"]
)
def test_what_a_fallback_may_draw_on_is_needed_as_well(
    make_policy: MakePolicy, fallback: Body | None, needed: list[str]
) -> None:
    policy = make_policy(BUDGET % "lifetime")
    answer = a_request(
        purpose="utility", campaign="june", body=FREE, fallback=fallback, budget_left={"total": 1}
    )
    assert [a.rule for a in prepare(policy, a_state(), answer, JUNE_5).budgets_needed] == needed


@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2007-11-03T23:30-02:30", "2007-11-03"),
        ("2007-11-04T00:00-02:30", "2007-11-04"),
        ("2007-11-03T23:30-03:30", "2007-11-04"),
        ("2007-11-05T00:00-03:30", "2007-11-05"),
    ],
)
def test_a_budgets_day_begins_once_where_clocks_go_back_over_midnight(
    make_policy: MakePolicy, now: str, day: str
) -> None:
    """St. John's showed a minute of 4 November 2007, then the last hour of the day before once more."""
    policy = dataclasses.replace(
        make_policy(BUDGET % "{ calendar: day }"), zones=Zones(default="America/St_Johns")
    )
    (account,) = prepare(policy, a_state(), a_request(campaign="june"), at(now)).budgets_needed
    assert account.period == (date.fromisoformat(day) - date(1970, 1, 1)).days


@pytest.mark.parametrize(
    ("consume", "open_counts", "accepted_counts"),
    [("reserved", True, True), ("accepted", False, True), ("delivered", False, False)],
)
def test_a_policy_may_count_later_than_at_the_grant(
    make_policy: MakePolicy,
    consume: Literal["reserved", "accepted", "delivered"],
    open_counts: bool,
    accepted_counts: bool,
) -> None:
    policy = make_policy(ONE_A_DAY)
    policy = dataclasses.replace(policy, counting=dataclasses.replace(policy.counting, consume=consume))
    for counts, state in (
        (open_counts, a_state(sends=sends_at("2026-06-05T09:00Z", open=True))),
        (accepted_counts, a_state(sends=sends_at("2026-06-05T09:00Z"))),
        (True, a_state(sends=sends_at("2026-06-05T09:00Z", delivered=True))),
    ):
        verdict = decide(policy, state, a_request(), JUNE_5).verdict
        assert verdict == ("defer" if counts else "allow")


def test_open_grant_counts_at_its_latest_acceptance_and_makes_the_instant_provisional(
    make_policy: MakePolicy,
) -> None:
    policy = make_policy(ONE_A_DAY)
    first, state = decide_and_count(policy, a_state(), a_request(1), JUNE_5)
    assert first.verdict == "allow"
    second, _ = decide_and_count(policy, state, a_request(2), JUNE_5)
    latest_us = JUNE_5 + policy.lease_us + policy.send_budget_us
    assert (second.verdict, second.provisional) == ("defer", True)
    assert second.next_allowed_at_us == latest_us + DAY_US
