"""Scenarios 23 and 38 to 46: what counts, what is refunded, what is passed over."""

from collections.abc import Callable
from datetime import date
from typing import Literal

import pytest

from garbo.router.domain.cooldown import with_strike
from garbo.router.domain.decide import decide, decide_and_count, message_of_part
from garbo.router.domain.instants import DAY_US, HOUR_US, MINUTE_US
from garbo.router.domain.policy import Policy
from garbo.router.domain.policy_settings import Counting, Zones
from garbo.router.domain.prepared_request import prepare
from garbo.router.domain.request import UNLIMITED, Body, Request
from garbo.router.domain.state import Send, without_send
from garbo.router.domain.values import replace
from services.router.tests.support.build_domain import (
    FREE,
    PROMO,
    UTILITY,
    a_request,
    a_state,
    at,
    message,
    sends_at,
)
from services.router.tests.support.policies import ERASED, ONE_A_DAY, PROMO_ONLY, SOME_A_WEEK

MakePolicy = Callable[..., Policy]
BUDGET = "id: total, type: budget, limit: 1000, per: campaign, window: %s, applies_to: { class: promo }"
JUNE_5 = at("2026-06-05T10:00:00Z")


def test_scenario_23_of_three_requests_and_one_slot_the_first_in_order_goes(make_policy: MakePolicy) -> None:
    late, soon = JUNE_5 + 2 * HOUR_US, JUNE_5 + HOUR_US
    requests = [
        a_request(4, priority=50),
        a_request(3, priority=60, expires_at_us=late),
        a_request(2, priority=60, expires_at_us=soon, requested_at_us=2),
        a_request(5, priority=60, expires_at_us=soon, requested_at_us=1),
        a_request(6, priority=60, expires_at_us=soon, requested_at_us=1),
    ]
    policy, state, verdicts = make_policy(ONE_A_DAY), a_state(), {}
    for request in sorted(requests, key=lambda r: r.arbitration_key):
        decision, state = decide_and_count(policy, state, request, JUNE_5)
        verdicts[request.request_id.int] = decision.verdict
    assert list(verdicts) == [5, 6, 2, 3, 4]
    assert [n for n, verdict in verdicts.items() if verdict == "allow"] == [5]


def test_scenario_38_a_refunded_slot_is_free_at_once(make_policy: MakePolicy) -> None:
    policy = make_policy(ONE_A_DAY)
    _, state = decide_and_count(policy, a_state(), a_request(1), JUNE_5)
    assert decide(policy, state, a_request(2), JUNE_5).verdict == "defer"
    assert decide(policy, without_send(state, message(1)), a_request(2), JUNE_5).verdict == "allow"


def test_scenario_38_a_promo_the_platform_held_back_leaves_the_brand_alone_for_a_day(
    make_policy: MakePolicy,
) -> None:
    policy = make_policy(ONE_A_DAY)
    state = with_strike(a_state(), brand="acme", by=message(1), at_us=JUNE_5)
    decision = decide(policy, state, a_request(), JUNE_5 + 1)
    assert (decision.verdict, decision.reason) == ("defer", "platform_cooldown")
    assert decision.next_allowed_at_us == JUNE_5 + DAY_US
    assert [(a.id, a.ok, a.type) for a in decision.results] == [
        ("day", True, "cap"),
        ("platform_cooldown", False, "hold"),
    ]
    assert [a.id for a in decide(policy, state, a_request(), JUNE_5 + DAY_US).results] == ["day"]
    assert decide(policy, state, a_request(purpose="utility", body=UTILITY), JUNE_5 + 1).verdict == "allow"
    assert decide(policy, state, a_request(brand="bolt"), JUNE_5 + 1).verdict == "allow"


def test_scenario_39_a_send_nobody_knows_the_end_of_counts_on(make_policy: MakePolicy) -> None:
    unknown = Send(message(1), JUNE_5 + MINUTE_US, "promo", "acme", open=True)
    decision = decide(make_policy(ONE_A_DAY), a_state(sends=(unknown,)), a_request(), JUNE_5 + HOUR_US)
    assert decision.next_allowed_at_us == JUNE_5 + MINUTE_US + DAY_US
    assert decision.provisional


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


def test_scenario_41_an_allowed_override_passes_over_and_still_counts(make_policy: MakePolicy) -> None:
    policy = make_policy(SOME_A_WEEK % 1 + ", overridable_by: [crm-lead]", ERASED)
    _, state = decide_and_count(policy, a_state(), a_request(1), JUNE_5)
    lead = a_request(2, override=("week",), roles=frozenset({"crm-lead"}))
    decision, after = decide_and_count(policy, state, lead, JUNE_5)
    assert (decision.verdict, decision.overridden) == ("allow", ("week",))
    assert [answer.ok for answer in decision.results] == [False, True]
    assert [send.message_id for send in after.sends] == [message(1), message(2)]
    idle = decide(policy, a_state(), lead, JUNE_5)
    assert (idle.verdict, idle.overridden) == ("allow", ())


@pytest.mark.parametrize(
    ("override", "roles"),
    [("week", {"crm"}), ("erased", {"crm-lead"})],
    ids=["without the role", "on a hard rule"],
)
def test_scenario_41_other_overrides_are_refused(
    make_policy: MakePolicy, override: str, roles: set[str]
) -> None:
    policy = make_policy(SOME_A_WEEK % 0 + ", overridable_by: [crm-lead]", ERASED)
    request = a_request(override=(override,), roles=frozenset(roles))
    decision = decide(policy, a_state(erased=True), request, JUNE_5)
    assert (decision.verdict, decision.reason) == ("deny", "override_not_allowed")
    assert decision.deciding is not None
    assert decision.deciding.id == override


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
    once = replace(policy, counting=Counting(parts="once"))
    assert len(decide_and_count(once, one_left, two, JUNE_5)[1].sends) == 2


def test_scenario_44_budgets_that_are_no_obstacle_are_none_to_several_parts(make_policy: MakePolicy) -> None:
    policy = make_policy(BUDGET % "lifetime")
    two = a_request(campaign="june", parts=2, budget_left=UNLIMITED)
    assert decide(policy, a_state(), two, JUNE_5).verdict == "allow"
    decision = decide(policy, a_state(), replace(two, budget_left={"total": 1}), JUNE_5)
    assert (decision.verdict, decision.reason) == ("deny", "budget_spent")
    assert prepare(policy, a_state(), two, JUNE_5).slots == 2


def test_scenario_45_a_campaign_called_off_is_denied(make_policy: MakePolicy) -> None:
    decision = decide(make_policy(ONE_A_DAY), a_state(), a_request(campaign="june", cancelled=True), JUNE_5)
    assert (decision.verdict, decision.reason) == ("deny", "campaign_cancelled")


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
    policy = replace(make_policy(BUDGET % "{ calendar: day }"), zones=Zones(default="America/St_Johns"))
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
    policy = replace(policy, counting=replace(policy.counting, consume=consume))
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
