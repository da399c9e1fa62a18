"""How fast refused records are buried: at once while others are fine, slowly while nothing is (ADR 0017)."""

import re
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from garbo.common.runtime.deliver.decoder import BatchItem, Decoded, Refused
from garbo.common.runtime.deliver.lane import RefusalPace
from garbo.common.runtime.drivers import Record

PUBLISHERS_COUNT: Final = 1000
"""So many are told apart; a stranger may invent any number of names."""
_CLIENT: Final = re.compile(rb'"client"\s*:\s*"([^"\\]{1,64})"')

Publisher: TypeAlias = tuple[str, bytes]
"""A topic, and who wrote to it."""


class Refusals:
    """Judges what one lane refuses. No I/O; `now` in seconds of a monotonic clock."""

    def __init__(self, pace: RefusalPace, now: Callable[[], float] = time.monotonic) -> None:
        self._pace = pace
        self._now = now
        self._rows: defaultdict[Publisher, int] = defaultdict(int)
        """Refused since the last good record of each publisher."""
        self._good_at: dict[str, float] = {}
        """When each topic had its last good record."""
        self._tokens, self._filled_at = float(pace.burst_count), now()

    def part(self, items: Sequence[BatchItem]) -> tuple[list[BatchItem], list[BatchItem]]:
        """Part what is finished now, the refused to be buried, from what is held back.

        Of a partition, everything from its first record that is held: offsets are done in order.
        """
        self._fill()
        proven = {item.record.topic for item in items if isinstance(item, Decoded)} | self._proven()
        rows, stopped = self._rows.copy(), set()
        finished: list[BatchItem] = []
        held: list[BatchItem] = []
        for item in items:
            partition = item.record.topic, item.record.partition
            if partition not in stopped and not self._may_be_done(item, rows, proven):
                stopped.add(partition)
            (held if partition in stopped else finished).append(item)
        return finished, held

    def count(self, items: Sequence[BatchItem]) -> None:
        """Count what is done."""
        for item in items:
            if isinstance(item, Decoded):
                self._good_at[item.record.topic] = self._now()
                self._rows.pop(publisher_of(item.record), None)
            elif _is_alarming(item):
                self._rows[self._known(publisher_of(item.record))] += 1

    def prove(self, topic: str) -> None:
        """Take a topic as read: a good record was seen in it, though it was not its turn."""
        self._good_at[topic] = self._now()

    def _may_be_done(self, item: BatchItem, rows: defaultdict[Publisher, int], proven: set[str]) -> bool:
        if not _is_alarming(item):
            return True
        publisher = self._known(publisher_of(item.record))
        rows[publisher] += 1
        if rows[publisher] <= self._pace.free_count or item.record.topic in proven:
            return True
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def _proven(self) -> set[str]:
        since = self._now() - self._pace.proven_s
        return {topic for topic, good_at in self._good_at.items() if good_at > since}

    def _known(self, publisher: Publisher) -> Publisher:
        crowded = publisher not in self._rows and len(self._rows) >= PUBLISHERS_COUNT
        return (publisher[0], b"") if crowded else publisher

    def _fill(self) -> None:
        now = self._now()
        grown = self._tokens + (now - self._filled_at) * self._pace.slow_per_s
        self._tokens, self._filled_at = min(grown, float(self._pace.burst_count)), now


def publisher_of(record: Record) -> Publisher:
    """Guess who wrote a record that may be unreadable: the client it names, else its source."""
    named = _CLIENT.search(record.value or b"", 0, 64 * 1024)
    source = next((value for name, value in record.headers if name == "ce_source"), None)
    return record.topic, named[1] if named else (source or b"")[:64]


def _is_alarming(item: BatchItem) -> bool:
    return isinstance(item, Refused) and item.alarming
