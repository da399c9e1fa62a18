"""Publishing: acknowledged by all replicas, or told that it is not."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Final

import structlog
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from garbo.common.errors import Reject, RetryLater, StartRefused
from garbo.common.events.topics import record_limit_bytes
from garbo.common.runtime.bounded import bounded
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.kafka_metrics import PRODUCER_REBUILDS, PUBLISHED
from garbo.common.runtime.kafka_refusal import refusal
from garbo.common.runtime.raw_producer import Outgoing, RawProducer, encoded_bytes

BUILD_S: Final = 5.0
"""One try at connecting; together with `CLOSE_S` less than `publish_s`."""
CLOSE_S: Final = 3.0
"""A poisoned producer gets this long to flush, then as long again to close without."""
FLUSH_S: Final = 8.0
"""The same for a healthy one at the end of the process."""
KNOCK_EVERY_S: Final = 1.0
ASK_S: Final = 3.0
"""An answer that takes longer is none: a broker that holds still takes connections and says nothing."""
REFUSED_OFTEN: Final = 5
"""Knocks in a row at which a broker closed the door: it does not merely restart."""

log = structlog.get_logger()


class Producer:
    """An idempotent producer that survives its broker, and itself.

    aiokafka retries for ever and can be poisoned for good (aiokafka#1017, #1039), so after any failure
    the producer underneath is thrown away and the next `publish` makes a new one.
    """

    def __init__(self, *, kafka: KafkaSettings, service: str) -> None:
        self._kafka = kafka
        self._client_id = f"garbo-{service}"
        self._current: RawProducer | None = None
        self._building = asyncio.Lock()
        self._closed = False
        self._answers = False
        """Whether a broker answered when it was last asked."""
        self._mending: asyncio.Task[None] | None = None
        self._leaving: set[asyncio.Task[None]] = set()
        """Producers that are being closed: whoever publishes does not wait for that."""

    async def start(self) -> None:
        """Wait for the broker; raises `StartRefused` when it does not answer within `start_s`.

        At once when it answers and does not let us in: a wrong password, a certificate not believed.
        """
        try:
            async with asyncio.timeout(self._kafka.start_s):
                await self._knock()
        except TimeoutError:
            told = await refusal(self._kafka)
            raise StartRefused(told.why if told else unreachable(self._kafka)) from None
        self._mending = asyncio.create_task(self._keep_ready(), name="keep producer ready")

    async def stop(self) -> None:
        """Flush and close within `FLUSH_S` and a bit; never hangs, never raises."""
        self._closed = True
        if self._mending:
            self._mending.cancel()
        current, self._current = self._current, None
        if current:
            await _discard(current, flush_s=FLUSH_S)
        if self._leaving:
            await asyncio.wait(self._leaving, timeout=FLUSH_S)

    @property
    def healthy(self) -> bool:
        """True while there is a producer that can send, and a broker answered a few seconds ago."""
        return self._alive and self._answers

    @property
    def _alive(self) -> bool:
        return self._current is not None and self._current.alive

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Return when ALL records are acknowledged.

        Raises `RetryLater` when that is not known in time: some may be written, or may be later, so
        whoever reads them must recognise a repeat. Raises `Reject` when one can never be published: measured
        here, for a batch that the broker refuses leaves a hole in the sequence that others share.
        """
        if not records:
            return
        if any(encoded_bytes(record) > record_limit_bytes(record.topic) for record in records):
            PUBLISHED.labels("too_large").inc(len(records))
            raise Reject("record_too_large")
        used: RawProducer | None = None
        try:
            async with asyncio.timeout(self._kafka.publish_s):
                used = await self._usable()
                await _send_all(used, records)
        except MessageSizeTooLargeError:
            PUBLISHED.labels("too_large").inc(len(records))
            raise Reject("record_too_large") from None
        except (TimeoutError, KafkaError, OSError) as error:
            PUBLISHED.labels("unknown").inc(len(records))
            self._throw_away(used, because=type(error).__name__)
            raise RetryLater(f"kafka_publish:{type(error).__name__}") from error
        PUBLISHED.labels("acknowledged").inc(len(records))

    async def publish_groups(
        self, groups: Sequence[Sequence[Outgoing]], ended: Callable[[int, Exception | None], None]
    ) -> None:
        """Publish the records of several callers together; return when all is known.

        `ended` is told of each, by its place, as soon as its own records are acknowledged (None), or are not:
        `RetryLater`, or `Reject`, which another caller's record in the same batch may have brought about.
        """
        told: set[int] = set()

        def tell(place: int, error: Exception | None) -> None:
            if place not in told:
                told.add(place)
                PUBLISHED.labels(_outcome(error)).inc(len(groups[place]))
                ended(place, error)

        used: RawProducer | None = None
        failed: Exception | None = None
        try:
            async with asyncio.timeout(self._kafka.publish_s):
                used = await self._usable()
                failed = await _tell_each(await used.send_groups(groups), tell)
        except (TimeoutError, KafkaError, OSError, RetryLater) as error:
            failed = error
        if failed is not None and not isinstance(failed, MessageSizeTooLargeError):
            self._throw_away(used, because=type(failed).__name__)
        for place in range(len(groups)):
            tell(place, _in_our_words(failed) if failed else None)

    async def _knock(self) -> None:
        refused_count = 0
        while not await self._built():
            told = await refusal(self._kafka)
            refused_count = refused_count + 1 if told else 0
            if told and (told.certain or refused_count >= REFUSED_OFTEN):
                raise StartRefused(told.why)
            await asyncio.sleep(KNOCK_EVERY_S)

    async def _keep_ready(self) -> None:
        """Mend and ask also while nobody publishes: a process taken out of traffic must come back by itself.

        aiokafka says nothing of a broker that died: it connects again for ever.
        """
        while True:
            await asyncio.sleep(KNOCK_EVERY_S)
            if not self._alive:
                self._throw_away(self._current, because="sender_died")
                await self._built()
            if current := self._current:
                self._answers = await bounded("ask kafka", current.ask(), within_s=ASK_S)

    async def _usable(self) -> RawProducer:
        if self._current and not self._current.alive:
            self._throw_away(self._current, because="sender_died")
        current = self._current or await self._built()
        if current is None:
            raise RetryLater("kafka_unreachable")
        return current

    async def _built(self) -> RawProducer | None:
        """Make a producer unless there is one; None when the broker does not answer."""
        async with self._building:
            if self._current or self._closed:
                return self._current
            if self._leaving:
                await asyncio.wait(self._leaving)  # or what it still flushes would come after what is new
            made = RawProducer(self._kafka, client_id=self._client_id)
            try:
                if await bounded("start producer", made.start(), within_s=BUILD_S):
                    self._current, self._answers = made, True
            finally:
                if self._current is not made:
                    self._let_go(_kill(made))
            return self._current

    def _throw_away(self, used: RawProducer | None, *, because: str) -> None:
        """Drop the producer that erred, unless somebody else has already replaced it."""
        if used is None or used is not self._current:
            return
        self._current = None
        PRODUCER_REBUILDS.labels(because).inc()
        log.warning("producer discarded", because=because)
        self._let_go(_discard(used, flush_s=CLOSE_S))

    def _let_go(self, work: Coroutine[None, None, None]) -> None:
        leaving = asyncio.create_task(work, name="let go of a producer")
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)


