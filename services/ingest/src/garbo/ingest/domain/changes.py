"""Everything of a webhook that is neither a message nor a status becomes a `PlatformChange`, kept raw.

Also what looks like a message and is none: `smb_message_echoes` were written by the business itself, and
`history` is an import of old chats. Neither may open a customer service window.
"""

from datetime import datetime
from typing import Final

from garbo.common.events.addresses import Person
from garbo.common.events.base import Json
from garbo.common.events.ids import change_id_of
from garbo.common.events.instants import platform_instant
from garbo.common.events.platform import PlatformChange
from garbo.common.events.topics import PLATFORM_CHANGE
from garbo.ingest.domain.parts import Found, Origin
from garbo.ingest.domain.values import Value, part_of, person

OF_PEOPLE: Final = frozenset({"user_preferences", "user_id_update"})
"""Fields whose value lists people under the field's own name, each with their own change."""


def read_change(value: Json, origin: Origin, *, field: str, occurred_at: datetime | None) -> Found:
    """Keep a change as it came; raises `Reject` when the account is not named."""
    event = _change(value, origin, field=field, occurred_at=occurred_at)
    return Found(PLATFORM_CHANGE, event, origin.number or event.waba)


def read_change_of_person(
    item: Json, value: Json, origin: Origin, *, field: str, occurred_at: datetime | None
) -> Found:
    """Keep what a change says of one person, without the others it lists; raises `Reject` as above.

    The record key is the keyed hash of their address: what one person did stays in order.
    """
    card = origin.contact_of(item.get("wa_id"), item.get("user_id"))
    if not card and not item.get("wa_id") and not item.get("user_id"):
        card = origin.only_contact
    alone = {key: value[key] for key in value if key != "contacts"} | ({"contacts": [card]} if card else {})
    at = platform_instant(item.get("timestamp")) or occurred_at
    event = _change(alone | {field: [item]}, origin, field=field, occurred_at=at)
    before, now = _people(item, card)
    who = before or now
    named = event.model_copy(update={"person": who, "changed_to": now if before else None})
    return Found(
        PLATFORM_CHANGE, named, origin.key_of(who.address if who else None, otherwise=named.change_id)
    )


def _change(value: Json, origin: Origin, *, field: str, occurred_at: datetime | None) -> PlatformChange:
    waba = origin.account_id()
    return PlatformChange(
        change_id=change_id_of(waba, field, value),
        waba=waba,
        field=field,
        number=origin.number,
        value=value,
        occurred_at=occurred_at,
        received_at=origin.received_at,
    )


def _people(item: Json, card: Json) -> tuple[Person | None, Person | None]:
    """Name the person as they were, where a change of user id says so, and as they are."""
    ids, parents = part_of(item, "user_id"), part_of(item, "parent_user_id")
    now = person(
        address=item.get("wa_id") or card.get("wa_id"),
        user_id=ids.get("current") if ids else item.get("user_id"),
        parent_user_id=parents.get("current") if parents else item.get("parent_user_id"),
        contact={} if ids else card,
    )
    return _before(ids.get("previous")), now if now.address else None


def _before(user_id: Value) -> Person | None:
    """Name who had this user id; the phone a change shows may be the new one already, so it is left out."""
    before = person(address=None, user_id=user_id, parent_user_id=None, contact={})
    return before if before.address else None
