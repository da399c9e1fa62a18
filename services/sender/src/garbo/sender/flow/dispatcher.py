"""One number: sends evenly, as fast as it may. Nobody else waits for it.

    armory -- a slot --> call --> recorder --> the person's next message

A person's next message is not begun before the one before it has ended.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

import structlog

from garbo.common.errors import RetryLater
from garbo.sender.domain.deadlines import LEAVE_WITHIN, refusal_reason
from garbo.sender.domain.outcomes import Accepted, Answered, NotYet, Outcome, judge, word_of_outcome
from garbo.sender.domain.wanted_media import forgotten
from garbo.sender.flow.armory import Armed, Armory
from garbo.sender.flow.pauses import Pauses
from garbo.sender.flow.portfolios import Portfolios
from garbo.sender.flow.recorder import Finished, Recorder
from garbo.sender.flow.retry import Retry
from garbo.sender.flow.send_queue import LANES, SendQueue
from garbo.sender.flow.slots import Slots
from garbo.sender.ports.attempts import Attempts, FinishedAttempt
from garbo.sender.ports.outside import Telemetry, WhatsApp

LOOK_S: Final = 0.1
AGAIN_S: Final = 0.5

log = structlog.get_logger()


class Dispatcher:
    """See the module. Instants are seconds of the clock given."""

    def __init__(  # noqa: PLR0913 - wired once
        self,
        number: str,
        *,
        queue: SendQueue,
        pauses: Pauses,
        portfolios: Portfolios,
        slots: Slots,
        attempts: Attempts,
        whatsapp: WhatsApp,
        recorder: Recorder,
        telemetry: Telemetry,
        now: Callable[[], float],
    ) -> None:
        self._queue, self._slots, self._whatsapp, self._recorder = queue, slots, whatsapp, recorder
        self._pauses, self._portfolios, self._telemetry, self._now = pauses, portfolios, telemetry, now
        self._retry = Retry(number, queue=queue, slots=slots, now=now)
        self._armory = Armory(
            number,
            queue=queue,
            slots=slots,
            pauses=pauses,
            portfolios=portfolios,
            retry=self._retry,
            attempts=attempts,
            recorder=recorder,
            telemetry=telemetry,
            now=now,
        )
        self._leased = asyncio.Event()
        self._calls: set[asyncio.Task[None]] = set()
        self._bug: asyncio.Future[None] | None = None

    async def run(self) -> None:
        """Go on for ever; calls that have started run to their end, whatever becomes of this."""
        self._bug = asyncio.get_running_loop().create_future()
        async with asyncio.TaskGroup() as group:
            group.create_task(_raised(self._bug))
            for lane in LANES:
                group.create_task(self._armory.begin_for_ever(lane))
            group.create_task(self._lease_for_ever())
            group.create_task(self._send_for_ever())

    def close(self) -> None:
        """Begin nothing more; what has not left is given back."""
        self._armory.close()
        self._leased.set()

    async def finished(self) -> None:
        """Return when all that was begun has ended and is recorded."""
        await self._armory.emptied()

    async def _lease_for_ever(self) -> None:
        """Hold a lease while there is something to send."""
        while True:
            self._armory.wants_lease.clear()
            wanted = self._armory.wanted() - self._slots.left()
            if wanted <= 0:
                await self._armory.wants_lease.wait()
                continue
            try:
                await self._lease(wanted)
            except RetryLater as later:
                log.warning("no lease", why=later.why)
                await asyncio.sleep(AGAIN_S)

    async def _lease(self, wanted: int) -> None:
        asked_at = self._now()
        if self._slots.may_ask() and await self._slots.acquire(wanted, ready=bool(self._armory)):
            self._leased.set()
            self._telemetry.lease_waited(seconds=self._now() - asked_at)
            self._armory.look_again()
        await asyncio.sleep(min(AGAIN_S, max(0.001, self._slots.ask_at - self._now())))

    async def _send_for_ever(self) -> None:
        """Let one leave at each slot."""
        while True:
            at = self._slots.next() if self._armory and not self._armory.closed else None
            if at is None:
                await self._wait()
                continue
            if (ahead_s := at - self._now()) > 0:
                await asyncio.sleep(ahead_s)
            if self._slots.take():
                self._let_one_leave()

    async def _wait(self) -> None:
        """Wait for something that is armed, or for a lease; give back what waits too long."""
        if self._armory.closed:
            for armed in self._armory.take_all():
                self._give_back(armed, "stopping")
        waits = self._leased if self._armory else self._armory.filled
        waits.clear()
        self._armory.wants_lease.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_S if self._armory else None):
                await waits.wait()
        for armed in self._armory.too_old():
            self._give_back(armed, "turn_lost")

    def _let_one_leave(self) -> None:
        while (armed := self._armory.next()) is not None:
            late = self._now() - armed.at > LEAVE_WITHIN.total_seconds()
            if late or refusal_reason(armed.send, now=self._queue.database_now()):
                self._give_back(armed, "turn_lost")
                continue
            if not armed.probe and self._pauses.holds(armed.send):
                self._give_back(armed, "paused")
                continue
            task = asyncio.get_running_loop().create_task(self._call(armed))
            self._calls.add(task)
            task.add_done_callback(self._called)
            return

    def _called(self, task: "asyncio.Task[None]") -> None:
        self._calls.discard(task)
        error = None if task.cancelled() else task.exception()
        if error and self._bug and not self._bug.done():
            self._bug.set_exception(error)

    def _give_back(self, armed: Armed, why: str) -> None:
        """End an attempt whose first byte never left."""
        armed.span.end(outcome="not_yet", attempt_id=armed.attempt_id)
        self._finish(armed, NotYet(None, why), None)

    async def _call(self, armed: Armed) -> None:
        started = self._now()
        answer = await self._whatsapp.post(armed.send, attempt_id=armed.attempt_id)
        media = armed.send.media
        said = (forgotten(media, answer) if media else None) or judge(answer)
        outcome = self._retry.limited(armed.send, said)
        self._pauses.note_answer(armed.send, outcome, probe=armed.probe)
        code = None if isinstance(outcome, Accepted) else outcome.code
        word = word_of_outcome(outcome)
        armed.span.end(outcome=word, attempt_id=armed.attempt_id)
        self._telemetry.attempt_finished(
            lane=armed.send.lane, outcome=word, code=code, seconds=self._now() - started
        )
        self._finish(armed, outcome, answer.status if isinstance(answer, Answered) else None)
        await self._retry.slow_down(outcome)

    def _finish(self, armed: Armed, outcome: Outcome, http_status: int | None) -> None:
        attempt = FinishedAttempt(armed.send, armed.n, outcome, http_status)
        self._recorder.finished(Finished(attempt, armed.span.traceparent, partial(self._recorded, attempt)))

    def _recorded(self, attempt: FinishedAttempt) -> None:
        self._portfolios.note(attempt.send, attempt.outcome)
        self._retry.after(attempt.send, attempt.outcome, n=attempt.n)
        self._armory.ended()


async def _raised(bug: "asyncio.Future[None]") -> None:
    await bug
