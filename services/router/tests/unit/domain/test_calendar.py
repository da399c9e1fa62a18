"""Local dates and quiet hours against a reading of the wall clock minute by minute, where clocks are odd."""

from collections.abc import Iterator
from functools import cache
from itertools import pairwise

import pytest

from garbo.common.events.zones import TZDATA
from garbo.router.domain.calendar import day_of, first_us, months_after, period_us
from garbo.router.domain.instants import HOUR_US, MINUTE_US
from garbo.router.domain.rules.quiet_hours import QuietRule
from garbo.router.domain.selectors import Reach, Selector
from garbo.router.domain.zones import local_time
from services.router.tests.support.build_domain import a_context, at

Minute = tuple[int, int, int]
"""Instant, local date, minute of the wall clock."""
ODD = [
    ("Europe/Rome", "2026-03-29T01:00Z"),
    ("Europe/Rome", "2026-10-25T01:00Z"),
    ("Africa/Cairo", "2026-04-23T22:00Z"),
    ("America/Santiago", "2026-09-06T04:00Z"),
    ("America/Sao_Paulo", "2018-02-18T02:00Z"),
    ("America/St_Johns", "2007-11-04T02:31Z"),
    ("Australia/Lord_Howe", "2026-04-04T15:00Z"),
    ("Pacific/Apia", "2011-12-30T10:00Z"),
    ("Asia/Kathmandu", "2026-06-01T00:00Z"),
]
SPANS = [(21 * 60, 9 * 60), (90, 150), (0, 24 * 60), (23 * 60, 0), (30, 15), (150, 165)]
DAYS = frozenset(range(7))


@cache
def clock(zone: str, middle: str) -> tuple[Minute, ...]:
    """Read the wall clock every minute, four days around an instant."""

    def read() -> Iterator[Minute]:
        middle_us = at(middle)
        for minute in range(-4 * 1440, 4 * 1440):
            at_us = middle_us + minute * MINUTE_US
            wall = local_time(zone, at_us)
            yield at_us, wall.toordinal(), wall.hour * 60 + wall.minute

    return tuple(read())


def closed(zone: str, middle: str, begin: int, end: int) -> list[tuple[int, int]]:
    """Find the quiet intervals as they are written: from the first pass to the last, by looking."""
    minutes = clock(zone, middle)
    dates = sorted({day for _, day, _ in minutes})
    found: list[tuple[int, int]] = []
    for day, following in pairwise(dates):
        starts = [t for t, d, m in minutes if (d, m) >= (day, begin)]
        if end in (0, 1440):
            found.append((min(starts), min(t for t, d, _ in minutes if d >= following)))
            continue
        last = day if end > begin else following
        passes = [t for t, d, m in minutes if (d, m) == (last, end)]
        gap = [t for t, d, m in minutes if (d, m) >= (last, end)]
        found.append((min(starts), max(passes) if passes else min(gap, default=minutes[-1][0])))
    return found


@pytest.mark.parametrize(("zone", "middle"), ODD)
@pytest.mark.parametrize(("begin", "end"), SPANS)
def test_quiet_hours_are_what_the_wall_clock_shows(zone: str, middle: str, begin: int, end: int) -> None:
    rule = QuietRule(Reach("q", Selector()), begin * MINUTE_US, end * MINUTE_US, DAYS)
    context = a_context(zones=(zone,))
    intervals = closed(zone, middle, begin, end)
    inner = clock(zone, middle)[3 * 1440 : 5 * 1440 : 7]
    always = begin == 0 and end == 1440
    for at_us, _, _ in inner:
        until_us = at_us
        while ends := [e for b, e in intervals if b <= until_us < e]:
            until_us = max(ends)
        assert rule.allowed_from_us(context, at_us) == (None if always else until_us)
        next_us = min((b for b, _ in intervals if b > at_us), default=None)
        assert next_us is not None
        assert rule.closes_at_us(context, after_us=at_us, until_us=next_us + 1) == next_us
        assert rule.closes_at_us(context, after_us=at_us, until_us=next_us) is None


@pytest.mark.parametrize(("zone", "middle"), ODD)
def test_dates_begin_where_the_wall_clock_first_shows_them(zone: str, middle: str) -> None:
    minutes = clock(zone, middle)
    dates = sorted({day for _, day, _ in minutes})[1:]
    for day in dates:
        assert first_us(zone, day) == min(t for t, d, _ in minutes if d == day)
    for at_us, _, _ in minutes[1440 : 7 * 1440 : 11]:
        begun = max(day for day in dates if first_us(zone, day) <= at_us)
        assert day_of(zone, at_us) == begun
        first, following = period_us("day", zone, at_us)
        assert (first, following) == (first_us(zone, begun), first_us(zone, begun + 1))
        assert first <= at_us < following


def test_the_rules_of_the_zones_are_of_the_package_and_not_of_the_machine() -> None:
    assert TZDATA[:4].isdigit()
    assert local_time("Europe/Atlantis", 0).utcoffset() == local_time("UTC", 0).utcoffset()


def test_months_are_clamped_to_the_months_end() -> None:
    assert months_after("UTC", at("2026-01-31T10:00:00.000001Z"), 1) == at("2026-02-28T10:00:00.000001Z")
    assert months_after("UTC", at("2026-11-30T10:00Z"), 3) == at("2027-02-28T10:00Z")
    assert months_after("UTC", at("2026-12-31T10:00Z"), 12) == at("2027-12-31T10:00Z")
    assert (
        months_after("Asia/Kathmandu", at("2026-01-31T20:00Z"), 1) == at("2026-03-01T20:00Z") - 24 * HOUR_US
    )
