"""Instants as whole microseconds since 1970-01-01T00:00Z: sums and comparisons without rounding."""

from datetime import UTC, datetime, timedelta
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)
SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * SECOND_US
HOUR_US: Final = 60 * MINUTE_US
DAY_US: Final = 24 * HOUR_US
NEVER_US: Final = 1 << 62
"""Later than every instant there is."""


def to_us(at: datetime) -> int:
    """Turn an aware instant into microseconds."""
    return (at - EPOCH) // _MICROSECOND


def to_us_or_none(at: datetime | None) -> int | None:
    """Turn an instant that may be missing into microseconds."""
    return None if at is None else to_us(at)


def to_datetime(us: int) -> datetime:
    """Turn microseconds into an aware instant (UTC).

    What the calendar does not hold becomes its first or last instant: 9999-12-31T23:59-12:00 is a valid
    instant of a request, and its UTC year is 10000.
    """
    try:
        return EPOCH + timedelta(0, 0, us)
    except OverflowError:
        return _FIRST if us < 0 else _LAST
