"""Record batches built by hand: with a right checksum, whatever is in them."""

import struct
from collections.abc import Callable, Sequence
from typing import Any

from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

from garbo.common.runtime.batches import HEADER
from libs.common.tests.support.raw_batches import ATTRIBUTES_AT, CRC_AT

CODECS = {None: 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
Headers = Sequence[tuple[str, bytes | None]]


def built(
    values: Sequence[bytes | None],
    *,
    codec: str | None = None,
    headers: Headers = (),
    key: bytes | None = b"k",
) -> bytearray:
    """Build a batch as a producer does."""
    builder: Any = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=CODECS[codec],
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=2**30,
    )
    for number, value in enumerate(values):
        builder.append(number, 1_700_000_000_000 + number, key, value, list(headers))
    return bytearray(builder.build())


def packed(plain: bytearray, codec: int, pack: Callable[[bytes], bytes]) -> bytearray:
    """Pack what a batch holds, whatever that is."""
    batch = plain[: HEADER.size] + pack(bytes(plain[HEADER.size :]))
    struct.pack_into(">h", batch, ATTRIBUTES_AT, codec)
    struct.pack_into(">i", batch, 8, len(batch) - 12)
    return checked(batch)


def at_offset(batch: bytearray, offset: int) -> bytearray:
    """Let a batch begin at an offset; the checksum is not over that."""
    struct.pack_into(">q", batch, 0, offset)
    return batch


def checked(batch: bytearray) -> bytearray:
    """Give a batch the checksum that its bytes have now."""
    struct.pack_into(">I", batch, CRC_AT, calc_crc32c(bytes(batch[ATTRIBUTES_AT:])))
    return batch
