"""What the flow needs of the outside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from garbo.analytics.domain.facts import Fact
from garbo.analytics.domain.funnel import Counts, Funnel
from garbo.analytics.domain.observe import Observed


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which messages to list, the latest first. Nothing given: all."""

    limit: int = 50
    verdicts: tuple[str, ...] = ()
    lane: str | None = None
    brands: tuple[str, ...] | None = None
    """Of a message without a decision the brand is not known yet: it is nobody's."""


class FactStore(Protocol):
    """Where facts are kept."""

    async def upsert(self, observed: Observed) -> None:
        """Join a batch to what is known, facts and counters as one change.

        Repeating it changes nothing. Raises `RetryLater` while the store is not available.
        """
        ...


class Memories(Protocol):
    """What is kept of people and of long ago. All raise `RetryLater` while the store is not available."""

    async def forget(self, contact_ids: Sequence[UUID]) -> None:
        """Put `ERASED_CONTACT` in the place of these people, and of all who were erased lately."""
        ...

    async def drop_old(self, *, keep: timedelta, limit: int) -> bool:
        """Delete what is older than that, `limit` rows of a table; tells whether there may be more."""
        ...


class FactQueries(Protocol):
    """What can be asked of the facts. Every question may raise `RetryLater`."""

    async def totals(self) -> Counts:
        """Count all messages ever, by step and detail."""
        ...

    async def funnel(self, *, since: datetime, until: datetime, lane: str | None, width: timedelta) -> Funnel:
        """Count the messages begun from `since` to before `until`; costs the number of minutes."""
        ...

    async def latest(self, wanted: Filter) -> Sequence[Fact]:
        """List messages, the one that began last first."""
        ...

    async def messages_of(
        self, request_id: UUID, client: str | None, *, brands: tuple[str, ...] | None = None
    ) -> Sequence[Fact]:
        """Find the messages of a request id: one a client that used it; of these brands, None: of all."""
        ...
