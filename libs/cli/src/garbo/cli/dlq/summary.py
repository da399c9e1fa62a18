"""Dead letters in lines for a person."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from garbo.cli.dlq.letters import Letter
from garbo.common.runtime.deadletter import ERROR

MINUTES_TOLD: Final = 120
HOURS_TOLD: Final = 48


@dataclass(slots=True)
class Heap:
    """Letters of one origin topic, reason and publisher that wait for somebody."""

    count: int = 0
    refused_count: int = 0
    """Of these, how many cannot be tried again."""
    first_at: datetime | None = None
    last_at: datetime | None = None

    def add(self, letter: Letter) -> None:
        """Count one more."""
        self.count += 1
        self.refused_count += letter.obstacle is not None
        if at := letter.failed_at:
            self.first_at = min(at, self.first_at or at)
            self.last_at = max(at, self.last_at or at)


def heap_line(topic: str, reason: str, publisher: str, heap: Heap, *, now: datetime) -> str:
    """Say how many, of what, whose, when, and for how long the oldest waits."""
    oldest = f", the oldest for {_span(now - heap.first_at)}" if heap.first_at else ""
    since = f"{_minute(heap.first_at)} to {_minute(heap.last_at)}{oldest}"
    stuck = f"  ({heap.refused_count} cannot be tried again)" if heap.refused_count else ""
    whose = plain(publisher) or "-"
    return f"{heap.count:>7}  {plain(topic)}  {plain(reason) or '-'}  by {whose}  {since}{stuck}"


def heap_fields(topic: str, reason: str, publisher: str, heap: Heap, *, now: datetime) -> dict[str, object]:
    """Say the same to a program; ages in seconds."""
    return {
        "topic": topic,
        "reason": reason,
        "publisher": publisher,
        "count": heap.count,
        "cannot_be_tried_again": heap.refused_count,
        "oldest_s": int((now - heap.first_at).total_seconds()) if heap.first_at else None,
        "newest_s": int((now - heap.last_at).total_seconds()) if heap.last_at else None,
    }


def letter_lines(letter: Letter, *, values: bool) -> Iterator[str]:
    """Say what one letter says of itself; its contents only where that was asked for."""
    origin = letter.origin
    where = f"{plain(origin.topic)} {origin.partition} {origin.offset}" if origin else "an unknown place"
    place = f"letter {letter.record.partition} {letter.record.offset}"
    yield f"{place}  from {where}  {plain(letter.reason)}  at {_minute(letter.failed_at)}"
    error = (dict(letter.record.headers).get(ERROR) or b"").decode("utf-8", "replace")
    whose = plain(letter.publisher) or "-"
    yield f"    attempt {origin.attempt if origin else 0}  by {whose}  {plain(error)}"
    if letter.obstacle:
        yield f"    cannot be tried again: {letter.obstacle}"
    if values:
        yield f"    {plain((letter.record.value or b'').decode('utf-8', 'replace'))}"


def plain(text: str) -> str:
    """Give text that moves no cursor: whoever wrote it may have meant to."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def _span(span: timedelta) -> str:
    minutes = max(0, int(span.total_seconds() // 60))
    if minutes < MINUTES_TOLD:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < HOURS_TOLD * 60 else f"{minutes // (24 * 60)} days"


def _minute(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else "?"
