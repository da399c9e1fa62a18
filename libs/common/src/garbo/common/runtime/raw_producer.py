"""The typed door to aiokafka's producer."""

import asyncio
from collections.abc import Awaitable, Collection, Sequence
from dataclasses import dataclass
from typing import Final, cast

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from garbo.common.events.topics import MAX_MESSAGE_BYTES
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.connections import expect_closed_transports

MAX_REQUEST_BYTES: Final = MAX_MESSAGE_BYTES + 128 * 1024
"""A dead letter is its record and the headers that say why."""
BATCH_BYTES: Final = 256 * 1024
LINGER_MS: Final = 5
TOGETHER: Final = 8
"""So many records at once are put into batches here; fewer share those of whoever publishes meanwhile."""
SMALL_BYTES: Final = BATCH_BYTES // 4
"""A larger record goes by itself: aiokafka looks at its size."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record to publish."""

    topic: str
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


def encoded_bytes(record: Outgoing) -> int:
    """Give the size of a record as a broker sees it, alone in its batch: never less than it will be."""
    headers = cast("list[tuple[str, bytes | None]]", list(record.headers))
    return DefaultRecordBatchBuilder.estimate_size_in_bytes(record.key, record.value, headers)


class RawProducer:
    """One aiokafka producer: idempotent, acks=all. Used until it errs, then thrown away."""

    def __init__(self, kafka: KafkaSettings, *, client_id: str) -> None:
        expect_closed_transports()
        self._partition_of = DefaultPartitioner()
        self._producer = AIOKafkaProducer(
            **kafka.connection(),
            client_id=client_id,
            partitioner=self._partition_of,
            acks="all",
            enable_idempotence=True,
            linger_ms=LINGER_MS,
            max_batch_size=BATCH_BYTES,
            max_request_size=MAX_REQUEST_BYTES,
        )

    async def start(self) -> None:
        """Connect and fetch a producer id; raises what aiokafka raises."""
        await self._producer.start()

    async def send(self, records: Sequence[Outgoing]) -> list[Awaitable[object]]:
        """Queue records, those of one key in order; all are written when all answers have resolved."""
        (answers,) = await self.send_groups([records])
        return [*answers]

    async def send_groups(
        self, groups: Sequence[Sequence[Outgoing]]
    ) -> list[Collection[asyncio.Future[object]]]:
        """Queue the records of several callers together; of each, the answers that are its own to wait for.

        Callers share answers: wait for one, and cancel none.
        """
        records = [record for group in groups for record in group]
        if len(records) < TOGETHER or any(map(_is_large, records)):
            return [[await self._send_one(record) for record in group] for group in groups]
        return await self._send_together(groups)

    async def _send_one(self, record: Outgoing) -> asyncio.Future[object]:
        future = await self._producer.send(
            record.topic, record.value, record.key, headers=list(record.headers)
        )
        return cast("asyncio.Future[object]", future)

    async def _send_together(
        self, groups: Sequence[Sequence[Outgoing]]
    ) -> list[Collection[asyncio.Future[object]]]:
        """Fill a batch for each partition: an answer for each record would cost as much again."""
        topics = {record.topic for group in groups for record in group}
        partitions = {topic: sorted(await self._producer.partitions_for(topic)) for topic in topics}
        answers: list[set[asyncio.Future[object]]] = [set() for _ in groups]
        filling: dict[tuple[str, int], tuple[BatchBuilder, set[int]]] = {}

        async def queue(where: tuple[str, int]) -> None:
            batch, of_groups = filling.pop(where)
            answer = await self._queue(batch, *where)
            for place in of_groups:
                answers[place].add(answer)

        for place, group in enumerate(groups):
            for record in group:
                known = partitions[record.topic]
                where = record.topic, self._partition_of(record.key, known, known)
                if where in filling and _append(filling[where][0], record):
                    filling[where][1].add(place)
                    continue
                if where in filling:
                    await queue(where)
                filling[where] = self._producer.create_batch(), {place}
                _append(filling[where][0], record)
        for where in list(filling):
            await queue(where)
        return [*answers]

    async def _queue(self, batch: BatchBuilder, topic: str, partition: int) -> asyncio.Future[object]:
        batch.close()  # nothing more comes: it need not linger
        future = await self._producer.send_batch(batch, topic, partition=partition)
        return cast("asyncio.Future[object]", future)

    @property
    def alive(self) -> bool:
        """False when its sender task has died: every later send would wait for ever (aiokafka#1039)."""
        task = self._producer._sender.sender_task  # noqa: SLF001 - there is no public sign of it
        return task is not None and not task.done()

    async def ask(self) -> None:
        """Ask a broker something small; raises what aiokafka raises and may hang: call it under `bounded`."""
        await self._producer.client.fetch_all_metadata()

    async def stop(self) -> None:
        """Flush and close; hangs while the broker is gone (aiokafka#1101): call it under `bounded`."""
        await self._producer.stop()

    async def kill(self) -> None:
        """Close without flushing, after a `start` that failed or a `stop` that hung."""
        self._producer._closed = True  # noqa: SLF001 - or it warns that nobody closed it
        await self._producer._sender.close()  # noqa: SLF001 - `stop` cannot be told not to flush
        await self._producer.client.close()


def _is_large(record: Outgoing) -> bool:
    return len(record.value) + sum(len(value) for _, value in record.headers) > SMALL_BYTES


def _append(batch: BatchBuilder, record: Outgoing) -> bool:
    """Put a record into a batch; False when it is full."""
    fitted = batch.append(timestamp=None, key=record.key, value=record.value, headers=list(record.headers))
    return fitted is not None
