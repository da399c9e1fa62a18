"""What waits to be sent: all of it in the database, the first of each line in memory.

A *line* is one number's messages of one lane. A line is complete while all of it that may be looked at is in
memory; what is read then goes straight there. Else it is read on from its last place as room comes.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

import structlog

from garbo.common.errors import RetryLater
from garbo.common.events.decisions import Lane
from garbo.sender.domain.deadlines import refusal_reason
from garbo.sender.domain.line import MOST_MESSAGES, MOST_OF_ONE, Line
from garbo.sender.domain.pair import EVERY_S
from garbo.sender.domain.queued_send import QueuedSend
from garbo.sender.flow.parked_sends import ParkedSends
from garbo.sender.flow.recorder import Recorder, Refused
from garbo.sender.ports.attempts import Attempts, RefusedGrant
from garbo.sender.ports.queue import Queue

LANES: Final[tuple[Lane, ...]] = ("care", "promo")
READ_AT_ONCE: Final = 256
LOOK_EVERY_S: Final = 0.5
LOOK_AGAIN_S: Final = 10.0
"""From the first place on: for what others left, or wrote out of order."""
LATE_AT_ONCE: Final = 500

log = structlog.get_logger()


class Shards(Protocol):
    """Which partitions of a lane are this process's."""

    def __call__(self, lane: Lane) -> Collection[int]: ...  # noqa: D102


