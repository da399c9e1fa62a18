"""What the flow needs of the world, in the flow's words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from garbo.ingest.domain.parts import Found
from garbo.ingest.domain.publisher import Publisher


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What could not be understood: the bytes to keep, and a short stable reason."""

    body: bytes
    reason: str


class EventLog(Protocol):
    """Keeps events for the other services."""

    async def append(self, entries: Sequence[Found | DeadLetter]) -> None:
        """Return when ALL entries are kept, acknowledged by all replicas.

        Raises `RetryLater` when that is not sure (some may be kept), `Reject` when one is too large ever
        to be kept. Appending the same again is harmless: readers know repeats by their ids.
        """
        ...

    def fits(self, entry: Found | DeadLetter) -> bool:
        """Tell whether an entry is small enough to be kept, as it would be written."""
        ...


class Publishers(Protocol):
    """Knows who may publish."""

    def of_key(self, key: str) -> Publisher | None:
        """Find the publisher an API key belongs to."""
        ...
