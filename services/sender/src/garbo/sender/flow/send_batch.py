"""A batch of grants: refuse what is late, claim just in time, call, and queue again what was not sent."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from garbo.common.errors import Reject, RetryLater
from garbo.common.events.decisions import Lane
from garbo.common.events.grants import SendGranted
from garbo.sender.domain.deadlines import refusal_reason
from garbo.sender.domain.outcomes import NotYet
from garbo.sender.domain.pacing import LEAD_S, Readiness
from garbo.sender.flow.calls import Call, Countdown
from garbo.sender.flow.dependencies import Dependencies
from garbo.sender.flow.grant_queue import GrantQueue, QueuedGrant
from garbo.sender.flow.pacer import Slots
from garbo.sender.ports import BeginResult, PlannedAttempt, RefusedGrant

BATCH_S: Final = 20.0
"""A batch begins sends for this long at most; the rest comes again. A rebalance drains within 45 s, and a
lane that does not poll for 120 s is taken for dead."""
AGAIN_AFTER: Final = timedelta(milliseconds=200)


@dataclass(frozen=True, slots=True)
class DatabaseClock:
    """The database's time between two questions to it, so that this host's clock does not matter."""

    instant: datetime
    asked_at: float
    monotonic: Callable[[], float]

    def now(self) -> datetime:
        """Give the database's instant, as far as is known."""
        return self.instant + timedelta(seconds=self.monotonic() - self.asked_at)


