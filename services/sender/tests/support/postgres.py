"""A database with the sender's schema, and the router's door as a stand-in."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from garbo.common.events.grants import SendGranted
from garbo.common.runtime.postgres import Database
from tests.support.servers import SharedPostgres

CLAIMS: Final = Path(__file__).with_name("claims.sql")
TIME_OF_ALL: Final = """
WITH parked AS (
    SELECT message_id FROM sender.waiting WHERE parked_until IS NOT NULL ORDER BY message_id FOR UPDATE)
UPDATE sender.waiting AS w SET parked_until = clock_timestamp()
  FROM parked WHERE w.message_id = parked.message_id
"""
ALL_PAIRS_FREE: Final = """
WITH pairs AS (
    SELECT number, contact_id FROM sender.pair_rate ORDER BY number, contact_id FOR UPDATE)
UPDATE sender.pair_rate AS p SET tat_us = 0 FROM pairs
 WHERE p.number = pairs.number AND p.contact_id = pairs.contact_id
"""


@dataclass(frozen=True, slots=True)
class SenderDatabase:
    """A migrated database; `book` and `revoke` play the router."""

    dsn: str
    """As the sender's own role."""
    database: Database

    async def book(self, *grants: SendGranted) -> None:
        """Let the stand-in of the router know grants."""
        async with self.database.connection() as connection:
            await connection.executemany(
                "INSERT INTO router.stand_in (grant_id, epoch, message_id, valid_until)"
                " VALUES ($1, $2, $3, $4)",
                [(g.grant_id, g.epoch, g.message_id, g.valid_until) for g in grants],
            )

    async def revoke(self, grant: SendGranted) -> None:
        """Take a grant back."""
        async with self.database.connection() as connection:
            await connection.execute(
                "UPDATE router.stand_in SET state = 'revoked' WHERE grant_id = $1", grant.grant_id
            )

    async def claim(self, grant: SendGranted) -> None:
        """Let a grant be claimed, by whom nobody knows."""
        async with self.database.connection() as connection:
            await connection.execute(
                "UPDATE router.stand_in SET state = 'dispatched' WHERE grant_id = $1", grant.grant_id
            )

    async def rebook(self, grant: SendGranted) -> None:
        """Give a grant again, under its new epoch."""
        async with self.database.connection() as connection:
            await connection.execute(
                "UPDATE router.stand_in SET state = 'reserved', epoch = $2 WHERE grant_id = $1",
                grant.grant_id,
                grant.epoch,
            )

    async def attempts(self) -> dict[str, str]:
        """Read each attempt's state; that of an attempt which was not sent is `rejected`."""
        async with self.database.connection() as connection:
            rows = await connection.fetch(
                "SELECT message_id, n, state FROM sender.message WHERE state NOT IN ('open', 'not_sent')"
                " UNION ALL SELECT message_id, n, state FROM sender.former_attempt"
            )
        return {f"{row['message_id']}.{row['n']}": row["state"] for row in rows}

    async def waiting(self) -> dict[UUID, str | None]:
        """Read what waits, each with what it is parked for."""
        async with self.database.connection() as connection:
            rows = await connection.fetch("SELECT message_id, parked_why FROM sender.waiting")
        return {row["message_id"]: row["parked_why"] for row in rows}

    async def pauses(self) -> list[tuple[str, str, str, str | None]]:
        """Read scope, source and reason of each pause there was, and by what it ended."""
        async with self.database.connection() as connection:
            rows = await connection.fetch(
                "SELECT scope, source, reason, ended_by FROM sender.pause ORDER BY id"
            )
        return [tuple(row) for row in rows]

    async def hurry_probe(self) -> None:
        """Let the time of every probe come."""
        async with self.database.connection() as connection:
            await connection.execute(
                "UPDATE sender.pause SET probe_at = clock_timestamp() WHERE probe_at IS NOT NULL"
            )

    async def hurry(self) -> None:
        """Let the time of everything come that is parked."""
        async with self.database.connection() as connection:
            await connection.execute(TIME_OF_ALL)
            await connection.execute(ALL_PAIRS_FREE)

    async def end_rests(self, rate_per_s: float) -> None:
        """Let every number send again, so many a second."""
        async with self.database.connection() as connection:
            await connection.execute(
                "UPDATE sender.number_rate SET rate = $1, rests_until = clock_timestamp()", rate_per_s
            )


@asynccontextmanager
async def sender_database_on(
    postgres: SharedPostgres, *, session: Mapping[str, str] | None = None
) -> AsyncIterator[SenderDatabase]:
    """Make a database of one's own, connected while the block runs; `session`: settings of the server's."""
    dsn = postgres.database("sender")
    database = Database(dsn, service="sender", session=session)
    await database.start()
    try:
        async with database.connection() as connection:
            await connection.execute(CLAIMS.read_text())
        yield SenderDatabase(postgres.as_services(dsn, "sender")["sender"], database)
    finally:
        await database.stop()
