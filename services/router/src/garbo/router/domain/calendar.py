"""Local dates as instants: where a day, week or month begins, and when a wall clock shows a time.

Midnight may be missing (Cairo, 24 April 2026), hours come twice, a date may not exist (Apia, 30 December
2011): nothing here adds 24 hours to get tomorrow.
"""

from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Literal, TypeAlias

from garbo.router.domain.instants import EPOCH
from garbo.router.domain.zones import local_time, utc_us

Unit: TypeAlias = Literal["day", "week", "month"]


@lru_cache(maxsize=16_384)
def wall_us(zone: str, day: int, time_us: int, *, last: bool = False) -> int:
    """Tell the first (or last) instant at which the clock shows a time on a date.

    `day` is a proleptic ordinal, `time_us` counts from 00:00 and is below 24 h. A time that is skipped
    means the instant at which it is skipped: the end of the gap.
    """
    wall = datetime.fromordinal(day) + timedelta(microseconds=time_us)
    early_us, late_us = utc_us(zone, wall, fold=0), utc_us(zone, wall, fold=1)
    if early_us > late_us:
        return _change_us(zone, late_us, early_us)
    return late_us if last else early_us


def first_us(zone: str, day: int) -> int:
    """Tell the first instant of a local date; of one that does not exist, the first after it."""
    return wall_us(zone, day, 0)


@lru_cache(maxsize=4_096)  # a batch asks many times about its one instant
def day_of(zone: str, at_us: int) -> int:
    """Tell the date whose first instant came last; where clocks go back over midnight, the later one."""
    day = local_time(zone, at_us).toordinal()
    while first_us(zone, day + 1) <= at_us < first_us(zone, day + 2):
        day += 1
    return day


def exists(zone: str, day: int) -> bool:
    """Say whether a local date exists there."""
    return first_us(zone, day) < first_us(zone, day + 1)


@lru_cache(maxsize=4_096)
def period_us(unit: Unit, zone: str, at_us: int, *, week_starts_on: int = 0) -> tuple[int, int]:
    """Tell the first instant of the local day, week or month of an instant, and of the next."""
    first, following = _period(unit, day_of(zone, at_us), week_starts_on)
    return first_us(zone, first), first_us(zone, following)


@lru_cache(maxsize=4_096)
def first_day(unit: Unit, zone: str, at_us: int, *, week_starts_on: int = 0) -> int:
    """Tell the first date of the local day, week or month of an instant, in days since 1970-01-01."""
    return _period(unit, day_of(zone, at_us), week_starts_on)[0] - EPOCH.toordinal()


@lru_cache(maxsize=1_024)
def months_after(zone: str, at_us: int, months: int) -> int:
    """Tell the same local date and time so many months on, clamped to the month's end."""
    wall = local_time(zone, at_us)
    years, month = divmod(wall.month - 1 + months, 12)
    first = date(min(wall.year + years, 9990), month + 1, 1)
    length = (_next_month(first) - first).days
    day = first.toordinal() + min(wall.day, length) - 1
    midnight = wall.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    return wall_us(zone, day, (wall.replace(tzinfo=None) - midnight) // timedelta(microseconds=1))


def _period(unit: Unit, day: int, week_starts_on: int) -> tuple[int, int]:
    match unit:
        case "day":
            return day, day + 1
        case "week":
            first = day - (day - 1 - week_starts_on) % 7
            return first, first + 7
        case "month":
            month = date.fromordinal(day).replace(day=1)
            return month.toordinal(), _next_month(month).toordinal()


def _next_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


def _change_us(zone: str, before_us: int, after_us: int) -> int:
    """Find the instant between two at which the offset changes."""
    offset = local_time(zone, after_us).utcoffset()
    low, high = before_us, after_us
    while low < high:
        middle = (low + high) // 2
        if local_time(zone, middle).utcoffset() == offset:
            high = middle
        else:
            low = middle + 1
    return low
