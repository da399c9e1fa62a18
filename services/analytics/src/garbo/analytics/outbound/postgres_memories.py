"""Forgetting people and what is long past, in PostgreSQL."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from garbo.common.events.erasure import REMEMBERED_FOR
from garbo.common.events.ids import ERASED_CONTACT
from garbo.common.runtime.postgres import Database

REMEMBER: Final = """
INSERT INTO analytics.erased (contact_id) SELECT DISTINCT * FROM unnest($1::uuid[]) ORDER BY 1
ON CONFLICT (contact_id) DO UPDATE SET erased_at = clock_timestamp()
"""
# Writers lock facts in the order of message ids.
FORGET_IN_FACTS: Final = """
UPDATE analytics.fact SET contact_id = $1 FROM (
    SELECT message_id FROM analytics.fact f JOIN analytics.erased USING (contact_id)
    ORDER BY message_id FOR UPDATE OF f
) AS theirs WHERE fact.message_id = theirs.message_id
"""
FORGET_IN_INBOUND: Final = """
UPDATE analytics.inbound SET contact_id = $1 FROM (
    SELECT platform_message_ref FROM analytics.inbound i JOIN analytics.erased USING (contact_id)
    ORDER BY platform_message_ref FOR UPDATE OF i
) AS theirs WHERE inbound.platform_message_ref = theirs.platform_message_ref
"""
FORGET_IN_ENGAGEMENTS: Final = """
UPDATE analytics.engagement e SET contact_id = $1
FROM analytics.erased WHERE e.contact_id = erased.contact_id
"""

# Each deletes so many rows that are older than that, and counts them.
_DROP: Final = """
WITH old AS (
    SELECT {key} FROM analytics.{table} WHERE {instant} < clock_timestamp() - $1::interval
    ORDER BY {key} LIMIT $2 FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM analytics.{table} t USING old WHERE {same} RETURNING 1
)
SELECT count(*) FROM gone
"""
_KEPT: Final = {
    "fact": (("message_id",), "begun_at"),
    "inbound": (("platform_message_ref",), "occurred_at"),
    "foreign_status": (("platform_message_ref", "status"), "occurred_at"),
    "engagement": (("engagement_id", "action"), "occurred_at"),
    "funnel_minute": (("minute", "lane", "step", "detail"), "minute"),
}
"""Table -> its key, and the instant from which its keep counts. Totals are kept: they are of nobody."""
DROP_ERASED: Final = "DELETE FROM analytics.erased WHERE erased_at < clock_timestamp() - $1::interval"
DROP: Final = tuple(
    _DROP.format(
        table=table,
        key=", ".join(key),
        instant=instant,
        same=" AND ".join(f"t.{name} = old.{name}" for name in key),
    )
    for table, (key, instant) in _KEPT.items()
)


class PostgresMemories:
    """The `Memories`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def forget(self, contact_ids: Sequence[UUID]) -> None:
        """Everybody who was erased lately is looked for again: a batch may have been under way."""
        async with self._database.transaction() as connection:
            await connection.execute(REMEMBER, list(contact_ids))
            for statement in (FORGET_IN_FACTS, FORGET_IN_INBOUND, FORGET_IN_ENGAGEMENTS):
                await connection.execute(statement, ERASED_CONTACT)

    async def drop_old(self, *, keep: timedelta, limit: int) -> bool:
        """One transaction a table, passing over what somebody is writing."""
        async with self._database.transaction() as connection:
            await connection.execute(DROP_ERASED, REMEMBERED_FOR)
        more = False
        for statement in DROP:
            async with self._database.transaction() as connection:
                dropped: int = await connection.fetchval(statement, keep, limit)
            more = more or dropped == limit
        return more
