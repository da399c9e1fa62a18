"""How fast each number may send."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Lease:
    """Permission to send `count` messages from one number, evenly."""

    count: int
    begins: float
    """The instant of the first, seconds since 1970 by the clock of whoever gave the lease."""
    interval_s: float
    given_at: float
    """By the same clock."""
    alone_s: float = 0.0
    """So long nobody else has had a lease of the number."""

    @property
    def starts_in_s(self) -> float:
        """How long after it was given it begins."""
        return max(0.0, self.begins - self.given_at)


@dataclass(frozen=True, slots=True)
class NoLease:
    """No lease now; ask again after `after_s`."""

    after_s: float


class RateLeases(Protocol):
    """The rate of each number, shared by all replicas. Raises `RetryLater` when it cannot be reached."""

    async def acquire(
        self, number: str, *, ceiling_per_s: float, wanted: int, ready_in_s: float
    ) -> Lease | NoLease:
        """Take a lease of `LEASE_S` of the rate at most, which starts in `ready_in_s` or later."""
        ...

    async def slow_down(self, number: str, *, ceiling_per_s: float, rest_s: float) -> None:
        """Halve the number's rate for all replicas, at most once a second, and let it rest that long.

        It climbs back by itself.
        """
        ...

    async def count_inbound(self, received: Mapping[str, int]) -> None:
        """Spend, of each number's rate, what came in: the platform counts both ways together."""
        ...
