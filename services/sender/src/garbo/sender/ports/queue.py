"""What waits to be sent."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from garbo.common.events.decisions import Lane
from garbo.common.events.results import SendResult
from garbo.sender.domain.queued_send import QueuedSend


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What is to be done with a grant that was read.

    waiting: it is in the queue now. known: it was before. told: it has a result already. stale: a newer grant
    speaks for the message.
    """

    send: QueuedSend
    answer: Literal["waiting", "known", "told", "stale"]
    parked: bool = False
    """It waits behind others of the same person that wait outside memory."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A message of the queue, read into memory. `is_decided`: it has a result that may not be told yet."""

    send: QueuedSend
    is_decided: bool


@dataclass(frozen=True, slots=True)
class Parked:
    """A message that is not looked at for a while, and why: it waits outside memory."""

    message_id: UUID
    after_s: float
    """Seconds; infinite: until somebody says so."""
    why: str
    media: "MediaAgain | None" = None
    """Of `media`: what is to be had again."""


@dataclass(frozen=True, slots=True)
class MediaAgain:
    """Files that the platform does not know any more."""

    number: str
    media: bytes
    """As the message keeps it from now on."""
    source: str
    """The first of its sources."""
    ids: tuple[str, ...]
    """What the platform was told; nobody is told these again."""


class Queue(Protocol):
    """What waits to be sent. Each method is one transaction; all raise `RetryLater`."""

    async def take_in(self, sends: Sequence[QueuedSend]) -> Sequence[TakenIn]:
        """Keep grants, in their order; the same again changes nothing. No two of one message."""
        ...

    async def load(
        self, number: str, lane: Lane, *, shards: Collection[int], after: int, most: int, but: Sequence[int]
    ) -> Sequence[Loaded]:
        """Read what waits behind a place, in order, but for the places given.

        Not what is under way, nor what has to wait behind the same person's own that are parked.
        """
        ...

    async def wake(self, lane: Lane, shards: Collection[int]) -> Mapping[str, int]:
        """Let what was parked until now be looked at again; gives the first place of each number."""
        ...

    async def park(self, parked: Sequence[Parked]) -> None:
        """Let messages wait outside memory."""
        ...

    async def late(self, lane: Lane, shards: Collection[int], *, limit: int) -> Sequence[QueuedSend]:
        """Find what may not be sent any more and is not under way."""
        ...

    async def forget(self, told: Sequence[SendResult]) -> None:
        """Take out what has been told, unless it may be sent again."""
        ...

    async def now(self) -> datetime:
        """Give the database's instant."""
        ...
