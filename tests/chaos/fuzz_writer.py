"""Writes arbitrary records and broken batches into every topic that anybody reads."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from garbo.common.events.topics import SERVICES, TOPICS, redrive
from tests.chaos.arbitrary import Arbitrary, arbitrary
from tests.chaos.broken_batches import broken_batches, write_raw

WHERE: Final[dict[str, int]] = {t.name: t.partitions for t in TOPICS} | {
    t.name: t.partitions for t in map(redrive, SERVICES)
}
CODECS: Final = (None, "gzip", "snappy", "lz4", "zstd")
AT_ONCE: Final = 200
EACH_BATCH: Final = 2_000
"""After so many records one of each broken batch."""


def write_arbitrary(kafka: str, count: int, seed: int) -> tuple[int, int]:
    """Write so many records and batches; tell how many the broker took, and how many it refused."""
    writer = Writer(kafka, Random(seed))
    asyncio.run(writer.write(count))
    return writer.written, writer.refused


@dataclass
class Writer:
    """Writes arbitrary records, and counts what the broker takes."""

    kafka: str
    dice: Random
    written: int = 0
    refused: int = 0

    async def write(self, count: int) -> None:
        """Write so many records, in every codec in turn, and broken batches among them."""
        producers = [self._producer(codec) for codec in CODECS]
        for producer in producers:
            await producer.start()
        try:
            for number in range(0, count, AT_ONCE):
                some = min(AT_ONCE, count - number)
                await self._some(producers[number // AT_ONCE % len(CODECS)], some)
                if number % EACH_BATCH == 0:
                    await self._broken(producers[0])
        finally:
            for producer in producers:
                await producer.stop()

    async def _some(self, producer: AIOKafkaProducer, count: int) -> None:
        acknowledgements = []
        for _ in range(count):
            topic = self.dice.choice(list(WHERE))
            record = arbitrary(self.dice, topic)
            with suppress(KafkaError):  # too large for the topic
                acknowledgements.append(await _send(producer, topic, record))
        ends = await asyncio.gather(*acknowledgements, return_exceptions=True)
        lost = sum(isinstance(end, BaseException) for end in ends) + count - len(ends)
        self.written, self.refused = self.written + count - lost, self.refused + lost

    async def _broken(self, producer: AIOKafkaProducer) -> None:
        for batch in broken_batches(self.dice):
            topic = self.dice.choice(list(WHERE))
            taken = await write_raw(producer, topic, self.dice.randrange(WHERE[topic]), batch)
            self.written, self.refused = self.written + taken, self.refused + (not taken)

    def _producer(self, codec: str | None) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            bootstrap_servers=self.kafka, compression_type=codec, linger_ms=5, max_request_size=2**30
        )


async def _send(producer: AIOKafkaProducer, topic: str, record: Arbitrary) -> Any:  # noqa: ANN401 - a future
    key = b"" if record.key is None and record.value is None else record.key  # aiokafka wants one of them
    return await producer.send(
        topic, record.value, key, headers=list(record.headers), timestamp_ms=record.timestamp_ms
    )
