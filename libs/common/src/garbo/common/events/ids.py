"""Identities, and how they are derived. Same input, same id: that is what makes repeats harmless."""

from hashlib import blake2b
from typing import Literal, NewType
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

_MESSAGES = UUID("6b1cbbd0-6a4f-5f0e-9c0d-0c3f5b7d2a01")
_REQUESTS = UUID("6b1cbbd0-6a4f-5f0e-9c0d-0c3f5b7d2a02")


def message_id_of(client: str, request_id: UUID) -> MessageId:
    """Mint the message id of `(client, request_id)`; the same for each repetition."""
    return MessageId(uuid5(_MESSAGES, f"{client}\n{request_id}"))


def request_id_of(client: str, idempotency_key: str, index: int | None = None) -> UUID:
    """Derive a request id from an `Idempotency-Key`, and from the place in the array if there is one."""
    suffix = "" if index is None else f"\n{index}"
    return uuid5(_REQUESTS, f"{client}\n{idempotency_key}{suffix}")


def address_hash(hash_key: bytes, kind: AddressKind, value: str) -> str:
    """Hash a person's address with the installation's key: 32 hex digits.

    Partition keys and alias look-ups use this and never the address itself, because Kafka keys show up
    in traces and tools. Phones are hashed without their `+`, so Meta's `wa_id` and E.164 agree.
    """
    text = f"{kind}:{value.removeprefix('+')}"
    return blake2b(text.encode(), key=hash_key[:64], digest_size=16).hexdigest()


def platform_message_ref(wamid: str) -> str:
    """Name a platform message where its wamid must not stand: headers, keys, topics of ids only.

    A real wamid holds the number in base64: whoever sees it can read the number. 32 hex digits.
    """
    return blake2b(wamid.encode(), digest_size=16, person=b"garbo.wamid").hexdigest()


def change_id_of(waba: str, field: str, value: Json) -> str:
    """Hash what a platform change says, not when it came: each redelivery has the same id, 32 hex digits."""
    said = orjson.dumps([waba, field, value], option=orjson.OPT_SORT_KEYS)
    return blake2b(said, digest_size=16).hexdigest()


def attempt_id_of(message_id: MessageId, number: int) -> str:
    """Name the n-th attempt (from 1) of a message, as it travels in `biz_opaque_callback_data`."""
    return f"{message_id}.{number}"


def message_of_attempt(attempt_id: str) -> MessageId | None:
    """Read the message id out of an attempt id; None when it is somebody else's callback data."""
    head, dot, number = attempt_id.partition(".")
    if not dot or not number.isdecimal():
        return None
    try:
        return MessageId(UUID(head))
    except ValueError:
        return None
