"""A database with the sender's schema, and the router's door as a stand-in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from garbo.common.events.grants import SendGranted
from garbo.common.runtime.postgres import Database
from tests.support.servers import SharedPostgres

CLAIMS: Final = Path(__file__).with_name("claims.sql")


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

    async def lose(self, grant: SendGranted) -> None:
        """Let the result of an accepted attempt be lost, as no code of ours does it."""
        async with self.database.connection() as connection:
            await connection.execute(
                "UPDATE sender.attempt SET state = 'accepted' WHERE message_id = $1", grant.message_id
            )

    async def attempts(self) -> dict[str, str]:
        """Read each attempt's state."""
        async with self.database.connection() as connection:
            rows = await connection.fetch("SELECT attempt_id, state FROM sender.attempt")
        return {row["attempt_id"]: row["state"] for row in rows}

    async def stored(self, grant: SendGranted) -> tuple[str, str | None]:
        """Read the state of a message's first attempt, and its result; None while it is open."""
        async with self.database.connection() as connection:
            row = await connection.fetchrow(
                "SELECT a.state, nullif(m.state, 'open') AS result"
                " FROM sender.attempt AS a JOIN sender.message AS m USING (message_id)"
                " WHERE a.attempt_id = $1",
                f"{grant.message_id}.1",
            )
        assert row is not None
        return row["state"], row["result"]


@asynccontextmanager
async def sender_database_on(postgres: SharedPostgres) -> AsyncIterator[SenderDatabase]:
    """Make a database of one's own, connected while the block runs."""
    dsn = postgres.database("sender")
    database = Database(dsn, service="sender")
    await database.start()
    try:
        async with database.connection() as connection:
            await connection.execute(CLAIMS.read_text())
        yield SenderDatabase(postgres.as_services(dsn, "sender")["sender"], database)
    finally:
        await database.stop()
