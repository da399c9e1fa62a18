"""Scenarios 58 to 66 as far as they are pure: windows, classes, holds, and what no rule of promo touches."""

from collections.abc import Callable

import pytest

from garbo.router.domain.decide import decide
from garbo.router.domain.instants import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from garbo.router.domain.policy import Policy
from garbo.router.domain.request import Body
from garbo.router.domain.state import Case, Question, RecipientState, Stop, with_inbound
from garbo.router.domain.templates import TemplateCategory
from garbo.router.domain.values import replace
from services.router.tests.support.build_domain import (
    AUTH,
    FREE,
    PROMO,
    UNKNOWN,
    UTILITY,
    a_request,
    a_state,
    at,
)
from services.router.tests.support.policies import CASE_HOLD, NIGHT, OPT_IN, STOPPED

MakePolicy = Callable[..., Policy]
WINDOW = "id: wa-window, type: window, open: 24h, applies_to: { form: free }, hard: true"
JUNE_5 = at("2026-06-05T10:00:00Z")
CARE = a_request(purpose="care", body=FREE)


@pytest.mark.parametrize(
    ("after", "verdict"), [(DAY_US - SECOND_US, "allow"), (DAY_US - 1, "allow"), (DAY_US, "deny")]
)
def test_scenario_58_window_is_open_until_just_before_24_hours(
    make_policy: MakePolicy, after: int, verdict: str
) -> None:
    state = a_state(inbound_at_us={"1001": JUNE_5})
    decision = decide(make_policy(WINDOW), state, CARE, JUNE_5 + after)
    assert decision.verdict == verdict
    if verdict == "allow":
        assert decision.terms is not None
        assert decision.terms.valid_until_us == JUNE_5 + DAY_US
    else:
        assert (decision.reason, decision.next_allowed_at_us) == ("window_closed", None)


def test_scenario_58_closed_window_falls_back_to_the_template(make_policy: MakePolicy) -> None:
    request = replace(CARE, fallback=UTILITY)
    decision = decide(make_policy(WINDOW), RecipientState(), request, JUNE_5)
    assert (decision.verdict, decision.message_class) == ("allow", "utility")
    assert (decision.by_fallback, decision.demoted) == (True, True)


def test_scenario_58_a_webhook_three_hours_late_leaves_21_hours(make_policy: MakePolicy) -> None:
    state = with_inbound(RecipientState(), wamid="w", number="1001", at_us=JUNE_5 - 3 * HOUR_US)
    assert decide(make_policy(WINDOW), state, CARE, JUNE_5 + 21 * HOUR_US - 1).verdict == "allow"
    assert decide(make_policy(WINDOW), state, CARE, JUNE_5 + 21 * HOUR_US).verdict == "deny"


def test_scenario_59_an_older_message_that_comes_later_shrinks_no_window(make_policy: MakePolicy) -> None:
    state = with_inbound(RecipientState(), wamid="new", number="1001", at_us=JUNE_5)
    state = with_inbound(state, wamid="old", number="1001", at_us=JUNE_5 - 5 * HOUR_US)
    assert decide(make_policy(WINDOW), state, CARE, JUNE_5 + DAY_US - 1).verdict == "allow"


def test_free_form_that_cannot_go_before_its_window_closes_falls_back_or_is_denied(
    make_policy: MakePolicy,
) -> None:
    policy, now = make_policy(NIGHT, WINDOW), at("2026-06-05T22:00Z")
    state = a_state(inbound_at_us={"1001": now - 20 * HOUR_US})
    promo = a_request(body=FREE)
    denied = decide(policy, state, promo, now)
    assert (denied.verdict, denied.reason, denied.then_rule) == ("deny", "quiet", "wa-window")
    assert denied.next_allowed_at_us is None
    second = decide(policy, state, replace(promo, fallback=PROMO), now)
    assert (second.verdict, second.reason, second.by_fallback) == ("defer", "quiet", True)
    assert second.next_allowed_at_us == at("2026-06-06T09:00Z")


def test_scenario_61_a_recategorised_template_is_promo_from_its_instant(make_policy: MakePolicy) -> None:
    template = TemplateCategory("w", "t", "it", "utility", 0, next_category="marketing", next_at_us=JUNE_5)
    for now_us, message_class in ((JUNE_5 - 1, "utility"), (JUNE_5, "promo")):
        body = Body(form="template", category=template.category_at(now_us) or "")
        decision = decide(make_policy(OPT_IN), a_state(), a_request(purpose="utility", body=body), now_us)
        assert decision.message_class == message_class
        assert decision.reclassified == (message_class == "promo")


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
    request = a_request(purpose=purpose, body=body, requested_at_us=JUNE_5)
    decision = decide(make_policy(WINDOW), state, request, JUNE_5)
    assert decision.message_class == expected
    assert decision.template_unknown == body.template_unknown
    known = body.form == "template" and not body.template_unknown and not decision.demoted
    assert decision.reclassified == (known and expected not in {purpose, "care"})


