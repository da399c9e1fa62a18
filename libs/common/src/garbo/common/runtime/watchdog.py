"""Notices a consumer that is alive and does not consume (aiokafka#1154, #1037, #847)."""

from collections.abc import Mapping, Set
from dataclasses import dataclass

from aiokafka.structs import TopicPartition


class NotConsuming(Exception):  # noqa: N818 - it says what happened
    """A consumer stopped consuming; only a new process helps."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What a lane shows at one look. Instants in seconds of a monotonic clock."""

    polled_at: float
    """When a poll last returned, with records or without."""
    busy: bool
    """A batch is in hand: standing still is intended."""
    waiting: Set[TopicPartition]
    """Partitions that wait for a retry: the same of these."""
    positions: Mapping[TopicPartition, int] | None
    """Of all assigned partitions; None when the broker could not be asked."""
    lags: Mapping[TopicPartition, int] | None
    """Records after those positions; None as above."""


class Watchdog:
    """Judges one lane, look after look, each partition for itself. No I/O, no clock of its own."""

    def __init__(self, *, budget_s: float) -> None:
        self._budget_s = budget_s
        self._positions: Mapping[TopicPartition, int] = {}
        self._stuck_since: dict[TopicPartition, float] = {}

    def look(self, signs: Signs, *, now: float) -> str | None:
        """Say what is wrong once it has been wrong for the whole budget; None while there is hope.

        A broker that is away for less than the budget is no reason: without an answer from it, lag
        is unknown and proves nothing.
        """
        poll_age_s = now - signs.polled_at
        if poll_age_s > self._budget_s:
            return f"no poll has returned for {poll_age_s:.0f} s"
        self._stuck_since = {tp: self._stuck_since.get(tp, now) for tp in self._standing_still(signs)}
        self._positions = signs.positions or {}
        tp = min(self._stuck_since, key=self._stuck_since.__getitem__, default=None)
        if tp is None or signs.lags is None or (stuck_s := self.stuck_s(now=now)) <= self._budget_s:
            return None
        waiting = f"{signs.lags[tp]} records of {tp.topic} {tp.partition}"
        return f"{waiting} wait and none was read for {stuck_s:.0f} s"

    def stuck_s(self, *, now: float) -> float:
        """Give for how long the partition that has stood still longest has."""
        return now - min(self._stuck_since.values(), default=now)

    def _standing_still(self, signs: Signs) -> list[TopicPartition]:
        if signs.busy or signs.positions is None or signs.lags is None:
            return []
        lags, seen = signs.lags, self._positions
        still = [tp for tp, position in signs.positions.items() if seen.get(tp) == position and lags.get(tp)]
        return [tp for tp in still if tp not in signs.waiting]
