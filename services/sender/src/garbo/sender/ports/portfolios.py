"""Who was written to first, kept for all replicas, and shown."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from garbo.sender.domain.portfolios import PeopleLimit


class PeopleReached(Protocol):
    """Each portfolio's people of the last 24 h. Each method is a transaction; all raise `RetryLater`."""

    async def take_places(
        self, portfolio: str, *, most: int, people: Sequence[tuple[UUID, UUID]]
    ) -> Collection[UUID]:
        """Take a place for each (person, message) while there are less than `most`; give who has one.

        Who was written to in the last 24 h has one. No person twice.
        """
        ...

    async def give_back(self, messages: Sequence[UUID]) -> None:
        """Give back the places of messages that were not sent, unless another one counted on them."""
        ...

    async def wake(self, portfolio: str, *, most: int | None, most_of_promo: int | None) -> int:
        """Let go on as many as there are places, of what waits for one, care first; count the people."""
        ...

    async def awaited(self) -> Collection[str]:
        """Name the portfolios in which messages wait for a place."""
        ...

    async def tell(self, portfolio: str, limit: PeopleLimit, *, told_at: datetime) -> None:
        """Note a limit the platform told; what it told later stays."""
        ...

    async def told(self) -> Mapping[str, PeopleLimit]:
        """Give the limits the platform told."""
        ...


class PeopleFigures(Protocol):
    """What is shown of portfolios."""

    def people(self, portfolio: str, *, count: int, limit: PeopleLimit) -> None:
        """Show how many people were written to first, of how many."""
        ...
