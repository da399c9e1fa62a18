"""What is inside a compressed batch, in bounded memory: a broker measures the packed size alone."""

import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final

try:
    import cramjam as _cramjam
except ImportError:
    cramjam: Any = None  # a machine for which there is no build of it
else:
    cramjam = _cramjam

MAX_UNPACKED_BYTES: Final = 16 * 1024 * 1024
"""A batch that is larger once unpacked is not read: 4 MiB of gzip can hold 4 GiB of blanks. A producer packs
a batch of 1 MiB to a tenth at best, so an honest one stays below."""
GZIP_PARTS: Final = 64
"""Each further part costs a copy of the rest, so 50,000 empty ones would cost minutes."""
SNAPPY_STREAM: Final = b"\x82SNAPPY\x00"
"""How Java's producers begin; the version and the oldest reader follow, 4 bytes each.
Source: xerial snappy-java, SnappyCodec."""
SNAPPY_HEADER_BYTES: Final = 16
BLOCK_LENGTH: Final = struct.Struct(">i")


class TooLargeUnpacked(ValueError):  # noqa: N818 - dead letters say it as it is
    """A batch is larger than `MAX_UNPACKED_BYTES`, or in more parts than is sane."""


class NotUnpackable(ValueError):  # noqa: N818 - as above
    """What is packed is broken."""


class UnknownCompression(ValueError):  # noqa: N818 - as above
    """Nobody knows this codec, or its library is not installed."""


def unpack(codec: int, packed: bytes | memoryview) -> bytes | memoryview:
    """Unpack the records of a batch by Kafka's number of the codec.

    Raises `TooLargeUnpacked`, `NotUnpackable` or `UnknownCompression`, and has never held more than
    `MAX_UNPACKED_BYTES` of what comes out.
    """
    known = _CODECS.get(codec)
    if known is None or (cramjam is None and known is not _unpack_gzip):
        raise UnknownCompression(str(codec))
    return known(bytes(packed))


def _unpack_gzip(packed: bytes) -> bytes:
    parts: list[bytes] = []
    rest, room = packed, MAX_UNPACKED_BYTES
    while rest:
        if len(parts) >= GZIP_PARTS:
            raise TooLargeUnpacked("too many parts")
        part = zlib.decompressobj(wbits=31)
        try:
            parts.append(part.decompress(rest, room + 1))
        except zlib.error as error:
            raise NotUnpackable("gzip") from error
        room -= len(parts[-1])
        if room < 0:
            raise TooLargeUnpacked("gzip")
        if not part.eof:
            raise NotUnpackable("gzip is broken off")
        rest = part.unused_data
    return b"".join(parts)


def _unpack_snappy(packed: bytes) -> bytes:
    if not packed.startswith(SNAPPY_STREAM):
        return _snappy_block(packed, MAX_UNPACKED_BYTES)
    parts: list[bytes] = []
    place, room = SNAPPY_HEADER_BYTES, MAX_UNPACKED_BYTES
    while place < len(packed):
        if place + BLOCK_LENGTH.size > len(packed):
            raise NotUnpackable("snappy is broken off")
        (length,) = BLOCK_LENGTH.unpack_from(packed, place)
        place += BLOCK_LENGTH.size
        if not 0 < length <= len(packed) - place:
            raise NotUnpackable("snappy has a block of no such length")
        parts.append(_snappy_block(packed[place : place + length], room))
        place, room = place + length, room - len(parts[-1])
    return b"".join(parts)


def _snappy_block(packed: bytes, room: int) -> bytes:
    """Unpack one block, which says beforehand how large it will be."""
    try:
        if cramjam.snappy.decompress_raw_len(packed) > room:
            raise TooLargeUnpacked("snappy")
        return bytes(cramjam.snappy.decompress_raw(packed))
    except cramjam.DecompressionError as error:
        raise NotUnpackable("snappy") from error


def _unpack_lz4(packed: bytes) -> memoryview:
    return _into_bounded(cramjam.lz4.decompress_into, packed)


def _unpack_zstd(packed: bytes) -> memoryview:
    return _into_bounded(cramjam.zstd.decompress_into, packed)


def _into_bounded(decompress_into: Callable[[bytes, bytearray], int], packed: bytes) -> memoryview:
    """Unpack into a room of the largest size: the system gives pages of it as they are filled."""
    room = bytearray(MAX_UNPACKED_BYTES)
    try:
        length = decompress_into(packed, room)
    except cramjam.DecompressionError as error:
        if "whole buffer" in str(error):
            raise TooLargeUnpacked("no room for all of it") from error
        raise NotUnpackable("broken") from error
    return memoryview(room)[:length]


_CODECS: Final[Mapping[int, Callable[[bytes], bytes | memoryview]]] = {
    1: _unpack_gzip,
    2: _unpack_snappy,
    3: _unpack_lz4,
    4: _unpack_zstd,
}
"""Source: Kafka, record batch attributes, bits 0 to 2."""
