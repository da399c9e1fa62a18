"""One number's grants of one batch: what waits, what is due, and how long there is patience."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from garbo.common.events.grants import SendGranted
from garbo.sender.domain.outcomes import NotYet
from garbo.sender.domain.retries import PATIENCE_S, wait_s


@dataclass(slots=True)
class QueuedGrant:
    """A grant that is not finished."""

    grant: SendGranted
    trace: str | None
    attempts_count: int
    claimed: bool
    """An attempt was begun under this very grant: its claim is ours already."""
    due_at: float = 0.0
    tries: int = 0
    """Calls made for it in this batch."""
    last: NotYet | None = None
    patience_until: float | None = None


class GrantQueue:
    """Grants that wait for their send. Instants are seconds of the clock given."""

    def __init__(self, grants: Iterable[QueuedGrant], now: Callable[[], float]) -> None:
        self._waiting = list(grants)
        self._now = now
        self._deferred_reason: str | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def due(self) -> list[QueuedGrant]:
        """Give those that may be sent now."""
        now = self._now()
        return [queued for queued in self._waiting if queued.due_at <= now]

    def next_due_in_s(self) -> float | None:
        """Give the time until the first is due, 0 when one is; None when nothing waits."""
        now = self._now()
        return max(0.0, min(queued.due_at for queued in self._waiting) - now) if self._waiting else None

    def refusable(self, reason_of: Callable[[SendGranted], str | None]) -> list[tuple[QueuedGrant, str]]:
        """Give those that may not be sent, each with the reason."""
        found = [(queued, reason_of(queued.grant)) for queued in self._waiting]
        return [(queued, reason) for queued, reason in found if reason]

    def remove(self, grants: Iterable[QueuedGrant]) -> None:
        """Forget what is finished or under way."""
        gone = {id(queued) for queued in grants}
        self._waiting = [queued for queued in self._waiting if id(queued) not in gone]

    def retry(self, queued: QueuedGrant, outcome: NotYet) -> None:
        """Queue a grant again whose call was not sent; each try waits longer."""
        queued.attempts_count, queued.claimed, queued.tries = (
            queued.attempts_count + 1,
            True,
            queued.tries + 1,
        )
        queued.last = outcome
        jitter = random.random()  # noqa: S311 - spreads load
        self.defer(queued, wait_s(queued.tries, jitter=jitter), why=outcome.reason)

    def defer(self, queued: QueuedGrant, after_s: float, *, why: str) -> None:
        """Queue a grant for later; left to redelivery when that is past its patience."""
        now = self._now()
        queued.patience_until = queued.patience_until or now + PATIENCE_S
        queued.due_at = now + after_s
        if queued.due_at < queued.patience_until:
            self._waiting.append(queued)
        else:
            self.leave(why)

    def leave(self, why: str) -> None:
        """Note that a grant which is not in the queue any more must be delivered again."""
        self._deferred_reason = why

    @property
    def deferred_reason(self) -> str | None:
        """Why the batch must be delivered again; None when nothing is left of it."""
        return self._deferred_reason or ("more_to_send" if self._waiting else None)
