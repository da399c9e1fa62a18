"""`garbo.contact.erased.v1`: a person was forgotten, and whoever keeps something of them forgets it, too."""

from datetime import datetime, timedelta
from typing import Annotated, Final
from uuid import UUID

from garbo.common.events.base import NULL_IS_ABSENT, Event
from garbo.common.events.instants import Instant

REMEMBERED_FOR: Final = timedelta(days=33)
"""How long readers know who was erased: longer than any topic keeps the records of before."""


class ContactErased(Event):
    """The router has erased a person. Who reads this keeps nothing that leads to them from then on."""

    contact_id: UUID
    former_ids: Annotated[tuple[UUID, ...], NULL_IS_ABSENT] = ()
    """Contacts that had turned out to be the same person: their ids stand in older records."""
    erased_at: Instant

    @property
    def event_id(self) -> str:
        """The contact id: a second erasure of a person says nothing new."""
        return str(self.contact_id)

    @property
    def happened_at(self) -> datetime:
        """The instant of the erasure."""
        return self.erased_at

    @property
    def all_ids(self) -> tuple[UUID, ...]:
        """All contact ids that named the person."""
        return (self.contact_id, *self.former_ids)
