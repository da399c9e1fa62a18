"""Wall clocks read off one UTC minute at a time: slow, and nothing to get wrong."""

from bisect import bisect_left, bisect_right
from datetime import UTC, date, datetime
from functools import cache
from itertools import accumulate
from typing import Literal

from garbo.common.events.zones import zone_rules

MINUTE_US = 60_000_000
DAY_MIN = 1440
BEFORE_DAYS, AFTER_DAYS = 40, 100
Unit = Literal["day", "week", "month"]


class WallClock:
    """What a clock on the wall of a zone shows at each minute around `middle_us`.

    `shown[m]` is the local date's ordinal times 1,440 plus the minute of that day, m minutes after the first.
    """

    def __init__(self, zone: str, middle_us: int) -> None:
        where = zone_rules(zone)
        self.first_min = middle_us // MINUTE_US - BEFORE_DAYS * DAY_MIN
        last_min = middle_us // MINUTE_US + AFTER_DAYS * DAY_MIN
        self.shown: list[int] = []
        for minute in range(self.first_min, last_min):
            local = datetime.fromtimestamp(minute * 60, tz=where)
            self.shown.append(local.toordinal() * DAY_MIN + local.hour * 60 + local.minute)
        self._most_so_far = list(accumulate(self.shown, max))
        self._least_from_here = list(accumulate(reversed(self.shown), min))[::-1]
        self.dates = sorted({shown // DAY_MIN for shown in self.shown})[1:-1]
        """Ordinals of the local dates that exist, but for the cut ones at both ends."""

    def first_showing(self, wall_min: int) -> int:
        """Give the first minute at which the clock shows `wall_min` or more."""
        return bisect_left(self._most_so_far, wall_min)

    def last_before(self, wall_min: int) -> int:
        """Give the minute after the last one at which the clock shows less than `wall_min`."""
        return bisect_left(self._least_from_here, wall_min)

    def instant_us(self, minute: int) -> int:
        """Turn an index into microseconds."""
        return (self.first_min + minute) * MINUTE_US


@cache
def clock(zone: str, middle_us: int) -> WallClock:
    """Read a zone's clock once."""
    return WallClock(zone, middle_us)


@cache
def nights(
    zone: str, middle_us: int, from_min: int, to_min: int, days: frozenset[int]
) -> list[tuple[int, int]]:
    """Give the closed intervals of a quiet rule, one a local start date."""
    wall = clock(zone, middle_us)
    closed: list[tuple[int, int]] = []
    for today, following in zip(wall.dates[:-4], wall.dates[1:-3], strict=True):
        if (today + 6) % 7 not in days:
            continue
        start = wall.first_showing(today * DAY_MIN + from_min)
        if to_min in (0, DAY_MIN):
            end = wall.first_showing(following * DAY_MIN)
        else:
            end = wall.last_before((today if to_min > from_min else following) * DAY_MIN + to_min)
        closed.append((wall.instant_us(start), wall.instant_us(end)))
    return closed


@cache
def periods(zone: str, middle_us: int, unit: Unit, week_starts_on: int = 0) -> list[int]:
    """Give the first instant of each local day, week or month."""
    wall = clock(zone, middle_us)
    starts: list[int] = []
    for yesterday, today in zip(wall.dates, wall.dates[1:-3], strict=False):
        if _period(yesterday, unit, week_starts_on) != _period(today, unit, week_starts_on):
            starts.append(wall.instant_us(wall.first_showing(today * DAY_MIN)))
    return starts


def quiet_at(closed: list[tuple[int, int]], at_us: int) -> bool:
    """Say whether an instant lies in one of the closed intervals."""
    return any(start <= at_us < end for start, end in _near(closed, at_us))


def ends_after(closed: list[tuple[int, int]], at_us: int) -> list[int]:
    """Give the ends of the closed intervals of the weeks after an instant."""
    return [
        end
        for _, end in closed[bisect_left(closed, (at_us - 4 * DAY_MIN * MINUTE_US, 0)) :][:40]
        if end > at_us
    ]


def starts_after(closed: list[tuple[int, int]], at_us: int) -> list[int]:
    """Give the next begins of closed intervals."""
    return [start for start, _ in closed[bisect_right(closed, (at_us, 0)) :][:4] if start > at_us]


def period_start(starts: list[int], at_us: int) -> int:
    """Give the first instant of the period an instant lies in."""
    return starts[bisect_right(starts, at_us) - 1]


def _near(closed: list[tuple[int, int]], at_us: int) -> list[tuple[int, int]]:
    place = bisect_left(closed, (at_us, 0))
    return closed[max(0, place - 4) : place + 2]


def _period(ordinal: int, unit: Unit, week_starts_on: int) -> tuple[int, ...]:
    if unit == "day":
        return (ordinal,)
    if unit == "week":
        return ((ordinal - 1 - week_starts_on) // 7,)
    first = date.fromordinal(ordinal)
    return (first.year, first.month)


def us(text: str) -> int:
    """Read an instant."""
    return int(datetime.fromisoformat(text).astimezone(UTC).timestamp()) * 1_000_000