@pytest.mark.parametrize(
    ("case", "free"),
    [
        (Case(JUNE_5 - HOUR_US), JUNE_5 - HOUR_US + 7 * DAY_US),
        (Case(JUNE_5 - HOUR_US, JUNE_5 - 1), JUNE_5 - 1 + DAY_US),
        (Case(JUNE_5 - 7 * DAY_US + 5, JUNE_5 - 1), JUNE_5 + 5),
        (Case(JUNE_5 - 7 * DAY_US), None),
        (Case(JUNE_5 - 2 * DAY_US, JUNE_5 - DAY_US), None),
        (Case(JUNE_5 - HOUR_US, brand="bolt"), None),
    ],
    ids=["open", "cooling down", "closed near its longest", "forgotten", "cooled down", "another brand's"],
)
def test_scenario_63_promo_waits_for_a_case_to_cool_down_or_be_forgotten(
    make_policy: MakePolicy, case: Case, free: int | None
) -> None:
    decision = decide(make_policy(CASE_HOLD % "8d"), a_state(cases={"desk:1": case}), a_request(), JUNE_5)
    assert decision.next_allowed_at_us == free
    assert (decision.verdict, decision.reason) == (("defer", "case_open") if free else ("allow", "allowed"))


def test_scenario_63_of_several_cases_the_last_counts(make_policy: MakePolicy) -> None:
    cases = {"desk:1": Case(JUNE_5 - HOUR_US, JUNE_5 - 1), "desk:2": Case(JUNE_5 - HOUR_US)}
    decision = decide(make_policy(CASE_HOLD % "8d"), a_state(cases=cases), a_request(), JUNE_5)
    assert decision.next_allowed_at_us == JUNE_5 - HOUR_US + 7 * DAY_US


def test_scenario_65_a_promo_to_the_united_states_is_denied_and_one_to_canada_is_not(
    make_policy: MakePolicy,
) -> None:
    policy = make_policy(
        "id: us, type: block, state: always, applies_to: { class: promo, number_region: US }, hard: true"
    )
    american = decide(policy, a_state(), a_request(region="US"), JUNE_5)
    assert (american.verdict, american.reason, american.next_allowed_at_us) == ("deny", "blocked", None)
    for region in ("CA", "IT", None):
        assert decide(policy, a_state(), a_request(region=region), JUNE_5).verdict == "allow"


def test_scenario_66_a_code_at_night_reaches_a_stopped_person(make_policy: MakePolicy) -> None:
    night = at("2026-06-05T03:00+02:00")
    state = a_state(stops={"acme": Stop(stopped_at_us=1)}, zone="Europe/Rome")
    request = a_request(purpose="auth", body=AUTH, requested_at_us=night)
    decision = decide(make_policy(STOPPED, OPT_IN, NIGHT), state, request, night)
    assert (decision.verdict, decision.message_class) == ("allow", "auth")
    assert decision.terms is not None
    assert decision.terms.valid_until_us == night + 10 * MINUTE_US


def test_scenario_66_a_recall_notice_passes_an_open_case(make_policy: MakePolicy) -> None:
    state = a_state(cases={"desk:1": Case(JUNE_5 - HOUR_US)})
    recall = a_request(purpose="utility", body=UTILITY)
    assert decide(make_policy(CASE_HOLD % "8d"), state, recall, JUNE_5).verdict == "allow"


def test_a_code_has_a_quarter_of_an_hour_at_most_and_goes_as_text_by_sms(make_policy: MakePolicy) -> None:
    policy = make_policy(WINDOW)
    code = a_request(purpose="auth", body=FREE, channel="sms", requested_at_us=JUNE_5)
    code = replace(code, expires_at_us=JUNE_5 + HOUR_US)
    decision = decide(policy, a_state(), code, JUNE_5)
    assert (decision.verdict, decision.message_class) == ("allow", "auth")
    assert decision.terms is not None
    assert decision.terms.window_until_us is None
    written = a_state(inbound_at_us={"1001": JUNE_5 - DAY_US + MINUTE_US})
    terms = decide(policy, written, code, JUNE_5).terms
    assert terms is not None
    assert (terms.window_until_us, terms.valid_until_us) == (None, JUNE_5 + 15 * MINUTE_US)
    late = decide(policy, a_state(), code, JUNE_5 + 15 * MINUTE_US)
    assert (late.verdict, late.reason) == ("deny", "expired")
    assert late.expires_at_us == JUNE_5 + 15 * MINUTE_US


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


@pytest.mark.parametrize(
    ("case", "stands"),
    [(Case(1), True), (Case(1, brand="acme"), True), (Case(1, 2), False), (Case(1, brand="bolt"), False)],
)
def test_care_stands_while_a_case_of_the_brand_is_open(
    make_policy: MakePolicy, case: Case, stands: bool
) -> None:
    request = a_request(purpose="care", body=UTILITY)
    decision = decide(make_policy(OPT_IN), a_state(cases={"desk:1": case}), request, JUNE_5)
    assert decision.demoted is not stands


def test_promo_waits_for_the_answer_to_a_word_that_may_have_meant_stop(make_policy: MakePolicy) -> None:
    state = a_state(questions={"acme": Question(JUNE_5 - 1, JUNE_5 + HOUR_US, "wamid.1")})
    decision = decide(make_policy(OPT_IN), state, a_request(), JUNE_5)
    assert (decision.verdict, decision.reason) == ("defer", "clarifying")
    assert decision.next_allowed_at_us == JUNE_5 + HOUR_US
    assert decide(make_policy(OPT_IN), state, a_request(), JUNE_5 + HOUR_US).verdict == "allow"
    assert decide(make_policy(OPT_IN), state, a_request(brand="bolt"), JUNE_5).reason == "not_opted_in"
