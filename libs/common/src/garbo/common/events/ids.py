"""Identities, and how they are derived. Same input, same id: that is what makes repeats harmless."""

from binascii import a2b_base64
from hashlib import blake2b, sha256
from typing import Final, Literal, NewType
from uuid import UUID, uuid5

import orjson

from garbo.common.events.base import Json

MessageId = NewType("MessageId", UUID)
"""One request's message, everywhere after the router: UUIDv5 of client and request id."""
ContactId = NewType("ContactId", UUID)
"""A person or a group: random, minted at first contact."""
GrantId = NewType("GrantId", UUID)
"""The router's permission to send one message."""

AddressKind = Literal["phone", "user_id", "group_id"]

ERASED_CONTACT: Final = ContactId(UUID(int=0))
"""Stands in the place of a contact id that was erased. Less than every other one."""

_MESSAGES = UUID("6b1cbbd0-6a4f-5f0e-9c0d-0c3f5b7d2a01")
_REQUESTS = UUID("6b1cbbd0-6a4f-5f0e-9c0d-0c3f5b7d2a02")
_FACTS = UUID("6b1cbbd0-6a4f-5f0e-9c0d-0c3f5b7d2a03")
_REF_DOMAIN: Final = b"garbo.wamid\n"
_REF_DIGITS: Final = 32
_PEER_FOLLOWS: Final = b"\x1c\x18"
_SHORTEST_REST_BYTES: Final = 12
_NUMBER_DIGITS: Final = 9
"""Of an attempt's number: a PostgreSQL integer holds it."""


def message_id_of(client: str, request_id: UUID) -> MessageId:
    """Mint the message id of `(client, request_id)`; the same for each repetition."""
    return MessageId(uuid5(_MESSAGES, f"{client}\n{request_id}"))


def request_id_of(client: str, idempotency_key: str, index: int | None = None) -> UUID:
    """Derive a request id from an `Idempotency-Key`, and from the place in the array if there is one."""
    suffix = "" if index is None else f"\n{index}"
    return uuid5(_REQUESTS, f"{client}\n{idempotency_key}{suffix}")


def fact_id_of(*names: str) -> UUID:
    """Derive the id of a fact from names clients gave: a name may be a person's number, an id is shown."""
    return uuid5(_FACTS, "\n".join(names))


def address_hash(hash_key: bytes, kind: AddressKind, value: str) -> str:
    """Hash a person's address with the installation's key: 32 hex digits.

    Partition keys and alias look-ups use this and never the address itself, because Kafka keys show up
    in traces and tools. Phones are hashed without their `+`, so Meta's `wa_id` and E.164 agree.
    """
    text = f"{kind}:{value.removeprefix('+')}"
    return blake2b(text.encode(), key=hash_key[:64], digest_size=16).hexdigest()


def platform_message_ref(wamid: str) -> str:
    """Name a platform message where its wamid must not stand: tables, headers, ids, topics kept for long.

    A real wamid holds the number of the person in base64: whoever sees it can read the number. The name is
    a hash of what follows the number: the message's own id, of 9 random bytes or more. So it holds nothing
    of the person, and is the same whichever name of theirs the platform puts before it. 32 hex digits.
    """
    return sha256(_REF_DOMAIN + _message_part(wamid)).hexdigest()[:_REF_DIGITS]


def _message_part(wamid: str) -> bytes:
    """Cut off the peer: `wamid.` and base64 of 1C 18, a length, the peer's name, the rest.

    What is built otherwise is taken whole. A rest that is too short to be an id names no message.
    """
    whole = wamid.encode("utf-8", "replace")
    try:
        raw = a2b_base64(whole.removeprefix(b"wamid."), strict_mode=True)
    except ValueError:
        return whole
    if not whole.startswith(b"wamid.") or raw[: len(_PEER_FOLLOWS)] != _PEER_FOLLOWS:
        return whole
    rest = raw[len(_PEER_FOLLOWS) + 1 + raw[len(_PEER_FOLLOWS)] :] if len(raw) > len(_PEER_FOLLOWS) else b""
    return rest if len(rest) >= _SHORTEST_REST_BYTES else whole


def change_id_of(waba: str, field: str, value: Json) -> str:
    """Hash what a platform change says, not when it came: each redelivery has the same id, 32 hex digits."""
    said = orjson.dumps([waba, field, value], option=orjson.OPT_SORT_KEYS)
    return blake2b(said, digest_size=16).hexdigest()


def attempt_id_of(message_id: MessageId, number: int) -> str:
    """Name the n-th attempt (from 1) of a message, as it travels in `biz_opaque_callback_data`."""
    return f"{message_id}.{number}"


def attempt_of(attempt_id: str) -> tuple[MessageId, int] | None:
    """Read message and number out of an attempt id; None when it is somebody else's callback data."""
    head, dot, number = attempt_id.partition(".")
    if not dot or not number.isascii() or not number.isdecimal() or len(number) > _NUMBER_DIGITS:
        return None
    try:
        return MessageId(UUID(head)), int(number)
    except ValueError:
        return None


def message_of_attempt(attempt_id: str) -> MessageId | None:
    """Read the message id out of an attempt id; None when it is somebody else's callback data."""
    attempt = attempt_of(attempt_id)
    return attempt[0] if attempt else None
