"""Quiet hours as instants: one closed interval for each local date it starts on."""

from functools import lru_cache
from typing import Final

from garbo.router.domain.calendar import day_of, exists, first_us, wall_us
from garbo.router.domain.instants import DAY_US
from garbo.router.domain.policy import QuietRule
from garbo.router.domain.zones import wall_clocks

_LONGEST_DAYS: Final = 15
"""Days repeat weekly: closed for longer is closed for ever, and what has not begun by then never does."""

Interval = tuple[int, int]


def opens_us(rule: QuietRule, zones: tuple[str, ...], from_us: int) -> int | None:
    """Give the least instant, `from_us` or later, outside every zone's quiet hours; None without any."""
    clocks, at_us, moved = wall_clocks(rule.zone, zones), from_us, True
    while moved:
        moved = False
        for zone in clocks:
            end_us = _end_us(rule, zone, at_us)
            if end_us > at_us:
                at_us, moved = end_us, True
        if at_us > from_us + _LONGEST_DAYS * DAY_US:
            return None
    return at_us


def closes_us(rule: QuietRule, zones: tuple[str, ...], *, after_us: int, until_us: int) -> int | None:
    """Give the first instant between the two at which quiet hours begin in any zone."""
    earliest_us = until_us
    for zone in wall_clocks(rule.zone, zones):
        day = day_of(zone, after_us)
        last = min(day_of(zone, until_us), day + _LONGEST_DAYS)
        for around in range(day, last + 1):
            for begin_us, _ in _around(rule.from_us, rule.to_us, rule.days, zone, around):
                if after_us < begin_us < earliest_us:
                    earliest_us = begin_us
    return earliest_us if earliest_us < until_us else None


def _end_us(rule: QuietRule, zone: str, at_us: int) -> int:
    """Give the end of the quiet hours an instant lies in; the instant itself when it lies in none."""
    day = day_of(zone, at_us)
    for begin_us, end_us in _around(rule.from_us, rule.to_us, rule.days, zone, day):
        if begin_us <= at_us < end_us:
            return end_us
    return at_us


@lru_cache(maxsize=16_384)
def _around(from_us: int, to_us: int, days: frozenset[int], zone: str, day: int) -> tuple[Interval, ...]:
    """Give the intervals that can touch a local date: a night may have begun two dates ago."""
    dates = (d for d in range(day - 2, day + 2) if _weekday(d) in days)
    intervals = (_interval(from_us, to_us, zone, d) for d in dates)
    return tuple(interval for interval in intervals if interval)


@lru_cache(maxsize=16_384)
def _interval(from_us: int, to_us: int, zone: str, day: int) -> Interval | None:
    """From the first pass of `from` to the last pass of `to`; None when the date does not exist."""
    if not exists(zone, day):
        return None
    begin_us = wall_us(zone, day, from_us)
    if to_us in (0, DAY_US):
        return begin_us, first_us(zone, day + 1)
    if to_us > from_us:
        return begin_us, wall_us(zone, day, to_us, last=True)
    following = day + 1 if exists(zone, day + 1) else day + 2
    return begin_us, wall_us(zone, following, to_us, last=True)


def _weekday(day: int) -> int:
    return (day - 1) % 7
