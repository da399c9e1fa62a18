"""Grants are taken in: kept, and their batch is finished. Sending is for others."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from garbo.common.events.grants import SendGranted
from garbo.common.priority import yielding
from garbo.sender.domain.queued_send import Draft, QueuedSend, queued
from garbo.sender.flow.send_queue import SendQueue

RESTS: Final = 3.0
"""Times as long as a batch took."""
LONGEST_REST_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class DeliveredGrant:
    """A grant as it was delivered, the partition it came in, and the trace it belongs to."""

    grant: SendGranted
    shard: int
    trace: str | None


class TakeGrants:
    """Takes the batches of both lanes."""

    def __init__(
        self, queue: SendQueue, *, draft_of: Callable[[SendGranted], Draft], now: Callable[[], float]
    ) -> None:
        self._queue, self._draft_of, self._now = queue, draft_of, now

    async def take(self, batch: Sequence[DeliveredGrant]) -> None:
        """Keep a batch; the same again changes nothing. Raises `RetryLater`, and then nothing is kept.

        Where a line holds enough to send, it rests afterwards: what is sent now goes first.
        """
        began_at = self._now()
        latest: dict[object, DeliveredGrant] = {}
        for one in batch:
            known = latest.get(one.grant.message_id)
            if known is None or _age(one.grant) >= _age(known.grant):
                latest[one.grant.message_id] = one
        sends: list[QueuedSend] = []
        async for one in yielding(latest.values()):
            draft = self._draft_of(one.grant)
            sends.append(queued(one.grant, shard=one.shard, draft=draft, trace=one.trace))
        if sends:
            await self._queue.take_in(sends)
        if all(self._queue.is_fed(send.number, send.lane) for send in sends):
            await asyncio.sleep(min(LONGEST_REST_S, (self._now() - began_at) * RESTS))


def _age(grant: SendGranted) -> tuple[datetime, int]:
    """Of several grants the one that begins last speaks; of one grant the highest epoch."""
    return grant.not_before, grant.epoch