@dataclass(slots=True)
class _Reading:
    """A line and how far it has been read."""

    line: Line
    place: int = 0
    complete: bool = False
    arrivals: int = 0
    """How often something came that is not in memory."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class SendQueue:
    """The lines of all numbers. One task reads on, wakes what was parked and ends what is too late."""

    def __init__(
        self,
        queue: Queue,
        attempts: Attempts,
        recorder: Recorder,
        *,
        shards: Shards,
        now: Callable[[], float],
        in_memory: int = MOST_MESSAGES,
    ) -> None:
        """`in_memory`: so many messages of a line at most."""
        self._queue, self._attempts, self._recorder = queue, attempts, recorder
        self._shards, self._now, self._in_memory = shards, now, in_memory
        self._readings: dict[tuple[str, Lane], _Reading] = {}
        self._owned: dict[Lane, frozenset[int]] = {lane: frozenset() for lane in LANES}
        self._wanted = asyncio.Event()
        self._parked = ParkedSends(queue)
        self._again_at = 0.0
        self._instant: tuple[datetime, float] | None = None

    def serve(self, number: str) -> None:
        """Keep lines for a number from now on."""
        for lane in LANES:
            self._readings.setdefault((number, lane), _Reading(Line(most_messages=self._in_memory)))
        self._wanted.set()

    def knows(self, number: str) -> bool:
        """Whether the number is one of ours."""
        return (number, "care") in self._readings

    def is_fed(self, number: str, lane: Lane) -> bool:
        """Whether a line holds so much that it can wait for more."""
        reading = self._readings.get((number, lane))
        return reading is not None and not reading.complete and len(reading.line) > reading.line.room // 2

    def line(self, number: str, lane: Lane) -> Line:
        """Give the part of a line that is in memory."""
        return self._readings[number, lane].line

    def changed(self, number: str, lane: Lane) -> asyncio.Event:
        """Is set when something comes into a line."""
        return self._readings[number, lane].changed

    @property
    def ready(self) -> bool:
        """Whether it has looked into the database, and so knows its time."""
        return self._instant is not None

    def database_now(self) -> datetime:
        """Give the database's instant, as far as is known, once it is `ready`: our clock does not matter."""
        if self._instant is None:
            raise RetryLater("queue_not_ready")
        at, since = self._instant
        return at + timedelta(seconds=self._now() - since)

    async def take_in(self, sends: Sequence[QueuedSend]) -> None:
        """Keep what was read, each message once; tell again what is decided. Raises `RetryLater`."""
        taken = await self._queue.take_in(sends)
        told = [one.send for one in taken if one.answer == "told"]
        if told:
            await self.tell(told)
        crowd: list[QueuedSend] = []
        for one in taken:
            if one.answer == "known":
                self._read_from(one.send.number, one.send.lane, 0)  # kept before, and perhaps not in memory
            if one.answer != "waiting":
                continue
            if not self.knows(one.send.number):
                self.refuse(one.send, "unknown_number")
            elif not one.parked and not self._offer(one.send):
                crowd.append(one.send)
        self._park_crowd(crowd)

    def refuse(self, send: QueuedSend, reason: str, recorded: Callable[[], None] = lambda: None) -> None:
        """Have it written and told that a grant is not sent."""
        self._recorder.refused(Refused(RefusedGrant(send, reason), recorded))

    def park(self, sends: Sequence[QueuedSend], *, after_s: float, why: str) -> None:
        """Let messages wait outside memory, where they take no room, in their order."""
        for send in sends:
            self._parked.add(send, after_s=after_s, why=why)
        self._wanted.set()

    def park_for_media(self, send: QueuedSend) -> None:
        """Let a message wait until its files are uploaded once more."""
        self._parked.add_for_media(send)
        self._wanted.set()

    def read_on(self) -> None:
        """Say that a line has room."""
        self._wanted.set()

    async def run(self) -> None:
        """Go on for ever."""
        look_at = self._now()
        while True:
            self._wanted.clear()
            try:
                if self._now() >= look_at:
                    look_at = self._now() + LOOK_EVERY_S
                    await self._look()
                await self._parked.write()
                await self._read_lines()
            except RetryLater as later:
                log.warning("queue waits", why=later.why)
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, look_at - self._now())):
                    await self._wanted.wait()

    async def _look(self) -> None:
        asked_at = self._now()
        self._instant = (await self._queue.now(), asked_at)
        for lane in LANES:
            owned = frozenset(self._shards(lane))
            if owned != self._owned[lane]:
                self._change_hands(lane, owned)
            if owned:
                for number, place in (await self._queue.wake(lane, owned)).items():
                    self._read_from(number, lane, place - 1)
                await self._end_late(lane, owned)
        if self._now() >= self._again_at:
            self._again_at = self._now() + LOOK_AGAIN_S
            for number, lane in list(self._readings):
                self._read_from(number, lane, 0)

    def _change_hands(self, lane: Lane, owned: frozenset[int]) -> None:
        self._owned[lane] = owned
        for (number, of_lane), reading in list(self._readings.items()):
            if of_lane == lane:
                reading.line.keep_shards(owned)
                self._read_from(number, lane, 0)

    def _read_from(self, number: str, lane: Lane, place: int) -> None:
        if reading := self._readings.get((number, lane)):
            reading.place = min(reading.place, place)
            reading.complete = False
            reading.arrivals += 1

    async def _read_lines(self) -> None:
        for (number, lane), reading in list(self._readings.items()):
            if not reading.complete and reading.line.room >= min(READ_AT_ONCE, 1 + len(reading.line)):
                await self._read(number, lane, reading)

    async def _read(self, number: str, lane: Lane, reading: _Reading) -> None:
        most, arrivals = min(READ_AT_ONCE, reading.line.room), reading.arrivals
        but = [seq for seq in reading.line.seqs if seq > reading.place]
        loaded = await self._queue.load(
            number, lane, shards=self._owned[lane], after=reading.place, most=most, but=but
        )
        if arrivals == reading.arrivals:
            reading.complete = len(loaded) < most
        crowd = [one.send for one in loaded if not one.is_decided and not self._add(reading, one.send)]
        reading.place = max([reading.place, *(one.send.seq for one in loaded)])
        if loaded:
            reading.changed.set()
        await self.tell([one.send for one in loaded if one.is_decided])
        self._park_crowd(crowd)
        if loaded and not reading.complete:
            self._wanted.set()

    def _offer(self, send: QueuedSend) -> bool:
        """Put what was just read into memory, if its turn is there; False when its person has too many."""
        reading = self._readings[send.number, send.lane]
        if send.shard not in self._owned[send.lane]:
            return True  # its owner finds it
        if not reading.complete or not reading.line.room:
            reading.complete = False
            reading.arrivals += 1
            self._wanted.set()
            return True
        reading.place = max(reading.place, send.seq)
        reading.changed.set()
        return self._add(reading, send)

    def _add(self, reading: _Reading, send: QueuedSend) -> bool:
        if self._parked.holds_back(send):
            return True
        if reading.line.count_of(send.contact_id) >= MOST_OF_ONE:
            return False
        reading.line.add(send)
        return True

    def _park_crowd(self, crowd: Sequence[QueuedSend]) -> None:
        """Let what one person has too much of wait until the pair's rate comes to it."""
        ahead: dict[UUID, int] = {}
        for send in crowd:
            place = ahead[send.contact_id] = ahead.get(send.contact_id, 0) + 1
            self.park([send], after_s=(MOST_OF_ONE // 2 + place) * EVERY_S, why="order")

    async def tell(self, sends: Sequence[QueuedSend]) -> None:
        """Have the results told that these have. Raises `RetryLater`: then they are found in the queue."""
        if sends:
            traces = {send.message_id: send.traceparent for send in sends}
            results = await self._attempts.results(list(traces))
            self._recorder.decided([(result, traces[message]) for message, result in results.items()])

    async def _end_late(self, lane: Lane, owned: Collection[int]) -> None:
        now = self.database_now()
        for send in await self._queue.late(lane, owned, limit=LATE_AT_ONCE):
            known = self._readings.get((send.number, lane))
            reason = refusal_reason(send, now=now)
            if reason and (known is None or known.line.discard(send.message_id, send.contact_id)):
                self.refuse(send, reason)
