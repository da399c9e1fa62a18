"""Requests that come together go to Kafka together: while one produce is under way, the next one gathers."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from garbo.common.errors import Reject, RetryLater
from garbo.common.events.topics import record_limit_bytes
from garbo.common.runtime.raw_producer import Outgoing, encoded_bytes

ANSWER_S: Final = 1.8
"""Who waits is told by then that it is not known: a client, or the platform, comes again."""
LOOK_EVERY_S: Final = 0.05
MAX_RECORDS: Final = 5_000
"""So many go together at most; a single request may have more."""


class RecordPublisher(Protocol):
    """Publishes records, all or not known."""

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Return when all are acknowledged; raise `RetryLater`, or `Reject` when one never can be."""
        ...


@dataclass(slots=True)
class _Waiting:
    records: Sequence[Outgoing]
    answered: asyncio.Future[None]
    until_s: float

    def end(self, error: BaseException | None = None) -> None:
        """Answer, unless that is done or nobody waits any more."""
        if not self.answered.done():
            if error is None:
                self.answered.set_result(None)
            else:
                self.answered.set_exception(error)


class WideProduce:
    """A `RecordPublisher` that answers within `answer_s`, however long Kafka takes; each request by itself.

    What nobody waits for any more is not begun. What is under way then may be written: readers know a repeat.
    """

    def __init__(self, publisher: RecordPublisher, *, answer_s: float = ANSWER_S) -> None:
        self._publisher, self._answer_s = publisher, answer_s
        self._gathered: deque[_Waiting] = deque()
        self._unanswered: deque[_Waiting] = deque()
        """In the order of their ends; those that are answered go with the next look."""
        self._producing: asyncio.Task[None] | None = None
        self._look: asyncio.TimerHandle | None = None

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Return when all records are acknowledged. Raises `Reject` for one of these that is too large."""
        if any(encoded_bytes(record) > record_limit_bytes(record.topic) for record in records):
            raise Reject("record_too_large")
        loop = asyncio.get_running_loop()
        waiting = _Waiting(records, loop.create_future(), loop.time() + self._answer_s)
        self._gathered.append(waiting)
        self._unanswered.append(waiting)
        if self._producing is None or self._producing.done():
            self._producing = loop.create_task(self._produce(), name="produce")
        if self._look is None:
            self._look = loop.call_later(LOOK_EVERY_S, self._answer_late)
        await waiting.answered

    async def _produce(self) -> None:
        while self._gathered:
            together = self._next()
            try:
                await self._publisher.publish([record for one in together for record in one.records])
            except Reject:
                await self._each_alone(together)
            except Exception as error:  # noqa: BLE001 - whoever waits raises it
                for one in together:
                    one.end(error)
            else:
                for one in together:
                    one.end()

    async def _each_alone(self, together: Sequence[_Waiting]) -> None:
        """Find whose record Kafka does not take: by our measure none is too large."""
        for one in together:
            try:
                await self._publisher.publish(one.records)
            except Exception as error:  # noqa: BLE001 - as above
                one.end(error)
            else:
                one.end()

    def _next(self) -> list[_Waiting]:
        together: list[_Waiting] = []
        count = 0
        while self._gathered and count < MAX_RECORDS:
            one = self._gathered.popleft()
            if not one.answered.done():
                together.append(one)
                count += len(one.records)
        return together

    def _answer_late(self) -> None:
        loop = asyncio.get_running_loop()
        now, late = loop.time(), RetryLater("kafka_publish:slow")
        while self._unanswered and (
            self._unanswered[0].answered.done() or now >= self._unanswered[0].until_s
        ):
            self._unanswered.popleft().end(late)
        self._look = loop.call_later(LOOK_EVERY_S, self._answer_late) if self._unanswered else None
