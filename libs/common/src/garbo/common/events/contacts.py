"""What other services tell of people: consents, cases, contact data."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime

from garbo.common.events.addresses import Recipient
from garbo.common.events.base import Event
from garbo.common.events.requests import Name


class ConsentRecorded(Event):
    """`garbo.consent.recorded.v1`: a person gave or withdrew consent; append-only evidence."""

    consent_id: UUID
    client: Name
    brand: Name | Literal["*"]
    to: Recipient
    channel: Literal["*", "whatsapp", "sms"] = "*"
    purpose: Literal["marketing", "utility", "care", "profiling"] = "marketing"
    action: Literal["requested", "given", "confirmed", "withdrawn", "expired", "imported"]
    source: Name
    """Where it was given: form, qr, keyword, agent, api ..."""
    text_version: str | None = None
    evidence: str | None = None
    occurred_at: AwareDatetime
    recorded_at: AwareDatetime

    @property
    def event_id(self) -> str:
        """The consent record's id."""
        return str(self.consent_id)

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
    occurred_at: AwareDatetime
    recorded_at: AwareDatetime

    @property
    def event_id(self) -> str:
        """The case and what happened to it."""
        return f"{self.client}:{self.case_id}:{self.action}"

    @property
    def happened_at(self) -> datetime:
        """The instant it opened or closed."""
        return self.occurred_at


class ContactUpdated(Event):
    """`garbo.contact.updated.v1`: what a client knows of a person that decisions need."""

    update_id: UUID
    client: Name
    to: Recipient
    timezone: str | None = None
    """IANA name, such as Europe/Rome."""
    language: str | None = None
    occurred_at: AwareDatetime

    @property
    def event_id(self) -> str:
        """The update's id."""
        return str(self.update_id)

    @property
    def happened_at(self) -> datetime:
        """The instant it was known."""
        return self.occurred_at
