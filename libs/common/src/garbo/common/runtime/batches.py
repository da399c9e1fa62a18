"""The batches of one fetch: their bytes, and what their headers claim."""

import struct
from dataclasses import dataclass
from typing import Final, Self

from aiokafka.record.default_records import DefaultRecordBatch

from garbo.common.runtime.unpacking import unpack

HEADER: Final = struct.Struct(">qiibIhiqqqhii")
"""Offset, length, epoch, magic, checksum, attributes, last offset delta, first and largest timestamp,
producer, its epoch, sequence, count. Source: Kafka's documentation, record batch."""
LENGTH: Final = struct.Struct(">i")
LENGTH_AT: Final = 8
ATTRIBUTES: Final = struct.Struct(">h")
ATTRIBUTES_AT: Final = 21
MAGIC: Final = 2
CODEC_BITS, APPEND_TIME_BIT, CONTROL_BIT = 0x07, 0x08, 0x20


class OldFormat(ValueError):  # noqa: N818 - dead letters say it as it is
    """A message of Kafka before 0.11: today's brokers take none."""


class WrongChecksum(ValueError):  # noqa: N818 - as above
    """What was written is not what is read: a disk, or a broker, is broken."""


class Frames:
    """Cuts a fetch into batches; stands in for aiokafka's `MemoryRecords`, and never raises.

    Brokers break the last batch off where it does not fit: that one is not here.
    """

    def __init__(self, fetched: bytes | None) -> None:
        self._fetched = memoryview(fetched or b"")
        self._place = 0

    def size_in_bytes(self) -> int:
        """Give the size of the fetch."""
        return len(self._fetched)

    def has_next(self) -> bool:
        """Tell whether there is another whole batch."""
        return self._place < self._end() <= len(self._fetched)

    def next_batch(self) -> memoryview:
        """Give the next batch as it is."""
        begin, self._place = self._place, self._end()
        return self._fetched[begin : self._place]

    def _end(self) -> int:
        """Give where the next batch ends; a length that is nonsense takes all that is left."""
        left = len(self._fetched) - self._place
        if left < LENGTH_AT + LENGTH.size:
            return self._place
        (length,) = LENGTH.unpack_from(self._fetched, self._place + LENGTH_AT)
        return self._place + (LENGTH_AT + LENGTH.size + length if length >= 0 else left)


@dataclass(frozen=True, slots=True)
class Batch:
    """What the header of a batch says."""

    frame: memoryview
    base_offset: int
    attributes: int
    last_delta: int
    first_timestamp: int
    max_timestamp: int
    count: int

    @classmethod
    def of(cls, frame: memoryview) -> Self:
        """Read the header. Raises `OldFormat`, and `struct.error` for what is no batch."""
        base, _, _, magic, _, attributes, last, first_at, max_at, _, _, _, count = HEADER.unpack_from(frame)
        if magic != MAGIC:
            raise OldFormat(str(magic))
        return cls(frame, base, attributes, last, first_at, max_at, count)

    @property
    def is_control(self) -> bool:
        """Whether it is the end of a transaction, which the broker wrote."""
        return bool(self.attributes & CONTROL_BIT)

    @property
    def next_offset(self) -> int:
        """The offset after it. Compaction may leave fewer records than offsets."""
        return self.base_offset + self.last_delta + 1

    @property
    def is_whole(self) -> bool:
        """Whether each of its offsets has a record, as a producer writes it."""
        return 0 < self.count == self.last_delta + 1

    def timestamp(self, delta: int) -> int:
        """Give a record's time in milliseconds since 1970."""
        return self.max_timestamp if self.attributes & APPEND_TIME_BIT else self.first_timestamp + delta

    def records(self) -> memoryview:
        """Give the bytes of its records, unpacked. Raises `WrongChecksum`, and what `unpack` raises."""
        if not DefaultRecordBatch(self.frame).validate_crc():
            raise WrongChecksum
        records = self.frame[HEADER.size :]
        return memoryview(unpack(self._codec, records)) if self._codec else records

    def framed(self, records: memoryview) -> memoryview:
        """Give the same batch without compression; its checksum is then wrong."""
        if not self._codec:
            return self.frame
        header = bytearray(self.frame[: HEADER.size])
        ATTRIBUTES.pack_into(header, ATTRIBUTES_AT, self.attributes & ~CODEC_BITS)
        return memoryview(bytes(header) + records)

    @property
    def _codec(self) -> int:
        return self.attributes & CODEC_BITS
