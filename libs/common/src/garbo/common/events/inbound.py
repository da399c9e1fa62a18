"""`garbo.inbound.message.v1`: what customers write."""

from datetime import datetime

from garbo.common.events.addresses import Person
from garbo.common.events.base import Event, Json
from garbo.common.events.ids import platform_message_ref
from garbo.common.events.instants import Instant
from garbo.common.events.received_files import ReceivedFile


class InboundMessage(Event):
    """A customer wrote to one of the business's numbers. One record a message, repeats possible."""

    wamid: str
    """The platform's message id: the same for each redelivery."""
    waba: str
    """The WhatsApp Business Account's id."""
    number: str
    """The business number's platform id."""
    sender: Person
    changed_to: Person | None = None
    """For kind `system`: the address the sender has from now on, as the platform says."""
    group_id: str | None = None
    name: str | None = None
    """The profile name the customer chose."""
    kind: str
    """The platform's message type: text, image, button, interactive, reaction, unsupported ..."""
    text: str | None = None
    """The words: a text's body, a caption, a button's or list row's title."""
    payload: str | None = None
    """A button's or list row's own id, as the business set it."""
    reply_to: str | None = None
    """The wamid of the message this answers, where the platform says so."""
    occurred_at: Instant
    """The platform's instant, as a rule whole seconds."""
    received_at: Instant
    raw: Json
    """The message as the platform sent it."""

    @property
    def media(self) -> ReceivedFile | None:
        """The file they sent, if any."""
        return ReceivedFile.of_message(self.kind, self.raw)

    @property
    def event_id(self) -> str:
        """A hash of the wamid: redeliveries share it."""
        return platform_message_ref(self.wamid)

    @property
    def happened_at(self) -> datetime:
        """The platform's instant."""
        return self.occurred_at
