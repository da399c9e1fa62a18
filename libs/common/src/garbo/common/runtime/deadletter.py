"""What becomes of a refused record: its dead letter."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Final

from garbo.common.events.topics import EVERY_TOPIC, dead_letters
from garbo.common.events.wire import Headers
from garbo.common.runtime.drivers import Record
from garbo.common.runtime.kafka_metrics import DEAD_LETTERS
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
_COUNTED: Final = frozenset({TOPIC, REASON})
_ORIGINS: Final = frozenset(topic.name for topic in EVERY_TOPIC)
DEAD_LETTER_BYTES: Final = dead_letters("any").max_message_bytes


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


def count_dead_letters(letters: Iterable[Outgoing]) -> None:
    """Count letters that Kafka has, by closed sets: of a reason what stands before its colon."""
    for letter in letters:
        own = {name: value.decode("utf-8", "replace") for name, value in letter.headers if name in _COUNTED}
        origin, reason = own.get(TOPIC, ""), own.get(REASON, "").partition(":")[0]
        known = origin in _ORIGINS or origin.startswith("http:/webhooks/")
        DEAD_LETTERS.labels(letter.topic, origin if known else "other", reason).inc()


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
