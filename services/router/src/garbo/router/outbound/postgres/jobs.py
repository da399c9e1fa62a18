"""Finding the router's own work in PostgreSQL: what is due, what has ended, what is out of date."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import date, timedelta
from typing import Final

import asyncpg

from garbo.common.events.ids import ContactId, MessageId
from garbo.router.domain.instants import to_datetime, to_us
from garbo.router.outbound.postgres.store import PostgresStore
from garbo.router.outbound.postgres.transaction import PostgresTransaction
from garbo.router.ports.jobs import CampaignRef, ExpiredGrants, GrantRef

CANDIDATES: Final = 8
"""Look at so many times more recipients than are wanted: others may hold the first of them."""
LATE_COMMIT: Final = timedelta(minutes=10)
"""A grant may be committed after its lease has ended, but not by this much: no transaction lasts so long."""
LONGEST_LEASE: Final = timedelta(days=8)
"""How far back the tables by day are opened."""

TODAY: Final = "SELECT current_date"
CLAIM_DUE: Final = """
WITH due AS MATERIALIZED (
    SELECT contact_id FROM router.deferred WHERE due_at <= now() ORDER BY due_at LIMIT $2
)
SELECT r.contact_id FROM router.recipient_state r WHERE r.contact_id IN (SELECT contact_id FROM due)
ORDER BY r.contact_id LIMIT $1 FOR UPDATE SKIP LOCKED
"""
CLAIM_ORPHANS: Final = """
SELECT d.contact_id FROM router.deferred d
WHERE d.due_at <= now()
  AND NOT EXISTS (SELECT FROM router.recipient_state r WHERE r.contact_id = d.contact_id)
ORDER BY d.due_at LIMIT $1 FOR UPDATE SKIP LOCKED
"""
CLAIM: Final = """
SELECT contact_id FROM router.recipient_state WHERE contact_id = ANY ($1::uuid[])
ORDER BY contact_id FOR UPDATE SKIP LOCKED
"""
GONE: Final = """
SELECT asked.contact_id FROM unnest($1::uuid[]) AS asked(contact_id)
WHERE NOT EXISTS (SELECT FROM router.recipient_state r WHERE r.contact_id = asked.contact_id)
"""
WATERMARK: Final = "SELECT until, clock_timestamp() AS now_at FROM router.reaped"
ENDED_LEASES: Final = """
SELECT message_id, contact_id FROM router.send_grant
WHERE state = 'reserved' AND valid_until >= $1 AND valid_until < $2 AND granted_on >= $3::date
ORDER BY valid_until LIMIT $4
"""
SAVE_WATERMARK: Final = "UPDATE router.reaped SET until = $1 WHERE until < $1"
OUTDATED: Final = """
SELECT message_id, contact_id FROM router.send_grant
WHERE state = 'reserved' AND valid_until > now() AND policy_version <> $1 AND granted_on >= $2::date
LIMIT $3
"""
NEWEST_POLICY: Final = "SELECT version FROM router.policy ORDER BY activated_at DESC, version LIMIT 1"
# Each is looked at again for a while after it is empty: they take turns, or the next would wait that long.
CANCELLED_CAMPAIGN: Final = """
SELECT brand, campaign FROM router.campaign WHERE NOT swept ORDER BY random() LIMIT 1
"""
REMAINING_OF: Final = """
(SELECT message_id, contact_id FROM router.deferred WHERE brand = $1 AND campaign = $2 LIMIT $4)
UNION ALL
(SELECT message_id, contact_id FROM router.send_grant
 WHERE state = 'reserved' AND valid_until > now() AND brand = $1 AND campaign = $2 AND granted_on >= $3::date
 LIMIT $4)
"""
# Not before every batch that had looked before the cancellation has ended.
MARK_CANCELLED: Final = """
UPDATE router.campaign SET swept = true
WHERE brand = $1 AND campaign = $2 AND cancelled_at < clock_timestamp() - $3::interval
"""


class PostgresJobTransaction(PostgresTransaction):
    """A `JobTransaction`."""

    async def claim_due(self, limit: int) -> Sequence[ContactId]:
        """Lock recipients of whom a request is due, those that wait longest first."""
        rows = await self._connection.fetch(CLAIM_DUE, limit, limit * CANDIDATES)
        if not rows:
            rows = await self._connection.fetch(CLAIM_ORPHANS, limit)
        return list({ContactId(row["contact_id"]): None for row in rows})

    async def claim(self, contact_ids: Collection[ContactId]) -> Sequence[ContactId]:
        """Lock those of the recipients whom nobody holds; one whose state is gone counts as well."""
        asked = list(contact_ids)
        rows = await self._connection.fetch(CLAIM, asked)
        if len(rows) < len(asked):
            rows = [*rows, *await self._connection.fetch(GONE, asked)]
        return [ContactId(row["contact_id"]) for row in rows]

    async def ended_leases(self, *, grace_us: int, limit: int) -> ExpiredGrants:
        """Find reserved grants whose lease ended at least `grace_us` ago, oldest first."""
        mark = (await self._connection.fetch(WATERMARK))[0]
        until = mark["now_at"] - timedelta(microseconds=grace_us)
        since = mark["until"] - LATE_COMMIT
        first_day = (since - LONGEST_LEASE).date()
        rows = await self._connection.fetch(ENDED_LEASES, since, until, first_day, limit)
        return ExpiredGrants([_ref(row) for row in rows], to_us(until))

    async def save_watermark(self, until_us: int) -> None:
        """Remember that no reserved grant has a lease that ended before this instant."""
        await self._connection.execute(SAVE_WATERMARK, to_datetime(until_us))

    async def outdated(self, policy_version: str, limit: int) -> Sequence[GrantRef]:
        """Find reserved grants whose lease goes on and that were permitted by another policy."""
        rows = await self._connection.fetch(OUTDATED, policy_version, await self._first_day(), limit)
        return [_ref(row) for row in rows]

    async def is_newest_policy(self, policy_version: str) -> bool:
        """Tell whether no other policy was put in force after this one."""
        newest = await self._connection.fetchval(NEWEST_POLICY)
        return newest is None or newest == policy_version

    async def next_cancelled_campaign(self) -> CampaignRef | None:
        """Find a campaign that was called off and of which something may still be there."""
        row = await self._connection.fetchrow(CANCELLED_CAMPAIGN)
        return None if row is None else CampaignRef(row["brand"], row["campaign"])

    async def remaining_of(self, campaign: CampaignRef, limit: int) -> Sequence[GrantRef]:
        """Find the reserved grants and the waiting requests of a campaign."""
        first_day = await self._first_day()
        rows = await self._connection.fetch(REMAINING_OF, campaign.brand, campaign.name, first_day, limit)
        return [_ref(row) for row in rows]

    async def mark_cancelled(self, campaign: CampaignRef) -> None:
        """Remember that nothing of this campaign is left."""
        await self._connection.execute(MARK_CANCELLED, campaign.brand, campaign.name, LATE_COMMIT)

    async def _first_day(self) -> date:
        today: date = await self._connection.fetchval(TODAY)
        return today - LONGEST_LEASE


class PostgresJobStore(PostgresStore):
    """A `JobStore`: give it connections of its own."""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[PostgresJobTransaction]:
        """Open a READ COMMITTED transaction: committed at the end, rolled back on any exception."""
        async with self._database.transaction() as connection:
            yield PostgresJobTransaction(connection, self._templates)


def _ref(row: asyncpg.Record) -> GrantRef:
    return GrantRef(MessageId(row["message_id"]), ContactId(row["contact_id"]))
