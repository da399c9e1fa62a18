"""Quiet hours as instants: one closed interval for each local date it starts on."""

from functools import lru_cache
from typing import ClassVar, Final

from garbo.router.domain.calendar import day_of, exists, first_us, wall_us
from garbo.router.domain.evaluation_context import EvaluationContext
from garbo.router.domain.instants import DAY_US
from garbo.router.domain.rules.rule import TimedRule
from garbo.router.domain.zones import RECIPIENT_ZONE, wall_clocks

_LONGEST_DAYS: Final = 15
"""Days repeat weekly: closed for longer is closed for ever, and what has not begun by then never does."""

Interval = tuple[int, int]


class QuietRule(TimedRule, frozen=True):
    """Refuses in `[from, to)` by the wall clock, one interval for each local date it starts on.

    `from_us` and `to_us` are microseconds of the wall clock since 00:00; `to_us` of 24:00 (or 00:00) is the
    first instant of the next local date. A `to` before `from` is on the next local date.
    """

    type: ClassVar[str] = "quiet"
    reason: ClassVar[str] = "quiet"
    from_us: int
    to_us: int
    days: frozenset[int]
    """Local start dates it holds on: 0 is Monday."""
    zone: str = RECIPIENT_ZONE

    @property
    def reads_clock(self) -> bool:
        """It does."""
        return True

    @property
    def wall_clock(self) -> str | None:
        """By whose wall clock it begins and ends."""
        return self.zone

    def allowed_from_us(self, context: EvaluationContext, from_us: int) -> int | None:
        """Give the least instant, `from_us` or later, outside every zone's quiet hours; None without any."""
        clocks, at_us, moved = wall_clocks(self.zone, context.subject.zones), from_us, True
        while moved:
            moved = False
            for zone in clocks:
                end_us = self._end_us(zone, at_us)
                if end_us > at_us:
                    at_us, moved = end_us, True
            if at_us > from_us + _LONGEST_DAYS * DAY_US:
                return None
        return at_us

    def closes_at_us(self, context: EvaluationContext, *, after_us: int, until_us: int) -> int | None:
        """Give the first instant between the two at which quiet hours begin in any zone."""
        earliest_us = until_us
        for zone in wall_clocks(self.zone, context.subject.zones):
            day = day_of(zone, after_us)
            last = min(day_of(zone, until_us), day + _LONGEST_DAYS)
            for around in range(day, last + 1):
                for begin_us, _ in _around(self.from_us, self.to_us, self.days, zone, around):
                    if after_us < begin_us < earliest_us:
                        earliest_us = begin_us
        return earliest_us if earliest_us < until_us else None

    def _end_us(self, zone: str, at_us: int) -> int:
        """Give the end of the quiet hours an instant lies in; the instant itself when it lies in none."""
        day = day_of(zone, at_us)
        for begin_us, end_us in _around(self.from_us, self.to_us, self.days, zone, day):
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
