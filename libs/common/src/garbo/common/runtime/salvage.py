"""Reads a batch record by record, so that one that is broken costs no other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from garbo.common.runtime.batches import Batch

MAX_HEADERS: Final = 1000
"""Of one record. A header of two bytes takes 64 in memory: 16 MiB of them would take half a gigabyte."""
VARINT_BYTES: Final = 10


class TooManyHeaders(ValueError):  # noqa: N818 - dead letters say it as it is
    """A record has more than `MAX_HEADERS`."""


class BrokenOff(ValueError):  # noqa: N818 - as above
    """The records end before the batch says they do, or say lengths that cannot be."""


class WrongOffset(ValueError):  # noqa: N818 - as above
    """A record says that it stands elsewhere: whoever believed it would go there."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record, or a batch, that cannot be made out, as far as it was."""

    topic: str
    partition: int
    offset: int
    """Of several together the last."""
    error: str
    """The name of what was raised."""
    count: int = 1
    """How many offsets it stands for."""
    timestamp: int = -1
    key: bytes | None = None
    value: bytes | None = None
    headers: Sequence[tuple[str, bytes | None]] = ()


@dataclass(slots=True)
class Salvaged:
    """One record as far as it could be read."""

    offset: int
    timestamp: int = -1
    key: bytes | None = None
    value: bytes | None = None
    headers: Sequence[tuple[str, bytes | None]] = ()
    error: str | None = None
    """What is wrong with it; None where nothing is."""
    timestamp_type: int = 0
    checksum: None = None


def salvage(batch: Batch, records: memoryview) -> Iterator[Salvaged]:
    """Give each record of a batch, broken or not. Raises `BrokenOff` where the next one cannot be found."""
    place = 0
    for number in range(batch.count):
        length, begin = _varint(records, place)
        place = begin + length
        if length < 0 or place > len(records):
            raise BrokenOff
        found = Salvaged(batch.base_offset + number)
        try:
            _read(records[begin:place], batch, number, found)
        except ValueError as error:
            found.error = type(error).__name__
        yield found


def is_in_place(batch: Batch, number: int, offset: int) -> bool:
    """Tell whether the record of this number (from 0) of a batch can have this offset."""
    delta = offset - batch.base_offset
    return delta == number if batch.is_whole else number <= delta <= batch.last_delta


def _read(record: memoryview, batch: Batch, number: int, into: Salvaged) -> None:
    since, place = _varint(record, 1)  # the first byte is of no use
    into.timestamp = batch.timestamp(since)
    delta, place = _varint(record, place)
    into.key, place = _bytes(record, place)
    into.value, place = _bytes(record, place)
    if not is_in_place(batch, number, batch.base_offset + delta):
        raise WrongOffset
    into.offset = batch.base_offset + delta
    names = _read_headers(record, place, into)
    for name in names:
        name.decode()  # a name is UTF-8, or the record is none


def _read_headers(record: memoryview, place: int, into: Salvaged) -> list[bytes]:
    """Read the headers, whatever their names are; give the names as they are."""
    count, place = _varint(record, place)
    if count > MAX_HEADERS:
        raise TooManyHeaders
    names: list[bytes] = []
    headers: list[tuple[str, bytes | None]] = []
    for _ in range(count):
        name, place = _bytes(record, place)
        value, place = _bytes(record, place)
        names.append(name or b"")
        headers.append((names[-1].decode("utf-8", "replace"), value))
    if count < 0 or place != len(record):
        raise BrokenOff
    into.headers = headers
    return names


def _bytes(record: memoryview, place: int) -> tuple[bytes | None, int]:
    length, place = _varint(record, place)
    if length < 0:
        return None, place
    if place + length > len(record):
        raise BrokenOff
    return bytes(record[place : place + length]), place + length


def _varint(data: memoryview, place: int) -> tuple[int, int]:
    """Read a number as Kafka writes it: seven bits a byte, the lowest first, its sign in the lowest."""
    raw = 0
    for shift, byte in enumerate(data[place : place + VARINT_BYTES]):
        raw |= (byte & 0x7F) << (7 * shift)
        if not byte & 0x80:
            return (raw >> 1) ^ -(raw & 1), place + shift + 1
    raise BrokenOff
