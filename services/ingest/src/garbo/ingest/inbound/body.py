"""Reading a request's body: counted, timed, and never more than we asked for.

Neither uvicorn nor granian bounds a body's size or time, so it is done here.
"""

import asyncio
from enum import Enum
from typing import Final

from starlette.types import Receive, Scope

MAX_WEBHOOK_BYTES: Final = 3 * 1024 * 1024 + 64 * 1024
"""Meta's largest webhook is 3 MB; and some slack."""
MAX_SUBMISSION_BYTES: Final = 3 * 1024 * 1024
_DRAINED_FACTOR: Final = 4
"""A body up to so many times too large is read to its end, so that the sender can read our answer."""


class Unreadable(Enum):
    """Why there is no body."""

    TOO_LARGE = "too_large"
    TOO_SLOW = "too_slow"
    ENCODED = "encoded"
    GONE = "gone"


def header_values(scope: Scope, name: bytes) -> list[bytes]:
    """Give all values of a header (lower-case name), in order."""
    return [value for key, value in scope["headers"] if key == name]


async def read_body(scope: Scope, receive: Receive, *, limit: int, timeout_s: float) -> bytes | Unreadable:
    """Read the whole body, if it is not compressed, not over `limit` bytes, and there in `timeout_s`."""
    if any(value.strip().lower() != b"identity" for value in header_values(scope, b"content-encoding")):
        return Unreadable.ENCODED
    try:
        async with asyncio.timeout(timeout_s):
            return await _collect(receive, limit)
    except TimeoutError:
        return Unreadable.TOO_SLOW


async def _collect(receive: Receive, limit: int) -> bytes | Unreadable:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return Unreadable.GONE
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= limit:
            chunks.append(chunk)
        elif size > limit * _DRAINED_FACTOR:
            return Unreadable.TOO_LARGE
        else:
            chunks.clear()
        if not message.get("more_body", False):
            return b"".join(chunks) if size <= limit else Unreadable.TOO_LARGE
