"""A consumer that passes over what aiokafka cannot read, and says what that was."""

import asyncio
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import (
    ConsumerStoppedError,
    CorruptRecordException,
    KafkaError,
    UnsupportedCodecError,
)
from aiokafka.record._crecords import default_records, legacy_records
from aiokafka.structs import TopicPartition

MAX_UNPACKED_BYTES: Final = 16 * 1024 * 1024
"""A batch that is larger once unpacked is not read: 4 MiB of gzip can hold 4 GiB of blanks."""
FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 30.0
MAX_RECORDS: Final = 500


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that aiokafka cannot make out. Known is where it stands; for the rest, an empty record."""

    topic: str
    partition: int
    offset: int
    error: str
    """The name of what was raised."""
    timestamp: int = -1
    key: bytes | None = None
    value: bytes | None = None
    headers: Sequence[tuple[str, bytes | None]] = ()


class PollObserver(Protocol):
    """Who is told of polls: FastStream itself tells nobody of empty or failed ones."""

    def polled(self, count: int) -> None:
        """Note that a poll returned `count` records, which are handed over next."""
        ...

    def poll_failed(self, error: Exception) -> None:
        """Note that a poll raised."""
        ...


class CarefulConsumer(AIOKafkaConsumer):
    """Polls, and loses nothing when a poll fails.

    aiokafka raises out of a poll for one record it cannot make out (a name of a header that is not UTF-8, a
    checksum, an unknown compression), then for ever again; what that poll had read of other partitions is
    passed over. Here a failed poll is taken back. Then each partition is read for itself, record by record,
    until the one at fault is alone: it is handed over as `Unreadable`, and its offset stepped over.
    """

    def __init__(self, *topics: str, inbox: PollObserver, **arguments: Any) -> None:  # noqa: ANN401 - aiokafka's own
        super().__init__(*topics, **arguments)  # type: ignore[no-untyped-call] # aiokafka types few things
        bound_unpacking()
        self._inbox = inbox
        self._doubted: set[TopicPartition] = set()
        """Partitions that are read record by record."""
        self._wait_s = FIRST_WAIT_S

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[Any]]:
        """Poll, and say so. Raises what is no record's fault, after a wait that grows with each failure."""
        before = self._positions()
        try:
            if self._doubted:
                polled = await self._read_carefully(max_records or MAX_RECORDS)
                if not polled:
                    await asyncio.sleep(timeout_ms / 1000)  # what was dropped is being fetched again
            else:
                polled = await self._poll(*partitions, timeout_ms=timeout_ms, max_records=max_records)
        except ConsumerStoppedError:
            raise
        except Exception as error:
            self._take_back(before)
            if _is_of_a_record(error):
                polled = {}
            else:
                self._inbox.poll_failed(error)
                await asyncio.sleep(self._wait_s)
                self._wait_s = min(self._wait_s * 2, LONGEST_WAIT_S)
                raise
        self._wait_s = FIRST_WAIT_S
        self._inbox.polled(sum(len(records) for records in polled.values()))
        return polled

    async def _poll(
        self, *partitions: TopicPartition, timeout_ms: int, max_records: int | None
    ) -> dict[TopicPartition, list[Any]]:
        return await super().getmany(*partitions, timeout_ms=timeout_ms, max_records=max_records)

    async def _read_carefully(self, max_records: int) -> dict[TopicPartition, list[Any]]:
        """Read what has been fetched, each partition for itself."""
        self._doubted &= self._positions().keys()
        polled: dict[TopicPartition, list[Any]] = {}
        left = max_records
        for tp in self._fetched():
            if left and (records := await self._read_one(tp, left)):
                polled[tp] = records
                left -= len(records)
        return polled

    async def _read_one(self, tp: TopicPartition, max_records: int) -> list[Any]:
        """Read one partition; where it is doubted, one record at a time, up to one that cannot be read."""
        if tp not in self._doubted:
            return (await self._poll(tp, timeout_ms=0, max_records=max_records)).get(tp, [])
        found: list[Any] = []
        while len(found) < max_records:
            offset = self._positions().get(tp)
            try:
                records = (await self._poll(tp, timeout_ms=0, max_records=1)).get(tp)
            except Exception as error:
                if offset is None or not _is_of_a_record(error):
                    raise
                self._go_to(tp, offset + 1)
                return [*found, Unreadable(tp.topic, tp.partition, offset, type(error).__name__)]
            if not records:
                self._doubted -= {tp}.difference(self._fetched())
                break
            found.extend(records)
        return found

    def _take_back(self, before: dict[TopicPartition, int]) -> None:
        """Rewind what the poll has read, and doubt each partition that it may have failed at."""
        now = self._positions()
        moved = {tp for tp in now.keys() & before.keys() if now[tp] != before[tp]}
        self._doubted |= moved.union(self._fetched()) & before.keys()
        for tp in self._doubted & before.keys() & now.keys():
            self._go_to(tp, before[tp])

    def _go_to(self, tp: TopicPartition, offset: int) -> None:
        """Read on from here; what was fetched of this partition is dropped."""
        self.seek(tp, offset)  # type: ignore[no-untyped-call] # as above

    def _fetched(self) -> list[TopicPartition]:
        """Give the partitions of which something has been fetched, the longest waiting first."""
        fetcher = self._fetcher
        return list(fetcher._records) if fetcher else []  # noqa: SLF001 - there is no public sign of it

    def _positions(self) -> dict[TopicPartition, int]:
        """Give the position of each partition that has one, without waiting for the others."""
        subscription: Any = self._subscription.subscription
        assignment = subscription.assignment if subscription is not None else None
        if assignment is None:
            return {}
        states = ((tp, assignment.state_value(tp)) for tp in assignment.tps)
        return {tp: state.position for tp, state in states if state and state.has_valid_position}


def _is_of_a_record(error: Exception) -> bool:
    """Tell a record that cannot be read from a broker that does not answer."""
    return isinstance(error, (CorruptRecordException, UnsupportedCodecError)) or not isinstance(
        error, (KafkaError, TimeoutError)
    )


def bound_unpacking() -> None:
    """Let aiokafka unpack no more than `MAX_UNPACKED_BYTES` of a batch. It has no setting for that."""
    for records in (default_records, legacy_records):
        records.gzip_decode = unpack_gzip  # type: ignore[attr-defined] # compiled: its stub lists no imports


def unpack_gzip(packed: Any) -> bytes:  # noqa: ANN401 - whatever holds bytes
    """Unpack gzip. Raises `ValueError` beyond the bound, `EOFError` and `zlib.error` for what is none."""
    unpacked, rest = b"", bytes(packed)
    while rest:
        member = zlib.decompressobj(wbits=31)
        unpacked += member.decompress(rest, MAX_UNPACKED_BYTES + 1 - len(unpacked))
        if len(unpacked) > MAX_UNPACKED_BYTES:
            raise ValueError("too large once unpacked")
        if not member.eof:
            raise EOFError("broken off")
        rest = member.unused_data
    return unpacked
