"""Batches as no careful producer writes them, written to a real broker."""

import asyncio
import struct
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.record.util import calc_crc32c

from garbo.common.runtime.broker import KafkaSettings

CRC_AT, ATTRIBUTES_AT = 17, 21
PLACEHOLDER = "not-utf-8"


async def write_batch(
    kafka: KafkaSettings,
    topic: str,
    partition: int,
    records: Sequence[tuple[bytes, bool]],
    *,
    compressed: str | None = None,
) -> None:
    """Write records as one batch; of each, whether the name of its header is not UTF-8."""
    writer: Any = AIOKafkaProducer(
        **kafka.connection(), compression_type=compressed, max_batch_size=2**24, max_request_size=2**30
    )
    async with asyncio.timeout(20):
        await writer.start()
        try:
            batch = writer.create_batch()
            for value, bad in records:
                name = PLACEHOLDER if bad else "fine"
                batch.append(timestamp=None, key=None, value=value, headers=[(name, b"x")])
            built = bytearray(batch._build()).replace(PLACEHOLDER.encode(), b"\xff" * len(PLACEHOLDER))
            struct.pack_into(">I", built, CRC_AT, calc_crc32c(bytes(built[ATTRIBUTES_AT:])))
            batch._buffer = built
            await (await writer.send_batch(batch, topic, partition=partition))
        finally:
            await writer.stop()
