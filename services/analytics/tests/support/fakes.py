"""A typed fake of both ports, proven against PostgreSQL by one conformance suite."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from garbo.analytics.domain.facts import Fact, merge
from garbo.analytics.domain.funnel import DRAWN, Counts, Funnel, FunnelCounter, count_once, difference
from garbo.analytics.domain.observe import Engagement, ForeignStatus, Inbound, Observed
from garbo.analytics.ports import Filter


class FakeFacts:
    """`FactStore` and `FactQueries` in memory."""

    def __init__(self) -> None:
        self.facts: dict[UUID, Fact] = {}
        self.inbound: dict[str, Inbound] = {}
        self._seen: set[tuple[str, str]] = set()
        self._minutes: Counter[FunnelCounter] = Counter()

    async def upsert(self, observed: Observed) -> None:
        """Join a batch to what is known."""
        for message_id, fact in observed.facts.items():
            before = self.facts.get(message_id)
            after = merge(before, fact) if before else fact
            self.facts[message_id] = after
            self._minutes.update(difference([(before, after)]))
        self._minutes.update(count_once(self._new(observed)))

    def _new(self, observed: Observed) -> list[Inbound | ForeignStatus | Engagement]:
        new: list[Inbound | ForeignStatus | Engagement] = []
        for ref, inbound in observed.inbound.items():
            known = self.inbound.get(ref)
            if known is None:
                new.append(inbound)
            contact = (known and known.contact_id) or inbound.contact_id
            self.inbound[ref] = replace(known or inbound, contact_id=contact)
        new += [item for key, item in observed.foreign.items() if key not in self._seen]
        new += [item for key, item in observed.engagements.items() if key not in self._seen]
        self._seen |= observed.foreign.keys() | observed.engagements.keys()
        return new

    async def totals(self) -> Counts:
        """Count all messages ever."""
        totals: Counter[tuple[str, str]] = Counter()
        for counter, count in self._minutes.items():
            totals[counter.step, counter.detail] += count
        return totals

    async def funnel(self, *, since: datetime, until: datetime, lane: str | None, width: timedelta) -> Funnel:
        """Count the messages begun in a span of time."""
        counts: Counter[tuple[str, str]] = Counter()
        points: Counter[tuple[datetime, str]] = Counter()
        for counter, count in self._minutes.items():
            if since <= counter.minute < until and lane in (None, counter.lane):
                counts[counter.step, counter.detail] += count
                if counter.step in DRAWN:
                    points[since + (counter.minute - since) // width * width, counter.step] += count
        return Funnel(since, until, lane, counts, width, points)

    async def latest(self, wanted: Filter) -> Sequence[Fact]:
        """List messages, the one that began last first."""
        found = [
            fact
            for fact in self.facts.values()
            if (not wanted.verdicts or fact.verdict in wanted.verdicts)
            and wanted.lane in (None, fact.lane)
            and (wanted.brands is None or fact.brand in wanted.brands)
        ]
        by_id = sorted(found, key=lambda fact: fact.message_id)
        return sorted(by_id, key=lambda fact: fact.begun_at, reverse=True)[: wanted.limit]

    async def messages_of(
        self, request_id: UUID, client: str | None, *, brands: tuple[str, ...] | None = None
    ) -> Sequence[Fact]:
        """Find the messages of a request id."""
        found = [
            fact
            for fact in self.facts.values()
            if fact.request_id == request_id
            and client in (None, fact.client)
            and (brands is None or fact.brand in brands)
        ]
        return sorted(found, key=lambda fact: fact.client or "")
