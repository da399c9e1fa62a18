"""Reading a request's body: counted, timed, and never more than we asked for."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from starlette.types import Receive

from garbo.common.runtime.door.seats import Seat

Headers = Iterable[tuple[bytes, bytes]]
_DRAINED_FACTOR: Final = 4
"""A body up to so many times too large is read to its end, so that its sender can read our answer."""


class NoBody(Enum):
    """Why there is no body."""

    TOO_LARGE = "too_large"
    TOO_SLOW = "too_slow"
    ENCODED = "encoded"
    GONE = "gone"
    DISPLACED = "displaced"
    """Another caller needed the room: see `Seats`."""
    NO_ROOM = "no_room"
    """Too much is in hand already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast a body must come: in `grace_s`, a second more for each `bytes_per_s`, `whole_s` at most."""

    whole_s: float = 10
    grace_s: float = 2
    bytes_per_s: int = 16 * 1024

    def allowed_s(self, size_bytes: int) -> float:
        """Say how long after its beginning more must have come than so many bytes."""
        return min(self.whole_s, self.grace_s + size_bytes / self.bytes_per_s)


def header_values(headers: Headers, name: bytes) -> list[bytes]:
    """Give all values of a header (lower-case name), in order."""
    return [value for key, value in headers if key == name]


async def read_body(
    headers: Headers, receive: Receive, *, seat: Seat, max_bytes: int, pace: Pace
) -> bytes | NoBody:
    """Read the whole body, if it is not compressed, not too large, comes at this pace, and there is room."""
    if any(value.strip().lower() != b"identity" for value in header_values(headers, b"content-encoding")):
        return NoBody.ENCODED
    began_s = asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout_at(began_s + pace.allowed_s(0)) as timeout:
            seat.waits_in(timeout)
            return await _Collecting(seat, max_bytes, pace, timeout, began_s).all(receive)
    except TimeoutError:
        return NoBody.DISPLACED if seat.displaced else NoBody.TOO_SLOW
    finally:
        seat.waits_in(None)


@dataclass(frozen=True, slots=True)
class _Collecting:
    seat: Seat
    max_bytes: int
    pace: Pace
    timeout: asyncio.Timeout
    began_s: float

    async def all(self, receive: Receive) -> bytes | NoBody:
        pieces: list[bytes] = []
        size_bytes = 0
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return NoBody.GONE
            piece = message.get("body", b"")
            size_bytes += len(piece)
            if size_bytes <= self.max_bytes:
                if not self.seat.grow(len(piece)):
                    return NoBody.DISPLACED if self.seat.displaced else NoBody.NO_ROOM
                pieces.append(piece)
            elif size_bytes > self.max_bytes * _DRAINED_FACTOR:
                return NoBody.TOO_LARGE
            else:
                pieces.clear()
            if not message.get("more_body", False):
                return b"".join(pieces) if size_bytes <= self.max_bytes else NoBody.TOO_LARGE
            self.timeout.reschedule(self.began_s + self.pace.allowed_s(size_bytes))
