"""`garbo.message.status.v1`: what became of a message on the platform."""

from datetime import datetime
from typing import Annotated

from garbo.common.events.addresses import Person
from garbo.common.events.base import NULL_IS_ABSENT, Event, Json, Part
from garbo.common.events.ids import platform_message_ref
from garbo.common.events.instants import Instant


class PlatformError(Part):
    """One error of the platform; decide on `code` alone."""

    code: int
    title: str | None = None
    details: str | None = None


class MessageStatus(Event):
    """The platform saw a message sent, delivered, read or failed. Order and uniqueness are not promised."""

    wamid: str
    status: str
    """sent, delivered, read, played, failed; others are kept as they came."""
    waba: str
    number: str
    recipient: Person
    participant: str | None = None
    """In a group: whose status it is."""
    attempt_id: str | None = None
    """What we put into `biz_opaque_callback_data`."""
    category: str | None = None
    """The category the platform bills."""
    billing: str | None = None
    """regular, free_customer_service, free_entry_point ..."""
    errors: Annotated[tuple[PlatformError, ...], NULL_IS_ABSENT] = ()
    occurred_at: Instant
    received_at: Instant
    raw: Json

    @property
    def event_id(self) -> str:
        """A hash of the wamid, and the status: redeliveries share it."""
        return ":".join(filter(None, (platform_message_ref(self.wamid), self.status, self.participant)))

    @property
    def happened_at(self) -> datetime:
        """The platform's instant, as a rule whole seconds."""
        return self.occurred_at
