"""Telling the other services: records, and who publishes them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from garbo.common.events.base import Event
from garbo.common.events.ids import ContactId
from garbo.common.events.topics import Topic
from garbo.common.events.wire import encode
from garbo.router.domain.values import Value


class Rendered(Value, frozen=True):
    """An event that was written at once, without its model: what its headers say, and its bytes."""

    event_id: str
    happened_at: datetime
    value: bytes


class OutgoingRecord(Value, frozen=True):
    """One record to publish."""

    topic: Topic[Any]
    event: Event | Rendered
    contact_id: ContactId | None
    """Decides the partition; None where nobody is known: then the event's own id does."""
    trace: str | None

    @property
    def content(self) -> bytes:
        """Give the record's bytes."""
        return self.event.value if isinstance(self.event, Rendered) else encode(self.event)

    @property
    def key(self) -> str:
        """What the partition is decided by."""
        return str(self.contact_id) if self.contact_id else self.event.event_id


class Publisher(Protocol):
    """Tells the other services."""

    async def publish(self, records_to_publish: Sequence[OutgoingRecord]) -> None:
        """Return when all are acknowledged; raises `RetryLater` when that is not known."""
        ...
