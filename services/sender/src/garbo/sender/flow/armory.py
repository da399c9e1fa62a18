"""What is begun of one number and may leave: claimed just in time, each lane by itself, and care goes first.

    line -- take --> begin (claimed, written, committed) --> armed -- next --> leaves

Instants are seconds of the clock given.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import structlog

from garbo.common.errors import RetryLater
from garbo.common.events.decisions import Lane
from garbo.common.events.ids import MessageId, attempt_id_of
from garbo.sender.domain.deadlines import LEAVE_WITHIN
from garbo.sender.domain.pacing import PROMO_FLOOR_RATIO, LaneShare
from garbo.sender.domain.queued_send import QueuedSend
from garbo.sender.flow.admission import Admission, put_back
from garbo.sender.flow.pauses import Pauses
from garbo.sender.flow.portfolios import Portfolios
from garbo.sender.flow.recorder import Recorder
from garbo.sender.flow.retry import Retry
from garbo.sender.flow.send_queue import LANES, SendQueue
from garbo.sender.flow.slots import Slots
from garbo.sender.ports.attempts import Attempts, BeginResult, PlannedAttempt
from garbo.sender.ports.outside import SendSpan, Telemetry

FEWEST_UNDER_WAY, MOST_UNDER_WAY = 64, 1000
UNDER_WAY_S: Final = 4.0
"""So many seconds of a number's rate may be on their way: more, and the platform does not answer any more."""
IDLE_S: Final = 1.0
AGAIN_S: Final = 0.5

log = structlog.get_logger()


@dataclass(slots=True)
class Armed:
    """An attempt that is written and may leave, until it is too old."""

    send: QueuedSend
    n: int
    span: SendSpan
    at: float
    probe: bool = False
    """It is to find out whether a paused number may send again."""

    @property
    def attempt_id(self) -> str:
        """The id that travels with it."""
        return attempt_id_of(MessageId(self.send.message_id), self.n)


