"""Fakes of what the router's own work needs, in memory."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count

from garbo.common.events.ids import ContactId
from garbo.router.domain.grant import Grant
from garbo.router.domain.instants import to_us
from garbo.router.ports.budgets import BudgetLease, BudgetRequest
from garbo.router.ports.jobs import CampaignRef, ExpiredGrants, GrantRef, OutboxRecord
from garbo.router.ports.store import Deferred
from garbo.router.ports.telemetry import Backlog
from services.router.tests.support.memory import InMemoryStore, InMemoryTransaction
from services.router.tests.support.tables import Tables


class InMemoryJobTransaction(InMemoryTransaction):
    """A `JobTransaction`: transactions run one after the other, so nobody else ever holds anything."""

    async def claim_due(self, limit: int) -> Sequence[ContactId]:
        """Give recipients of whom a request is due, those that wait longest first."""
        due = sorted(self._tables.deferred.values(), key=lambda one: one.due_at_us)
        whose = {one.contact_id: None for one in due if one.due_at_us <= self._now_us}
        return list(whose)[:limit]

    async def claim(self, contact_ids: Collection[ContactId]) -> Sequence[ContactId]:
        """Give all of them."""
        return list(contact_ids)

    async def ended_leases(self, *, grace_us: int, limit: int) -> ExpiredGrants:
        """Find reserved grants whose lease ended at least `grace_us` ago, oldest first."""
        until_us = self._now_us - grace_us
        ended = [grant for grant in self._reserved() if grant.valid_until_us < until_us]
        ended.sort(key=lambda grant: grant.valid_until_us)
        return ExpiredGrants([GrantRef(g.message_id, g.contact_id) for g in ended[:limit]], until_us)

    async def save_watermark(self, until_us: int) -> None:
        """Forget it: here the tables are small."""

    async def outdated(self, policy_version: str, limit: int) -> Sequence[GrantRef]:
        """Find reserved grants whose lease goes on and that were permitted by another policy."""
        return [
            GrantRef(g.message_id, g.contact_id)
            for g in self._reserved()
            if g.valid_until_us > self._now_us and g.policy_version != policy_version
        ][:limit]

    async def is_newest_policy(self, policy_version: str) -> bool:  # noqa: ARG002 - the port's
        """Say yes: there is one router."""
        return True

    async def next_cancelled_campaign(self) -> CampaignRef | None:
        """Find a campaign that was called off and of which something may still be there."""
        left = (name for name in self._tables.cancelled if name not in self._tables.swept)
        return next((CampaignRef(*name) for name in left), None)

    async def remaining_of(self, campaign: CampaignRef, limit: int) -> Sequence[GrantRef]:
        """Find the reserved grants and the waiting requests of a campaign."""
        both: tuple[Grant | Deferred, ...] = (*self._reserved(), *self._tables.deferred.values())
        name = (campaign.brand, campaign.name)
        return [GrantRef(o.message_id, o.contact_id) for o in both if (o.brand, o.campaign) == name][:limit]

    async def mark_cancelled(self, campaign: CampaignRef) -> None:
        """Remember that nothing of this campaign is left."""
        self._tables.swept = self._tables.swept | {(campaign.brand, campaign.name)}

    def _reserved(self) -> list[Grant]:
        return [grant for grant in self._tables.grants.values() if grant.state == "reserved"]


class InMemoryJobStore(InMemoryStore):
    """A `JobStore`."""

    under_way: Tables | None = None
    """As they are in the transaction that is open."""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[InMemoryJobTransaction]:
        """Open a transaction: kept at the end, forgotten on any exception."""
        async with self._one_at_a_time:
            tables = self.under_way = self.tables.copied()
            yield InMemoryJobTransaction(tables, to_us(self.now))
            self.tables = tables


@dataclass
class InMemoryOutbox:
    """An `Outbox` over the same tables."""

    store: InMemoryStore

    @asynccontextmanager
    async def oldest(self, limit: int) -> AsyncIterator[Sequence[OutboxRecord]]:
        """Give the oldest records; gone when the block ends well."""
        held = self.store.tables.outbox[:limit]
        yield [OutboxRecord(place, outgoing) for place, outgoing in enumerate(held)]
        self.store.tables.outbox = self.store.tables.outbox[len(held) :]


@dataclass
class InMemoryBudgetLeases:
    """A `BudgetLeases` with one owner: a slice for each budget, of all there is."""

    store: InMemoryJobStore
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    async def fill(self, wants: Sequence[BudgetRequest]) -> Sequence[int]:
        """Hold what is wanted, as far as the limits go; returns the slices."""
        leases = (self.store.under_way or self.store.tables).leases
        held: list[int] = []
        for want in wants:
            budget = (want.rule, want.scope, want.period)
            own = [one for one in leases.values() if (one.rule, one.scope, one.period) == budget]
            if not own:
                own = [BudgetLease(next(self._numbers), *budget, want.limit)]
                leases[own[0].lease_id] = self.store.tables.leases[own[0].lease_id] = own[0]
            held += [one.lease_id for one in own]
        return held


class CountingJobMeter:
    """A `JobMeter` one can look at."""

    def __init__(self) -> None:
        self.verdicts: list[str] = []
        self.reasons: list[str] = []
        self.published_count = 0
        self.backlogs: list[Backlog] = []
        self.silent_counts: list[int] = []
        self.failures: list[tuple[str, str]] = []

    def retried(self, *, verdict: str) -> None:
        """Keep the verdict."""
        self.verdicts.append(verdict)

    def released(self, reason: str) -> None:
        """Keep the reason."""
        self.reasons.append(reason)

    def published(self, count: int) -> None:
        """Count records of the outbox that were published."""
        self.published_count += count

    def show(self, backlog: Backlog) -> None:
        """Keep what waits."""
        self.backlogs.append(backlog)

    def silent(self, count: int) -> None:
        """Keep the count."""
        self.silent_counts.append(count)

    def failed(self, job: str, why: str) -> None:
        """Keep what failed, and why."""
        self.failures.append((job, why))