class SendBatch:
    """One number's part of a batch. Calls it has started run to their end, whatever becomes of it."""

    def __init__(
        self, dependencies: Dependencies, number: str, *, queue: GrantQueue, clock: DatabaseClock
    ) -> None:
        self._deps, self._number, self._queue, self._clock = dependencies, number, queue, clock
        self._ends_at = dependencies.now() + BATCH_S
        self._readiness = Readiness()
        self._calls: dict[asyncio.Task[Mapping[str, NotYet]], Mapping[str, QueuedGrant]] = {}
        self._lease_nearly_used: asyncio.Event | None = None
        self._error: BaseException | None = None
        self._lost = False
        """One of them has been attempted elsewhere for too long."""

    async def run(self) -> None:
        """Go on until nothing waits and no call is under way.

        Raises `RetryLater` when some could not be sent; what could be finished is finished. Raises `Reject`
        when one is said to be attempted elsewhere for longer than any attempt lasts.
        """
        try:
            while (self._queue and self._may_begin()) or self._calls:
                await self._refuse_late()
                due = self._queue.due()
                if due and self._may_begin():
                    await self._send_some(due)
                else:
                    await self._wait_for_progress()
        except (RetryLater, Reject):
            if self._calls:
                await asyncio.wait(self._calls)
            raise
        if self._error:
            raise self._error
        if self._lost:
            raise Reject("attempted_elsewhere")
        if why := self._queue.deferred_reason:
            raise RetryLater(why, after=AGAIN_AFTER)

    def _may_begin(self) -> bool:
        stopped = self._deps.inflight.closing or self._error is not None
        return not stopped and self._deps.now() < self._ends_at

    async def _refuse_late(self) -> None:
        now, known = self._clock.now(), self._deps.pacer.knows(self._number)

        def reason_of(grant: SendGranted) -> str | None:
            return refusal_reason(grant, now=now) if known else "unknown_number"

        late = self._queue.refusable(reason_of)
        await self._refuse(late)
        self._queue.remove(queued for queued, _ in late)

    async def _refuse(self, late: Sequence[tuple[QueuedGrant, str]]) -> None:
        """Record and publish that these are not sent; what is under way elsewhere is left to redelivery."""
        if not late:
            return
        refused = [RefusedGrant(q.grant, reason, q.last.code if q.last else None) for q, reason in late]
        results = await self._deps.attempts.refuse(refused)
        self._leave_elsewhere([q for q, _ in late if q.grant.message_id not in results])
        traces = {queued.grant.message_id: queued.trace for queued, _ in late}
        await self._deps.results.publish([(result, traces[m]) for m, result in results.items()])

    async def _send_some(self, due: Sequence[QueuedGrant]) -> None:
        """Acquire a lease, then claim, write and start just what it holds."""
        if self._lease_nearly_used:
            await self._lease_nearly_used.wait()
        asked_at, lane = self._deps.now(), due[0].grant.lane
        slots = await self._deps.pacer.acquire(
            number=self._number, lane=lane, wanted=len(due), ready_in_s=self._readiness.seconds
        )
        held_at = self._deps.now()
        self._deps.telemetry.lease_waited(lane=lane, seconds=held_at - asked_at)
        now = self._clock.now()
        chunk = [queued for queued in due[: slots.count] if refusal_reason(queued.grant, now=now) is None]
        if chunk and not self._deps.inflight.closing:
            await self._begin(chunk, slots, lane)
            self._readiness.took(self._deps.now() - held_at)

    async def _begin(self, chunk: Sequence[QueuedGrant], slots: Slots, lane: Lane) -> None:
        """Claim and write the attempts, and start the calls of those that are ours."""
        start = self._deps.telemetry.start_send
        calls = [Call(q.grant, q.attempts_count + 1, start(lane=lane, trace=q.trace)) for q in chunk]
        both = list(zip(chunk, calls, strict=True))
        planned = [PlannedAttempt(c.grant, c.n, q.claimed, c.span.traceparent) for q, c in both]
        answers = await self._deps.attempts.begin(planned)
        begun: list[tuple[QueuedGrant, Call]] = []
        others: list[tuple[QueuedGrant, BeginResult]] = []
        for queued, call in both:
            answer = answers[queued.grant.message_id]
            if answer.outcome == "begun":
                begun.append((queued, call))
            else:
                call.span.end(outcome="not_sent", attempt_id="")
                others.append((queued, answer))
        self._start_calls(begun, slots)
        self._queue.remove(chunk)
        await self._finish_others(others)

    def _start_calls(self, begun: Sequence[tuple[QueuedGrant, Call]], slots: Slots) -> None:
        if not begun:
            return
        self._lease_nearly_used = asyncio.Event()
        countdown = Countdown(self._readiness.seconds + LEAD_S, self._lease_nearly_used)
        work = self._deps.calls.make([call for _, call in begun], slots, countdown)
        self._calls[self._deps.inflight.keep(work)] = {call.attempt_id: q for q, call in begun}

    async def _finish_others(self, others: Sequence[tuple[QueuedGrant, BeginResult]]) -> None:
        """Publish, defer or refuse what was not begun."""
        hopeless: list[tuple[QueuedGrant, str]] = []
        for queued, answer in others:
            if answer.outcome != "too_soon":
                continue
            if refusal_reason(queued.grant, now=self._clock.now() + timedelta(seconds=answer.after_s)):
                hopeless.append((queued, "pair_limited"))
            else:
                self._queue.defer(queued, answer.after_s, why="pair_limited")
        await self._refuse(hopeless)
        self._leave_elsewhere([queued for queued, answer in others if answer.outcome == "elsewhere"])
        await self._deps.results.publish(
            [(answer.result, queued.trace) for queued, answer in others if answer.result is not None]
        )

    def _leave_elsewhere(self, queued: Sequence[QueuedGrant]) -> None:
        """Leave to redelivery what somebody else has in hand, or had a minute ago."""
        if queued:
            self._queue.leave("attempted_elsewhere")
            self._lost |= self._deps.elsewhere.too_long(one.grant.message_id for one in queued)

    async def _wait_for_progress(self) -> None:
        """Wait until a chunk of calls is done or a queued grant is due."""
        timeout_s = self._queue.next_due_in_s() if self._may_begin() else None
        if self._calls:
            done, _ = await asyncio.wait(self._calls, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                self._queue_again(task)
        elif timeout_s:
            await asyncio.sleep(timeout_s)

    def _queue_again(self, task: "asyncio.Task[Mapping[str, NotYet]]") -> None:
        """Queue what was not sent of these calls."""
        by_attempt = self._calls.pop(task)
        if (error := task.exception()) is not None:
            self._error = error
            return
        for attempt_id, outcome in task.result().items():
            self._queue.retry(by_attempt[attempt_id], outcome)
