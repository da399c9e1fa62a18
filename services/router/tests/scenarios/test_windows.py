"""Scenarios 1 to 10 and 12: rolling and calendar windows, their instants, and which rule is named."""

from dataclasses import replace

import pytest

from garbo.router.domain.decide import decide
from garbo.router.domain.decision import Decision
from garbo.router.domain.policy import Policy
from services.router.tests.support.build_domain import JUNE_5, a_request, a_state, at, message, sends_at
from services.router.tests.support.policies import ONE_A_DAY, PROMO_ONLY, SOME_A_WEEK, MakePolicy


def calendar(unit: str, zone: str = "Europe/Rome") -> str:
    return (
        f"id: per-{unit}, type: cap, limit: 1, window: {{ calendar: {unit}, zone: {zone} }}, "
        f"on_hit: {{ defer: 40d }}, {PROMO_ONLY}"
    )


def asked(policy: Policy, sent: str, now: str) -> Decision:
    return decide(policy, a_state(sends=sends_at(sent)), a_request(), at(now))


@pytest.mark.parametrize(
    ("now", "verdict"),
    [("2026-06-02T09:59:59.999999Z", "defer"), ("2026-06-02T10:00:00.000000Z", "allow")],
    ids=["a microsecond early", "exactly then"],
)
def test_scenario_01_cap_frees_at_exactly_send_plus_window(
    make_policy: MakePolicy, now: str, verdict: str
) -> None:
    decision = asked(make_policy(ONE_A_DAY), "2026-06-01T10:00:00Z", now)
    assert decision.verdict == verdict
    expected = at("2026-06-02T10:00:00Z") if verdict == "defer" else None
    assert (decision.next_allowed_at_us, decision.due_at_us) == (expected, expected)


def test_scenario_02_three_a_week_frees_when_the_oldest_leaves_and_names_all_three(
    make_policy: MakePolicy,
) -> None:
    state = a_state(sends=sends_at("2026-06-01T10:00Z", "2026-06-02T10:00Z", "2026-06-03T10:00Z"))
    decision = decide(make_policy(SOME_A_WEEK % 3), state, a_request(), JUNE_5)
    assert (decision.verdict, decision.reason) == ("defer", "cap_reached")
    assert decision.next_allowed_at_us == at("2026-06-08T10:00Z")
    assert decision.deciding is not None
    assert decision.deciding.by == (message(1), message(2), message(3))
    assert (decision.deciding.used, decision.deciding.limit) == (3, 3)
    assert decision.deciding.window == "rolling 7d"


def test_scenario_03_lowered_cap_frees_when_the_newest_leaves(make_policy: MakePolicy) -> None:
    state = a_state(sends=sends_at("2026-06-01T10:00Z", "2026-06-02T10:00Z", "2026-06-03T10:00Z"))
    decision = decide(make_policy(SOME_A_WEEK % 1), state, a_request(), JUNE_5)
    assert (decision.verdict, decision.next_allowed_at_us) == ("defer", at("2026-06-10T10:00Z"))


def test_scenario_04_rolling_window_refuses_a_burst_across_midnight(make_policy: MakePolicy) -> None:
    decision = asked(make_policy(ONE_A_DAY), "2026-06-01T23:59Z", "2026-06-02T00:01Z")
    assert decision.next_allowed_at_us == at("2026-06-02T23:59Z")


def test_scenario_05_a_calendar_day_alone_lets_the_next_day_begin_at_midnight(
    make_policy: MakePolicy,
) -> None:
    sent, now = "2026-06-01T23:00+02:00", "2026-06-02T00:30+02:00"
    assert asked(make_policy(calendar("day")), sent, now).verdict == "allow"
    both = asked(make_policy(calendar("day"), ONE_A_DAY), sent, now)
    assert (both.verdict, both.next_allowed_at_us) == ("defer", at("2026-06-02T23:00+02:00"))


def test_scenario_06_the_day_of_25_hours_ends_at_its_own_midnight(make_policy: MakePolicy) -> None:
    sent, now = "2026-10-24T22:10Z", "2026-10-25T22:50Z"
    decision = asked(make_policy(calendar("day")), sent, now)
    assert (decision.verdict, decision.next_allowed_at_us) == ("defer", at("2026-10-25T23:00Z"))
    assert asked(make_policy(ONE_A_DAY), sent, now).verdict == "allow"


def test_scenario_07_the_day_of_23_hours_frees_after_23_hours(make_policy: MakePolicy) -> None:
    decision = asked(make_policy(calendar("day")), "2026-03-28T23:00Z", "2026-03-29T21:59:59.999999Z")
    assert decision.next_allowed_at_us == at("2026-03-29T22:00Z")
    assert asked(make_policy(calendar("day")), "2026-03-28T23:00Z", "2026-03-29T22:00Z").verdict == "allow"


