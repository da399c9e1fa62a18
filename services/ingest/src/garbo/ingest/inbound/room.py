"""How much of whom ingest has in hand at once: what nobody has verified never takes the place of the rest."""

from dataclasses import dataclass
from typing import Final, Self

from garbo.common.runtime.door.bodies import Pace
from garbo.common.runtime.door.seats import Seats

MAX_WEBHOOK_BYTES: Final = 3 * 1024 * 1024 + 64 * 1024
"""Meta's largest webhook is 3 MB; and some slack."""
MAX_SUBMISSION_BYTES: Final = 3 * 1024 * 1024
PLATFORM: Final = "platform"
"""Whoever signs with an app secret of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Seats by who somebody is, and how fast bodies must come."""

    strangers: Seats
    """Bodies of webhooks, by the caller's address: whether they are signed is known only at their end."""
    platform: Seats
    clients: Seats
    """By the client's id."""
    pace: Pace

    @classmethod
    def of(cls, *, count: int, max_bytes: int, pace: Pace) -> Self:
        """Share out what there is: half to strangers, a quarter each to the platform and the clients."""
        quarter = max_bytes // 4
        return cls(
            strangers=Seats("strangers", count=max(1, count // 2), max_bytes=max_bytes // 2, displacing=True),
            platform=Seats("platform", count=count, max_bytes=quarter),
            clients=Seats("clients", count=count, max_bytes=quarter, holder_ratio=0.5),
            pace=pace,
        )
