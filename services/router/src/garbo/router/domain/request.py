"""What is asked, in the decision's own words: no address, no content."""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias
from uuid import UUID

from garbo.common.events.decisions import Lane
from garbo.common.events.ids import MessageId
from garbo.router.domain.values import Stored, Value, field

Form = Literal["free", "template"]
BudgetLeft: TypeAlias = Mapping[str, int] | Literal["unlimited"]
"""Rule -> what is left of the slice this process holds; a missing rule has nothing."""
UNLIMITED: Final = "unlimited"
"""Budgets are no obstacle: nobody asks about them, or they were paid already."""


class Body(Stored, frozen=True):
    """What would be sent: free-form, or a template with its category of this instant."""

    form: Form
    category: str = "none"
    """marketing, utility, authentication; none for free-form."""
    template_unknown: bool = False


class Numbers(Stored, frozen=True):
    """The sending numbers a request may use."""

    asked: str | None
    all: tuple[str, ...]
    """Every number of the brand."""
    care_default: str
    promo_default: str


class Request(Stored, frozen=True):
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
    """The message it answers, by the reference of its wamid."""
    not_before_us: int | None = None
    expires_at_us: int | None = None
    recipient_kind: Literal["person", "group"] = "person"
    channel: Literal["auto", "whatsapp", "sms"] = "auto"
    contact: str = ""
    """Whom it is for, as far as the place in a spread goes: the contact id; the message id when empty."""
    region: str | None = None
    """ISO 3166 country of the phone number, by its area code where a calling code is shared (+1)."""
    country_zones: tuple[str, ...] = ()
    """IANA zones of the phone number's area; empty where nobody knows."""
    case_id: str | None = None
    override: tuple[str, ...] = ()
    """Rules the client asks to be passed over."""
    roles: frozenset[str] = frozenset()
    """What the business file lets the client be."""
    parts: int = 1
    """How many messages it is; all or none."""
    first_decided_at_us: int | None = None
    """When it was decided first, for a request that has waited; the longest wait is measured from here."""
    gathered: bool = False
    """It has waited: out the gather window, or for something else."""
    cancelled: bool = False
    """Its campaign was called off."""
    budget_left: BudgetLeft = field(default_factory=dict)

    @property
    def arbitration_key(self) -> tuple[int, int, int, int]:
        """Order within a batch: priority, then the nearer deadline, then the older, then the id."""
        deadline_us = self.expires_at_us if self.expires_at_us is not None else 1 << 62
        return (-self.priority, deadline_us, self.requested_at_us, self.request_id.int)


class Subject(Value, frozen=True):
    """A request as the rules see it, once it is classified."""

    message_class: str
    lane: Lane
    """Promo has its own; everything else is care."""
    purpose: str
    form: Form
    category: str
    brand: str
    client: str
    number: str
    recipient_kind: str
    campaign: str | None
    tags: tuple[str, ...]
    number_region: str | None = None
    channel: str = "auto"
    priority: int = 50
    zones: tuple[str, ...] = ("UTC",)
    """The wall clocks an instant must be permitted by."""
