"""Where refused records go, and when to stop sending them there."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from garbo.common.runtime.drivers import Record
from garbo.common.runtime.raw_producer import Outgoing

TOPIC: Final = "garbo-origin-topic"
PARTITION: Final = "garbo-origin-partition"
OFFSET: Final = "garbo-origin-offset"
REASON: Final = "garbo-reason"
ERROR: Final = "garbo-error"
ATTEMPT: Final = "garbo-attempt"
FAILED_AT: Final = "garbo-failed-at"
OWN_HEADERS: Final = frozenset({TOPIC, PARTITION, OFFSET, REASON, ERROR, ATTEMPT, FAILED_AT})


class TooManyRejected(Exception):  # noqa: N818 - it says what happened
    """Nearly everything is refused: a bad deploy, more likely than bad records. The consumer must stop."""


def dead_letter_of(record: Record, *, to: str, reason: str, error: str, failed_at: datetime) -> Outgoing:
    """Make the dead letter of a record: its bytes as they were, its own headers, and where it failed.

    A record that came through redrive keeps the origin it had at first, and counts one attempt more.
    """
    earlier = {name: value for name, value in record.headers if name in OWN_HEADERS and value is not None}
    own = {
        TOPIC: earlier.get(TOPIC, record.topic.encode()),
        PARTITION: earlier.get(PARTITION, str(record.partition).encode()),
        OFFSET: earlier.get(OFFSET, str(record.offset).encode()),
        REASON: reason.encode(),
        ERROR: error.encode(),
        ATTEMPT: str(_number(earlier.get(ATTEMPT)) + 1).encode(),
        FAILED_AT: failed_at.isoformat().encode(),
    }
    kept = ((name, value or b"") for name, value in record.headers if name not in OWN_HEADERS)
    return Outgoing(topic=to, key=record.key, value=record.value or b"", headers=(*kept, *own.items()))


def _number(value: bytes | None) -> int:
    return int(value) if value and value.isdigit() else 0


@dataclass(frozen=True, slots=True)
class DeadLetterLimit:
    """How much of a lane may be refused before its consumer stops instead."""

    window: int = 200
    """How many of the last records are looked at."""
    ratio: float = 0.5
    """More than this share of the window refused: stop ..."""
    minimum: int = 50
    """... once at least so many of the window are refused."""
    consecutive: int = 100
    """So many refused in a row: stop, whatever the window says."""


class DeadLetterGauge:
    """Counts what a lane refused lately against its limit."""

    def __init__(self, limit: DeadLetterLimit) -> None:
        self._limit = limit
        self._refused: deque[bool] = deque(maxlen=limit.window)
        self._row = 0

    def check(self, refused: Sequence[bool]) -> None:
        """Raise `TooManyRejected` if these records, in order, would cross the limit. Counts nothing."""
        if not any(refused):
            return
        row, window = self._row, self._refused.copy()
        for one in refused:
            row = row + 1 if one else 0
            window.append(one)
            self._judge(row, window)

    def count(self, refused: Sequence[bool]) -> None:
        """Count records that are done."""
        for one in refused:
            self._row = self._row + 1 if one else 0
        self._refused.extend(refused)

    def _judge(self, row: int, window: deque[bool]) -> None:
        limit = self._limit
        if row >= limit.consecutive:
            raise TooManyRejected(f"{row} records in a row were refused (limit {limit.consecutive})")
        bad = sum(window) if row else 0
        if bad >= limit.minimum and bad > limit.ratio * len(window):
            raise TooManyRejected(f"{bad} of the last {len(window)} records were refused")
