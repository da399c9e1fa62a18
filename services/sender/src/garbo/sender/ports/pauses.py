"""What is paused: kept for all replicas, told, and shown."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from garbo.common.events.pauses import PauseChanged
from garbo.sender.domain.pauses import Order, Pause


class PauseSwitches(Protocol):
    """The pauses of all replicas. Each method is one transaction; all raise `RetryLater`."""

    async def in_force(self) -> Sequence[Pause]:
        """Give what is paused, in the order of scopes and names."""
        ...

    async def order(self, orders: Sequence[Order]) -> Sequence[Pause]:
        """Pause and resume, in the order given; gives what was ended by it.

        The same again changes nothing. What was said before something that is known already changes nothing.
        """
        ...

    async def end_due(self) -> None:
        """End what has lasted long enough; let go on what is parked for no pause any more, in its order."""
        ...

    async def take_probe(self, number: str, *, account: str | None) -> bool:
        """Say whether one message may be tried of a number that a code paused: each time is given once."""
        ...

    async def take_untold(self) -> Sequence[tuple[int, datetime, PauseChanged]]:
        """Take what is not told yet, each with its place and claim; not `told` in time, others take it."""
        ...

    async def told(self, told: Sequence[tuple[int, datetime]]) -> None:
        """Note that these are told."""
        ...

    async def recategorise(self, template: str, *, sells: bool, told_at: datetime) -> None:
        """Note that a template (account:name:language) sells from now on, or does not any more."""
        ...

    async def recategorised(self) -> Mapping[str, datetime]:
        """Give the templates that sell since a day or less, and before which instant grants are refused."""
        ...

    async def parked_counts(self) -> Mapping[str, int]:
        """Count what is parked, by why: `pair`, `order`, `ambiguous`, `portfolio`, `pause_template` ..."""
        ...


class PauseNews(Protocol):
    """Where pauses are told."""

    async def publish(self, changes: Sequence[PauseChanged]) -> None:
        """Return when all are safe, else raise `RetryLater`."""
        ...


class PauseFigures(Protocol):
    """What is shown of pauses."""

    def paused(self, pauses: Sequence[Pause]) -> None:
        """Show what is in force."""
        ...

    def parked(self, counts: Mapping[str, int]) -> None:
        """Show how many messages are parked, by why."""
        ...
