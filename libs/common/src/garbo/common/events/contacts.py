"""What other services tell of people and campaigns: consents, cases, contact data, cancellations."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from garbo.common.events.addresses import Recipient
from garbo.common.events.base import NULL_IS_ABSENT, Event
from garbo.common.events.ids import fact_id_of
from garbo.common.events.instants import Instant
from garbo.common.events.requests import Name
from garbo.common.events.zones import Zone


class ConsentRecorded(Event):
    """`garbo.consent.recorded.v1`: a person gave or withdrew consent; append-only evidence."""

    consent_id: UUID
    client: Name
    brand: Name | Literal["*"]
    to: Recipient
    channel: Annotated[Literal["*", "whatsapp", "sms"], NULL_IS_ABSENT] = "*"
    purpose: Annotated[Literal["marketing", "utility", "care", "profiling"], NULL_IS_ABSENT] = "marketing"
    action: Literal["requested", "given", "confirmed", "withdrawn", "expired", "imported"]
    source: Name
    """Where it was given: form, qr, keyword, agent, api ..."""
    number: Annotated[str, Field(pattern=r"^[0-9]{1,32}$")] | None = None
    """The sending number it is about, where it is about one."""
    text_version: str | None = None
    text_hash: str | None = None
    """Hash of the text the person saw."""
    locale: str | None = None
    evidence: str | None = None
    occurred_at: Instant
    recorded_at: Instant

    @property
    def event_id(self) -> str:
        """The client and its consent record's id."""
        return f"{self.client}:{self.consent_id}"

    @property
    def happened_at(self) -> datetime:
        """The instant the person acted."""
        return self.occurred_at


class CaseChanged(Event):
    """`garbo.case.changed.v1`: a help desk opened or closed a case with a person."""

    case_id: Name
    client: Name
    brand: Name
    to: Recipient
    action: Literal["opened", "closed"]
    occurred_at: Instant
    recorded_at: Instant

    @property
    def event_id(self) -> str:
        """A hash of the case and what happened to it."""
        return str(fact_id_of(self.client, self.case_id, self.action))

    @property
    def happened_at(self) -> datetime:
        """The instant it opened or closed."""
        return self.occurred_at


class ContactUpdated(Event):
    """`garbo.contact.updated.v1`: what a client knows of a person that decisions need."""

    update_id: UUID
    client: Name
    brand: Name | None = None
    """The brand for which it is told; all brands of the client when absent. It is true for no other."""
    to: Recipient
    timezone: Zone | None = None
    language: str | None = None
    same_as: Recipient | None = None
    """Another address (or contact) of the same person: the two contacts become one."""
    occurred_at: Instant

    @property
    def event_id(self) -> str:
        """The client and its update's id."""
        return f"{self.client}:{self.update_id}"

    @property
    def happened_at(self) -> datetime:
        """The instant it was known."""
        return self.occurred_at


class CampaignChanged(Event):
    """`garbo.campaign.changed.v1`: a campaign was called off; what of it has not left is taken back."""

    client: Name
    brand: Name
    campaign: Name
    action: Literal["cancelled"]
    occurred_at: Instant

    @property
    def event_id(self) -> str:
        """A hash of the campaign and what happened to it."""
        return str(fact_id_of(self.brand, self.campaign, self.action))

    @property
    def happened_at(self) -> datetime:
        """The instant it was called off."""
        return self.occurred_at
