"""A database with the sender's schema, for tests."""

from dataclasses import dataclass

from garbo.common.events.grants import SendGranted
from garbo.common.runtime.postgres import Database


@dataclass(frozen=True, slots=True)
class SenderDatabase:
    """A migrated database; `book` and `revoke` play the router."""

    dsn: str
    database: Database

    async def book(self, *grants: SendGranted) -> None:
        """Let the stand-in of the router know grants."""
        async with self.database.connection() as connection:
            await connection.executemany(
                "INSERT INTO router.stand_in (grant_id, epoch, valid_until) VALUES ($1, $2, $3)",
                [(g.grant_id, g.epoch, g.valid_until) for g in grants],
            )

    async def revoke(self, grant: SendGranted) -> None:
        """Take a grant back."""
        async with self.database.connection() as connection:
            await connection.execute(
                "UPDATE router.stand_in SET state = 'revoked' WHERE grant_id = $1", grant.grant_id
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
        """Read each attempt's state."""
        async with self.database.connection() as connection:
            rows = await connection.fetch("SELECT attempt_id, state FROM sender.attempt")
        return {row["attempt_id"]: row["state"] for row in rows}
