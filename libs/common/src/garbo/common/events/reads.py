"""`garbo.read.requested.v1`: the business has seen a person's message, and perhaps writes an answer.

Not a message: no cap decides it, nothing of it is kept. Source: Meta, Cloud API reference "Mark messages as
read" and "Typing indicators" (read 2026-11).
"""

from datetime import datetime, timedelta
from typing import Annotated, Final

from pydantic import Field

from garbo.common.events.base import NULL_IS_ABSENT, Event
from garbo.common.events.ids import fact_id_of, platform_message_ref
from garbo.common.events.instants import Instant
from garbo.common.events.requests import Name
from garbo.common.events.shown_text import Told

TYPING_FOR: Final = timedelta(seconds=25)
"""So long the platform shows that somebody writes; later nobody does."""
WORTH_FOR: Final = timedelta(minutes=5)
"""So long it is worth a call that a message was seen."""
_INBOUND: Final = Told(r"^wamid\.\S+$", "no_wamid", "must be the wamid of the message that came in")


class ReadRequested(Event):
    """Somebody has read a message; the marks of older ones follow from it at the platform."""

    client: Name
    number: Annotated[str, Field(pattern=r"^[0-9]{1,32}$")]
    """The number the message came to, by its platform id: of a brand of the client's."""
    message_id: Annotated[str, Field(max_length=512), _INBOUND]
    """The wamid of the message that came in."""
    typing: Annotated[bool, NULL_IS_ABSENT] = False
    """Show, too, that an answer is being written: for 25 s, or until it comes."""
    requested_at: Instant
    expires_at: Instant | None = None
    """It is not worth a call any more from then on; 5 minutes after it was asked at the latest."""

    @property
    def event_id(self) -> str:
        """A hash of what was asked, and when."""
        asked = (self.client, self.number, platform_message_ref(self.message_id), str(self.typing))
        return str(fact_id_of(*asked, self.requested_at.isoformat()))

    @property
    def happened_at(self) -> datetime:
        """The instant it was asked."""
        return self.requested_at

    def is_worth_a_call(self, now: datetime) -> bool:
        """Say whether anybody still minds that the message was seen."""
        ends_at = self.requested_at + WORTH_FOR
        return now < (min(ends_at, self.expires_at) if self.expires_at else ends_at)

    def shows_typing(self, now: datetime) -> bool:
        """Say whether the answer is still being written."""
        return self.typing and now < self.requested_at + TYPING_FOR
