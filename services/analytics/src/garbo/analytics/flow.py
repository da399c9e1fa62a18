"""The use cases: record what happened, forget who is erased, and answer queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from garbo.analytics.domain.facts import Fact
from garbo.analytics.domain.funnel import MINUTE, Counts, Funnel, minute_of, width_of
from garbo.analytics.domain.observe import observe
from garbo.analytics.ports import FactQueries, FactStore, Filter, Memories
from garbo.common.clock import Clock
from garbo.common.events.base import Event
from garbo.common.events.erasure import ContactErased


class RecordFacts:
    """Takes what the other services say of messages."""

    def __init__(self, store: FactStore) -> None:
        self._store = store

    async def record(self, events: Sequence[Event]) -> None:
        """Make records of any topics part of the facts; a repeat changes nothing."""
        await self._store.upsert(observe(events))


AT_ONCE: Final = 5000


class Forget:
    """Obeys erasures at once, and retention in bounded rounds."""

    def __init__(self, memories: Memories, keep: timedelta) -> None:
        self._memories, self._keep = memories, keep

    async def obey(self, erasures: Sequence[ContactErased]) -> None:
        """Forget people. The same again changes nothing."""
        await self._memories.forget([contact for erased in erasures for contact in erased.all_ids])

    async def tidy(self) -> bool:
        """Delete what is past its keep; tells whether there may be more.

        What came about an erased person after the news of it, or was being written then, is forgotten, too.
        """
        await self._memories.forget([])
        return await self._memories.drop_old(keep=self._keep, limit=AT_ONCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who asks."""

    brands: tuple[str, ...] | None
    """Whose messages they may see; None: all there are."""
    sees_refs: bool
    """Whether they may see by which hash a message is known to the platform's records."""


class Queries:
    """Answers what is asked about messages."""

    def __init__(self, facts: FactQueries, clock: Clock) -> None:
        self._facts, self._clock = facts, clock

    async def totals(self) -> Counts:
        """Count all messages ever, by step and detail."""
        return await self._facts.totals()

    async def funnel(self, since: datetime | timedelta, *, lane: str | None = None) -> Funnel:
        """Count the messages begun since an instant, or in the last span of time; in whole minutes."""
        until = minute_of(self._clock.now()) + MINUTE
        begin = minute_of(since) if isinstance(since, datetime) else until - max(since, MINUTE)
        begin = min(begin, until - MINUTE)
        width = width_of(until - begin)
        return await self._facts.funnel(since=minute_of(begin), until=until, lane=lane, width=width)

    async def latest(self, wanted: Filter) -> Sequence[Fact]:
        """List messages, the one that began last first."""
        return await self._facts.latest(wanted)

    async def messages_of(
        self, request_id: UUID, client: str | None, *, brands: tuple[str, ...] | None
    ) -> Sequence[Fact]:
        """Find the messages of a request id: one a client that used it; of these brands, None: of all."""
        return await self._facts.messages_of(request_id, client, brands=brands)
