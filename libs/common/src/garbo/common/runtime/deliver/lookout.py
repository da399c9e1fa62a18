"""Looks past what is held back for a record that is good: it proves that we can read the topic (ADR 0017)."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias

from aiokafka.structs import TopicPartition

from garbo.common.priority import yielding
from garbo.common.runtime.deliver.decoder import BatchItem, Decoded, Decoder, Refused
from garbo.common.runtime.deliver.refusals import Refusals
from garbo.common.runtime.drivers import Record

PARTITIONS_AT_ONCE: Final = 3
"""The other partitions of the lane wait meanwhile."""

ReadAhead: TypeAlias = Callable[[TopicPartition, int], Awaitable[Sequence[Record]]]
"""Gives some records from an offset on, and takes none."""


class Lookout:
    """Remembers how far it has looked in each partition, so that each look goes further."""

    def __init__(self, decoder: Decoder, refusals: Refusals) -> None:
        self._decoder = decoder
        self._refusals = refusals
        self._seen: dict[TopicPartition, int] = {}

    async def finds_good(self, held: Sequence[BatchItem], read: ReadAhead) -> bool:
        """Tell whether a good record stands behind these; then their topic counts as proven.

        What was refused only in handling proves nothing: of what lies behind it only the decoding is tried.
        """
        behind = {
            TopicPartition(item.record.topic, item.record.partition): item.record.offset + 1
            for item in held
            if not (isinstance(item, Refused) and item.where == "handling")
        }
        starts = sorted((max(self._seen.get(tp, 0), offset), tp) for tp, offset in behind.items())
        for start, tp in starts[:PARTITIONS_AT_ONCE]:
            records = await read(tp, start)
            if records:
                self._seen[tp] = records[-1].offset + 1
            items = [self._decoder.decode(record) async for record in yielding(records)]
            if any(isinstance(item, Decoded) for item in items):
                self._refusals.prove(tp.topic)
                return True
        return False
