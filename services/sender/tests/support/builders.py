"""Grants and statuses for tests."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from garbo.common.events.addresses import Person, Recipient
from garbo.common.events.base import Json
from garbo.common.events.content import TemplateContent, Text, TextContent
from garbo.common.events.decisions import Lane
from garbo.common.events.grants import SendGranted
from garbo.common.events.platform import PlatformChange
from garbo.common.events.statuses import MessageStatus, PlatformError
from garbo.common.events.template import Language, Template
from garbo.sender.domain.queued_send import QueuedSend, queued
from garbo.sender.outbound.whatsapp_body import draft_of

NUMBER = "100000000000001"
OTHER_NUMBER = "100000000000002"
WABA = "200000000000001"


def a_grant(  # noqa: PLR0913 - a test names what it is about
    *,
    lane: Lane = "care",
    number: str = NUMBER,
    now: datetime | None = None,
    valid_for: timedelta = timedelta(minutes=2),
    window_for: timedelta | None = None,
    to: Recipient | None = None,
    template: str | None = None,
    campaign: str | None = None,
    contact_id: UUID | None = None,
) -> SendGranted:
    """Build a grant with fresh ids; `template` is an Italian one's name."""
    now = now or datetime.now(UTC)
    sold = template and TemplateContent(template=Template(name=template, language=Language(code="it")))
    return SendGranted(
        grant_id=uuid4(),
        epoch=1,
        message_id=uuid4(),
        request_id=uuid4(),
        client="shop",
        brand="acme",
        contact_id=contact_id or uuid4(),
        lane=lane,
        message_class=lane,
        number=number,
        to=to or Recipient(phone="+16505550101"),
        campaign=campaign,
        content=sold or TextContent(text=Text(body="hello")),
        not_before=now,
        valid_until=now + valid_for,
        window_until=None if window_for is None else now + window_for,
        decided_at=now,
    )


def a_send(grant: SendGranted, *, shard: int = 0) -> QueuedSend:
    """Make what waits of a grant."""
    return queued(grant, shard=shard, draft=draft_of(grant), trace=None)


def a_status(
    attempt_id: str | None,
    status: str = "delivered",
    *,
    wamid: str = "wamid.one",
    code: int | None = None,
    at: datetime | None = None,
) -> MessageStatus:
    """Build a status of an attempt."""
    at = at or datetime.now(UTC).replace(microsecond=0)
    return MessageStatus(
        wamid=wamid,
        status=status,
        waba=WABA,
        number=NUMBER,
        recipient=Person(phone="+16505550101"),
        attempt_id=attempt_id,
        errors=() if code is None else (PlatformError(code=code),),
        occurred_at=at,
        received_at=at,
        raw={},
    )


def a_change(field: str, value: Json, *, at: datetime | None = None) -> PlatformChange:
    """Build what the platform tells of an account, a number or a template."""
    at = at or datetime.now(UTC).replace(microsecond=0)
    return PlatformChange(
        change_id=uuid4().hex, waba=WABA, field=field, value=value, occurred_at=at, received_at=at
    )


def a_template_change(event: str, name: str, *, title: str | None = None) -> PlatformChange:
    """Build what the platform tells of an Italian template; `title` names the pause."""
    value: Json = {"event": event, "message_template_name": name, "message_template_language": "it"}
    return a_change(
        "message_template_status_update", value | ({"other_info": {"title": title}} if title else {})
    )
