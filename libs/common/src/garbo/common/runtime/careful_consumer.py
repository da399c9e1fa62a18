"""A consumer that passes over what cannot be read, says what that was, and waits while a broker refuses."""

import asyncio
from typing import Any, Final, Protocol

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import ConsumerStoppedError
from aiokafka.structs import TopicPartition

from garbo.common.runtime.careful_records import POLL_BYTES, ROOM, Room, read_carefully
from garbo.common.runtime.connections import expect_closed_transports
from garbo.common.runtime.revival import revive

FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 30.0
LOOK_MS: Final = 1000
"""A fetch under way may wait for half a second before the next is sent."""
LOOK_RECORDS: Final = 2000


class PollObserver(Protocol):
    """Who is told of polls: FastStream itself tells nobody of empty or failed ones."""

    def polled(self, count: int) -> None:
        """Note that a poll returned `count` records, which are handed over next."""
        ...

    def poll_failed(self, error: Exception) -> None:
        """Note that a poll raised."""
        ...


class CarefulConsumer(AIOKafkaConsumer):
    """Polls, in portions of bounded size. What cannot be read comes as `Unreadable`, in its place."""

    def __init__(self, *topics: str, inbox: PollObserver, **arguments: Any) -> None:  # noqa: ANN401 - aiokafka's own
        super().__init__(*topics, **arguments)  # type: ignore[no-untyped-call] # aiokafka types few things
        read_carefully()
        expect_closed_transports()
        self._inbox = inbox
        self._wait_s = FIRST_WAIT_S

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[Any]]:
        """Poll, and say so. Raises what a broker says, after a wait that grows with each failure."""
        ROOM.set(Room(POLL_BYTES))
        try:
            revive(self)
            polled = await self._poll(*partitions, timeout_ms=timeout_ms, max_records=max_records)
        except ConsumerStoppedError:
            raise
        except Exception as error:
            self._inbox.poll_failed(error)
            await asyncio.sleep(self._wait_s)
            self._wait_s = min(self._wait_s * 2, LONGEST_WAIT_S)
            raise
        self._wait_s = FIRST_WAIT_S
        self._inbox.polled(sum(len(records) for records in polled.values()))
        return polled

    async def look_ahead(self, partition: TopicPartition, offset: int) -> list[Any]:
        """Give records from an offset on, and be afterwards where it was. Not while a poll is under way."""
        aiokafka: Any = super()
        if partition not in aiokafka.assignment() or partition in aiokafka.paused():
            return []
        position = await aiokafka.position(partition)
        aiokafka.seek(partition, offset)
        ROOM.set(Room(POLL_BYTES))
        try:
            polled = await self._poll(partition, timeout_ms=LOOK_MS, max_records=LOOK_RECORDS)
            return polled.get(partition, [])
        finally:
            if partition in aiokafka.assignment():
                aiokafka.seek(partition, position)

    async def _poll(
        self, *partitions: TopicPartition, timeout_ms: int, max_records: int | None
    ) -> dict[TopicPartition, list[Any]]:
        return await super().getmany(*partitions, timeout_ms=timeout_ms, max_records=max_records)