class Armory:
    """One number's."""

    def __init__(  # noqa: PLR0913 - wired once
        self,
        number: str,
        *,
        queue: SendQueue,
        slots: Slots,
        pauses: Pauses,
        portfolios: Portfolios,
        retry: Retry,
        attempts: Attempts,
        recorder: Recorder,
        telemetry: Telemetry,
        now: Callable[[], float],
    ) -> None:
        self._number, self._queue, self._slots, self._retry = number, queue, slots, retry
        self._pauses, self._portfolios, self._probe_in_hand = pauses, portfolios, False
        self._admission = Admission(queue=queue, pauses=pauses, portfolios=portfolios, retry=retry, now=now)
        self._attempts, self._recorder, self._telemetry, self._now = attempts, recorder, telemetry, now
        self._armed: dict[Lane, deque[Armed]] = {lane: deque() for lane in LANES}
        self._share = LaneShare()
        self._under_way = 0
        self._changed = {lane: queue.changed(number, lane) for lane in LANES}
        self.wants_lease = asyncio.Event()
        """Is set when there may be something that no lease carries yet."""
        self.filled = asyncio.Event()
        """Is set when something is armed."""
        self.closed = False
        self._empty = asyncio.Event()
        self._empty.set()

    def __bool__(self) -> bool:
        return any(self._armed.values())

    @property
    def _most(self) -> int:
        """How many may be on their way at once."""
        return int(min(MOST_UNDER_WAY, max(FEWEST_UNDER_WAY, UNDER_WAY_S * self._slots.ceiling_per_s)))

    def wanted(self) -> int:
        """Count what could leave."""
        now = self._now()
        lanes = [lane for lane in LANES if not self._pauses.stops(self._number, lane)]
        free = sum(self._queue.line(self._number, lane).free_count(now, most=self._most) for lane in lanes)
        return 0 if self.closed else min(self._most, free + sum(map(len, self._armed.values())))

    def next(self) -> Armed | None:
        """Take what leaves now: care, but for the part of promo."""
        chosen = self._share.choose(care=len(self._armed["care"]), promo=len(self._armed["promo"]))
        if chosen is None:
            return None
        lane = chosen[0]
        self._share.spent(lane, 1, promo_waits=bool(self._armed["promo"]))
        self._changed[lane].set()
        return self._armed[lane].popleft()

    def too_old(self) -> list[Armed]:
        """Take out what has waited too long since its claim: a STOP must not be overtaken by a queue."""
        old: list[Armed] = []
        for armed in self._armed.values():
            while armed and self._now() - armed[0].at > LEAVE_WITHIN.total_seconds():
                old.append(armed.popleft())
        return old

    def close(self) -> None:
        """Begin nothing more."""
        self.closed = True
        self.filled.set()

    async def emptied(self) -> None:
        """Return when all that was begun has ended and is recorded."""
        await self._empty.wait()

    def take_all(self) -> list[Armed]:
        """Take out what has not left."""
        left = [one for armed in self._armed.values() for one in armed]
        for armed in self._armed.values():
            armed.clear()
        return left

    def ended(self) -> None:
        """Note that an attempt has ended and is recorded."""
        self._count(-1)
        self.look_again()

    def look_again(self) -> None:
        """Say that more might be begun."""
        for changed in self._changed.values():
            changed.set()

    async def begin_for_ever(self, lane: Lane) -> None:
        """Begin so much of a lane that a send is there at each slot."""
        while True:
            self._changed[lane].clear()
            try:
                if not await self._begin_some(lane):
                    await self._wait(lane)
            except RetryLater as later:
                log.warning("sending waits", why=later.why)
                await asyncio.sleep(AGAIN_S)

    async def _begin_some(self, lane: Lane) -> bool:
        """Begin what may be begun now; of a paused number, one message that looks whether it may again."""
        count = self._count_to_begin(lane)
        if count and self._pauses.stops(self._number, lane):
            if not await self._may_probe(lane):
                return False
            self._probe_in_hand = not await self._begin(lane, 1, probe=True)
            return True
        self._probe_in_hand = False
        if count:
            await self._begin(lane, count)
        return count > 0

    async def _may_probe(self, lane: Lane) -> bool:
        """Take the turn to probe, unless care might; a turn with which nothing was begun is still in hand."""
        care = self._queue.line(self._number, "care")
        if lane == "promo" and care.free_count(self._now(), most=1):
            return False
        in_hand, self._probe_in_hand = self._probe_in_hand, False
        return in_hand or await self._pauses.take_probe(self._number, lane)

    def _count_to_begin(self, lane: Lane) -> int:
        if self.closed or not (self._queue.ready and self._pauses.ready and self._portfolios.ready):
            return 0
        ahead, armed = self._slots.ahead(), self._armed
        free = ahead - len(armed[lane])
        if lane == "promo":
            floor = math.ceil(ahead * PROMO_FLOOR_RATIO) - len(armed["promo"])
            free = max(floor, free - len(armed["care"]))
        most = min(free, self._most - self._under_way)
        return self._queue.line(self._number, lane).free_count(self._now(), most=most) if most > 0 else 0

    async def _wait(self, lane: Lane) -> None:
        now = self._now()
        due = self._queue.line(self._number, lane).next_at(now)
        until = now + IDLE_S if due is None or due <= now else min(due, now + IDLE_S)
        with suppress(TimeoutError):
            async with asyncio.timeout(until - now):
                await self._changed[lane].wait()

    async def _begin(self, lane: Lane, count: int, *, probe: bool = False) -> int:
        """Claim and write the attempts of so many people, and let them leave; gives how many were begun."""
        line = self._queue.line(self._number, lane)
        sends = await self._admission.take(line, count)
        if line.room > len(line):
            self._queue.read_on()
        if not sends:
            return 0
        spans = [self._telemetry.start_send(lane=lane, trace=send.traceparent) for send in sends]
        planned = [PlannedAttempt(send, span.traceparent) for send, span in zip(sends, spans, strict=True)]
        self._count(len(sends))
        self.wants_lease.set()
        try:
            answers = await self._attempts.begin(planned)
        except BaseException:
            self._count(-len(sends))
            for span in spans:
                span.end(outcome="not_begun", attempt_id="")
            put_back(line, sends)
            raise
        begun = list(zip(sends, spans, answers, strict=True))
        armed = [Armed(s, a.n, span, self._now(), probe) for s, span, a in begun if a.outcome == "begun"]
        self._arm(armed, lane)
        others = [(send, answer) for send, _, answer in begun if answer.outcome != "begun"]
        self._portfolios.not_sent([send for send, _ in others])
        for _, span, answer in begun:
            if answer.outcome != "begun":
                span.end(outcome="not_sent", attempt_id="")
        self._count(-len(others))
        await self._leave(others)
        return len(armed)

    def _count(self, more: int) -> None:
        self._under_way += more
        if self._under_way:
            self._empty.clear()
        else:
            self._empty.set()

    def _arm(self, begun: Sequence[Armed], lane: Lane) -> None:
        self._armed[lane].extend(begun)
        self.wants_lease.set()
        self.filled.set()

    async def _leave(self, others: Sequence[tuple[QueuedSend, BeginResult]]) -> None:
        """Tell what was refused, let rest who was sent too much, leave the others to whoever has them."""
        refused = {send.message_id: send for send, answer in others if answer.outcome == "refused"}
        for send, answer in others:
            if answer.outcome == "too_soon":
                self._retry.too_soon(send, answer.after_s)
            else:
                self._retry.end(send)
        if refused:
            await self._queue.tell(list(refused.values()))
