"""Who was written to first, in `sender.reached` (migrations/0010_portfolios.sql)."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from garbo.common.runtime.postgres import Database
from garbo.sender.domain.portfolios import HELD_FOR, PeopleLimit
from garbo.sender.outbound.rows import columns

TAKE: Final = "SELECT sender.take_places($1, $2, $3, $4, $5)"
GIVE_BACK: Final = "SELECT sender.give_places_back($1)"
WAKE: Final = "SELECT sender.wake_for_places($1, $2, $3, $4, $5)"
# From name to name along the index, however many wait for each.
AWAITED: Final = """
WITH RECURSIVE why AS (
    (SELECT parked_why FROM sender.waiting
      WHERE parked_why LIKE 'portfolio:%' AND parked_until = 'infinity' ORDER BY parked_why LIMIT 1)
    UNION ALL
    SELECT (SELECT w.parked_why FROM sender.waiting AS w
             WHERE w.parked_why LIKE 'portfolio:%' AND w.parked_until = 'infinity'
               AND w.parked_why > why.parked_why
             ORDER BY w.parked_why LIMIT 1)
      FROM why WHERE why.parked_why IS NOT NULL)
SELECT substr(parked_why, 11) AS portfolio FROM why WHERE parked_why IS NOT NULL
"""
TELL: Final = """
INSERT INTO sender.portfolio AS p (portfolio, most, told_at) VALUES ($1, $2, $3)
ON CONFLICT (portfolio) DO UPDATE SET most = EXCLUDED.most, told_at = EXCLUDED.told_at
 WHERE p.told_at IS NULL OR p.told_at <= EXCLUDED.told_at
"""
TOLD: Final = "SELECT portfolio, most FROM sender.portfolio WHERE told_at IS NOT NULL"
WOKEN_AT_ONCE: Final = 2000
NO_LIMIT: Final = 2**31 - 1


class PostgresPeople:
    """`PeopleReached` in `sender.reached`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take_places(
        self, portfolio: str, *, most: int, people: Sequence[tuple[UUID, UUID]]
    ) -> Collection[UUID]:
        """One statement, under the lock of the portfolio's row."""
        async with self._database.connection() as connection:
            have: list[UUID] = await connection.fetchval(TAKE, portfolio, most, *columns(people), HELD_FOR)
        return frozenset(have)

    async def give_back(self, messages: Sequence[UUID]) -> None:
        """One statement, under the locks of the portfolios' rows."""
        async with self._database.connection() as connection:
            await connection.execute(GIVE_BACK, list(messages))

    async def wake(self, portfolio: str, *, most: int | None, most_of_promo: int | None) -> int:
        """Wake `WOKEN_AT_ONCE` at most."""
        limits = (NO_LIMIT if most is None else most, NO_LIMIT if most_of_promo is None else most_of_promo)
        async with self._database.connection() as connection:
            return int(await connection.fetchval(WAKE, portfolio, *limits, WOKEN_AT_ONCE, HELD_FOR))

    async def awaited(self) -> Collection[str]:
        """Look along the index of what waits for a place."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(AWAITED)
        return [row["portfolio"] for row in rows]

    async def tell(self, portfolio: str, limit: PeopleLimit, *, told_at: datetime) -> None:
        """Let the latest word count."""
        async with self._database.connection() as connection:
            await connection.execute(TELL, portfolio, limit.most, told_at)

    async def told(self) -> Mapping[str, PeopleLimit]:
        """See `PeopleReached`."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(TOLD)
        return {row["portfolio"]: PeopleLimit(row["most"]) for row in rows}