@pytest.mark.parametrize(
    ("zone", "sent", "frees"),
    [
        ("Africa/Cairo", "2026-04-23T10:00+02:00", "2026-04-23T22:00Z"),
        ("America/Santiago", "2026-09-05T10:00-04:00", "2026-09-06T04:00Z"),
    ],
)
def test_scenario_08_where_midnight_is_missing_the_day_begins_at_one(
    make_policy: MakePolicy, zone: str, sent: str, frees: str
) -> None:
    policy = make_policy(calendar("day", zone))
    assert asked(policy, sent, sent).next_allowed_at_us == at(frees)
    assert asked(policy, sent, frees).verdict == "allow"


def test_scenario_09_an_offset_of_quarter_hours_and_a_date_that_never_was(make_policy: MakePolicy) -> None:
    nepal = asked(
        make_policy(calendar("day", "Asia/Kathmandu")), "2026-06-01T10:00+05:45", "2026-06-01T20:00+05:45"
    )
    assert nepal.next_allowed_at_us == at("2026-06-01T18:15Z")
    samoa = asked(
        make_policy(calendar("day", "Pacific/Apia")), "2011-12-29T10:00-10:00", "2011-12-29T20:00-10:00"
    )
    assert samoa.next_allowed_at_us == at("2011-12-31T00:00+14:00")


def test_scenario_10_weeks_begin_on_monday_and_months_on_the_first(make_policy: MakePolicy) -> None:
    week = asked(make_policy(calendar("week")), "2026-06-01T10:00+02:00", "2026-06-07T10:00+02:00")
    assert week.next_allowed_at_us == at("2026-06-07T22:00Z")
    month = asked(make_policy(calendar("month")), "2026-01-31T10:00+01:00", "2026-01-31T11:00+01:00")
    assert month.next_allowed_at_us == at("2026-02-01T00:00+01:00")
    rolling = (
        f"id: m, type: cap, limit: 1, window: {{ rolling: 30d }}, on_hit: {{ defer: 31d }}, {PROMO_ONLY}"
    )
    thirty_days = asked(make_policy(rolling), "2026-01-31T10:00+01:00", "2026-01-31T11:00+01:00")
    assert thirty_days.next_allowed_at_us == at("2026-03-02T10:00+01:00")


def test_scenario_10_a_week_may_begin_on_sunday(make_policy: MakePolicy) -> None:
    policy = replace(make_policy(calendar("week")), week_starts_on=6)
    decision = asked(policy, "2026-06-01T10:00+02:00", "2026-06-06T10:00+02:00")
    assert decision.next_allowed_at_us == at("2026-06-07T00:00+02:00")


@pytest.mark.parametrize(
    "rules", [(ONE_A_DAY, SOME_A_WEEK % 1), (SOME_A_WEEK % 1, ONE_A_DAY)], ids=["day first", "week first"]
)
def test_scenario_12_of_two_caps_the_later_instant_counts_and_both_are_listed(
    make_policy: MakePolicy, rules: tuple[str, str]
) -> None:
    decision = asked(make_policy(*rules), "2026-06-05T08:00Z", "2026-06-05T10:00Z")
    assert decision.next_allowed_at_us == at("2026-06-12T08:00Z")
    assert decision.deciding is not None
    assert (decision.deciding.id, decision.then_rule) == ("week", "day")
    free = {answer.id: answer.allowed_from_us for answer in decision.results}
    assert free == {"day": at("2026-06-06T08:00Z"), "week": at("2026-06-12T08:00Z")}


def test_an_open_send_counts_in_this_day_and_in_the_next_while_it_may_be_accepted_in_either(
    make_policy: MakePolicy,
) -> None:
    late = sends_at("2026-06-02T00:05+02:00", open=True)
    decision = decide(
        make_policy(calendar("day")), a_state(sends=late), a_request(), at("2026-06-01T23:55+02:00")
    )
    assert (decision.next_allowed_at_us, decision.provisional) == (at("2026-06-03T00:00+02:00"), True)


def test_a_calendar_cap_of_several_zones_frees_when_it_is_free_in_each(make_policy: MakePolicy) -> None:
    policy = make_policy(calendar("day", "recipient"))
    state = a_state(sends=sends_at("2026-06-01T12:00Z"))
    request = a_request(country_zones=("America/New_York", "America/Los_Angeles"))
    decision = decide(policy, state, request, at("2026-06-01T20:00Z"))
    assert decision.next_allowed_at_us == at("2026-06-02T00:00-07:00")
