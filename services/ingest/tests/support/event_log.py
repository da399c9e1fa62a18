"""A typed fake of the event log."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from garbo.common.errors import Reject, RetryLater
from garbo.common.events.wire import encode
from garbo.ingest.domain.parts import Found
from garbo.ingest.ports import DeadLetter, Entry, ReceivedBody


@dataclass
class MemoryEventLog:
    """An `EventLog` that keeps entries in a list; refuses all while `down`, and a large event always."""

    entries: list[Found | DeadLetter] = field(default_factory=list)
    received: list[ReceivedBody] = field(default_factory=list)
    """Whole bodies, as they came."""
    down: bool = False
    largest_bytes: int = 4 * 1024 * 1024
    held: asyncio.Event | None = None
    """While given and not set, entries wait."""
    waiting_count: int = 0

    async def append(self, entries: Sequence[Entry]) -> None:
        """Keep all entries, or raise `RetryLater` or `Reject` and keep none."""
        if self.held is not None:
            self.waiting_count += 1
            await self.held.wait()
        if self.down:
            raise RetryLater("down")
        if not all(map(self.fits, entries)):
            raise Reject("record_too_large")
        for entry in entries:
            if isinstance(entry, ReceivedBody):
                self.received.append(entry)
            else:
                self.entries.append(entry)

    def fits(self, entry: Entry) -> bool:
        """Measure the event alone."""
        return not isinstance(entry, Found) or len(encode(entry.event)) <= self.largest_bytes

    @property
    def found(self) -> list[Found]:
        """Give the events kept, in order."""
        return [entry for entry in self.entries if isinstance(entry, Found)]

    @property
    def dead(self) -> list[DeadLetter]:
        """Give the dead letters kept, in order."""
        return [entry for entry in self.entries if isinstance(entry, DeadLetter)]
