"""Finishing one batch: hand it over, find the bad record, bury it, or come back later."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from garbo.common.clock import Clock
from garbo.common.errors import Reject, RetryLater
from garbo.common.runtime.deadletter import DeadLetterGauge, letter
from garbo.common.runtime.deliver.lane import Delivered
from garbo.common.runtime.deliver.reading import Good, Item, NotOurs, Reader, Refused
from garbo.common.runtime.deliver.tracing import batch_span
from garbo.common.runtime.drivers import Record
from garbo.common.runtime.kafka_metrics import DELIVERED
from garbo.common.runtime.raw_producer import Outgoing
from garbo.common.turns import in_turns

OUTCOMES: Final = {Good: "handled", Refused: "dead_letter", NotOurs: "not_ours"}


class Publisher(Protocol):
    """Where dead letters go."""

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Return when all are acknowledged; raise `RetryLater` otherwise."""
        ...


@dataclass(frozen=True, slots=True)
class End:
    """How far a batch came: `finished` may be committed; `left` comes again, on purpose if `later` is set."""

    finished: Sequence[Item]
    left: Sequence[Item] = ()
    later: RetryLater | None = None


class Finisher:
    """Takes the batches of one lane as far as they go."""

    def __init__(  # noqa: PLR0913 - wired once, in Deliveries
        self,
        *,
        group: str,
        handle: Callable[[Sequence[Delivered[Any]]], Awaitable[None]],
        reader: Reader,
        dead_letters: DeadLetterGauge,
        to: str,
        publisher: Publisher,
        clock: Clock,
    ) -> None:
        self._group = group
        self._handle = handle
        self._reader = reader
        self._dead_letters = dead_letters
        self._to = to
        self._publisher = publisher
        self._clock = clock

    async def finish(self, records: Sequence[Record], *, still_ours: Callable[[], bool]) -> End:
        """Hand the records over and bury the refused. Raises `TooManyRejected`, and whatever is a bug.

        Dead letters are published last, so that a batch that is retried for hours buries nothing twice.
        """
        items = [self._reader.read(record) async for record in in_turns(records)]
        self._dead_letters.foresee(_refusals(items))
        end = await self._hand_over(items, still_ours)
        self._dead_letters.foresee(_refusals(end.finished))
        try:
            await self._bury(end.finished)
        except RetryLater as later:
            return End(finished=(), left=items, later=later)
        self._count(end.finished)
        return end

    async def _hand_over(self, items: Sequence[Item], still_ours: Callable[[], bool]) -> End:
        goods = [item.delivered for item in items if isinstance(item, Good)]
        if not goods:
            return End(finished=items)
        try:
            with batch_span(self._group, goods):
                await self._handle(goods)
        except RetryLater as later:
            return End(finished=(), left=items, later=later)
        except Reject as reject:
            if len(goods) > 1:
                return await self._one_by_one(items, still_ours)
            return End(finished=[_refused(item, reject) for item in items])
        return End(finished=items)

    async def _one_by_one(self, items: Sequence[Item], still_ours: Callable[[], bool]) -> End:
        finished: list[Item] = []
        for place, item in enumerate(items):
            if not still_ours():
                return End(finished=finished, left=items[place:])
            end = await self._hand_over([item], still_ours)
            if end.later:
                return End(finished=finished, left=items[place:], later=end.later)
            finished.extend(end.finished)
            self._dead_letters.foresee(_refusals(finished))
        return End(finished=finished)

    async def _bury(self, items: Sequence[Item]) -> None:
        now = self._clock.now()
        await self._publisher.publish(
            [
                letter(
                    item.record,
                    to=self._to,
                    reason=item.reason,
                    error=f"refused while {item.where} in {self._group}",
                    failed_at=now,
                )
                for item in items
                if isinstance(item, Refused)
            ]
        )

    def _count(self, items: Sequence[Item]) -> None:
        self._dead_letters.count(_refusals(items))
        for (topic, kind), records in Counter((item.record.topic, type(item)) for item in items).items():
            DELIVERED.labels(self._group, topic, OUTCOMES[kind]).inc(records)


def _refusals(items: Sequence[Item]) -> list[bool]:
    return [isinstance(item, Refused) and item.alarming for item in items if not isinstance(item, NotOurs)]


def _refused(item: Item, reject: Reject) -> Item:
    if not isinstance(item, Good):
        return item
    return Refused(item.record, reject.why, "handling", alarming=reject.alarming)
