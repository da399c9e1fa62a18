"""The oracle itself, against numbers worked out by hand."""

import pytest

from services.router.tests.model.facts import (
    DAY_US,
    HOUR_US,
    Asked,
    CapRule,
    ConsentRule,
    Facts,
    HoldRule,
    QuietRule,
    Sent,
)
from services.router.tests.model.oracle import Oracle
from services.router.tests.model.wallclock import us

PROMO = frozenset({"promo"})
NIGHT = QuietRule("night", PROMO)
ASKED = Asked("promo", "acme")


def sent(*instants: str) -> dict[object, Sent]:
    return {n: Sent(us(text), "promo", "acme", open=False) for n, text in enumerate(instants)}


def next_allowed(rule: CapRule | QuietRule | HoldRule, facts: Facts, now: str) -> int | None:
    answer = Oracle((rule,), us(now) // DAY_US * DAY_US).answer(facts, ASKED, us(now))
    return us(now) if answer.verdict == "allow" else answer.next_allowed_at_us


@pytest.mark.parametrize(
    ("zone", "now", "expected"),
    [
        ("Europe/Rome", "2026-06-01T20:59:00+02:00", "2026-06-01T20:59:00+02:00"),
        ("Europe/Rome", "2026-06-01T21:00:00+02:00", "2026-06-02T09:00:00+02:00"),
        ("Europe/Rome", "2026-06-02T09:00:00+02:00", "2026-06-02T09:00:00+02:00"),
        ("Europe/Rome", "2026-03-28T22:30:00+01:00", "2026-03-29T07:00:00Z"),
        ("Europe/Rome", "2026-10-24T22:30:00+02:00", "2026-10-25T08:00:00Z"),
        ("Pacific/Apia", "2011-12-29T21:00:00-10:00", "2011-12-31T09:00:00+14:00"),
    ],
)
def test_night_ends_by_the_wall_clock(zone: str, now: str, expected: str) -> None:
    assert next_allowed(NIGHT, Facts(zones=(zone,)), now) == us(expected)


def test_quiet_rule_in_a_gap_and_over_both_passes() -> None:
    rule = QuietRule("odd", PROMO, from_min=90, to_min=150)
    assert next_allowed(rule, Facts(), "2026-03-29T01:59:00+01:00") == us("2026-03-29T01:00:00Z")
    for now in ("2026-10-25T00:10:00Z", "2026-10-25T00:45:00Z", "2026-10-25T01:10:00Z"):
        assert next_allowed(rule, Facts(), now) == us("2026-10-25T01:30:00Z")


@pytest.mark.parametrize(
    ("unit", "zone", "sends", "now", "expected"),
    [
        ("day", "Africa/Cairo", "2026-04-23T08:00Z", "2026-04-23T12:00Z", "2026-04-23T22:00Z"),
        ("day", "America/Santiago", "2026-09-05T15:00Z", "2026-09-05T20:00Z", "2026-09-06T04:00Z"),
        ("day", "Asia/Kathmandu", "2026-06-01T10:00Z", "2026-06-01T11:00Z", "2026-06-01T18:15Z"),
        ("day", "Europe/Rome", "2026-10-24T22:10Z", "2026-10-25T22:50Z", "2026-10-25T23:00Z"),
        ("day", "Pacific/Apia", "2011-12-29T20:00Z", "2011-12-29T21:00Z", "2011-12-30T10:00Z"),
        ("week", "Europe/Rome", "2026-06-01T10:00Z", "2026-06-07T10:00Z", "2026-06-07T22:00Z"),
        ("month", "Europe/Rome", "2026-01-31T10:00Z", "2026-01-31T12:00Z", "2026-01-31T23:00Z"),
    ],
)
def test_calendar_window_frees_at_the_first_instant_of_the_next(
    unit: str, zone: str, sends: str, now: str, expected: str
) -> None:
    rule = CapRule("c", PROMO, limit=1, unit=unit, max_defer_us=90 * DAY_US)  # type: ignore[arg-type] # the table's
    facts = Facts(sends=sent(sends.replace("Z", ":00Z")), zones=(zone,))
    assert next_allowed(rule, facts, now.replace("Z", ":00Z")) == us(expected.replace("Z", ":00Z"))


def test_rolling_cap_frees_when_enough_have_left_the_window() -> None:
    facts = Facts(sends=sent("2026-06-01T10:00:00Z", "2026-06-02T10:00:00Z", "2026-06-03T10:00:00Z"))
    for limit, expected in ((3, "2026-06-08T10:00:00Z"), (1, "2026-06-10T10:00:00Z")):
        rule = CapRule("c", PROMO, limit=limit, span_us=7 * DAY_US, max_defer_us=90 * DAY_US)
        assert next_allowed(rule, facts, "2026-06-05T10:00:00Z") == us(expected)


def test_hold_ends_after_cool_down_or_at_its_maximum() -> None:
    opened = us("2026-06-01T10:00:00Z")
    rule = HoldRule("h", PROMO, max_defer_us=90 * DAY_US)
    now = "2026-06-02T10:00:00Z"
    assert next_allowed(rule, Facts(cases={("acme", "a"): (opened, None)}), now) == opened + 7 * DAY_US
    closed = opened + 5 * HOUR_US
    assert next_allowed(rule, Facts(cases={("acme", "a"): (opened, closed)}), now) == closed + 24 * HOUR_US


def test_verdict_is_hard_deny_then_defer_then_would_expire() -> None:
    now = us("2026-06-01T22:00:00+02:00")
    oracle = Oracle((ConsentRule("opt-in", PROMO), NIGHT), now // DAY_US * DAY_US)
    assert oracle.answer(Facts(), ASKED, now).reason == "consent"
    facts = Facts(consents=[("acme", "given", 1)])
    assert oracle.answer(facts, ASKED, now).verdict == "defer"
    soon = Asked("promo", "acme", expires_at_us=now + HOUR_US)
    assert oracle.answer(facts, soon, now).reason == "would_expire"
    assert oracle.answer(facts, soon, now + HOUR_US).reason == "would_expire", "in time to the instant"
    assert oracle.answer(facts, soon, now + HOUR_US + 1).reason == "expired"
