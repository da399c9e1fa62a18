"""Policies that were in force, as they were written."""

from typing import Final

from garbo.common.runtime.postgres import Database

# Back in force after another: it is the newest again.
KEEP: Final = """
INSERT INTO router.policy (version, body) VALUES ($1, $2)
ON CONFLICT (version) DO UPDATE SET activated_at = clock_timestamp()
"""
NEWEST: Final = "SELECT body FROM router.policy ORDER BY activated_at DESC, version LIMIT 1"


class PostgresPolicies:
    """A `PolicyArchive`. Transient failures come out as `RetryLater`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, version: str, body: str) -> None:
        """Keep a policy's text, as the one that came into force last."""
        async with self._database.connection() as connection:
            await connection.execute(KEEP, version, body)

    async def newest(self) -> str | None:
        """Give the text of the policy that came into force last; None when there was none yet."""
        async with self._database.connection() as connection:
            body: str | None = await connection.fetchval(NEWEST)
        return body
