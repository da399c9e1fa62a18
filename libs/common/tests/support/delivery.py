"""A stand for tests of delivery on a real broker: one service with one topic nobody else has."""

import asyncio
import reprlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.structs import TopicPartition

from garbo.common.events.base import Event
from garbo.common.events.topics import RawTopic, Topic, dead_letters, redrive
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.deliver import Deliveries, DeliveryTimes, Lane
from garbo.common.runtime.drivers import Record
from garbo.common.runtime.producer import Producer
from garbo.common.runtime.raw_producer import Outgoing

ANSWER_S = 20.0
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Noted(Event):
    """The smallest event: a number."""

    number: int

    @property
    def event_id(self) -> str:
        """The number."""
        return str(self.number)

    @property
    def happened_at(self) -> datetime:
        """Always the same noon."""
        return NOON


def noted_topic(name: str, *, partitions: int = 4) -> Topic[Noted]:
    """Describe a topic of such events."""
    return Topic(name, Noted, "none", ("tests",), ("tests",), partitions=partitions)


def note(number: int) -> bytes:
    """Give the bytes of one."""
    return b'{"number": %d}' % number


@dataclass
class Raw:
    """A record as a consumer gives it."""

    offset: int
    value: bytes | None
    topic: str = "garbo.unit.v1"
    partition: int = 0
    timestamp: int = 0
    """Milliseconds since 1970."""
    key: bytes | None = None
    headers: list[tuple[str, bytes | None]] = field(default_factory=list)

    def __repr__(self) -> str:
        """Show little of what is long: hypothesis warns of more than 30,000 characters in an example."""
        shown = (f"{each.name}={reprlib.repr(getattr(self, each.name))}" for each in fields(self))
        return f"Raw({', '.join(shown)})"


class Stand:
    """A topic, its service's raw topics, and what stands in them."""

    def __init__(self, bootstrap_servers: str, *, partitions: int = 4) -> None:
        self.service = f"t{uuid.uuid4().hex[:8]}"
        self.group = f"{self.service}.lane"
        self.topic = noted_topic(f"garbo.{self.service}.noted.v1", partitions=partitions)
        self.dead = dead_letters(self.service)
        self.again = redrive(self.service)
        self.kafka = KafkaSettings(bootstrap_servers, session_s=6.0)
        self.producer = Producer(kafka=self.kafka, service=self.service)

    async def start(self) -> None:
        """Create the topics and a producer."""
        await create_topics(self.kafka, [self.topic, self.dead, self.again])
        await self.producer.start()

    async def stop(self) -> None:
        """Close the producer."""
        await self.producer.stop()

    async def write(self, *values: bytes, headers: tuple[tuple[str, bytes], ...] = ()) -> None:
        """Write records without a key, so that they spread over the partitions."""
        await self.producer.publish([Outgoing(self.topic.name, None, value, headers) for value in values])

    async def write_to(
        self,
        partition: int,
        *values: bytes,
        headers: Sequence[tuple[str, bytes]] = (),
        compressed: str | None = None,
    ) -> None:
        """Write records to one partition, as somebody else's producer does."""
        writer: Any = AIOKafkaProducer(
            **self.kafka.connection(), compression_type=compressed, max_request_size=2**30
        )
        async with asyncio.timeout(ANSWER_S):
            await writer.start()
            try:
                for value in values:
                    await writer.send_and_wait(
                        self.topic.name, value, partition=partition, headers=[*headers]
                    )
            finally:
                await writer.stop()

    @asynccontextmanager
    async def delivering(
        self, *lanes: Lane[Noted], times: DeliveryTimes | None = None
    ) -> AsyncIterator[Deliveries]:
        """Deliver these lanes while the block runs."""
        deliveries = Deliveries(
            kafka=self.kafka, service=self.service, producer=self.producer, lanes=lanes, times=times
        )
        try:
            await deliveries.start()
            yield deliveries
        finally:
            await deliveries.stop()

    def lane(self, handle: Callable[..., Awaitable[None]], *, max_records: int = 500) -> Lane[Noted]:
        """Make a lane over the topic."""
        return Lane(self.group, (self.topic,), handle, max_records=max_records)

    async def read(self, topic: str) -> list[Record]:
        """Read all records that stand in a topic now."""
        async with self._reader() as reader:
            await reader._client._wait_on_metadata(topic)
            partitions = [TopicPartition(topic, p) for p in sorted(reader.partitions_for_topic(topic))]
            reader.assign(partitions)
            ends = await reader.end_offsets(partitions)
            await reader.seek_to_beginning(*partitions)
            found: list[Record] = []
            while len(found) < sum(ends.values()):
                for records in (await reader.getmany(timeout_ms=200)).values():
                    found.extend(records)
            return found

    async def committed(self) -> dict[int, int]:
        """Give the lane's committed offset of each partition; partitions without one are absent."""
        admin: Any = AIOKafkaAdminClient(**self.kafka.connection())
        async with asyncio.timeout(ANSWER_S):
            await admin.start()
            try:
                offsets = await admin.list_consumer_group_offsets(self.group)
            finally:
                await admin.close()
        return {
            tp.partition: meta.offset
            for tp, meta in offsets.items()
            if tp.topic == self.topic.name and meta.offset >= 0
        }

    async def all_committed(self, count: int) -> bool:
        """Tell whether the first `count` records of the topic are all committed."""
        return sum((await self.committed()).values()) == count

    @asynccontextmanager
    async def _reader(self) -> AsyncIterator[Any]:
        reader: Any = AIOKafkaConsumer(**self.kafka.connection(), auto_offset_reset="earliest")
        async with asyncio.timeout(ANSWER_S):
            await reader.start()
            try:
                yield reader
            finally:
                await reader.stop()


async def create_topics(kafka: KafkaSettings, topics: Sequence[Topic[Any] | RawTopic]) -> None:
    """Create topics as they are described."""
    admin: Any = AIOKafkaAdminClient(**kafka.connection())
    async with asyncio.timeout(ANSWER_S):
        await admin.start()
        try:
            await admin.create_topics([NewTopic(t.name, t.partitions, 1) for t in topics])
        finally:
            await admin.close()
