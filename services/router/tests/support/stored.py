"""People and waiting requests as they are stored, at instants before and after now."""

from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from garbo.common.events.ids import ContactId, MessageId, address_hash
from garbo.router.domain.instants import SECOND_US, to_us
from garbo.router.ports.contacts import Address
from garbo.router.ports.jobs import JobStore
from garbo.router.ports.store import Deferred
from services.router.tests.support.build import HASH_KEY

MINUTE_US: Final = 60 * SECOND_US


def from_now(minutes: int) -> int:
    """Give the instant so many minutes from now."""
    return to_us(datetime.now(UTC)) + minutes * MINUTE_US


async def met(store: JobStore) -> ContactId:
    """Meet a stranger."""
    phone = f"+39{uuid4().int % 10**10}"
    who = Address(kind="phone", value=phone, hash=address_hash(HASH_KEY, "phone", phone))
    return (await store.get_or_create_contacts([who]))[who.hash].contact_id


def waits(contact_id: ContactId, due_us: int, *, reason: str = "cap_reached") -> Deferred:
    """Let a request of theirs wait until an instant."""
    return Deferred(
        message_id=MessageId(uuid4()),
        contact_id=contact_id,
        due_at_us=due_us,
        free_at_us=due_us,
        first_decided_at_us=from_now(-1),
        expires_at_us=None,
        brand="acme",
        campaign="spring",
        priority=50,
        reason=reason,
        request=b"{}",
    )
