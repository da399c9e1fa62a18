"""What became of sends: written by the hundred, told, and only then forgotten."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import structlog

from garbo.common.errors import RetryLater
from garbo.common.events.ids import MessageId, attempt_id_of
from garbo.common.events.results import SendResult
from garbo.common.events.shown import AddressShown
from garbo.sender.domain.outcomes import Accepted
from garbo.sender.ports.attempts import Attempts, FinishedAttempt, RefusedGrant
from garbo.sender.ports.outside import Results
from garbo.sender.ports.queue import Queue

T = TypeVar("T")

GATHER_S: Final = 0.025
"""Answers that come within this time are recorded together."""
MOST_AT_ONCE: Final = 500
LONGEST_WAIT_S: Final = 4.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Finished:
    """An attempt that ended, and whom to tell once that is written."""

    attempt: FinishedAttempt
    trace: str | None
    recorded: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Refused:
    """A grant that is not sent, and whom to tell once that is written."""

    grant: RefusedGrant
    recorded: Callable[[], None]


class Recorder:
    """Writes outcomes of all numbers in turns, publishes them, and takes them out of the queue.

    An answer in hand is worth waiting for: while the database or Kafka is away it keeps trying. What a crash
    leaves is found in the queue, and told again.
    """

    def __init__(self, attempts: Attempts, queue: Queue, results: Results) -> None:
        self._attempts, self._queue, self._results = attempts, queue, results
        self._finished: list[Finished] = []
        self._refused: list[Refused] = []
        self._decided: list[tuple[SendResult, str | None]] = []
        self._told: list[SendResult] = []
        self._something = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def finished(self, finished: Finished) -> None:
        """Take an attempt that ended."""
        self._finished.append(finished)
        self._wake()

    def refused(self, refused: Refused) -> None:
        """Take a grant that is not sent."""
        self._refused.append(refused)
        self._wake()

    def decided(self, results: Sequence[tuple[SendResult, str | None]]) -> None:
        """Take results that are written already, each with its trace."""
        self._decided.extend(results)
        self._wake()

    async def drained(self) -> None:
        """Return when all is written and told."""
        await self._idle.wait()

    async def run(self) -> None:
        """Go on for ever."""
        while True:
            await self._something.wait()
            self._something.clear()
            while self._finished or self._refused or self._decided:
                await self._once()
                await asyncio.sleep(GATHER_S)
                await self._forget()
            if not (self._finished or self._refused or self._decided):
                self._idle.set()

    def _wake(self) -> None:
        self._idle.clear()
        self._something.set()

    async def _once(self) -> None:
        finished, self._finished = self._finished[:MOST_AT_ONCE], self._finished[MOST_AT_ONCE:]
        refused, self._refused = self._refused[:MOST_AT_ONCE], self._refused[MOST_AT_ONCE:]
        decided, self._decided = self._decided, []
        results, shown = list(decided), list[AddressShown]()
        if finished:
            attempts = [one.attempt for one in finished]
            written = await _insist(lambda: self._attempts.record(attempts))
            traces = {one.attempt.send.message_id: one.trace for one in finished}
            results += [(result, traces[message]) for message, result in written.items()]
            shown = [seen for one in attempts if (seen := _shown(one, written.get(one.send.message_id)))]
        if refused:
            grants = [one.grant for one in refused]
            answers = await _insist(lambda: self._attempts.refuse(grants))
            traces = {grant.send.message_id: grant.send.traceparent for grant in grants}
            results += [(result, traces[message]) for message, result in answers.items()]
        for recorded in [*(one.recorded for one in finished), *(one.recorded for one in refused)]:
            recorded()
        await _insist(lambda: self._results.publish(results, shown=shown))
        self._told += [result for result, _ in results]

    async def _forget(self) -> None:
        told, self._told = self._told, []
        if told:
            await _insist(lambda: self._queue.forget(told))


async def _insist(work: Callable[[], Awaitable[T]]) -> T:
    """Do it until it is done, waiting longer each time."""
    wait_s = 0.1
    while True:
        try:
            return await work()
        except RetryLater as later:
            log.warning("recording waits", why=later.why, in_s=wait_s)
            await asyncio.sleep(wait_s)
            wait_s = min(LONGEST_WAIT_S, wait_s * 2)


def _shown(finished: FinishedAttempt, result: SendResult | None) -> AddressShown | None:
    """Say by which other address than ours the platform knows who was written to. A group is nobody."""
    send, outcome = finished.send, finished.outcome
    if result is None or not isinstance(outcome, Accepted) or outcome.shown is None or send.is_to_group:
        return None
    shown = {("phone", outcome.shown.phone), ("user_id", outcome.shown.user_id)}
    if all(value is None or (kind, value) == (send.address_kind, send.address) for kind, value in shown):
        return None
    return AddressShown(
        message_id=send.message_id,
        attempt_id=attempt_id_of(MessageId(send.message_id), finished.n),
        contact_id=send.contact_id,
        shown=outcome.shown,
        occurred_at=result.recorded_at,
    )
