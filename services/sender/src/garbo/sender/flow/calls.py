"""One chunk of a batch: attempts that are committed, called at their pace, recorded, published."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from garbo.common.errors import RetryLater
from garbo.common.events.grants import SendGranted
from garbo.common.events.ids import MessageId, attempt_id_of
from garbo.common.events.results import SendResult
from garbo.common.events.shown import AddressShown
from garbo.sender.domain.deadlines import LEAVE_WITHIN
from garbo.sender.domain.outcomes import (
    MAX_LIMITED_ATTEMPTS,
    Accepted,
    Answered,
    Failed,
    NotYet,
    Outcome,
    Unknown,
    judge,
)
from garbo.sender.domain.retries import SLOW_DOWN_S
from garbo.sender.flow.pacer import Pacer, Slots
from garbo.sender.ports import Attempts, FinishedAttempt, Results, SendSpan, Telemetry, WhatsApp

GATHER_S: Final = 0.03
"""Answers that come within this time are recorded together."""
RECORD_WAITS_S: Final = (0.2, 0.5, 1.0, 2.0, 4.0)
"""An answer in hand is worth waiting for the database: without its record it becomes unknown."""


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt that may leave now."""

    grant: SendGranted
    n: int
    span: SendSpan

    @property
    def attempt_id(self) -> str:
        """The id that travels with it."""
        return attempt_id_of(MessageId(self.grant.message_id), self.n)


@dataclass(frozen=True, slots=True)
class FinishedCall:
    """A call and what became of it."""

    call: Call
    outcome: Outcome
    http_status: int | None


@dataclass(frozen=True, slots=True)
class Countdown:
    """Rings when the sends of a chunk need no longer than `before_s` to leave."""

    before_s: float
    rings: asyncio.Event

    def left(self, seconds: float) -> None:
        """Note what is left."""
        if seconds <= self.before_s:
            self.rings.set()


