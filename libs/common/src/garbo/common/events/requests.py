"""`garbo.send.requested.v1`: how other services ask for a message to be sent."""

from datetime import datetime
from hashlib import sha256
from typing import Annotated, Final, Literal, Self
from uuid import UUID

import orjson
from pydantic import Field, model_validator

from garbo.common.events.addresses import Recipient
from garbo.common.events.base import NULL_IS_ABSENT, Event, Part
from garbo.common.events.content import Content, InteractiveContent, TemplateContent
from garbo.common.events.ids import MessageId, message_id_of
from garbo.common.events.instants import Instant
from garbo.common.events.template import Template
from garbo.common.events.vendor_object import refuse

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$")]
"""A name chosen by the installation: client, brand, campaign, tag."""
Purpose = Literal["care", "promo", "utility", "auth"]
_NOT_FOR_GROUPS: Final = (
    "is not taken by a group: send text, a file, or a template that shows nothing for sale"
)


class Fallback(Part):
    """What to send instead when the content itself may not be sent."""

    template: Template | None = None


class Override(Part):
    """A wish that rules be passed over. Only rules that allow it, and only for clients with the role."""

    rules: Annotated[tuple[Name, ...], Field(min_length=1, max_length=10)]
    reason: Annotated[str, Field(min_length=1, max_length=200)]
    """Why, for the audit; no personal data."""


class SendRequested(Event):
    """Somebody asks for one message to one person. Asking twice with the same id is asking once."""

    request_id: UUID
    """The idempotency key, unique within the client."""
    client: Name
    brand: Name
    to: Recipient
    channel: Annotated[Literal["auto", "whatsapp", "sms"], NULL_IS_ABSENT] = "auto"
    number: Annotated[str, Field(pattern=r"^[0-9]{1,32}$")] | None = None
    """The sending number's platform id; absent: the number with an open window, else the brand's default."""
    purpose: Purpose
    priority: Annotated[int, Field(ge=0, le=100), NULL_IS_ABSENT] = 50
    campaign: Name | None = None
    tags: Annotated[tuple[Name, ...], Field(max_length=20), NULL_IS_ABSENT] = ()
    content: Content
    reply_to: Annotated[str, Field(min_length=1, max_length=512)] | None = None
    """The platform's id (wamid) of the inbound message this answers."""
    case_id: Name | None = None
    not_before: Instant | None = None
    expires_at: Instant | None = None
    fallback: Fallback | None = None
    override: Override | None = None
    requested_at: Instant

    @model_validator(mode="after")
    def _fit_for_a_group(self) -> Self:
        if self.to.group_id is not None and (unfit := self.unfit_for_groups):
            field, *place = unfit
            kind = (self.content.type,) if field == "content" else ()  # which faults leave out again
            raise refuse((field, *kind, *place), _NOT_FOR_GROUPS)
        return self

    @property
    def event_id(self) -> str:
        """The request id."""
        return str(self.request_id)

    @property
    def happened_at(self) -> datetime:
        """The instant it was asked."""
        return self.requested_at

    @property
    def message_id(self) -> MessageId:
        """The id this message has everywhere after the router."""
        return message_id_of(self.client, self.request_id)

    @property
    def templates(self) -> dict[str, Template]:
        """The templates it names, by the field that holds them: `content`, `fallback`."""
        second = self.fallback.template if self.fallback else None
        content = {"content": self.content.template} if isinstance(self.content, TemplateContent) else {}
        return content | ({"fallback": second} if second else {})

    @property
    def unfit_for_groups(self) -> tuple[str | int, ...] | None:
        """Find what no group is sent: interactive messages, and what is for sale; None without.

        Source: Meta, "Groups API" (read 2026-11).
        """
        if isinstance(self.content, InteractiveContent):
            return "content", "interactive"
        for field, template in self.templates.items():
            if place := template.for_sale:
                return field, "template", *place
        return None

    def body_hash(self) -> bytes:
        """Hash what was asked (SHA-256 of canonical JSON), without `requested_at`: a repeat has the same."""
        body = self.model_dump(mode="json", exclude={"requested_at"}, exclude_none=True)
        return sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).digest()
