"""Kafka as a command reaches it: answers, or one line that says what to do."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any, Final, TypeAlias

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)
from aiokafka.structs import TopicPartition

from garbo.common.errors import StartRefused
from garbo.common.runtime.bounded import bounded
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.careful_consumer import CarefulConsumer
from garbo.common.runtime.kafka_refusal import refusal
from garbo.common.runtime.producer import Producer

STOP_S: Final = 5.0
NOT_ALLOWED: Final = (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
)
START_IT: Final = "start it, or correct GARBO_KAFKA_BOOTSTRAP_SERVERS"

Untyped: TypeAlias = Any
"""aiokafka types few of its methods."""


class _Quiet:
    def polled(self, count: int) -> None:
        """Say nothing: nobody asks."""

    def poll_failed(self, error: Exception) -> None:
        """Say nothing: it is raised as well."""


@asynccontextmanager
async def consumer_of(kafka: KafkaSettings, *, group: str | None = None) -> AsyncIterator[Untyped]:
    """Open a consumer that commits nothing by itself. Raises `StartRefused` when Kafka does not answer."""
    consumer: Untyped = CarefulConsumer(
        inbox=_Quiet(),
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        **kafka.connection(),
    )
    try:
        async with _answering(kafka):
            await consumer.start()
            yield consumer
    finally:
        await bounded("consumer", consumer.stop(), within_s=STOP_S)


@asynccontextmanager
async def producer_of(kafka: KafkaSettings) -> AsyncIterator[Producer]:
    """Open a producer; raises `StartRefused` when Kafka does not answer. What it publishes may raise."""
    producer = Producer(kafka=kafka, service="cli")
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def ends_of(consumer: Untyped, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
    """Ask where partitions end. aiokafka by itself would learn of their topics one after the other."""
    await consumer._client.set_topics({tp.topic for tp in partitions})  # noqa: SLF001 - there is no other way
    ends: dict[TopicPartition, int] = await consumer.end_offsets(list(partitions))
    return ends


@asynccontextmanager
async def admin_of(kafka: KafkaSettings) -> AsyncIterator[Untyped]:
    """Open an admin client; raises as `consumer_of`."""
    admin = AIOKafkaAdminClient(**kafka.connection())
    try:
        async with _answering(kafka):
            await admin.start()
            yield admin
    finally:
        await bounded("admin", admin.close(), within_s=STOP_S)


@asynccontextmanager
async def _answering(kafka: KafkaSettings) -> AsyncIterator[None]:
    try:
        yield
    except (KafkaError, TimeoutError, OSError) as error:
        raise await not_answering(kafka, error) from None


async def not_answering(kafka: KafkaSettings, error: BaseException, *, mend: str = START_IT) -> StartRefused:
    """Find out why, asking once more, and say it in one line."""
    why = type(error).__name__
    if isinstance(error, NOT_ALLOWED):
        who = kafka.security.username or "this client"
        return StartRefused(
            f"Kafka at {kafka.bootstrap_servers} does not allow this to {who} ({why}): see the rights in "
            "docs/runbook.md, Kafka: topics and rights"
        )
    if told := await refusal(kafka):
        return StartRefused(told.why)
    return StartRefused(f"Kafka at {kafka.bootstrap_servers} does not answer ({why}): {mend}")