async def _tell_each(
    answers: Sequence[Collection[asyncio.Future[object]]], tell: Callable[[int, Exception | None], None]
) -> Exception | None:
    """Tell of each caller when the last of its answers is there; give the first failure of all."""
    waiting: defaultdict[asyncio.Future[object], list[int]] = defaultdict(list)
    left = [len(own) for own in answers]
    for place, own in enumerate(answers):
        for answer in own:
            waiting[answer].append(place)
    first: Exception | None = None
    pending = set(waiting)
    while pending:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for answer in done:
            error = _failure_of(answer)
            first = first or error
            for place in waiting[answer]:
                left[place] -= 1
                if error or not left[place]:
                    tell(place, _in_our_words(error) if error else None)
    return first


def _failure_of(answer: asyncio.Future[object]) -> Exception | None:
    if answer.cancelled():
        return TimeoutError("cancelled")
    error = answer.exception()
    if error is not None and not isinstance(error, KafkaError | OSError):
        raise error
    return error


def _in_our_words(error: Exception) -> Exception:
    if isinstance(error, MessageSizeTooLargeError):
        return Reject("record_too_large")
    return error if isinstance(error, RetryLater) else RetryLater(f"kafka_publish:{type(error).__name__}")


def _outcome(error: Exception | None) -> str:
    if error is None:
        return "acknowledged"
    return "too_large" if isinstance(error, Reject) else "unknown"


async def _send_all(producer: RawProducer, records: Sequence[Outgoing]) -> None:
    answers = await producer.send(records)
    if len(answers) == 1:
        await answers[0]
        return
    ends = await asyncio.gather(*answers, return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException):
            raise end


async def _discard(producer: RawProducer, *, flush_s: float) -> None:
    if not await bounded("flush producer", producer.stop(), within_s=flush_s):
        await _kill(producer)


async def _kill(producer: RawProducer) -> None:
    await bounded("close producer", producer.kill(), within_s=CLOSE_S)


def unreachable(kafka: KafkaSettings) -> str:
    """Say in one line that Kafka does not answer and what to do."""
    return (
        f"Kafka does not answer at {kafka.bootstrap_servers}: "
        "start it (make run), or set GARBO_KAFKA_BOOTSTRAP_SERVERS."
    )
