"""A topic that keeps the newest record of each key, held in memory: read whole at the start, then followed.

No consumer group and no offsets: each process reads all of it, and loses nothing by forgetting it.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeAlias, TypeVar

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from garbo.common.errors import Reject, StartRefused
from garbo.common.events.base import Event
from garbo.common.events.topics import Topic
from garbo.common.events.wire import decode
from garbo.common.runtime.background import Background
from garbo.common.runtime.bounded import bounded
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.careful_consumer import CarefulConsumer
from garbo.common.runtime.kafka_metrics import PASSED_OVER
from garbo.common.runtime.kafka_refusal import refusal
from garbo.common.runtime.producer import unreachable
from garbo.common.runtime.salvage import Unreadable

POLL_MS: Final = 500
KNOCK_EVERY_S: Final = 1.0
KNOCKS: Final = 5
"""So often a broker is asked for a topic before it is said not to exist: a new one shows a little later."""
STOP_S: Final = 5.0

E = TypeVar("E", bound=Event)
Untyped: TypeAlias = Any
"""aiokafka types few of its methods."""
log = structlog.get_logger()


class FollowedTopic(Generic[E]):
    """A component: after `start` everything the topic held was taken, and `take` is called with what comes.

    A record that cannot be read is counted, said and passed over: there is nobody it could be redriven to.
    """

    def __init__(self, kafka: KafkaSettings, topic: Topic[E], take: Callable[[Sequence[E]], None]) -> None:
        self._kafka, self._topic, self._take = kafka, topic, take
        self._partitions = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
        self._consumer: Untyped = None
        self._following = Background(f"follow {topic.name}", self._follow)
        self._ready = False

    @property
    def ready(self) -> bool:
        """True once all was taken that the topic held when the process started."""
        return self._ready

    async def start(self) -> None:
        """Take all there is, then follow. Raises `StartRefused` where Kafka does not answer in time."""
        try:
            async with asyncio.timeout(self._kafka.start_s):
                await self._knock()
        except TimeoutError:
            told = await refusal(self._kafka)
            raise StartRefused(told.why if told else unreachable(self._kafka)) from None
        self._ready = True
        await self._following.start()

    async def stop(self) -> None:
        """Follow no more; what was taken stays. Bounded; never raises."""
        await self._following.stop()
        await self._close()

    async def wait_failed(self) -> BaseException:
        """Return when nobody follows any more."""
        return await self._following.wait_failed()

    def polled(self, count: int) -> None:
        """Say nothing of a poll that went well."""

    def poll_failed(self, error: Exception) -> None:
        """Say it; the consumer waits longer each time."""
        log.warning("poll failed", topic=self._topic.name, error=type(error).__name__)

    async def _knock(self) -> None:
        missing = 0
        while missing < KNOCKS:
            try:
                if await self._opened():
                    await self._read_to_the_end()
                    return
                missing += 1
            except (KafkaError, OSError) as error:
                log.warning("kafka does not answer yet", topic=self._topic.name, error=type(error).__name__)
            await self._close()
            await asyncio.sleep(KNOCK_EVERY_S)
        raise StartRefused(
            f"topic {self._topic.name} does not exist, or may not be read: type garbo topics apply "
            "(with --acls where Kafka asks who comes)."
        )

    async def _opened(self) -> bool:
        """Connect, and go to the beginning; False where the topic is not there."""
        self._consumer = CarefulConsumer(
            inbox=self, enable_auto_commit=False, auto_offset_reset="earliest", **self._kafka.connection()
        )
        await self._consumer.start()
        await self._consumer._client.set_topics({self._topic.name})  # noqa: SLF001 - there is no other way
        if not self._consumer.partitions_for_topic(self._topic.name):
            return False
        self._consumer.assign(self._partitions)
        await self._consumer.seek_to_beginning(*self._partitions)
        return True

    async def _read_to_the_end(self) -> None:
        ends = await self._consumer.end_offsets(self._partitions)
        while not all([await self._consumer.position(one) >= ends[one] for one in self._partitions]):
            await self._poll()

    async def _follow(self) -> None:
        while True:
            await self._poll()

    async def _poll(self) -> None:
        try:
            polled = await self._consumer.getmany(timeout_ms=POLL_MS)
        except (KafkaError, OSError):
            return  # said, and waited for, by `poll_failed` and the consumer
        events = [event for records in polled.values() for record in records for event in self._read(record)]
        if events:
            self._take(events)

    def _read(self, record: Untyped) -> list[E]:
        """Read a record; nothing where it cannot be."""
        if isinstance(record, Unreadable):
            return self._passed_over(record, f"unreadable:{record.error}")
        try:
            return [decode(self._topic, record.value)]
        except Reject as reject:
            return self._passed_over(record, reject.why)

    def _passed_over(self, record: Untyped, why: str) -> list[E]:
        PASSED_OVER.labels(self._topic.name).inc()
        where = f"{record.partition}/{record.offset}"
        log.error("record passed over", topic=self._topic.name, where=where, why=why)
        return []

    async def _close(self) -> None:
        if self._consumer is not None:
            await bounded(f"close {self._topic.name}", self._consumer.stop(), within_s=STOP_S)
            self._consumer = None
