"""What the router makes of inbound messages: care conversation, and engagement with promos."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from garbo.common.events.base import Event
from garbo.common.events.ids import platform_message_ref
from garbo.common.events.instants import Instant
from garbo.common.events.received_files import ReceivedFile


class CareMessage(Event):
    """`garbo.conversation.care.v1`: a customer wrote and somebody should read it.

    Told once, however often the platform delivers the message. Only a crash between the router's commit and
    Kafka's acknowledgement can repeat one: it has the same `ce_id` then.
    """

    wamid: str
    contact_id: UUID
    brand: str
    number: str
    kind: str
    text: str | None = None
    payload: str | None = None
    name: str | None = None
    media: ReceivedFile | None = None
    """The file they sent; what became of it is told on `garbo.inbound.media.v1`, where files are kept."""
    reply_to: str | None = None
    """The wamid it answers."""
    answers: UUID | None = None
    """Our message it answers, where known."""
    window_until: Instant
    """Free-form answers may be sent until just before this instant."""
    occurred_at: Instant

    @property
    def event_id(self) -> str:
        """A hash of the wamid: redeliveries share it."""
        return platform_message_ref(self.wamid)

    @property
    def happened_at(self) -> datetime:
        """The platform's instant."""
        return self.occurred_at


class PromoEngaged(Event):
    """`garbo.engagement.promo.v1`: a customer reacted to a promo, or to promos as such. Ids only, no text.

    Told once, and repeated after a crash only, with the same `ce_id`.
    """

    engagement_id: str
    """A hash of the wamid of the inbound message that shows it (`ids.platform_message_ref`)."""
    contact_id: UUID
    brand: str
    number: str
    action: Literal["replied", "opted_out", "opted_in"]
    message_id: UUID | None = None
    """The promo it answers, where known."""
    campaign: str | None = None
    occurred_at: Instant

    @property
    def event_id(self) -> str:
        """The inbound message and the action."""
        return f"{self.engagement_id}:{self.action}"

    @property
    def happened_at(self) -> datetime:
        """The platform's instant."""
        return self.occurred_at
