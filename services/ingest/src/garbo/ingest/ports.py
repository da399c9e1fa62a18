"""What the flow needs of the world, in the flow's words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias

from garbo.ingest.domain.parts import Found
from garbo.ingest.domain.publisher import Publisher


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What could not be understood: the bytes to keep, a short stable reason, and when they came in."""

    body: bytes
    reason: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class ReceivedBody:
    """A webhook as it came: the bytes that were signed, and when they came in."""

    body: bytes
    received_at: datetime


Entry: TypeAlias = Found | DeadLetter | ReceivedBody
"""What is kept."""


class EventLog(Protocol):
    """Keeps events for the other services."""

    async def append(self, entries: Sequence[Entry]) -> None:
        """Return when ALL entries are kept, acknowledged by all replicas.

        Raises `RetryLater` when that is not sure (some may be kept), `Reject` when one is too large ever
        to be kept. Appending the same again is harmless: readers know repeats by their ids.
        """
        ...

    def fits(self, entry: Entry) -> bool:
        """Tell whether an entry is small enough to be kept, as it would be written."""
        ...


class Publishers(Protocol):
    """Knows who may publish."""

    def of_key(self, key: str) -> Publisher | None:
        """Find the publisher an API key belongs to."""
        ...
