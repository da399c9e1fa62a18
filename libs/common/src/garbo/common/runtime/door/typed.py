"""Reading what somebody typed into a path or a query: ASCII, bounded, and in one form alone.

Python's own readers take digits of any script, underscores, spaces, braces, and numbers without an end.
"""

import re
from datetime import datetime
from typing import Final
from uuid import UUID

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_NUMBER: Final = re.compile(r"[0-9]{1,15}")


def uuid_of(text: str) -> UUID | None:
    """Read a UUID, with its hyphens; None when it is none."""
    return UUID(text) if _UUID.fullmatch(text) else None


def instant_of(text: str) -> datetime | None:
    """Read an instant in RFC 3339, which has an offset; None when it is none."""
    if not _INSTANT.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        return None


def number_of(text: str) -> int | None:
    """Read a whole number from 0 up, of 15 digits at most; None when it is none."""
    return int(text) if _NUMBER.fullmatch(text) else None


def flag_of(text: str) -> bool | None:
    """Read `true` or `false`; None when it is neither."""
    return {"true": True, "false": False}.get(text.lower())
