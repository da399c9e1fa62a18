"""Instants as whole microseconds since 1970-01-01T00:00Z: sums and comparisons without rounding."""

from datetime import UTC, datetime, timedelta
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * SECOND_US
HOUR_US: Final = 60 * MINUTE_US
DAY_US: Final = 24 * HOUR_US


def to_us(at: datetime) -> int:
    """Turn an aware instant into microseconds."""
    return (at - EPOCH) // _MICROSECOND


def to_us_or_none(at: datetime | None) -> int | None:
    """Turn an instant that may be missing into microseconds."""
    return None if at is None else to_us(at)


def to_datetime(us: int) -> datetime:
    """Turn microseconds into an aware instant (UTC)."""
    return EPOCH + timedelta(microseconds=us)
