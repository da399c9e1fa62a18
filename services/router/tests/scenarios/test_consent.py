"""Scenarios 53 and 54: consent, what it is for, how long it lasts, and consent taken back."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from garbo.router.domain.decide import decide
from garbo.router.domain.instants import DAY_US, HOUR_US
from garbo.router.domain.policy import Policy
from garbo.router.domain.state import Consent, RecipientState
from garbo.router.domain.values import replace
from services.router.tests.support.build import AT, consent, inbound, requested, text
from services.router.tests.support.build_domain import FREE, JUNE_5, ROME, a_request, a_state, at
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.policies import DOUBLE_OPT_IN, ONE_A_WEEK, OPT_IN, MakePolicy
from services.router.tests.support.router import Router


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
    state = replace(ROME, consents={"acme/*/marketing": Consent(given_at_us=at(given))})
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


async def test_scenario_53_withdrawal_calls_back_what_is_granted_and_denies_what_waits(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(OPT_IN, ONE_A_WEEK)
    await router.hear(consent(brand="*"))
    granted, waits = requested(), requested()
    await router.ask(granted)
    await router.ask(waits)
    taken_back = consent("withdrawn", occurred_at=AT)
    await router.hear(taken_back)
    await router.hear(taken_back)
    last = {d.message_id: (d.reason, d.sequence) for d in router.decided}
    assert last == {granted.message_id: ("revoked", 2), waits.message_id: ("not_opted_in", 2)}
    assert not memory.tables.deferred
    (refused,) = await router.ask(requested())
    assert refused.reason == "not_opted_in"
    assert len(memory.tables.evidence) == 2


async def test_a_withdrawal_older_than_the_consent_takes_nothing_back(
    router: Router, memory: InMemoryStore
) -> None:
    await router.hear(consent())
    promo = requested()
    await router.ask(promo)
    await router.hear(consent("withdrawn", occurred_at=AT - timedelta(days=2)))
    assert memory.tables.grants[promo.message_id].state == "reserved"


async def test_scenario_53_consent_to_care_is_none_to_marketing(router: Router) -> None:
    await router.hear(consent(purpose="care"), inbound())
    promo, care = requested(), requested(purpose="care", content=text())
    decided = {d.message_id: d.reason for d in await router.ask(promo, care)}
    assert decided == {promo.message_id: "not_opted_in", care.message_id: "allowed"}


async def test_scenario_54_imported_is_as_good_as_given_and_never_confirms(
    router: Router, make_policy: Callable[..., Policy]
) -> None:
    await router.hear(consent("imported"))
    router.policy = make_policy(OPT_IN)
    (allowed,) = await router.ask(requested())
    router.policy = make_policy(DOUBLE_OPT_IN)
    (refused,) = await router.ask(requested())
    assert (allowed.reason, refused.reason) == ("allowed", "opt_in_unconfirmed")


async def test_scenario_54_a_later_given_does_not_undo_confirmed_and_a_withdrawal_does(
    router: Router, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(DOUBLE_OPT_IN)
    day = timedelta(days=1)
    await router.hear(consent("confirmed", occurred_at=AT - 3 * day), consent(occurred_at=AT - 2 * day))
    (allowed,) = await router.ask(requested())
    await router.hear(consent("withdrawn", occurred_at=AT - day), consent(occurred_at=AT))
    (refused,) = await router.ask(requested())
    assert (allowed.reason, refused.reason) == ("allowed", "opt_in_unconfirmed")


@pytest.mark.parametrize(
    ("max_age", "ends"),
    [("24h", "2026-06-01T10:00:00Z"), ("1mo", "2026-06-01T10:00:00Z")],
    ids=["hours", "months"],
)
async def test_scenario_54_consent_ends_at_max_age_exactly(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy], max_age: str, ends: str
) -> None:
    router.policy = make_policy(f"{OPT_IN}, max_age: {max_age}")
    end = datetime.fromisoformat(ends)
    given = end - timedelta(hours=24) if max_age == "24h" else end.replace(month=end.month - 1)
    await router.hear(consent(occurred_at=given))
    memory.now = end - timedelta(microseconds=1)
    (allowed,) = await router.ask(requested(requested_at=given))
    memory.now = end
    (refused,) = await router.ask(requested(requested_at=given))
    assert (allowed.reason, refused.reason) == ("allowed", "consent_expired")


async def test_double_opt_in_is_confirmed_in_any_order_of_arrival(
    router: Router, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(DOUBLE_OPT_IN)
    await router.hear(inbound("START", occurred_at=AT - timedelta(hours=1)))
    await router.hear(consent("requested", occurred_at=AT - timedelta(hours=2)))
    (decision,) = await router.ask(requested())
    assert decision.verdict == "allow"


async def test_confirm_says_yes_only_to_what_was_asked(
    router: Router, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(DOUBLE_OPT_IN)
    await router.hear(inbound("Confermo", occurred_at=AT - timedelta(hours=3)))
    await router.hear(consent("requested", occurred_at=AT - timedelta(hours=2)))
    (refused,) = await router.ask(requested())
    await router.hear(inbound("Confermo", occurred_at=AT - timedelta(hours=1)))
    (allowed,) = await router.ask(requested())
    assert (refused.verdict, allowed.verdict) == ("deny", "allow")
