"""One message of a webhook becomes one `InboundMessage`.

Source: Meta, webhooks reference "messages" (read 2026-11). Addresses are optional since 2026: a person may
show only a user id. What is not needed for a decision stays in `raw`, whatever it is.
"""

from typing import Final

from garbo.common.errors import Reject
from garbo.common.events.addresses import Person
from garbo.common.events.base import Json
from garbo.common.events.inbound import InboundMessage
from garbo.common.events.topics import INBOUND_MESSAGE
from garbo.ingest.domain.parts import Found, Origin
from garbo.ingest.domain.values import Value, identifier, identifier_or_none, instant, part_of, person, words

MAX_NAME_CHARS: Final = 300
_MOVED: Final = frozenset({"user_changed_number", "customer_changed_number", "user_changed_user_id"})
"""Types of `system` messages that name a new address; the second is the first's older name."""


def read_message(message: Value, origin: Origin) -> Found:
    """Read one message; raises `Reject` with the field at fault."""
    if not isinstance(message, dict):
        raise Reject("invalid:message")
    wamid = identifier(message.get("id"), field="id")
    contact = origin.contact_of(message.get("from"), message.get("from_user_id"))
    if not contact and not message.get("from") and not message.get("from_user_id"):
        contact = origin.only_contact
    sender = _sender(message, contact)
    group = identifier_or_none(message.get("group_id"))
    kind = words(message, "type") or "unknown"
    event = InboundMessage(
        wamid=wamid,
        waba=origin.account_id(),
        number=origin.number_id(),
        sender=sender,
        changed_to=_changed_to(message, sender),
        group_id=group,
        name=(words(contact.get("profile"), "name") or "")[:MAX_NAME_CHARS] or None,
        kind=kind,
        text=_text(message, kind),
        payload=_payload(message),
        reply_to=_reply_to(message),
        occurred_at=instant(message.get("timestamp"), field="timestamp"),
        received_at=origin.received_at,
        raw=message,
    )
    address = ("group_id", group) if group else sender.address
    return Found(INBOUND_MESSAGE, event, origin.key_of(address, otherwise=wamid))


def _sender(message: Json, contact: Json) -> Person:
    """Name who wrote. A `system` message may name only the address the person has now."""
    now = contact or part_of(message, "system")
    sender = person(
        address=message.get("from") or now.get("wa_id"),
        user_id=message.get("from_user_id") or now.get("user_id"),
        parent_user_id=message.get("from_parent_user_id"),
        contact=contact,
    )
    if sender.address is None:
        raise Reject("invalid:from")
    return sender


def _changed_to(message: Json, sender: Person) -> Person | None:
    """Name the sender as they are from now on, where a `system` message says that their address changed."""
    told = part_of(message, "system")
    if words(told, "type") not in _MOVED:
        return None
    now = person(
        address=told.get("wa_id") or told.get("new_wa_id"),
        user_id=told.get("user_id"),
        parent_user_id=told.get("parent_user_id"),
        contact={},
    )
    return now if now.address and now != sender else None


def _text(message: Json, kind: str) -> str | None:
    """Find the words the person chose or wrote, for the kinds that have some."""
    block = part_of(message, kind)
    match kind:
        case "text":
            return words(block, "body")
        case "button" | "order":
            return words(block, "text")
        case "interactive":
            reply = part_of(block, words(block, "type") or "")
            return words(reply, "title") or words(reply, "body")
        case "edit":
            edited = part_of(block, "message")
            return None if edited.get("type") == "edit" else _text(edited, words(edited, "type") or "")
        case _:
            return words(block, "caption")


def _payload(message: Json) -> str | None:
    """Find the id a business gave to the button or row that was chosen."""
    if "interactive" not in message:
        return words(message.get("button"), "payload")
    interactive = part_of(message, "interactive")
    chosen = part_of(interactive, words(interactive, "type") or "")
    return words(chosen, "id")


def _reply_to(message: Json) -> str | None:
    """Find the message this one answers: the quoted one, or the one reacted to."""
    quoted = words(message.get("context"), "id") or words(message.get("reaction"), "message_id")
    return identifier_or_none(quoted)
