"""Use case: tell the platform that messages were read, and that somebody writes an answer.

A mark takes a slot of its number's rate like a message, is tried twice at most, and is worth nothing soon: so
nothing of it is kept, and whatever stands in its way it gives way.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Literal, Protocol

from garbo.common.business import Business
from garbo.common.clock import Clock
from garbo.common.errors import Reject, RetryLater
from garbo.common.events.reads import ReadRequested
from garbo.sender.domain.outcomes import Answer
from garbo.sender.domain.read_marks import mark_refusal, outcome_of_mark
from garbo.sender.ports.rates import Lease, NoLease

MOST_TRIES: Final = 2
SLOT_WITHIN: Final = timedelta(seconds=10)
"""What has no slot by then gives way to messages."""

Told = Literal["marked", "refused", "failed", "too_old", "no_slot", "repeated"]
"""failed: no clear answer, twice. repeated: a newer mark of the same message speaks for it."""


class SendSlots(Protocol):
    """The rate of each number, shared by all who send from it."""

    async def acquire(
        self, number: str, *, ceiling_per_s: float, wanted: int, ready_in_s: float
    ) -> Lease | NoLease:
        """Take so many sends at most; raises `RetryLater`."""
        ...


class ReadMarks(Protocol):
    """The platform's read marks."""

    async def mark(self, event: ReadRequested, *, typing: bool) -> Answer:
        """Tell one. Never raises for what the platform or the network does."""
        ...


@dataclass(slots=True)
class MarkRead:
    """Tells each mark while it is worth a call."""

    business: Callable[[], Business]
    """The business file in force."""
    slots: SendSlots
    platform: ReadMarks
    clock: Clock
    now: Callable[[], float]
    """A monotonic clock, in seconds."""
    _turns: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def mark(self, asked: Sequence[ReadRequested]) -> Mapping[Told, int]:
        """Tell them all, and count what became of each.

        Raises `Reject` (`unknown_client`, `unknown_number`, `brand_not_allowed`) before anything is told.
        """
        business = self.business()
        for event in asked:
            if why := mark_refusal(event, business):
                raise Reject(why)
        newest = {(event.number, event.message_id): event for event in asked}
        rates = {number.id: number.rate_per_s for number in business.numbers}
        gives_up_at = self.now() + SLOT_WITHIN.total_seconds()
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._mark(event, rates[event.number], gives_up_at))
                for event in newest.values()
            ]
        counted = Counter[Told](task.result() for task in tasks)
        counted["repeated"] = len(asked) - len(newest)
        return counted

    async def _mark(self, event: ReadRequested, rate_per_s: float, gives_up_at: float) -> Told:
        for _ in range(MOST_TRIES):
            if not event.is_worth_a_call(self.clock.now()):
                return "too_old"
            if not await self._slot(event.number, rate_per_s, gives_up_at):
                return "no_slot"
            answer = await self.platform.mark(event, typing=event.shows_typing(self.clock.now()))
            outcome = outcome_of_mark(answer)
            if outcome != "again":
                return outcome
        return "failed"

    async def _slot(self, number: str, rate_per_s: float, gives_up_at: float) -> bool:
        """Wait for a slot of the number; False when there is none in time."""
        async with self._turns.setdefault(number, asyncio.Lock()):
            while (left_s := gives_up_at - self.now()) > 0:
                try:
                    answer = await self.slots.acquire(
                        number, ceiling_per_s=rate_per_s, wanted=1, ready_in_s=0.0
                    )
                except RetryLater:
                    return False
                if isinstance(answer, Lease):
                    await asyncio.sleep(answer.starts_in_s)
                    return True
                await asyncio.sleep(min(answer.after_s, left_s))
        return False
