"""`garbo.send.care.v1` and `garbo.send.promo.v1`: what the sender may send, in two lanes."""

from datetime import datetime
from uuid import UUID

from garbo.common.events.addresses import Recipient
from garbo.common.events.base import Event
from garbo.common.events.content import Content
from garbo.common.events.decisions import Lane, MessageClass
from garbo.common.events.instants import Instant


class SendGranted(Event):
    """A lease to send one message to one person. It must be claimed before the first byte leaves."""

    grant_id: UUID
    epoch: int
    """Raised when a grant is replaced; a claim with an older one fails."""
    message_id: UUID
    request_id: UUID
    client: str
    brand: str
    contact_id: UUID
    lane: Lane
    message_class: MessageClass
    category: str | None = None
    campaign: str | None = None
    number: str
    """The sending number's platform id."""
    to: Recipient
    """Always the platform's own address: phone, user id or group id."""
    content: Content
    reply_to: str | None = None
    not_before: Instant
    valid_until: Instant
    window_until: Instant | None = None
    """The instant the customer service window closes, where one is open: the latest for free-form content. A
    template that leaves later begins a conversation, and counts for its portfolio's people a day."""
    decided_at: Instant

    @property
    def event_id(self) -> str:
        """Grant and epoch."""
        return f"{self.grant_id}:{self.epoch}"

    @property
    def happened_at(self) -> datetime:
        """The instant it was granted."""
        return self.decided_at
