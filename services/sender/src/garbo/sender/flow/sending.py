"""Grants to sends: ask what is known, refuse what is late, claim just in time, call, record, tell."""

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from garbo.common.errors import Reject, RetryLater
from garbo.common.events.decisions import Lane
from garbo.common.events.grants import SendGranted
from garbo.sender.domain.leases import refusal
from garbo.sender.domain.outcomes import NotYet
from garbo.sender.domain.pacing import LEAD_S, Readiness
from garbo.sender.domain.retries import PATIENCE_S, wait_s
from garbo.sender.flow.calls import Call, Calls, Countdown, Made
from garbo.sender.flow.inflight import InFlight
from garbo.sender.flow.pacer import Pacer, Slots
from garbo.sender.ports import Attempts, Begun, Past, Planned, Refused, Results, Watch

BATCH_S: Final = 20.0
"""A batch begins sends for this long at most; the rest comes again. A rebalance drains within 45 s, and a
lane that does not poll for 120 s is taken for dead."""
AGAIN_AFTER: Final = timedelta(milliseconds=200)


@dataclass(frozen=True, slots=True)
class Job:
    """A grant as it was delivered, and the trace it belongs to."""

    grant: SendGranted
    trace: str | None


@dataclass(frozen=True, slots=True)
class Sending:
    """What sending needs; lives as long as the process."""

    attempts: Attempts
    results: Results
    calls: Calls
    pacer: Pacer
    inflight: InFlight
    watch: Watch
    now: Callable[[], float]
    """A monotonic clock, seconds."""

    async def send(self, jobs: Sequence[Job]) -> None:
        """Finish a batch: each grant ends sent, refused or told again. May be called again with the same.

        Raises `RetryLater` when some could not be sent yet, or a part outside is not ready; whatever
        could be finished is finished first.
        """
        latest = _latest(jobs)
        if not latest:
            return
        instant, past = await self.attempts.recall([job.grant for job in latest])
        clock = _DatabaseClock(instant, self.now(), self.now)
        known = [(past.get(job.grant.message_id, Past()), job) for job in latest]
        await self.results.publish([(p.result, job.trace) for p, job in known if p.result])
        fresh = [
            _Waiting(job, p.attempts_count, p.claimed) for p, job in known if not p.result and not p.stale
        ]
        by_number: dict[str, list[_Waiting]] = {}
        for waiting in fresh:
            by_number.setdefault(waiting.job.grant.number, []).append(waiting)
        await _all_to_the_end([_NumberRun(self, n, clock, w).run() for n, w in by_number.items()])


@dataclass(slots=True)
class _Waiting:
    """A grant that is not finished."""

    job: Job
    attempts_count: int
    claimed: bool
    due_at: float = 0.0
    tries: int = 0
    last: NotYet | None = None
    patience_until: float | None = None


@dataclass(frozen=True, slots=True)
class _DatabaseClock:
    """The database's time between two questions to it, so that this host's clock does not matter."""

    instant: datetime
    asked_at: float
    monotonic: Callable[[], float]

    def now(self) -> datetime:
        return self.instant + timedelta(seconds=self.monotonic() - self.asked_at)


