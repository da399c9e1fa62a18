"""The scenarios of the policy specification, by their numbers, on the pure decision."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from garbo.router.domain.decide import decide, decide_and_count
from garbo.router.domain.instants import DAY_US, HOUR_US, SECOND_US, to_datetime
from garbo.router.domain.policy import Policy
from garbo.router.domain.request import Body, Numbers
from garbo.router.domain.state import Consent, RecipientState, Send, Stop
from garbo.router.testing.build_domain import (
    AUTH,
    FREE,
    PROMO,
    UNKNOWN,
    UTILITY,
    a_request,
    a_state,
    at,
    message,
    sends_at,
)

MakePolicy = Callable[..., Policy]
PROMO_ONLY = "applies_to: { class: promo }, counts: { class: promo }"
DAY_CAP = f"id: day, type: cap, limit: 1, window: {{ rolling: 24h }}, {PROMO_ONLY}"
WEEK = "id: week, type: cap, limit: %d, window: { rolling: 7d }, " + PROMO_ONLY
OPT_IN = "id: opt-in, type: consent, purpose: marketing, applies_to: { class: promo }, hard: true"
STOPPED = "id: user-stop, type: block, state: stopped, applies_to: { class: promo }, hard: true"
WINDOW = "id: wa-window, type: window, open: 24h, applies_to: { form: free }, hard: true"
JUNE_5 = at("2026-06-05T10:00:00Z")


@pytest.mark.parametrize(
    ("now", "verdict"),
    [("2026-06-02T09:59:59.999999Z", "defer"), ("2026-06-02T10:00:00.000000Z", "allow")],
    ids=["a microsecond early", "exactly then"],
)
def test_scenario_01_cap_frees_at_exactly_send_plus_window(
    make_policy: MakePolicy, now: str, verdict: str
) -> None:
    state = a_state(sends=sends_at("2026-06-01T10:00:00Z"))
    decision = decide(make_policy(DAY_CAP), state, a_request(), at(now))
    assert decision.verdict == verdict
    expected = at("2026-06-02T10:00:00Z") if verdict == "defer" else None
    assert decision.next_allowed_at_us == expected


def test_scenario_02_three_a_week_frees_when_the_oldest_leaves_and_names_all_three(
    make_policy: MakePolicy,
) -> None:
    state = a_state(sends=sends_at("2026-06-01T10:00Z", "2026-06-02T10:00Z", "2026-06-03T10:00Z"))
    decision = decide(make_policy(WEEK % 3), state, a_request(), JUNE_5)
    assert (decision.verdict, decision.reason) == ("defer", "cap_reached")
    assert decision.next_allowed_at_us == at("2026-06-08T10:00Z")
    assert decision.deciding is not None
    assert decision.deciding.by == (message(1), message(2), message(3))
    assert (decision.deciding.used, decision.deciding.limit) == (3, 3)
    assert decision.deciding.window == "rolling 7d"


def test_scenario_03_lowered_cap_frees_when_the_newest_leaves(make_policy: MakePolicy) -> None:
    state = a_state(sends=sends_at("2026-06-01T10:00Z", "2026-06-02T10:00Z", "2026-06-03T10:00Z"))
    decision = decide(make_policy(WEEK % 1), state, a_request(), JUNE_5)
    assert decision.next_allowed_at_us == at("2026-06-10T10:00Z")


def test_scenario_04_rolling_window_refuses_a_burst_across_midnight(make_policy: MakePolicy) -> None:
    state = a_state(sends=sends_at("2026-06-01T23:59Z"))
    decision = decide(make_policy(DAY_CAP), state, a_request(), at("2026-06-02T00:01Z"))
    assert decision.next_allowed_at_us == at("2026-06-02T23:59Z")


def test_scenario_11_limit_zero_is_never_and_no_rule_is_always(make_policy: MakePolicy) -> None:
    never = decide(make_policy(WEEK % 0), a_state(), a_request(), JUNE_5)
    assert (never.verdict, never.next_allowed_at_us) == ("deny", None)
    erased_only = make_policy("id: erased, type: block, state: erased")
    assert decide(erased_only, a_state(), a_request(), JUNE_5).verdict == "allow"


def test_scenario_12_of_two_caps_the_later_instant_counts_and_both_are_listed(
    make_policy: MakePolicy,
) -> None:
    state = a_state(sends=sends_at("2026-06-05T08:00Z"))
    decision = decide(make_policy(DAY_CAP, WEEK % 1), state, a_request(), JUNE_5)
    assert decision.next_allowed_at_us == at("2026-06-12T08:00Z")
    assert decision.deciding is not None
    assert decision.deciding.rule.reach.id == "week"
    free = {answer.rule.reach.id: answer.free_at_us for answer in decision.answers}
    assert free == {"day": at("2026-06-06T08:00Z"), "week": at("2026-06-12T08:00Z")}


def test_scenario_32_slot_of_an_accepted_send_frees_from_its_acceptance(make_policy: MakePolicy) -> None:
    state = a_state(sends=sends_at("2026-06-05T14:00Z"))
    decision = decide(make_policy(DAY_CAP), state, a_request(), at("2026-06-06T13:59Z"))
    assert decision.next_allowed_at_us == at("2026-06-06T14:00Z")


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


def test_scenario_43_brand_caps_and_the_portfolio_cap_hold_together(make_policy: MakePolicy) -> None:
    policy = make_policy(
        "id: day, type: cap, limit: 1, window: { rolling: 1d }, per: [recipient, brand], counts: {}", WEEK % 3
    )
    days = sends_at("2026-06-01T10:00Z", "2026-06-02T10:00Z") + sends_at("2026-06-03T10:00Z", brand="bolt")
    state = a_state(sends=days)
    for brand in ("acme", "bolt"):
        decision = decide(policy, state, a_request(brand=brand), JUNE_5)
        assert (decision.reason, decision.next_allowed_at_us) == ("cap_reached", at("2026-06-08T10:00Z"))


def test_scenario_47_next_promo_after_stop_is_refused_without_an_instant(make_policy: MakePolicy) -> None:
    state = a_state(stops={"acme": Stop(stopped_at_us=1)})
    decision = decide(make_policy(STOPPED), state, a_request(), JUNE_5)
    assert (decision.verdict, decision.reason, decision.next_allowed_at_us) == ("deny", "stopped", None)


def test_scenario_50_stop_and_start_in_one_second_is_stopped(make_policy: MakePolicy) -> None:
    tie = a_state(stops={"acme": Stop(stopped_at_us=5, started_at_us=5)})
    later = a_state(stops={"acme": Stop(stopped_at_us=5, started_at_us=6)})
    assert decide(make_policy(STOPPED), tie, a_request(), JUNE_5).reason == "stopped"
    assert decide(make_policy(STOPPED), later, a_request(), JUNE_5).verdict == "allow"


def test_scenario_53_care_consent_opens_no_promo_and_no_record_is_no_consent(make_policy: MakePolicy) -> None:
    policy = make_policy(OPT_IN)
    care_only = RecipientState(
        consents={"acme/*/care": Consent(given_at_us=1)}, inbound_at_us={"1001": JUNE_5}
    )
    for state in (care_only, RecipientState()):
        assert decide(policy, state, a_request(), JUNE_5).reason == "not_opted_in"
    care = a_request(purpose="care", body=FREE)
    assert decide(policy, care_only, care, JUNE_5).verdict == "allow"


def test_scenario_54_consent_expires_at_exactly_max_age_and_double_needs_confirmed(
    make_policy: MakePolicy,
) -> None:
    aged = make_policy("id: opt-in, type: consent, purpose: marketing, max_age: 10d")
    state = RecipientState(consents={"*/whatsapp/marketing": Consent(given_at_us=JUNE_5 - 10 * DAY_US)})
    assert decide(aged, state, a_request(), JUNE_5).reason == "consent_expired"
    assert decide(aged, state, a_request(), JUNE_5 - 1).verdict == "allow"
    double = make_policy("id: opt-in, type: consent, purpose: marketing, level: double")
    assert decide(double, a_state(), a_request(), JUNE_5).reason == "opt_in_unconfirmed"


@pytest.mark.parametrize(
    ("after", "verdict"), [(DAY_US - SECOND_US, "allow"), (DAY_US - 1, "allow"), (DAY_US, "deny")]
)
def test_scenario_58_window_is_open_until_just_before_24_hours(
    make_policy: MakePolicy, after: int, verdict: str
) -> None:
    state = a_state(inbound_at_us={"1001": JUNE_5})
    request = a_request(purpose="care", body=FREE)
    decision = decide(make_policy(WINDOW), state, request, JUNE_5 + after)
    assert decision.verdict == verdict
    if verdict == "allow":
        assert decision.terms is not None
        assert decision.terms.valid_until_us == JUNE_5 + DAY_US
    else:
        assert (decision.reason, decision.next_allowed_at_us) == ("window_closed", None)


def test_scenario_58_closed_window_falls_back_to_the_template(make_policy: MakePolicy) -> None:
    request = a_request(purpose="care", body=FREE, fallback=UTILITY)
    decision = decide(make_policy(WINDOW), RecipientState(), request, JUNE_5)
    assert (decision.verdict, decision.message_class) == ("allow", "utility")
    assert (decision.by_fallback, decision.demoted) == (True, True)


@pytest.mark.parametrize(
    ("purpose", "body", "expected"),
    [
        ("care", PROMO, "promo"),
        ("promo", FREE, "promo"),
        ("care", FREE, "care"),
        ("care", UTILITY, "care"),
        ("care", UNKNOWN, "promo"),
        ("utility", UTILITY, "utility"),
        ("utility", FREE, "utility"),
        ("auth", AUTH, "auth"),
        ("promo", AUTH, "auth"),
        ("auth", FREE, "auth"),
        ("auth", UTILITY, "promo"),
    ],
)
def test_scenario_62_class_is_what_it_is_and_not_what_it_is_called(
    make_policy: MakePolicy, purpose: str, body: Body, expected: str
) -> None:
    state = a_state(inbound_at_us={"1001": JUNE_5})
    decision = decide(
        make_policy(WINDOW), state, a_request(purpose=purpose, body=body, requested_at_us=JUNE_5), JUNE_5
    )
    assert decision.message_class == expected
    assert decision.template_unknown == body.template_unknown


@pytest.mark.parametrize(
    ("body", "expected"),
    [(FREE, "promo"), (UTILITY, "utility"), (PROMO, "promo")],
    ids=["free", "utility", "promo"],
)
def test_care_without_a_conversation_is_demoted(make_policy: MakePolicy, body: Body, expected: str) -> None:
    decision = decide(make_policy(OPT_IN), a_state(), a_request(purpose="care", body=body), JUNE_5)
    assert (decision.message_class, decision.demoted) == (expected, True)


def test_care_stands_when_it_answers_a_message_of_the_last_day(make_policy: MakePolicy) -> None:
    state = a_state(inbound=(("wamid.1", JUNE_5 - 23 * HOUR_US), ("wamid.0", JUNE_5 - 24 * HOUR_US)))
    answer = a_request(purpose="care", body=UTILITY, reply_to="wamid.1")
    assert decide(make_policy(OPT_IN), state, answer, JUNE_5).message_class == "care"
    stale = replace(answer, reply_to="wamid.0")
    assert decide(make_policy(OPT_IN), state, stale, JUNE_5).demoted


def test_scenario_66_code_reaches_a_stopped_person(make_policy: MakePolicy) -> None:
    state = a_state(stops={"acme": Stop(stopped_at_us=1)})
    request = a_request(purpose="auth", body=AUTH, requested_at_us=JUNE_5)
    decision = decide(make_policy(STOPPED, OPT_IN), state, request, JUNE_5)
    assert (decision.verdict, decision.message_class) == ("allow", "auth")
    assert decision.terms is not None
    assert to_datetime(decision.terms.valid_until_us) == to_datetime(JUNE_5 + 10 * 60 * SECOND_US)


def test_open_grant_counts_at_its_latest_acceptance_and_makes_the_instant_provisional(
    make_policy: MakePolicy,
) -> None:
    policy = make_policy(DAY_CAP)
    first, state = decide_and_count(policy, a_state(), a_request(1), JUNE_5)
    assert first.verdict == "allow"
    second, _ = decide_and_count(policy, state, a_request(2), JUNE_5)
    latest_us = JUNE_5 + policy.lease_us + policy.send_budget_us
    assert (second.verdict, second.provisional) == ("defer", True)
    assert second.next_allowed_at_us == latest_us + DAY_US


def test_first_hard_rule_in_file_order_is_named_and_the_instant_is_given_all_the_same(
    make_policy: MakePolicy,
) -> None:
    state = replace(a_state(sends=sends_at("2026-06-05T09:00Z")), consents={})
    decision = decide(make_policy(DAY_CAP, OPT_IN), state, a_request(), JUNE_5)
    assert decision.reason == "not_opted_in"
    assert decision.next_allowed_at_us == at("2026-06-06T09:00Z")


def test_expired_and_not_yet_due_requests_are_denied(make_policy: MakePolicy) -> None:
    expired = decide(make_policy(OPT_IN), a_state(), a_request(expires_at_us=JUNE_5), JUNE_5)
    assert (expired.verdict, expired.reason) == ("deny", "expired")
    early = decide(make_policy(OPT_IN), a_state(), a_request(not_before_us=JUNE_5 + 1), JUNE_5)
    assert (early.reason, early.next_allowed_at_us) == ("not_before", JUNE_5 + 1)


def test_grant_never_outlives_the_request(make_policy: MakePolicy) -> None:
    decision = decide(make_policy(OPT_IN), a_state(), a_request(expires_at_us=JUNE_5 + 7), JUNE_5)
    assert decision.terms is not None
    assert decision.terms.valid_until_us == JUNE_5 + 7


def test_number_is_the_asked_one_else_the_one_with_an_open_window_else_the_lane_default(
    make_policy: MakePolicy,
) -> None:
    def number(state: RecipientState, **more: Any) -> str:  # noqa: ANN401 - any field of a request
        decision = decide(make_policy(OPT_IN), state, a_request(**more), JUNE_5)
        assert decision.terms is not None
        return decision.terms.number

    writing = a_state(inbound_at_us={"1001": JUNE_5 - 1, "1002": JUNE_5 - DAY_US})
    assert number(a_state()) == "1002"
    assert number(a_state(), purpose="utility", body=UTILITY) == "1001"
    assert number(writing) == "1001"
    numbers = Numbers(asked="1002", all=("1001", "1002"), care_default="1001", promo_default="1002")
    assert number(writing, numbers=numbers) == "1002"


def test_erased_person_gets_nothing(make_policy: MakePolicy) -> None:
    policy = make_policy("id: erased, type: block, state: erased, hard: true")
    assert decide(policy, a_state(erased=True), a_request(), JUNE_5).reason == "erased"


def test_sends_beyond_history_are_forgotten(make_policy: MakePolicy) -> None:
    old = Send(message_id=message(1), at_us=JUNE_5 - 91 * DAY_US, message_class="promo", brand="acme")
    _, state = decide_and_count(make_policy(OPT_IN), a_state(sends=(old,)), a_request(2), JUNE_5)
    assert [send.message_id for send in state.sends] == [message(2)]
