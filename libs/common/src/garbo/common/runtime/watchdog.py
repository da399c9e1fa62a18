"""Notices a consumer that is alive and does not consume (aiokafka#1154, #1037, #847)."""

from dataclasses import dataclass


class NotConsuming(Exception):  # noqa: N818 - it says what happened
    """A consumer stopped consuming; only a new process helps."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What a lane shows at one look. Instants in seconds of a monotonic clock."""

    polled_at: float
    """When a poll last returned, with records or without."""
    waiting: bool
    """A batch is in hand, or partitions wait for a retry: standing still is intended."""
    read: int | None
    """Sum of the positions of all assigned partitions; None when the broker could not be asked."""
    lag: int | None
    """Records after those positions; None as above."""


class Watchdog:
    """Judges one lane, look after look. No I/O, no clock of its own."""

    def __init__(self, *, budget_s: float) -> None:
        self._budget_s = budget_s
        self._read: int | None = None
        self._stuck_since: float | None = None

    def look(self, signs: Signs, *, now: float) -> str | None:
        """Say what is wrong once it has been wrong for the whole budget; None while there is hope.

        A broker that is away for less than the budget is no reason: without an answer from it, lag
        is unknown and proves nothing.
        """
        poll_age_s = now - signs.polled_at
        if poll_age_s > self._budget_s:
            return f"no poll has returned for {poll_age_s:.0f} s"
        moved = signs.read != self._read
        self._read = signs.read
        if moved or signs.waiting or not signs.lag:
            self._stuck_since = None
        elif self._stuck_since is None:
            self._stuck_since = now
        elif now - self._stuck_since > self._budget_s:
            return f"{signs.lag} records wait and none was read for {now - self._stuck_since:.0f} s"
        return None