class _NumberRun:
    """One batch's grants of one number."""

    def __init__(self, sending: Sending, number: str, clock: _DatabaseClock, waiting: list[_Waiting]) -> None:
        self._s, self._number, self._clock = sending, number, clock
        self._waiting = waiting
        self._calling: dict[asyncio.Task[list[Made]], dict[str, _Waiting]] = {}
        self._stuck: str | None = None
        self._trouble: BaseException | None = None
        self._until = sending.now() + BATCH_S
        self._ready = Readiness()
        self._nearly_out: asyncio.Event | None = None

    async def run(self) -> None:
        """Go on until nothing waits and nothing is under way."""
        try:
            while (self._waiting and self._may_go_on()) or self._calling:
                await self._refuse_late()
                ready = self._due()
                if ready and self._may_go_on():
                    await self._send_some(ready)
                else:
                    await self._something_happens()
        except (RetryLater, Reject):
            await self._finish_calls()
            raise
        if self._trouble:
            raise self._trouble
        if self._waiting or self._stuck:
            raise RetryLater(self._stuck or "more_to_send", after=AGAIN_AFTER)

    def _may_go_on(self) -> bool:
        return not self._s.inflight.closing and self._trouble is None and self._s.now() < self._until

    def _due(self) -> list[_Waiting]:
        now = self._s.now()
        return [w for w in self._waiting if w.due_at <= now]

    async def _refuse_late(self) -> None:
        now = self._clock.now()
        late: list[tuple[_Waiting, str]] = []
        for waiting in self._waiting:
            grant = waiting.job.grant
            reason = refusal(grant, now=now) if self._s.pacer.knows(grant.number) else "unknown_number"
            if reason:
                late.append((waiting, reason))
        await self._refuse(late)
        self._drop([w for w, _ in late])

    async def _refuse(self, late: Sequence[tuple[_Waiting, str]]) -> None:
        if not late:
            return
        refused = [Refused(w.job.grant, reason, w.last.code if w.last else None) for w, reason in late]
        results = await self._s.attempts.refuse(refused)
        if len(results) < len(refused):
            self._stuck = "attempted_elsewhere"
        traces = {w.job.grant.message_id: w.job.trace for w, _ in late}
        await self._s.results.publish([(result, traces[m]) for m, result in results.items()])

    async def _send_some(self, ready: Sequence[_Waiting]) -> None:
        """Take a lease, then claim, write and start just what it holds."""
        if self._nearly_out:
            await self._nearly_out.wait()
        asked_at = self._s.now()
        lane = ready[0].job.grant.lane
        slots = await self._s.pacer.take(
            number=self._number, lane=lane, wanted=len(ready), ready_in_s=self._ready.seconds
        )
        held_at = self._s.now()
        self._s.watch.waited(lane=lane, seconds=held_at - asked_at)
        now = self._clock.now()
        chunk = [w for w in ready[: slots.count] if refusal(w.job.grant, now=now) is None]
        if chunk and not self._s.inflight.closing:
            await self._begin(chunk, slots, lane)
            self._ready.took(self._s.now() - held_at)

    async def _begin(self, chunk: Sequence[_Waiting], slots: Slots, lane: Lane) -> None:
        spans = [self._s.watch.sending(lane=lane, trace=w.job.trace) for w in chunk]
        planned = [
            Planned(w.job.grant, w.attempts_count + 1, w.claimed, span.traceparent)
            for w, span in zip(chunk, spans, strict=True)
        ]
        begun = await self._s.attempts.begin(planned)
        calls: list[Call] = []
        waiting: dict[str, _Waiting] = {}
        others: list[tuple[_Waiting, Begun]] = []
        for w, plan, span in zip(chunk, planned, spans, strict=True):
            answer = begun[w.job.grant.message_id]
            if answer.outcome == "begun":
                call = Call(plan.grant, plan.n, span)
                calls.append(call)
                waiting[call.attempt_id] = w
            else:
                span.end(outcome="not_sent", attempt_id="")
                others.append((w, answer))
        if calls:
            self._nearly_out = asyncio.Event()
            countdown = Countdown(self._ready.seconds + LEAD_S, self._nearly_out)
            self._calling[self._s.inflight.keep(self._s.calls.make(calls, slots, countdown))] = waiting
        self._drop(chunk)
        await self._look_after(others)

    async def _look_after(self, others: Sequence[tuple[_Waiting, Begun]]) -> None:
        """Tell, put off or refuse what was not begun."""
        hopeless: list[tuple[_Waiting, str]] = []
        for w, answer in others:
            if answer.outcome != "too_soon":
                continue
            if refusal(w.job.grant, now=self._clock.now() + timedelta(seconds=answer.after_s)):
                hopeless.append((w, "pair_limited"))
            else:
                self._put_off(w, answer.after_s, why="pair_limited")
        await self._refuse(hopeless)
        if any(answer.outcome == "elsewhere" for _, answer in others):
            self._stuck = "attempted_elsewhere"
        await self._s.results.publish(
            [(answer.result, w.job.trace) for w, answer in others if answer.result is not None]
        )

    async def _something_happens(self) -> None:
        """Wait until a chunk is done or a waiting grant is due."""
        now = self._s.now()
        due = [w.due_at - now for w in self._waiting] if self._may_go_on() else []
        timeout_s = max(0.0, min(due)) if due else None
        if self._calling:
            done, _ = await asyncio.wait(
                self._calling, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                self._take_back(task)
        elif timeout_s:
            await asyncio.sleep(timeout_s)

    async def _finish_calls(self) -> None:
        if self._calling:
            await asyncio.wait(self._calling)

    def _take_back(self, task: "asyncio.Task[list[Made]]") -> None:
        """Put what was not sent back into the queue, as long as there is patience."""
        waiting = self._calling.pop(task)
        if (error := task.exception()) is not None:
            self._trouble = error
            return
        for made in task.result():
            w = waiting[made.call.attempt_id]
            w.attempts_count, w.claimed, w.tries = made.call.n, True, w.tries + 1
            w.last = made.outcome if isinstance(made.outcome, NotYet) else None
            after_s = wait_s(w.tries, jitter=random.random())  # noqa: S311 - spreads load
            self._put_off(w, after_s, why=w.last.reason if w.last else "not_yet")

    def _put_off(self, w: _Waiting, after_s: float, *, why: str) -> None:
        now = self._s.now()
        w.patience_until = w.patience_until or now + PATIENCE_S
        w.due_at = now + after_s
        if w.due_at < w.patience_until:
            self._waiting.append(w)
        else:
            self._stuck = why

    def _drop(self, finished: Sequence[_Waiting]) -> None:
        gone = {id(w) for w in finished}
        self._waiting = [w for w in self._waiting if id(w) not in gone]


def _latest(jobs: Sequence[Job]) -> list[Job]:
    """Keep one job a message: of several grants the one that begins last, of one grant the highest epoch."""
    latest: dict[object, Job] = {}
    for job in jobs:
        known = latest.get(job.grant.message_id)
        if known is None or _age(job.grant) >= _age(known.grant):
            latest[job.grant.message_id] = job
    return list(latest.values())


def _age(grant: SendGranted) -> tuple[datetime, int]:
    return grant.not_before, grant.epoch


async def _all_to_the_end(runs: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Let each run end by itself; then raise what went wrong, a bug before `RetryLater`."""
    ends = await asyncio.gather(*runs, return_exceptions=True)
    wrong = [end for end in ends if isinstance(end, BaseException)]
    if wrong:
        raise next((end for end in wrong if not isinstance(end, RetryLater)), wrong[0])
