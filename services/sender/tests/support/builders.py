"""Grants and statuses for tests."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from garbo.common.events.addresses import Person, Recipient
from garbo.common.events.content import Text, TextContent
from garbo.common.events.decisions import Lane
from garbo.common.events.grants import SendGranted
from garbo.common.events.statuses import MessageStatus, PlatformError

NUMBER = "100000000000001"


def a_grant(
    *,
    lane: Lane = "care",
    number: str = NUMBER,
    now: datetime | None = None,
    valid_for: timedelta = timedelta(minutes=2),
    window_for: timedelta | None = None,
    to: Recipient | None = None,
) -> SendGranted:
    """Build a grant with fresh ids."""
    now = now or datetime.now(UTC)
    return SendGranted(
        grant_id=uuid4(),
        epoch=1,
        message_id=uuid4(),
        request_id=uuid4(),
        client="shop",
        brand="acme",
        contact_id=uuid4(),
        lane=lane,
        message_class=lane,
        number=number,
        to=to or Recipient(phone="+16505550101"),
        content=TextContent(text=Text(body="hello")),
        not_before=now,
        valid_until=now + valid_for,
        window_until=None if window_for is None else now + window_for,
        decided_at=now,
    )


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
        waba="200000000000001",
        number=NUMBER,
        recipient=Person(phone="+16505550101"),
        attempt_id=attempt_id,
        errors=() if code is None else (PlatformError(code=code),),
        occurred_at=at,
        received_at=at,
        raw={},
    )