class Calls:
    """Makes the calls of a chunk."""

    def __init__(
        self,
        *,
        attempts: Attempts,
        results: Results,
        whatsapp: WhatsApp,
        pacer: Pacer,
        telemetry: Telemetry,
        now: Callable[[], float],
    ) -> None:
        self._attempts, self._results, self._whatsapp = attempts, results, whatsapp
        self._pacer, self._telemetry, self._now = pacer, telemetry, now

    async def make(
        self, calls: Sequence[Call], slots: Slots, lease_nearly_used: Countdown
    ) -> Mapping[str, NotYet]:
        """Call all at their pace; give those not sent that may be tried again, by attempt id.

        Sets `lease_nearly_used` when the rest will have left soon, so that the next lease can be asked for.
        Raises `RetryLater` after the last call, when an outcome could not be recorded or published.
        """
        done: asyncio.Queue[FinishedCall] = asyncio.Queue(maxsize=len(calls))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._at_their_pace(calls, slots, done, group, lease_nearly_used))
                not_sent, error = await self._record_all(len(calls), done)
        finally:
            lease_nearly_used.rings.set()
        if error:
            raise error
        return not_sent

    async def _at_their_pace(
        self,
        calls: Sequence[Call],
        slots: Slots,
        done: "asyncio.Queue[FinishedCall]",
        group: asyncio.TaskGroup,
        lease_nearly_used: Countdown,
    ) -> None:
        until = asyncio.get_running_loop().time() + LEAVE_WITHIN.total_seconds()
        for place, call in enumerate(calls):
            lease_nearly_used.left((len(calls) - place) * slots.interval_s)
            try:
                slots = await self._next_slot(slots, call.grant, wanted=len(calls) - place, until=until)
            except TimeoutError:
                await self._give_back(call, "turn_lost", done)
            except RetryLater as later:
                await self._give_back(call, later.why, done)
            else:
                group.create_task(self._call(call, done))
        lease_nearly_used.left(0.0)

    async def _next_slot(self, slots: Slots, grant: SendGranted, *, wanted: int, until: float) -> Slots:
        """Wait for the next slot; when the lease is over before all have left, acquire another.

        Raises `TimeoutError` at `until` (the loop's clock): the claim is too old by then.
        """
        if asyncio.get_running_loop().time() >= until:
            raise TimeoutError
        async with asyncio.timeout_at(until):
            while not await slots.turn():
                slots = await self._pacer.acquire(number=grant.number, lane=grant.lane, wanted=wanted)
        return slots

    async def _give_back(self, call: Call, why: str, done: "asyncio.Queue[FinishedCall]") -> None:
        """End an attempt whose first byte never left."""
        call.span.end(outcome="not_yet", attempt_id=call.attempt_id)
        await done.put(FinishedCall(call, NotYet(None, why), None))

    async def _call(self, call: Call, done: "asyncio.Queue[FinishedCall]") -> None:
        started = self._now()
        answer = await self._whatsapp.post(call.grant, attempt_id=call.attempt_id)
        outcome = _with_limit(judge(answer), n=call.n)
        code = None if isinstance(outcome, Accepted) else outcome.code
        word = outcome_word(outcome)
        call.span.end(outcome=word, attempt_id=call.attempt_id)
        self._telemetry.attempt_finished(
            lane=call.grant.lane, outcome=word, code=code, seconds=self._now() - started
        )
        await done.put(FinishedCall(call, outcome, answer.status if isinstance(answer, Answered) else None))

    async def _record_all(
        self, count: int, done: "asyncio.Queue[FinishedCall]"
    ) -> tuple[dict[str, NotYet], RetryLater | None]:
        """Record all as they finish; give those not sent, and why some were not recorded, if any."""
        not_sent: dict[str, NotYet] = {}
        error: RetryLater | None = None
        while count > 0:
            batch = [await done.get()]
            await asyncio.sleep(GATHER_S)
            while not done.empty():
                batch.append(done.get_nowait())
            count -= len(batch)
            not_sent |= {one.call.attempt_id: one.outcome for one in batch if isinstance(one.outcome, NotYet)}
            try:
                await self._record(batch)
            except RetryLater as later:
                error = later
        return not_sent, error

    async def _record(self, batch: Sequence[FinishedCall]) -> None:
        finished = [
            FinishedAttempt(one.call.grant, one.call.attempt_id, one.outcome, one.http_status)
            for one in batch
        ]
        results = await self._recorded(finished)
        traces = {one.call.grant.message_id: one.call.span.traceparent for one in batch}
        told = [(result, traces[message]) for message, result in results.items()]
        shown = [seen for one in batch if (seen := _shown(one, results.get(one.call.grant.message_id)))]
        await self._results.publish(told, shown=shown)
        if any(isinstance(one.outcome, NotYet) and one.outcome.slow_down for one in batch):
            await self._pacer.slow_down(batch[0].call.grant.number, rest_s=SLOW_DOWN_S)

    async def _recorded(self, finished: Sequence[FinishedAttempt]) -> Mapping[UUID, SendResult]:
        for wait_s in RECORD_WAITS_S:
            try:
                return await self._attempts.record(finished)
            except RetryLater:
                await asyncio.sleep(wait_s)
        return await self._attempts.record(finished)


def _shown(finished: FinishedCall, result: SendResult | None) -> AddressShown | None:
    """Say by which other address than ours the platform knows who was written to. A group is nobody."""
    grant, outcome = finished.call.grant, finished.outcome
    if result is None or not isinstance(outcome, Accepted) or outcome.shown is None or grant.to.group_id:
        return None
    shown = {("phone", outcome.shown.phone), ("user_id", outcome.shown.user_id)}
    if all(value is None or (kind, value) == grant.to.address for kind, value in shown):
        return None
    return AddressShown(
        message_id=grant.message_id,
        attempt_id=finished.call.attempt_id,
        contact_id=grant.contact_id,
        shown=outcome.shown,
        occurred_at=result.recorded_at,
    )


def outcome_word(outcome: Outcome) -> str:
    """Name an outcome for figures and spans."""
    match outcome:
        case Accepted():
            return "accepted"
        case Failed():
            return "failed"
        case NotYet():
            return "not_yet"
        case Unknown():
            return "unknown"


def _with_limit(outcome: Outcome, *, n: int) -> Outcome:
    """End tries that are limited."""
    if isinstance(outcome, NotYet) and outcome.limited and n >= MAX_LIMITED_ATTEMPTS:
        return Failed(outcome.code, outcome.reason)
    return outcome
