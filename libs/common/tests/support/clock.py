"""A clock that stands still until told to move."""

from datetime import UTC, datetime, timedelta


class FixedClock:
    """A `Clock` for tests."""

    def __init__(self, at: datetime = datetime(2026, 6, 1, 10, tzinfo=UTC)) -> None:
        self.at = at

    def now(self) -> datetime:
        """Return the instant it was set to."""
        return self.at

    def advance(self, by: timedelta) -> datetime:
        """Move forward (or back, by a negative span) and return the new instant."""
        self.at += by
        return self.at
