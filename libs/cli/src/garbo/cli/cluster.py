"""Kafka as a command reaches it: answers, or one line that says what to do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, TypeAlias

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from garbo.common.errors import StartRefused
from garbo.common.runtime.bounded import bounded
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.careful_consumer import CarefulConsumer

STOP_S: Final = 5.0

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
        why = f"Kafka at {kafka.bootstrap_servers} does not answer ({type(error).__name__})"
        raise StartRefused(f"{why}: start it, or correct GARBO_KAFKA_BOOTSTRAP_SERVERS") from None
