"""Finishing one batch: hand it over, find the bad record, dead-letter it, or come back later."""

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from garbo.common.errors import Reject, RetryLater
from garbo.common.priority import yielding
from garbo.common.runtime.deliver.burial import DeadLetters
from garbo.common.runtime.deliver.decoder import BatchItem, Decoded, Decoder, Refused, Skipped
from garbo.common.runtime.deliver.lane import Delivered
from garbo.common.runtime.deliver.lookout import Lookout
from garbo.common.runtime.deliver.refusals import Refusals
from garbo.common.runtime.deliver.tracing import batch_span
from garbo.common.runtime.drivers import Record
from garbo.common.runtime.kafka_metrics import DELIVERED, HELD

HOLD: Final = timedelta(seconds=2)
"""How long partitions rest whose records are buried slowly."""
APART_S: Final = 20.0
"""A batch is taken apart for so long; the rest comes again at once. A lane that does not poll for 120 s is
taken for dead."""
MANY_REFUSED: Final = "many_refused"
OUTCOMES: Final = {Decoded: "handled", Refused: "dead_letter", Skipped: "skipped"}


@dataclass(frozen=True, slots=True)
class BatchResult:
    """How far a batch came: `finished` may be committed; `left` comes again, on purpose if `later` is set."""

    finished: Sequence[BatchItem]
    left: Sequence[BatchItem] = ()
    later: RetryLater | None = None
    held: Sequence[BatchItem] = ()
    """Of what is left, what is held back because much was refused."""


class BatchProcessor:
    """Takes the batches of one lane as far as they go."""

    def __init__(
        self,
        *,
        group: str,
        handle: Callable[[Sequence[Delivered[Any]]], Awaitable[None]],
        decoder: Decoder,
        refusals: Refusals,
        dead_letters: DeadLetters,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now = now
        self._group = group
        self._handle = handle
        self._decoder = decoder
        self._refusals = refusals
        self._dead_letters = dead_letters
        self.lookout = Lookout(decoder, refusals)
        """Looks past what is held back."""

    async def process_batch(
        self, records: Sequence[Record], *, still_ours: Callable[[], bool]
    ) -> BatchResult:
        """Hand the records over and dead-letter the refused. Raises whatever is a bug.

        Dead letters are published last, so that a batch that is retried for hours dead-letters nothing twice.
        """
        items = [self._decoder.decode(record) async for record in yielding(records)]
        result = await self._hand_over(items, still_ours)
        finished, held = self._refusals.part(result.finished)
        try:
            await self._dead_letters.bury([item for item in finished if isinstance(item, Refused)])
        except RetryLater as later:
            return BatchResult(finished=(), left=items, later=later)
        self._count(finished)
        if not held:
            return BatchResult(finished=finished, left=result.left, later=result.later)
        HELD.labels(self._group).inc(len(held))
        held_back = result.later or RetryLater(MANY_REFUSED, after=HOLD)
        return BatchResult(finished=finished, left=[*held, *result.left], later=held_back, held=held)

    async def _hand_over(self, items: Sequence[BatchItem], still_ours: Callable[[], bool]) -> BatchResult:
        decoded = [item.delivered for item in items if isinstance(item, Decoded)]
        if not decoded:
            return BatchResult(finished=items)
        try:
            with batch_span(self._group, decoded):
                await self._handle(decoded)
        except RetryLater as later:
            return BatchResult(finished=(), left=items, later=later)
        except Reject as reject:
            if len(decoded) > 1:
                return await self._one_by_one(items, still_ours)
            return BatchResult(finished=[_refused(item, reject) for item in items])
        return BatchResult(finished=items)

    async def _one_by_one(self, items: Sequence[BatchItem], still_ours: Callable[[], bool]) -> BatchResult:
        finished: list[BatchItem] = []
        until = self._now() + APART_S
        for place, item in enumerate(items):
            if not still_ours():
                return BatchResult(finished=finished, left=items[place:])
            if self._now() > until:
                rest = RetryLater("taken_apart", after=timedelta())
                return BatchResult(finished=finished, left=items[place:], later=rest)
            result = await self._hand_over([item], still_ours)
            if result.later:
                return BatchResult(finished=finished, left=items[place:], later=result.later)
            finished.extend(result.finished)
        return BatchResult(finished=finished)

    def _count(self, items: Sequence[BatchItem]) -> None:
        self._refusals.count(items)
        for (topic, kind), records in Counter((item.record.topic, type(item)) for item in items).items():
            DELIVERED.labels(self._group, topic, OUTCOMES[kind]).inc(records)


def _refused(item: BatchItem, reject: Reject) -> BatchItem:
    if not isinstance(item, Decoded):
        return item
    return Refused(item.record, reject.why, "handling", alarming=reject.alarming)
