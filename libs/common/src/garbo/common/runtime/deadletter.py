"""Where refused records go, and when to stop sending them there."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Final

from garbo.common.events.topics import dead_letters
from garbo.common.events.wire import Headers
from garbo.common.runtime.drivers import Record
from garbo.common.runtime.raw_producer import Outgoing, encoded_bytes

TOPIC: Final = "garbo-origin-topic"
PARTITION: Final = "garbo-origin-partition"
OFFSET: Final = "garbo-origin-offset"
REASON: Final = "garbo-reason"
ERROR: Final = "garbo-error"
ATTEMPT: Final = "garbo-attempt"
FAILED_AT: Final = "garbo-failed-at"
WHOLE_BYTES: Final = "garbo-whole-bytes"
"""Only where the letter is cut: how large the value was."""
OWN_HEADERS: Final = frozenset({TOPIC, PARTITION, OFFSET, REASON, ERROR, ATTEMPT, FAILED_AT, WHOLE_BYTES})

KEPT_BYTES: Final = 64 * 1024
"""What a letter that is cut keeps of the value, of the key, and of the record's own headers."""
OWN_BYTES: Final = 512
"""No header of ours is longer."""
ATTEMPT_DIGITS: Final = 9
DEAD_LETTER_BYTES: Final = dead_letters("any").max_message_bytes


class TooManyRejected(Exception):  # noqa: N818 - it says what happened
    """Nearly everything is refused: a bad deploy, more likely than bad records. The consumer must stop."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a record is buried, and when that was seen."""

    reason: str
    error: str
    failed_at: datetime


def dead_letter_of(record: Record, *, to: str, failure: Failure, redriven: bool = False) -> Outgoing:
    """Make the dead letter of a record: its bytes as they were, its own headers, and where it failed.

    A record that came through redrive keeps the origin it had at first, and counts one attempt more; in any
    other record such headers are a stranger's word and are dropped. What is too large for a dead letter is
    cut, and says so. Never raises for what is in the record.
    """
    kept = tuple((name, value or b"") for name, value in record.headers if name not in OWN_HEADERS)
    whole = Outgoing(to, record.key, record.value or b"", (*kept, *_own(record, failure, redriven=redriven)))
    return whole if encoded_bytes(whole) <= DEAD_LETTER_BYTES else cut(whole)


def cut(letter: Outgoing, *, keep_bytes: int = KEPT_BYTES) -> Outgoing:
    """Cut a dead letter: its origin and reason, how large its value was, and the first bytes of the rest."""
    own = tuple(
        (name, value) for name, value in letter.headers if name in OWN_HEADERS and name != WHOLE_BYTES
    )
    sizes = (len(name.encode()) + len(value) for name, value in letter.headers)
    others = [
        header
        for header, upto in zip(letter.headers, accumulate(sizes), strict=True)
        if upto <= keep_bytes and header[0] not in OWN_HEADERS
    ]
    known = dict(letter.headers).get(WHOLE_BYTES)
    return Outgoing(
        topic=letter.topic,
        key=letter.key[:keep_bytes] if letter.key else letter.key,
        value=letter.value[:keep_bytes],
        headers=(*others, *own, (WHOLE_BYTES, known or str(len(letter.value)).encode())),
    )


def is_cut(letter: Outgoing) -> bool:
    """Tell whether a dead letter is not all of its record."""
    return any(name == WHOLE_BYTES for name, _ in letter.headers)


def _own(record: Record, failure: Failure, *, redriven: bool) -> Headers:
    earlier: dict[str, bytes] = {}
    if redriven:
        earlier = {n: v[:OWN_BYTES] for n, v in record.headers if n in OWN_HEADERS and v is not None}
    own = {
        TOPIC: earlier.get(TOPIC, record.topic.encode()),
        PARTITION: earlier.get(PARTITION, str(record.partition).encode()),
        OFFSET: earlier.get(OFFSET, str(record.offset).encode()),
        REASON: failure.reason.encode("utf-8", "replace")[:OWN_BYTES],
        ERROR: failure.error.encode("utf-8", "replace")[:OWN_BYTES],
        ATTEMPT: str(_attempts(earlier.get(ATTEMPT)) + 1).encode(),
        FAILED_AT: failure.failed_at.isoformat().encode(),
    }
    if WHOLE_BYTES in earlier:
        own[WHOLE_BYTES] = earlier[WHOLE_BYTES]
    return tuple(own.items())


def _attempts(value: bytes | None) -> int:
    """Read what a header says; whoever wrote it may have written anything."""
    return int(value) if value and len(value) <= ATTEMPT_DIGITS and value.isdigit() else 0


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
