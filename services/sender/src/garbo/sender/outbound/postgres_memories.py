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
# In the order of ids, as every other writer of several rows. What waits is too late from now on: that it is
# not sent is told, as of everything that was granted.
FORGET_PEOPLE: Final = """
WITH theirs AS (
    SELECT message_id FROM sender.message AS m JOIN sender.erased USING (contact_id)
     ORDER BY message_id FOR UPDATE OF m),
waits AS (
    SELECT w.message_id FROM sender.waiting AS w JOIN sender.erased USING (contact_id)
     ORDER BY w.message_id FOR UPDATE OF w),
unsent AS (
    UPDATE sender.waiting AS w
       SET contact_id = $1, address = '', body = '', campaign = NULL, template = NULL, traceparent = NULL,
           valid_until = least(valid_until, clock_timestamp()), window_until = NULL,
           parked_until = NULL, parked_why = NULL, media = NULL, media_next = NULL
      FROM waits WHERE w.message_id = waits.message_id)
UPDATE sender.message AS m SET contact_id = $1, platform_message_ref = NULL, traceparent = NULL
  FROM theirs WHERE m.message_id = theirs.message_id
"""
# Whoever is fetching one may write to the store until `claimed_until`.
DOOM_FILES: Final = """
WITH theirs AS (
    SELECT message_ref FROM sender.incoming_file AS f JOIN sender.erased USING (contact_id)
     ORDER BY message_ref FOR UPDATE OF f)
UPDATE sender.incoming_file AS f
   SET contact_id = $1, state = 'doomed', media_id = NULL, declared_sha256 = NULL, sha256 = NULL,
       size_bytes = NULL, reason = NULL, trace = NULL, tell_at = NULL, keep_until = NULL, claim = NULL,
       next_at = clock_timestamp(), ended_at = clock_timestamp()
  FROM theirs WHERE f.message_ref = theirs.message_ref
"""
# Somebody was written to: the place stays taken until its day is over, and is nobody's. The lock of a
# portfolio's places is its row.
LOCK_PORTFOLIOS: Final = """
SELECT 1 FROM sender.portfolio
 WHERE portfolio IN (SELECT r.portfolio FROM sender.reached AS r JOIN sender.erased USING (contact_id))
 ORDER BY portfolio FOR UPDATE
"""
FORGET_REACHED: Final = """
UPDATE sender.reached AS r SET contact_id = gen_random_uuid()
  FROM sender.erased AS e WHERE r.contact_id = e.contact_id
"""
DROP_MESSAGES: Final = """
WITH old AS (
    SELECT message_id FROM sender.message WHERE created_at < clock_timestamp() - $1::interval
     LIMIT $2 FOR UPDATE SKIP LOCKED),
attempts AS (
    DELETE FROM sender.former_attempt AS a USING old WHERE a.message_id = old.message_id),
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
DROP_PAUSES: Final = """
DELETE FROM sender.pause WHERE id IN (
    SELECT id FROM sender.pause WHERE ended_at < clock_timestamp() - $1::interval AND tell_at IS NULL
       FOR UPDATE SKIP LOCKED)
"""
DROP_RECATEGORISED: Final = """
DELETE FROM sender.recategorised WHERE template IN (
    SELECT template FROM sender.recategorised WHERE before < clock_timestamp() - interval '1 day'
       FOR UPDATE SKIP LOCKED)
"""
DROP_ERASED: Final = """
DELETE FROM sender.erased WHERE contact_id IN (
    SELECT contact_id FROM sender.erased WHERE erased_at < clock_timestamp() - $1::interval
       FOR UPDATE SKIP LOCKED)
"""


class PostgresMemories:
    """`Memories` in the schema `sender`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def forget(self, contact_ids: Sequence[UUID]) -> None:
        """Rows of messages stay: whether one was sent must be known when its grant comes again."""
        async with self._database.transaction() as connection:
            await connection.execute(REMEMBER, list(contact_ids))
            await connection.execute(FORGET_PAIRS)
            await connection.execute(LOCK_PORTFOLIOS)
            await connection.execute(FORGET_REACHED)
            await connection.execute(FORGET_PEOPLE, ERASED_CONTACT)
            await connection.execute(DOOM_FILES, ERASED_CONTACT)

    async def drop_old(self, *, keep: timedelta, limit: int) -> bool:
        """Pass over what somebody is writing."""
        async with self._database.transaction() as connection:
            messages: int = await connection.fetchval(DROP_MESSAGES, keep, limit)
            pairs: int = await connection.fetchval(DROP_PAIRS, limit)
            await connection.execute(DROP_ERASED, REMEMBERED_FOR)
            await connection.execute(DROP_PAUSES, keep)
            await connection.execute(DROP_RECATEGORISED)
        return limit in (messages, pairs)
