"""`garbo.address.shown.v1`: the platform's answer to a send names the person otherwise than we did."""

from datetime import datetime
from uuid import UUID

from garbo.common.events.addresses import Person
from garbo.common.events.base import Event
from garbo.common.events.instants import Instant


class AddressShown(Event):
    """`garbo.address.shown.v1`: the platform knows who was written to by another address.

    In some countries it always does: Brazil's ninth digit, Mexico's and Argentina's mobile prefixes.
    """

    message_id: UUID
    """What was sent: to whom, the router knows."""
    attempt_id: str
    contact_id: UUID
    shown: Person
    """As the platform names them, whatever we dialled."""
    occurred_at: Instant

    @property
    def event_id(self) -> str:
        """The attempt that was answered."""
        return self.attempt_id

    @property
    def happened_at(self) -> datetime:
        """When the answer was recorded."""
        return self.occurred_at
