"""Time as an argument: only the edge of a process owns a real clock."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the present instant, aware and in UTC."""

    def now(self) -> datetime:
        """Return the present instant (aware, UTC, microseconds)."""
        ...


class SystemClock:
    """The host's clock. Good for logs and `received_at`; caps use the database's instead."""

    def now(self) -> datetime:
        """Return the host's present instant (aware, UTC)."""
        return datetime.now(UTC)
