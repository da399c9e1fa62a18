"""A message that may be sent, as it waits: what decides about it, and what is posted."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from garbo.common.events.addresses import Recipient
from garbo.common.events.decisions import Lane
from garbo.common.events.grants import SendGranted
from garbo.common.events.ids import AddressKind


class QueuedSend(msgspec.Struct, frozen=True):
    """One grant in the queue."""

    message_id: UUID
    seq: int
    """Its place: the order in which grants were read."""
    shard: int
    """The partition it was read from."""
    lane: Lane
    number: str
    contact_id: UUID
    grant_id: UUID
    epoch: int
    not_before: datetime
    valid_until: datetime
    window_until: datetime | None
    """The instant the customer service window closes, where one is open."""
    brand: str
    campaign: str | None
    template: str | None
    """Name and language, `order_shipped/it`; None for free-form content."""
    category: str | None
    """Of the template, as the router knew it."""
    address_kind: AddressKind
    address: str
    body: bytes
    """The JSON object that is posted, but for the attempt's id."""
    traceparent: str | None
    media: bytes | None = None
    """Which files it shows that were given to Garbo, or fetched by it: `WantedMedia`, written; None: none."""

    @property
    def is_to_group(self) -> bool:
        """Whether nobody in particular is written to."""
        return self.address_kind == "group_id"


class Draft(NamedTuple):
    """What is posted of a grant, but for the attempt's id, and what `QueuedSend.media` says of it."""

    body: bytes
    media: bytes | None = None


def queued(grant: SendGranted, *, shard: int, draft: Draft, trace: str | None) -> QueuedSend:
    """Make what waits of a grant; its place is not known yet."""
    kind, address = address_of(grant.to)
    return QueuedSend(
        message_id=grant.message_id,
        seq=0,
        shard=shard,
        lane=grant.lane,
        number=grant.number,
        contact_id=grant.contact_id,
        grant_id=grant.grant_id,
        epoch=grant.epoch,
        not_before=grant.not_before,
        valid_until=grant.valid_until,
        window_until=grant.window_until,
        brand=grant.brand,
        campaign=grant.campaign,
        template=_template_of(grant),
        category=grant.category,
        address_kind=kind,
        address=address,
        body=draft.body,
        traceparent=trace,
        media=draft.media,
    )


def address_of(to: Recipient) -> tuple[AddressKind, str]:
    """Give the address a grant writes to: a group's, else the platform's own id, else the phone."""
    if to.group_id:
        return "group_id", to.group_id
    if to.user_id:
        return "user_id", to.user_id
    return "phone", to.phone or ""


def _template_of(grant: SendGranted) -> str | None:
    if grant.content.type != "template":
        return None
    template = grant.content.template
    return f"{template.name}/{template.language.code.replace('-', '_')}"
