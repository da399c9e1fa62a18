"""Scenarios 13 to 18: quiet hours by the person's clock, where clocks are odd, and between other rules."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from garbo.common.events.ids import MessageId
from garbo.common.events.zones import TZDATA
from garbo.router.domain.decide import decide
from garbo.router.domain.decision import Decision
from garbo.router.domain.instants import MINUTE_US, to_datetime
from garbo.router.domain.policy import Policy
from garbo.router.domain.policy_settings import Zones
from garbo.router.domain.state import RecipientState
from garbo.router.domain.values import replace
from services.router.tests.support.build import requested, update
from services.router.tests.support.build_domain import ROME, a_request, a_state, at, in_zone, sends_at
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.policies import NIGHT, MakePolicy, quiet
from services.router.tests.support.router import Router


def asked(policy: Policy, now: str, state: RecipientState = ROME) -> Decision:
    return decide(policy, state, a_request(), at(now))


@pytest.mark.parametrize(
    ("now", "free"),
    [
        ("2026-06-05T20:59:59.999999+02:00", None),
        ("2026-06-05T21:00+02:00", "2026-06-06T09:00+02:00"),
        ("2026-06-06T08:59:59.999999+02:00", "2026-06-06T09:00+02:00"),
        ("2026-06-06T09:00+02:00", None),
    ],
)
def test_scenario_13_quiet_begins_and_ends_on_the_microsecond(
    make_policy: MakePolicy, now: str, free: str | None
) -> None:
    decision = asked(make_policy(NIGHT), now)
    assert decision.verdict == ("defer" if free else "allow")
    assert decision.next_allowed_at_us == (at(free) if free else None)
    assert decision.tzdata == TZDATA


@pytest.mark.parametrize(
    ("now", "free"),
    [
        ("2026-03-28T22:30+01:00", "2026-03-29T07:00Z"),
        ("2026-10-24T22:30+02:00", "2026-10-25T08:00Z"),
    ],
    ids=["spring", "autumn"],
)
def test_scenario_14_the_night_ends_at_nine_by_the_new_clock(
    make_policy: MakePolicy, now: str, free: str
) -> None:
    assert asked(make_policy(NIGHT), now).next_allowed_at_us == at(free)


@pytest.mark.parametrize(
    ("now", "free"),
    [
        ("2026-03-29T00:59Z", "2026-03-29T01:00Z"),
        ("2026-10-25T00:10Z", "2026-10-25T01:30Z"),
        ("2026-10-25T00:45Z", "2026-10-25T01:30Z"),
        ("2026-10-25T01:10Z", "2026-10-25T01:30Z"),
    ],
)
def test_scenario_15_a_skipped_end_is_the_end_of_the_gap_and_a_double_one_the_second(
    make_policy: MakePolicy, now: str, free: str
) -> None:
    assert asked(make_policy(quiet("01:30", "02:30")), now).next_allowed_at_us == at(free)


def test_scenario_16_a_cap_that_frees_at_night_waits_for_the_morning(make_policy: MakePolicy) -> None:
    cap = "id: day, type: cap, limit: 1, window: { rolling: 24h }, counts: { class: promo }"
    state = replace(ROME, sends=sends_at("2026-06-05T03:00+02:00"))
    decision = asked(make_policy(NIGHT, cap), "2026-06-05T20:00+02:00", state)
    assert (decision.verdict, decision.reason) == ("defer", "quiet")
    assert decision.next_allowed_at_us == at("2026-06-06T09:00+02:00")
    assert decision.deciding is not None
    assert (decision.deciding.id, decision.then_rule) == ("night", "day")
    assert [(a.id, a.ok) for a in decision.results] == [("night", True), ("day", False)]


def test_scenario_17_days_are_those_a_night_begins_on(make_policy: MakePolicy) -> None:
    monday = make_policy(quiet("21:00", "09:00", "[mon]"))
    assert asked(monday, "2026-06-01T08:00+02:00").verdict == "allow"
    assert asked(monday, "2026-06-01T21:00+02:00").next_allowed_at_us == at("2026-06-02T09:00+02:00")
    assert asked(monday, "2026-06-02T21:00+02:00").verdict == "allow"


def test_scenario_17_a_closed_weekend_leaves_no_hole_before_monday(make_policy: MakePolicy) -> None:
    weekend = make_policy(quiet("00:00", "24:00", "[sat, sun]"), quiet("21:00", "09:00", "[sun]", "sunday"))
    saturday = asked(weekend, "2026-06-06T00:00+02:00")
    assert saturday.next_allowed_at_us == at("2026-06-08T09:00+02:00")
    assert asked(weekend, "2026-06-05T23:59+02:00").verdict == "allow"


def test_scenario_18_without_a_zone_the_policys_own_counts(make_policy: MakePolicy) -> None:
    policy = dataclasses.replace(make_policy(NIGHT), zones=Zones(default="Asia/Tokyo"))
    decision = asked(policy, "2026-06-05T22:00+09:00", a_state())
    assert decision.next_allowed_at_us == at("2026-06-06T09:00+09:00")
    assert asked(policy, "2026-06-05T22:00+09:00", ROME).verdict == "allow"
    nowhere = in_zone(a_state(), "Europe/Atlantis")
    assert asked(policy, "2026-06-05T22:00+09:00", nowhere).verdict == "defer"


def test_scenario_18_of_several_zones_only_what_all_permit(make_policy: MakePolicy) -> None:
    policy = make_policy(NIGHT)
    request = a_request(country_zones=("America/New_York", "America/Los_Angeles"))
    evening = decide(policy, a_state(), request, at("2026-06-05T21:30-04:00"))
    assert evening.next_allowed_at_us == at("2026-06-06T09:00-07:00")
    first = dataclasses.replace(policy, zones=Zones(strictest=False))
    assert decide(first, a_state(), request, at("2026-06-06T09:00-04:00")).verdict == "allow"


def test_an_allow_shortly_before_quiet_ends_with_it_less_the_clocks_difference(
    make_policy: MakePolicy,
) -> None:
    policy = make_policy(NIGHT)
    nine = at("2026-06-05T21:00+02:00")
    for before_us, until_us in (
        (10 * MINUTE_US, nine - policy.clock_skew_us),
        (policy.clock_skew_us, nine),
        (20 * MINUTE_US, nine - 20 * MINUTE_US + policy.lease_us),
    ):
        terms = decide(policy, ROME, a_request(), nine - before_us).terms
        assert terms is not None
        assert terms.valid_until_us == until_us
        assert terms.latest_accept_us == until_us + policy.send_budget_us


def test_a_skipped_date_has_no_night_and_the_one_before_ends_after_it(make_policy: MakePolicy) -> None:
    apia = in_zone(a_state(), "Pacific/Apia")
    decision = asked(make_policy(NIGHT), "2011-12-29T21:00-10:00", apia)
    assert decision.next_allowed_at_us == at("2011-12-31T09:00+14:00")


def test_what_is_closed_for_ever_is_denied(make_policy: MakePolicy) -> None:
    nights, days = make_policy(NIGHT), make_policy(quiet("09:00", "21:00"))
    always = dataclasses.replace(nights, rules=nights.rules + days.rules)
    decision = asked(always, "2026-06-05T22:00+02:00")
    assert (decision.verdict, decision.reason, decision.next_allowed_at_us) == ("deny", "quiet", None)


async def test_a_promo_that_stands_in_another_zone_ends_before_the_night_there(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    """Asked at noon in Rome, valid for 15 minutes; in the zone told next the night begins in 10."""
    router.policy = make_policy(NIGHT)
    memory.now = datetime(2026, 6, 1, 10, 50, tzinfo=UTC)
    (allowed,) = await router.ask(requested())
    await router.hear(update(timezone="Asia/Vladivostok"))  # 20:50 there
    grant = memory.tables.grants[MessageId(allowed.message_id)]
    assert grant.state == "reserved"
    assert to_datetime(grant.valid_until_us) == datetime(2026, 6, 1, 10, 59, 58, tzinfo=UTC)
