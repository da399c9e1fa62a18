"""Grants to sends: publish again what is known, and send the rest, each number by itself."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from garbo.common.errors import RetryLater
from garbo.common.events.grants import SendGranted
from garbo.sender.flow.dependencies import Dependencies
from garbo.sender.flow.grant_queue import GrantQueue, QueuedGrant
from garbo.sender.flow.send_batch import DatabaseClock, SendBatch
from garbo.sender.ports import Past


@dataclass(frozen=True, slots=True)
class DeliveredGrant:
    """A grant as it was delivered, and the trace it belongs to."""

    grant: SendGranted
    trace: str | None


class SendGrants:
    """Takes the batches of both lanes."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._deps = dependencies

    async def send(self, batch: Sequence[DeliveredGrant]) -> None:
        """Finish a batch: each grant ends sent, refused or published again. The same batch may come again.

        Raises `RetryLater` when some could not be sent yet, or a part outside is not ready; whatever
        could be finished is finished first.
        """
        latest = _latest(batch)
        if not latest:
            return
        deps = self._deps
        instant, past = await deps.attempts.recall([one.grant for one in latest])
        clock = DatabaseClock(instant, deps.now(), deps.now)
        known = [(past.get(one.grant.message_id, Past()), one) for one in latest]
        await deps.results.publish([(p.result, one.trace) for p, one in known if p.result])
        by_number: dict[str, list[QueuedGrant]] = {}
        for p, one in known:
            if not p.result and not p.stale:
                queued = QueuedGrant(one.grant, one.trace, p.attempts_count, p.claimed)
                by_number.setdefault(one.grant.number, []).append(queued)
        await _all_to_the_end(
            [
                SendBatch(deps, number, queue=GrantQueue(grants, deps.now), clock=clock).run()
                for number, grants in by_number.items()
            ]
        )


def _latest(batch: Sequence[DeliveredGrant]) -> list[DeliveredGrant]:
    """Keep one a message: of several grants the one that begins last, of one grant the highest epoch."""
    latest: dict[object, DeliveredGrant] = {}
    for one in batch:
        known = latest.get(one.grant.message_id)
        if known is None or _age(one.grant) >= _age(known.grant):
            latest[one.grant.message_id] = one
    return list(latest.values())


def _age(grant: SendGranted) -> tuple[datetime, int]:
    return grant.not_before, grant.epoch


async def _all_to_the_end(runs: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Let each run end by itself; then raise what went wrong, a bug before `RetryLater`."""
    ends = await asyncio.gather(*runs, return_exceptions=True)
    wrong = [end for end in ends if isinstance(end, BaseException)]
    if wrong:
        raise next((end for end in wrong if not isinstance(end, RetryLater)), wrong[0])
