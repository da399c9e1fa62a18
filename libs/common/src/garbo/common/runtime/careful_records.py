"""What stands between a fetch and its records: nothing in it raises, and little of it is held at once."""

import struct
from collections.abc import Iterator
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, Final, TypeAlias

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatch

from garbo.common.runtime.batches import Batch, Frames, WrongChecksum
from garbo.common.runtime.salvage import Salvaged, Unreadable, WrongOffset, is_in_place, salvage

POLL_BYTES: Final = 4 * 1024 * 1024
"""What one poll hands over, up to one record more: a thousand small batches unpacked may be a gigabyte."""
LARGE_BYTES: Final = 512 * 1024
"""A batch that is larger is read with care from the beginning."""
HEADER_BYTES: Final = 64
"""What a header of a record takes beside its bytes."""

Untyped: TypeAlias = Any
"""aiokafka's own, which has no types."""
_fetcher: Untyped = fetcher


class Room:
    """How much the poll in hand may still take."""

    def __init__(self, left_bytes: int) -> None:
        self.left_bytes = left_bytes


ROOM: Final[ContextVar[Room | None]] = ContextVar("room of a poll", default=None)


class CarefulRecords(_fetcher.PartitionRecords):  # type: ignore[misc] # aiokafka's has no types
    """The records of one partition's fetch; what cannot be made out is an `Unreadable` among them.

    aiokafka raises out of a poll for one record (a name of a header that is not UTF-8, a checksum, a codec),
    and then for ever again.
    """

    next_fetch_offset: int

    def _unpack_records(self) -> Iterator[Untyped]:
        while self._records.has_next():
            try:
                batch = Batch.of(self._records.next_batch())
            except (ValueError, struct.error) as error:
                yield from self._lost(error, self.next_fetch_offset, self.next_fetch_offset + 1)
            else:
                yield from self._records_of(batch)

    def _records_of(self, batch: Batch) -> Iterator[Untyped]:
        try:
            records = batch.records()
        except WrongChecksum as error:  # then its header may be wrong as well
            end = batch.next_offset if batch.is_whole else self.next_fetch_offset + 1
            yield from self._lost(error, self.next_fetch_offset, max(end, self.next_fetch_offset + 1))
            return
        except ValueError as error:
            yield from self._lost(error, batch.base_offset, batch.next_offset)
            return
        if not batch.is_control:
            yield from self._read(batch, records)
        self.next_fetch_offset = max(self.next_fetch_offset, batch.next_offset)

    def _read(self, batch: Batch, records: memoryview) -> Iterator[Untyped]:
        """Read as aiokafka does, in C; where that fails, and of a large batch, each record by itself."""
        if len(records) <= LARGE_BYTES:
            with suppress(Exception):  # what it is, is found out below
                for number, record in enumerate(DefaultRecordBatch(batch.framed(records))):
                    if not is_in_place(batch, number, record.offset):
                        raise WrongOffset
                    if self._is_next(record.offset):
                        yield self._consumer_record(self._tp, record)
                return
        try:
            for found in salvage(batch, records):
                if self._is_next(found.offset):
                    yield self._made_of(found)
        except ValueError as error:
            yield from self._lost(error, self.next_fetch_offset, batch.next_offset)

    def _is_next(self, offset: int) -> bool:
        """Tell whether a record was not read before, and take it as read."""
        if offset < self.next_fetch_offset:
            return False
        self.next_fetch_offset = offset + 1
        return True

    def _made_of(self, found: Salvaged) -> Untyped:
        if found.error is None:
            return self._consumer_record(self._tp, found)
        return Unreadable(
            self._tp.topic,
            self._tp.partition,
            found.offset,
            found.error,
            timestamp=found.timestamp,
            key=found.key,
            value=found.value,
            headers=found.headers,
        )

    def _lost(self, error: Exception, first: int, end: int) -> Iterator[Unreadable]:
        """Give one for all offsets up to `end` of which some were not read."""
        if self._is_next(end - 1):
            yield Unreadable(
                self._tp.topic, self._tp.partition, end - 1, type(error).__name__, count=end - first
            )


class BoundedFetch(_fetcher.FetchResult):  # type: ignore[misc] # as above
    """One partition's fetch, handed over in portions: up to the room that the poll in hand has left."""

    _partition_records: CarefulRecords | None

    def getall(self, max_records: int | None = None) -> list[Untyped]:
        """Give records, none where there is no room."""
        room = ROOM.get() or Room(POLL_BYTES)
        if room.left_bytes <= 0 or not self.check_assignment(self._topic_partition) or not self.has_more():
            return []
        taken: list[Untyped] = []
        for record in self._partition_records or ():
            taken.append(record)
            room.left_bytes -= _size_bytes(record)
            if room.left_bytes <= 0 or len(taken) == max_records:
                self._update_position()
                return taken
        self._update_position()
        self._partition_records = None
        return taken


def _size_bytes(record: Untyped) -> int:
    headers = sum(len(name) + len(value or b"") + HEADER_BYTES for name, value in record.headers)
    return len(record.key or b"") + len(record.value or b"") + headers


def read_carefully() -> None:
    """Let every consumer of this process read so. aiokafka has no setting for it."""
    _fetcher.MemoryRecords = Frames
    _fetcher.PartitionRecords = CarefulRecords
    _fetcher.FetchResult = BoundedFetch
