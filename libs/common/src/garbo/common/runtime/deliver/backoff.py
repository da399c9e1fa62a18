"""Partitions that wait for a retry while the others go on."""

import asyncio
import random
from collections.abc import Iterable, Mapping, Set
from datetime import timedelta

from aiokafka.structs import TopicPartition

from garbo.common.runtime.drivers import Consumer


class Backoff:
    """Pauses partitions and wakes them when their delay is over."""

    def __init__(self, *, max_s: float) -> None:
        self._max_s = max_s
        self._attempts: dict[TopicPartition, int] = {}
        self._timers: dict[TopicPartition, asyncio.TimerHandle] = {}

    @property
    def waiting(self) -> Set[TopicPartition]:
        """The partitions that wait."""
        return self._timers.keys()

    def postpone(self, consumer: Consumer, *, first: Mapping[TopicPartition, int], after: timedelta) -> float:
        """Pause these partitions, rewind each to its first unfinished offset; tell the delay in seconds."""
        attempt = max(self._attempts.get(tp, 0) for tp in first) + 1
        dice = random.random()  # noqa: S311 - it spreads retries, it guards nothing
        delay_s = delay(after.total_seconds(), attempt=attempt, max_s=self._max_s, dice=dice)
        loop = asyncio.get_running_loop()
        for tp, offset in first.items():
            self._attempts[tp] = attempt
            consumer.pause(tp)
            consumer.seek(tp, offset)
            if earlier := self._timers.pop(tp, None):
                earlier.cancel()
            self._timers[tp] = loop.call_later(delay_s, self._wake, consumer, tp)
        return delay_s

    def succeeded(self, partitions: Iterable[TopicPartition]) -> None:
        """Begin again with short delays."""
        for tp in partitions:
            self._attempts.pop(tp, None)

    def abandon(self) -> None:
        """Forget all waits at once: the partitions are no longer ours, or the process stops."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._attempts.clear()

    def _wake(self, consumer: Consumer, tp: TopicPartition) -> None:
        self._timers.pop(tp, None)
        if tp in consumer.assignment():
            consumer.resume(tp)


def delay(first_s: float, *, attempt: int, max_s: float, dice: float) -> float:
    """Give the n-th delay: doubled each time up to `max_s`, never less than the first, and up to 25 % more.

    1 s:  1, 2, 4, 8, 16, 32, 60, 60 ...  and the dice (0 to 1) spread the members of a group.
    """
    doubled = first_s * 2.0 ** min(attempt - 1, 16)
    return max(first_s, min(doubled, max_s)) * (1 + 0.25 * dice)
