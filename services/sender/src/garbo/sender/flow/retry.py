"""What becomes of a person once an attempt has ended, or was not to be: on, once more, later, or never.

Instants are seconds of the clock given.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from random import random
from typing import Final
from uuid import UUID

import structlog

from garbo.common.errors import RetryLater
from garbo.sender.domain.deadlines import refusal_reason
from garbo.sender.domain.outcomes import MAX_LIMITED_ATTEMPTS, Failed, NotYet, Outcome
from garbo.sender.domain.queued_send import QueuedSend
from garbo.sender.domain.retries import rest_s, wait_s
from garbo.sender.domain.wanted_media import FORGOTTEN
from garbo.sender.flow.send_queue import SendQueue
from garbo.sender.flow.slots import Slots

MEMORY_S: Final = 2.0
"""What waits longer waits outside memory."""
SLOWED_S: Final = 0.5
"""Of many that say at once that a number is too fast, one is heard."""
UNREACHABLE_S: Final = 0.5
NEVER_LEFT: Final = frozenset({"turn_lost", "stopping", "paused"})

log = structlog.get_logger()


@dataclass(slots=True)
class _Tries:
    """Calls for one message that were not sent, in this process."""

    all: int = 0
    limited: int = 0


class Retry:
    """One number's."""

    def __init__(self, number: str, *, queue: SendQueue, slots: Slots, now: Callable[[], float]) -> None:
        self._number, self._queue, self._slots, self._now = number, queue, slots, now
        self._tries: dict[UUID, _Tries] = {}
        self._slowed_at = 0.0

    def limited(self, send: QueuedSend, outcome: Outcome) -> Outcome:
        """End tries that are limited: the request itself may be what is wrong. A throttle uses up none."""
        if not isinstance(outcome, NotYet):
            return outcome
        tries = self._tries.setdefault(send.message_id, _Tries())
        tries.all += 1
        tries.limited += outcome.limited
        return Failed(outcome.code, outcome.reason) if tries.limited >= MAX_LIMITED_ATTEMPTS else outcome

    async def slow_down(self, outcome: Outcome) -> None:
        """Slow the number down everywhere where it was too fast; let it rest here where nobody is reached."""
        if not isinstance(outcome, NotYet):
            return
        if outcome.unreachable:
            self._slots.rest(UNREACHABLE_S)
        now = self._now()
        if not outcome.slow_down or now - self._slowed_at < SLOWED_S:
            return
        self._slowed_at = now
        try:
            rest = rest_s(outcome, jitter=random())  # noqa: S311 - spreads load
            await self._slots.slow_down(rest, of_account=outcome.of_account)
        except RetryLater as later:
            log.warning("not slowed down", why=later.why)

    def after(self, send: QueuedSend, outcome: Outcome, *, n: int) -> None:
        """Go on with the person: their next message, or the same once more. `n` is the attempt's number."""
        if not isinstance(outcome, NotYet):
            self.end(send)
        elif outcome.reason in NEVER_LEFT:
            self._queue.line(self._number, send.lane).put_back(send)
        elif outcome.reason == FORGOTTEN:
            self._want_again(send)
        else:
            tries = n if outcome.pair else self._tries.setdefault(send.message_id, _Tries()).all
            self._later(send, wait_s(outcome, tries, jitter=random()))  # noqa: S311 - spreads load

    def too_soon(self, send: QueuedSend, after_s: float) -> None:
        """Let a person rest who was sent too much, unless the message would be too late then."""
        if refusal_reason(send, now=self._queue.database_now() + timedelta(seconds=after_s)):
            self.refuse(send, "pair_limited")
        else:
            self._later(send, after_s)

    def park(self, send: QueuedSend, why: str) -> None:
        """Let a message wait outside memory until somebody says so, and go on with the person."""
        self._queue.park([send], after_s=math.inf, why=why)
        self.end(send)

    def _want_again(self, send: QueuedSend) -> None:
        """Let a message wait until its files are uploaded again, and who stands behind it for this person."""
        _, *others = self._queue.line(self._number, send.lane).take_out(send)
        self._tries.pop(send.message_id, None)
        self._queue.park_for_media(send)
        self._queue.park(others, after_s=math.inf, why="order")
        self._queue.changed(self._number, send.lane).set()

    def refuse(self, send: QueuedSend, reason: str) -> None:
        """Have it written and told that a message is not sent, and go on with the person then."""
        self._queue.refuse(send, reason, partial(self.end, send))

    def end(self, send: QueuedSend) -> None:
        """Go on with the person's next message."""
        self._tries.pop(send.message_id, None)
        self._queue.line(self._number, send.lane).finish(send)
        self._queue.changed(self._number, send.lane).set()

    def _later(self, send: QueuedSend, after_s: float) -> None:
        """Let a person rest: here for a moment, or outside memory; nobody is overtaken by their own."""
        line = self._queue.line(self._number, send.lane)
        if after_s <= MEMORY_S:
            line.put_back(send, until=self._now() + after_s)
        else:
            self._tries.pop(send.message_id, None)
            self._queue.park(line.take_out(send), after_s=after_s, why="pair")
        self._queue.changed(self._number, send.lane).set()
