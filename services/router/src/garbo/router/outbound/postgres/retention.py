"""Housekeeping in PostgreSQL: tables made ahead and dropped after their keep, and counts of what waits."""

from collections.abc import Sequence
from typing import Final

from garbo.common.events.erasure import REMEMBERED_FOR
from garbo.common.runtime.postgres import Database
from garbo.router.ports.jobs import TOLD_KEPT
from garbo.router.ports.telemetry import Backlog

TURN: Final = "SELECT pg_try_advisory_xact_lock(hashtext('router.tidy'))"
# Making or dropping a day's table waits for everybody who uses its parent, and everybody waits behind it.
PATIENCE: Final = "SET LOCAL lock_timeout = '2s'"
MAKE: Final = "SELECT router.make_partitions($1)"
DROP: Final = "SELECT router.drop_partitions($1)"
SPENT_SLICES: Final = """
DELETE FROM router.budget_slice
WHERE held_until < clock_timestamp() - make_interval(days => $1) AND size = used
"""
FORGET_TOLD: Final = f"""
DELETE FROM router.told WHERE told_at < clock_timestamp() - interval '{TOLD_KEPT.days} days'
"""  # noqa: S608 - joined from constants
FORGET_ERASED: Final = f"""
DELETE FROM router.erased_address
WHERE erased_at < clock_timestamp() - interval '{REMEMBERED_FOR.days} days'
"""  # noqa: S608 - as above
BACKLOG: Final = """
SELECT (SELECT count(*) FROM (SELECT FROM router.deferred LIMIT 1000000) AS counted) AS deferred,
       (SELECT min(due_at) FROM router.deferred) AS due_at,
       (SELECT count(*) FROM (SELECT FROM router.outbox LIMIT 1000000) AS counted) AS outbox,
       (SELECT written_at FROM router.outbox ORDER BY id LIMIT 1) AS written_at,
       (SELECT until FROM router.reaped) AS expired_until,
       clock_timestamp() AS now_at
"""
SILENT: Final = """
SELECT count(*) FROM router.send_grant
WHERE state = 'dispatched' AND granted_on = current_date - 2
"""


class PostgresRetention:
    """A `Retention`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tidy(self, *, keep_days: int, ahead_days: int) -> Sequence[str]:
        """Make the tables of days to come, drop those past their keep; returns what was dropped."""
        async with self._database.transaction() as connection:
            if not await connection.fetchval(TURN):
                return ()
            await connection.execute(PATIENCE)
            await connection.fetchval(MAKE, ahead_days)
            dropped = [row[0] for row in await connection.fetch(DROP, keep_days)]
            await connection.execute(SPENT_SLICES, keep_days)
        async with self._database.connection() as connection:
            await connection.execute(FORGET_TOLD)
            await connection.execute(FORGET_ERASED)
        return dropped

    async def backlog(self) -> Backlog:
        """Count what waits."""
        async with self._database.connection() as connection:
            row = (await connection.fetch(BACKLOG))[0]

        def age_s(name: str) -> float:
            return 0.0 if row[name] is None else max((row["now_at"] - row[name]).total_seconds(), 0.0)

        return Backlog(
            deferred=row["deferred"],
            oldest_due_s=age_s("due_at"),
            outbox=row["outbox"],
            oldest_outbox_s=age_s("written_at"),
            unexpired_s=age_s("expired_until"),
        )

    async def silent(self) -> int:
        """Count grants of the day before yesterday that were claimed and of which nothing was heard since."""
        async with self._database.connection() as connection:
            count: int = await connection.fetchval(SILENT)
            return count
