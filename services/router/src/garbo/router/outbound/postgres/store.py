"""The store in PostgreSQL: one state row per recipient is the lock and the truth."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from garbo.common.business import Business
from garbo.common.events.ids import MessageId
from garbo.common.runtime.postgres import Database
from garbo.router.outbound.postgres.contacts import get_or_create_at
from garbo.router.outbound.postgres.rows import read_decision
from garbo.router.outbound.postgres.templates import PostgresTemplates, seeds
from garbo.router.outbound.postgres.transaction import PostgresTransaction
from garbo.router.ports.contacts import Address, Contact
from garbo.router.ports.store import StoredDecision

DECISION: Final = """
SELECT d.message_id, d.client, d.request_id, d.body_hash, d.contact_id, d.records
FROM router.decision d
WHERE d.message_id = $1
  AND d.decided_on = ANY (ARRAY(SELECT decided_on FROM router.request_seen WHERE message_id = $1))
"""
MAKE_PARTITIONS: Final = "SELECT router.make_partitions($1)"


# Which days an array names is known only when a statement is planned with its values. A plan kept for any
# values looks through the tables of all days: with 90 of them, 60 to 90 ms instead of 8 for 500 grants.
SESSION: Final = {"plan_cache_mode": "force_custom_plan"}


def router_database(dsn: str, *, size: int) -> Database:
    """Give a pool whose statements touch only the tables of the days they name."""
    return Database(dsn, service="router", size=size, session=SESSION)


class PostgresStore:
    """A `Store`. Transient failures come out as `RetryLater`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._templates = PostgresTemplates()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[PostgresTransaction]:
        """Open a READ COMMITTED transaction: committed at the end, rolled back on any exception."""
        async with self._database.transaction() as connection:
            yield PostgresTransaction(connection, self._templates)

    async def decision(self, message_id: MessageId) -> StoredDecision | None:
        """Find a decision outside any transaction."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(DECISION, message_id)
        return None if row is None else read_decision(row)

    async def get_or_create_contacts(
        self, addresses: Iterable[Address], *, named_at_us: Mapping[str, int] | None = None
    ) -> Mapping[str, Contact]:
        """Find or make the contacts of addresses, by hash, each statement a transaction of its own."""
        async with self._database.connection() as connection:
            return await get_or_create_at(connection, addresses, named_at_us or {})

    async def make_partitions(self, *, ahead_days: int) -> int:
        """Make room for the days ahead; returns how many tables were made. Idempotent."""
        async with self._database.transaction() as connection:
            made: int = await connection.fetchval(MAKE_PARTITIONS, ahead_days)
            return made

    async def seed(self, business: Business) -> None:
        """Make the business file's templates known; what the platform said of them stands."""
        async with self._database.transaction() as connection:
            await self._templates.write(connection, seeds(business))
