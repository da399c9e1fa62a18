"""The small values of a webhook, read with suspicion: ids, instants, addresses, words."""

import re
from datetime import datetime
from typing import Final, TypeAlias

from garbo.common.errors import Reject
from garbo.common.events.addresses import Person
from garbo.common.events.base import Json
from garbo.common.events.instants import platform_instant

Value: TypeAlias = object
"""A JSON value a stranger wrote: anything until looked at."""

MAX_ID_CHARS: Final = 512
_PHONE: Final = re.compile(r"\+?([1-9][0-9]{4,19})")
_USER_ID: Final = re.compile(r"[A-Z]{2}\.\S+")


def identifier(value: Value, *, field: str) -> str:
    """Read an id: a string, or a whole number, of 1 to 512 characters. Raises `Reject("invalid:<field>")`."""
    read = identifier_or_none(value)
    if read is None:
        raise Reject(f"invalid:{field}")
    return read


def identifier_or_none(value: Value) -> str | None:
    """Read an id where one may be missing; what is none counts as missing."""
    if isinstance(value, str):
        return value if 0 < len(value) <= MAX_ID_CHARS else None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def instant(value: Value, *, field: str) -> datetime:
    """Read an instant in any way the platform may write one. Raises `Reject("invalid:<field>")`."""
    read = platform_instant(value)
    if read is None:
        raise Reject(f"invalid:{field}")
    return read


def words(holder: Value, name: str) -> str | None:
    """Read a text out of an object; None when there is no object, no such field, or it is not a text."""
    value = holder.get(name) if isinstance(holder, dict) else None
    return value if isinstance(value, str) else None


def part_of(holder: Value, name: str) -> Json:
    """Read an object out of an object; an empty one when there is none."""
    value = holder.get(name) if isinstance(holder, dict) else None
    return value if isinstance(value, dict) else {}


def person(*, address: Value, user_id: Value, parent_user_id: Value, contact: Json) -> Person:
    """Name a person by all the platform shows: the address itself, the user id, and their contact card.

    `address` is digits, with or without `+`, or (seen from third parties) a user id. All may be missing.
    """
    number = _PHONE.fullmatch(address) if isinstance(address, str) else None
    if number is None and isinstance(address, str) and _USER_ID.fullmatch(address):
        user_id = user_id or address
    return Person(
        phone=f"+{number[1]}" if number else None,
        user_id=identifier_or_none(user_id) or identifier_or_none(contact.get("user_id")),
        parent_user_id=identifier_or_none(parent_user_id)
        or identifier_or_none(contact.get("parent_user_id")),
    )
