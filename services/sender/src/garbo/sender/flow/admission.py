"""What of a line may be begun now: in time, not paused, and with a place in its portfolio's day.

Whatever else is taken from the line is refused or parked, so that it takes no room and nobody waits for it.
"""

from collections.abc import Callable, Sequence
from typing import Final

from garbo.sender.domain.deadlines import refusal_reason
from garbo.sender.domain.line import Line
from garbo.sender.domain.queued_send import QueuedSend
from garbo.sender.flow.pauses import Pauses
from garbo.sender.flow.portfolios import Portfolios
from garbo.sender.flow.retry import Retry
from garbo.sender.flow.send_queue import SendQueue

LOOKED_AT_ONCE: Final = 64
"""Of many that find no place."""


class Admission:
    """One number's. Instants are seconds of the clock given."""

    def __init__(
        self,
        *,
        queue: SendQueue,
        pauses: Pauses,
        portfolios: Portfolios,
        retry: Retry,
        now: Callable[[], float],
    ) -> None:
        self._queue, self._pauses, self._portfolios = queue, pauses, portfolios
        self._retry, self._now = retry, now

    async def take(self, line: Line, count: int) -> list[QueuedSend]:
        """Take so many that may be begun, each of another person. Raises `RetryLater`: none is taken then."""
        ready, wanted = list[QueuedSend](), count
        while len(ready) < count:
            sends = self._not_paused(self._still_in_time(line.take(wanted, self._now())))
            try:
                full = await self._portfolios.without_place(sends, now=self._queue.database_now())
            except BaseException:
                put_back(line, [*sends, *ready])
                raise
            for send in sends:
                if why := full.get(send.message_id):
                    self._retry.park(send, why)
            ready += [send for send in sends if send.message_id not in full]
            if not full:
                break
            wanted = LOOKED_AT_ONCE
        put_back(line, ready[count:])
        return ready[:count]

    def _still_in_time(self, sends: Sequence[QueuedSend]) -> list[QueuedSend]:
        now, kept = self._queue.database_now(), []
        for send in sends:
            if reason := refusal_reason(send, now=now):
                self._retry.refuse(send, reason)
            else:
                kept.append(send)
        return kept

    def _not_paused(self, sends: Sequence[QueuedSend]) -> list[QueuedSend]:
        kept = []
        for send in sends:
            if reason := self._pauses.refuses(send):
                self._retry.refuse(send, reason)
            elif why := self._pauses.parks(send):
                self._retry.park(send, why)
            else:
                kept.append(send)
        return kept


def put_back(line: Line, sends: Sequence[QueuedSend]) -> None:
    """Let messages that were taken be taken again."""
    for send in sends:
        line.put_back(send)
