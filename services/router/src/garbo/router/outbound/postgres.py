"""The store in PostgreSQL: one state row per recipient is the lock and the truth."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from garbo.common.business import Business
from garbo.common.events.ids import ContactId, MessageId
from garbo.common.runtime.postgres import Database
from garbo.router.outbound.postgres_batch import PostgresBatch
from garbo.router.outbound.postgres_templates import PostgresTemplates, seeds
from garbo.router.ports import StoredDecision

DECISION: Final = """
SELECT message_id, client, request_id, body_hash, contact_id, records
FROM router.decision WHERE message_id = $1
"""


class PostgresStore:
    """A `Store`. Transient failures come out as `RetryLater`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._templates = PostgresTemplates()

    @asynccontextmanager
    async def batch(self) -> AsyncIterator[PostgresBatch]:
        """Open a READ COMMITTED transaction: committed at the end, rolled back on any exception."""
        async with self._database.transaction() as connection:
            yield PostgresBatch(connection, self._templates)

    async def decision(self, message_id: MessageId) -> StoredDecision | None:
        """Find a decision outside any batch."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(DECISION, message_id)
        if row is None:
            return None
        contact_id = row["contact_id"]
        return StoredDecision(
            message_id=MessageId(row["message_id"]),
            client=row["client"],
            request_id=row["request_id"],
            body_hash=row["body_hash"],
            contact_id=None if contact_id is None else ContactId(contact_id),
            records=tuple(row["records"]),
        )

    async def seed(self, business: Business) -> None:
        """Make the business file's templates known; what the platform said of them stands."""
        async with self._database.transaction() as connection:
            await self._templates.write(connection, seeds(business))
