"""Dead letters in lines for a person."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from garbo.cli.dlq.letters import Letter
from garbo.common.runtime.deadletter import ERROR


@dataclass(slots=True)
class Heap:
    """Letters of one origin topic, reason and publisher."""

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


def heap_line(topic: str, reason: str, publisher: str, heap: Heap) -> str:
    """Say how many, of what, whose, and when."""
    since = f"{_minute(heap.first_at)} to {_minute(heap.last_at)}"
    stuck = f"  ({heap.refused_count} cannot be tried again)" if heap.refused_count else ""
    whose = plain(publisher) or "-"
    return f"{heap.count:>7}  {plain(topic)}  {plain(reason) or '-'}  by {whose}  {since}{stuck}"


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


def _minute(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else "?"
