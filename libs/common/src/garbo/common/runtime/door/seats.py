"""Room for bodies in hand: so many at once, so many bytes, and of one caller a share."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Final, Self

from garbo.common.runtime.door.metrics import BODIES_DISPLACED, BYTES_IN_HAND

ANY_BYTES: Final = 1 << 62


class Seats:
    """What callers of one kind have in hand together.

    With `displacing`, whoever comes finds room, and somebody else pays: the longest seated of the caller that
    holds the most. So of bodies that nobody has verified the stalled ones go, and a quick one is read to its
    end. Without, a caller that has its share, or comes when all is taken, is told so.
    """

    def __init__(
        self,
        whose: str,
        *,
        count: int,
        max_bytes: int = ANY_BYTES,
        holder_ratio: float = 1.0,
        displacing: bool = False,
    ) -> None:
        self._whose, self._count, self._max_bytes = whose, count, max_bytes
        self._share_count, self._share_bytes = (
            max(1, int(count * holder_ratio)),
            int(max_bytes * holder_ratio),
        )
        self._displacing = displacing
        self._seated: dict[Seat, None] = {}
        """In the order in which they came."""
        self._held_count: Counter[str] = Counter()
        self._held_bytes: Counter[str] = Counter()
        self._bytes = 0
        BYTES_IN_HAND.labels(whose).set_function(lambda: self._bytes)

    def take(self, holder: str, size_bytes: int = 0) -> "Seat | None":
        """Give a seat to one more body of a caller, `size_bytes` of which are here; None: there is no room.

        The seat is a context manager, and free again after it.
        """
        if self._held_count[holder] >= self._share_count or len(self._seated) >= self._count:
            if not self._displacing:
                return None
            self._displace(self._held_count, holder, 1)
        seat = Seat(self, holder)
        self._seated[seat] = None
        self._held_count[holder] += 1
        if size_bytes and not seat.grow(size_bytes):
            seat.leave()
            return None
        return seat

    def grow(self, seat: "Seat", size_bytes: int) -> bool:
        """Count more bytes of a body; False: there is no room for them."""
        if seat not in self._seated:
            return False
        while not self._fits(seat.holder, size_bytes):
            if not self._displacing or self._displace(self._held_bytes, seat.holder, size_bytes) is seat:
                return False
        seat.size_bytes += size_bytes
        self._held_bytes[seat.holder] += size_bytes
        self._bytes += size_bytes
        return True

    def leave(self, seat: "Seat") -> None:
        """Free a seat; again changes nothing."""
        if seat not in self._seated:
            return
        del self._seated[seat]
        self._bytes -= seat.size_bytes
        self._held_bytes[seat.holder] -= seat.size_bytes
        self._held_count[seat.holder] -= 1
        if not self._held_count[seat.holder]:
            del self._held_count[seat.holder], self._held_bytes[seat.holder]

    def _fits(self, holder: str, size_bytes: int) -> bool:
        own_bytes = self._held_bytes[holder] + size_bytes
        return own_bytes <= self._share_bytes and self._bytes + size_bytes <= self._max_bytes

    def _displace(self, held: Mapping[str, int], newcomer: str, more: int) -> "Seat":
        """Take the room of one for another, who is weighed with what comes."""
        weights = {holder: held[holder] for holder in self._held_count}
        weights[newcomer] = held[newcomer] + more
        heaviest = max(self._held_count, key=lambda holder: weights[holder])
        oldest = next(seat for seat in self._seated if seat.holder == heaviest)
        self.leave(oldest)
        BODIES_DISPLACED.labels(self._whose).inc()
        oldest.displace()
        return oldest


class Seat:
    """One body in hand."""

    __slots__ = ("_seats", "_waiting", "displaced", "holder", "size_bytes")

    def __init__(self, seats: Seats, holder: str) -> None:
        self._seats, self.holder = seats, holder
        self.size_bytes = 0
        self.displaced = False
        """Somebody else has this room now: give the body up."""
        self._waiting: asyncio.Timeout | None = None

    def grow(self, size_bytes: int) -> bool:
        """Count more bytes; False: there is no room for them."""
        return self._seats.grow(self, size_bytes)

    def waits_in(self, timeout: asyncio.Timeout | None) -> None:
        """Say what to end when somebody else needs the room; None: nothing any more."""
        self._waiting = timeout

    def displace(self) -> None:
        """Give the room up, now."""
        self.displaced = True
        if self._waiting is not None and not self._waiting.expired():
            self._waiting.reschedule(0)

    def leave(self) -> None:
        """Free the room; again changes nothing."""
        self._seats.leave(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()
