"""What is asked, in the decision's own words: no address, no content."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from garbo.common.events.ids import MessageId

Form = Literal["free", "template"]


@dataclass(frozen=True, slots=True)
class Body:
    """What would be sent: free-form, or a template with its category of this instant."""

    form: Form
    category: str = "none"
    """marketing, utility, authentication; none for free-form."""
    template_unknown: bool = False


@dataclass(frozen=True, slots=True)
class Numbers:
    """The sending numbers a request may use."""

    asked: str | None
    all: tuple[str, ...]
    """Every number of the brand."""
    care_default: str
    promo_default: str


@dataclass(frozen=True, slots=True)
class Request:
    """One request for one recipient."""

    message_id: MessageId
    request_id: UUID
    client: str
    brand: str
    purpose: str
    body: Body
    fallback: Body | None
    """The template to use where free-form may not be sent."""
    numbers: Numbers
    requested_at_us: int
    priority: int = 50
    campaign: str | None = None
    tags: tuple[str, ...] = ()
    reply_to: str | None = None
    not_before_us: int | None = None
    expires_at_us: int | None = None
    recipient_kind: Literal["person", "group"] = "person"

    @property
    def arbitration_key(self) -> tuple[int, int, int, int]:
        """Order within a batch: priority, then the nearer deadline, then the older, then the id."""
        deadline_us = self.expires_at_us if self.expires_at_us is not None else 1 << 62
        return (-self.priority, deadline_us, self.requested_at_us, self.request_id.int)


@dataclass(frozen=True, slots=True)
class Subject:
    """A request as the rules see it, once it is classified."""

    message_class: str
    purpose: str
    form: Form
    category: str
    brand: str
    client: str
    number: str
    recipient_kind: str
    campaign: str | None
    tags: tuple[str, ...]
