"""Forgetting people and what is long past, in PostgreSQL."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from garbo.common.events.erasure import REMEMBERED_FOR
from garbo.common.events.ids import ERASED_CONTACT
from garbo.common.runtime.postgres import Database

REMEMBER: Final = """
INSERT INTO sender.erased (contact_id) SELECT DISTINCT * FROM unnest($1::uuid[]) ORDER BY 1
ON CONFLICT (contact_id) DO UPDATE SET erased_at = clock_timestamp()
"""
FORGET_PAIRS: Final = """
DELETE FROM sender.pair_rate AS p USING (
    SELECT number, contact_id FROM sender.pair_rate AS r JOIN sender.erased USING (contact_id)
     ORDER BY number, contact_id FOR UPDATE OF r) AS theirs
 WHERE p.number = theirs.number AND p.contact_id = theirs.contact_id
"""
# In the order of ids, as every other writer of several rows.
FORGET_PEOPLE: Final = """
WITH theirs AS (
    SELECT message_id FROM sender.message AS m JOIN sender.erased USING (contact_id)
     ORDER BY message_id FOR UPDATE OF m),
unnamed AS (
    UPDATE sender.attempt AS a SET platform_message_ref = NULL, traceparent = NULL
      FROM theirs WHERE a.message_id = theirs.message_id)
UPDATE sender.message AS m SET contact_id = $1 FROM theirs WHERE m.message_id = theirs.message_id
"""
DROP_MESSAGES: Final = """
WITH old AS (
    SELECT message_id FROM sender.message WHERE created_at < clock_timestamp() - $1::interval
     LIMIT $2 FOR UPDATE SKIP LOCKED),
attempts AS (
    DELETE FROM sender.attempt AS a USING old WHERE a.message_id = old.message_id),
gone AS (
    DELETE FROM sender.message AS m USING old WHERE m.message_id = old.message_id RETURNING 1)
SELECT count(*) FROM gone
"""
# A pair that is long free again has nothing to say: the next send begins it anew.
DROP_PAIRS: Final = """
WITH free AS (
    SELECT number, contact_id FROM sender.pair_rate
     WHERE tat_us < (extract(epoch FROM clock_timestamp() - interval '1 day') * 1000000)::bigint
     LIMIT $1 FOR UPDATE SKIP LOCKED),
gone AS (
    DELETE FROM sender.pair_rate AS p USING free
     WHERE p.number = free.number AND p.contact_id = free.contact_id RETURNING 1)
SELECT count(*) FROM gone
"""
DROP_ERASED: Final = "DELETE FROM sender.erased WHERE erased_at < clock_timestamp() - $1::interval"


class PostgresMemories:
    """`Memories` in the schema `sender`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def forget(self, contact_ids: Sequence[UUID]) -> None:
        """Rows of messages stay: whether one was sent must be known when its grant comes again."""
        async with self._database.transaction() as connection:
            await connection.execute(REMEMBER, list(contact_ids))
            await connection.execute(FORGET_PEOPLE, ERASED_CONTACT)
            await connection.execute(FORGET_PAIRS)

    async def drop_old(self, *, keep: timedelta, limit: int) -> bool:
        """Pass over what somebody is writing."""
        async with self._database.transaction() as connection:
            messages: int = await connection.fetchval(DROP_MESSAGES, keep, limit)
            pairs: int = await connection.fetchval(DROP_PAIRS, limit)
            await connection.execute(DROP_ERASED, REMEMBERED_FOR)
        return limit in (messages, pairs)
