"""Requests that come together go to Kafka together: while one produce is under way, the next one gathers."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
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
NEXT_AFTER_S: Final = 0.02
"""A produce that takes longer is left alone, and the next begins: it may wait for one broker of several."""
MAX_UNDER_WAY: Final = 20_000
"""With so many records under way nothing more is begun."""


class RecordPublisher(Protocol):
    """Publishes records, all or not known."""

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Return when all are acknowledged; raise `RetryLater`, or `Reject` when one never can be."""
        ...


class GroupPublisher(RecordPublisher, Protocol):
    """Publishes the records of several callers together."""

    async def publish_groups(
        self, groups: Sequence[Sequence[Outgoing]], ended: Callable[[int, Exception | None], None]
    ) -> None:
        """Tell of each as soon as it is known; return when all is."""
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

    def __init__(self, publisher: GroupPublisher, *, answer_s: float = ANSWER_S) -> None:
        self._publisher, self._answer_s = publisher, answer_s
        self._gathered: deque[_Waiting] = deque()
        self._unanswered: deque[_Waiting] = deque()
        """In the order of their ends; those that are answered go with the next look."""
        self._producing: asyncio.Task[None] | None = None
        self._under_way: dict[asyncio.Task[None], int] = {}
        """How many records each has."""
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
            while sum(self._under_way.values()) >= MAX_UNDER_WAY:
                await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
            together = self._next()
            if not together:
                return
            begun = asyncio.create_task(self._publish(together), name="produce together")
            self._under_way[begun] = sum(len(one.records) for one in together)
            begun.add_done_callback(self._under_way.pop)
            await asyncio.wait({begun}, timeout=NEXT_AFTER_S)

    async def _publish(self, together: Sequence[_Waiting]) -> None:
        doubtful: list[_Waiting] = []

        def ended(place: int, error: Exception | None) -> None:
            if isinstance(error, Reject) and len(together) > 1:
                doubtful.append(together[place])
            else:
                together[place].end(error)

        try:
            await self._publisher.publish_groups([one.records for one in together], ended)
        except Exception as error:  # noqa: BLE001 - whoever waits raises it
            for one in together:
                one.end(error)
        await self._each_alone(doubtful)

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
