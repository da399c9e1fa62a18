"""A typed fake of the event log."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from garbo.common.errors import RetryLater
from garbo.ingest.domain.parts import Found
from garbo.ingest.ports import DeadLetter


@dataclass
class MemoryEventLog:
    """An `EventLog` that keeps entries in a list; refuses everything while `down`."""

    entries: list[Found | DeadLetter] = field(default_factory=list)
    down: bool = False

    async def append(self, entries: Sequence[Found | DeadLetter]) -> None:
        """Keep all entries, or raise `RetryLater` and keep none."""
        if self.down:
            raise RetryLater("down")
        self.entries.extend(entries)

    @property
    def found(self) -> list[Found]:
        """Give the events kept, in order."""
        return [entry for entry in self.entries if isinstance(entry, Found)]

    @property
    def dead(self) -> list[DeadLetter]:
        """Give the dead letters kept, in order."""
        return [entry for entry in self.entries if isinstance(entry, DeadLetter)]
