"""The outbox in PostgreSQL: written with a change, deleted once Kafka has acknowledged it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID

import asyncpg

from garbo.common.events.ids import ContactId
from garbo.common.events.wire import decode, topic_named
from garbo.common.priority import yielding
from garbo.common.runtime.postgres import Database
from garbo.router.ports.jobs import OutboxRecord
from garbo.router.ports.publisher import OutgoingRecord, Rendered

# Ids are drawn under the lock of the recipient's row, so they follow the order of a recipient's changes;
# one router at a time reads them, so that order is kept all the way.
TURN: Final = "SELECT pg_try_advisory_xact_lock(hashtext('router.outbox'))"
# A router that stands still with its turn in hand loses it.
PATIENCE: Final = "SET LOCAL idle_in_transaction_session_timeout = '30s'"
OLDEST: Final = "SELECT id, topic, key, value, trace FROM router.outbox ORDER BY id LIMIT $1"
DELETE: Final = "DELETE FROM router.outbox WHERE id = ANY ($1::bigint[])"


class PostgresOutbox:
    """An `Outbox`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def oldest(self, limit: int) -> AsyncIterator[Sequence[OutboxRecord]]:
        """Hold the oldest records while the block runs; deleted when it ends well, else left as they were."""
        async with self._database.transaction() as connection:
            if not await connection.fetchval(TURN):
                yield ()
                return
            await connection.execute(PATIENCE)
            rows = await connection.fetch(OLDEST, limit)
            parcels = [_parcel(row) async for row in yielding(rows)]
            yield parcels
            if parcels:
                await connection.execute(DELETE, [parcel.place for parcel in parcels])


def _parcel(row: asyncpg.Record) -> OutboxRecord:
    topic, value = topic_named(row["topic"]), row["value"]
    event = decode(topic, value)
    contact_id = None if row["key"] == event.event_id else ContactId(UUID(row["key"]))
    record = Rendered(event.event_id, event.happened_at, value)
    return OutboxRecord(row["id"], OutgoingRecord(topic, record, contact_id, row["trace"]))
