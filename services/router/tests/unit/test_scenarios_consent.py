"""Scenarios 47 to 57 as far as they are pure: what the person said, and what a list says."""

from collections.abc import Callable

import pytest

from garbo.router.domain.decide import decide
from garbo.router.domain.instants import DAY_US, HOUR_US
from garbo.router.domain.policy import Policy
from garbo.router.domain.state import Consent, Preference, RecipientState, Stop
from garbo.router.domain.values import replace
from services.router.tests.support.build_domain import FREE, a_request, a_state, at
from services.router.tests.support.policies import OPT_IN, STOPPED

MakePolicy = Callable[..., Policy]
JUNE_5 = at("2026-06-05T10:00:00Z")


def test_scenario_47_next_promo_after_stop_is_refused_without_an_instant(make_policy: MakePolicy) -> None:
    state = a_state(stops={"acme": Stop(stopped_at_us=1)})
    decision = decide(make_policy(STOPPED), state, a_request(), JUNE_5)
    assert (decision.verdict, decision.reason, decision.next_allowed_at_us) == ("deny", "stopped", None)


def test_scenario_50_stop_and_start_in_one_second_is_stopped(make_policy: MakePolicy) -> None:
    tie = a_state(stops={"acme": Stop(stopped_at_us=5, started_at_us=5)})
    later = a_state(stops={"acme": Stop(stopped_at_us=5, started_at_us=6)})
    assert decide(make_policy(STOPPED), tie, a_request(), JUNE_5).reason == "stopped"
    assert decide(make_policy(STOPPED), later, a_request(), JUNE_5).verdict == "allow"


def test_scenario_51_the_platforms_stop_blocks_the_brand_or_its_number_alone(make_policy: MakePolicy) -> None:
    policy = make_policy(STOPPED)
    narrow = replace(policy, platform_stop="number")
    state = a_state(preferences={"1001": Preference("acme", stopped_at_us=5)})
    assert decide(policy, state, a_request(), JUNE_5).reason == "platform_stopped"
    assert decide(narrow, state, a_request(), JUNE_5).verdict == "allow"
    own = a_state(preferences={"1002": Preference("acme", stopped_at_us=5)})
    assert decide(narrow, own, a_request(), JUNE_5).reason == "platform_stopped"
    resumed = a_state(preferences={"1002": Preference("acme", 5, resumed_at_us=6)})
    assert decide(policy, resumed, a_request(), JUNE_5).verdict == "allow"
    said = replace(resumed, stops={"acme": Stop(stopped_at_us=1)})
    assert decide(policy, said, a_request(), JUNE_5).reason == "stopped"


def test_scenario_53_care_consent_opens_no_promo_and_no_record_is_no_consent(make_policy: MakePolicy) -> None:
    policy = make_policy(OPT_IN)
    care_only = RecipientState(
        consents={"acme/*/care": Consent(given_at_us=1)}, inbound_at_us={"1001": JUNE_5}
    )
    for state in (care_only, RecipientState()):
        decision = decide(policy, state, a_request(), JUNE_5)
        assert (decision.verdict, decision.reason) == ("deny", "not_opted_in")
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
    ("given", "months", "ends"),
    [
        ("2026-01-31T10:00+01:00", 1, "2026-02-28T10:00+01:00"),
        ("2024-02-29T10:00+01:00", 24, "2026-02-28T10:00+01:00"),
        ("2026-01-29T02:30+01:00", 2, "2026-03-29T01:00Z"),
        ("2026-08-25T02:30+02:00", 2, "2026-10-25T00:30Z"),
    ],
    ids=["a shorter month", "a leap day", "a skipped time", "a double time"],
)
def test_scenario_54_months_are_of_the_calendar_in_the_persons_zone(
    make_policy: MakePolicy, given: str, months: int, ends: str
) -> None:
    policy = make_policy(f"id: opt-in, type: consent, purpose: marketing, max_age: {months}mo")
    state = RecipientState(zone="Europe/Rome", consents={"acme/*/marketing": Consent(given_at_us=at(given))})
    assert decide(policy, state, a_request(), at(ends)).reason == "consent_expired"
    allowed = decide(policy, state, a_request(), at(ends) - 1)
    assert allowed.verdict == "allow"
    assert allowed.terms is not None
    assert allowed.terms.valid_until_us == at(ends)


def test_a_consent_too_old_by_the_time_the_night_ends_is_no_reason_to_wait(make_policy: MakePolicy) -> None:
    night = 'id: night, type: quiet, from: "21:00", to: "09:00", days: all'
    policy = make_policy("id: opt-in, type: consent, purpose: marketing, max_age: 10d", night)
    now = at("2026-06-05T22:00Z")
    consents = {"acme/*/marketing": Consent(given_at_us=now + HOUR_US - 10 * DAY_US)}
    decision = decide(policy, a_state(consents=consents), a_request(), now)
    assert (decision.verdict, decision.reason, decision.then_rule) == ("deny", "quiet", "opt-in")
    assert decision.next_allowed_at_us is None


@pytest.mark.parametrize(
    ("consent", "verdict"),
    [
        (Consent(given_at_us=9), "deny"),
        (Consent(given_at_us=10), "deny"),
        (Consent(given_at_us=11), "allow"),
        (Consent(given_at_us=1, confirmed_at_us=11), "allow"),
        (Consent(given_at_us=1, imported_at_us=11), "deny"),
    ],
    ids=["given before", "in the same instant", "given after", "confirmed after", "imported after"],
)
def test_scenario_57_a_suppressed_person_stays_so_until_they_opt_in_themselves(
    make_policy: MakePolicy, consent: Consent, verdict: str
) -> None:
    state = a_state(suppressed={"*": 10}, consents={"acme/*/marketing": consent})
    decision = decide(make_policy(STOPPED, OPT_IN), state, a_request(), JUNE_5)
    assert decision.verdict == verdict
    assert decision.reason == ("allowed" if verdict == "allow" else "suppressed")
