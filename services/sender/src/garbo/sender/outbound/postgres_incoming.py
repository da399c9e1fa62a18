"""Files of customers, in `sender.incoming_file`. The only statements are the constants below."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Final

import asyncpg

from garbo.common.events.ids import ERASED_CONTACT
from garbo.common.events.received_files import InboundMedia
from garbo.common.runtime.postgres import Database
from garbo.sender.domain.incoming_files import (
    ID_LIVES,
    ClaimedFile,
    FileEnd,
    KeptFile,
    LaterFile,
    RefusedFile,
    WantedFile,
)
from garbo.sender.domain.media_keys import media_key
from garbo.sender.outbound.rows import columns
from garbo.sender.ports.incoming_files import DoomedFile

WANT: Final = """
INSERT INTO sender.incoming_file (message_ref, contact_id, brand, number, media_id, kind, mime_type,
                                  declared_sha256, occurred_at, trace, key)
SELECT DISTINCT ON (message_ref) *
  FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
              $9::timestamptz[], $10::text[], $11::text[])
    AS w (message_ref, contact_id, brand, number, media_id, kind, mime_type, sha256, occurred_at, trace, key)
 WHERE NOT EXISTS (SELECT 1 FROM sender.erased AS e WHERE e.contact_id = w.contact_id)
 ORDER BY message_ref
ON CONFLICT (message_ref) DO NOTHING
"""
CLAIM: Final = """
WITH due AS (
    SELECT message_ref FROM sender.incoming_file
     WHERE state = 'wanted' AND next_at <= clock_timestamp()
     ORDER BY next_at LIMIT $1 FOR UPDATE SKIP LOCKED)
UPDATE sender.incoming_file AS f
   SET tries = tries + 1, claim = gen_random_uuid(), claimed_until = clock_timestamp() + $2::interval,
       next_at = clock_timestamp() + $2::interval
  FROM due WHERE f.message_ref = due.message_ref RETURNING f.*
"""
EXTEND: Final = """
UPDATE sender.incoming_file
   SET claimed_until = clock_timestamp() + $3::interval, next_at = clock_timestamp() + $3::interval
 WHERE message_ref = $1 AND claim = $2 AND state = 'wanted' RETURNING 1
"""
POSTPONE: Final = """
UPDATE sender.incoming_file
   SET claim = NULL, claimed_until = NULL, next_at = clock_timestamp() + $3::interval, reason = $4,
       tries = tries - CASE WHEN $5 THEN 0 ELSE 1 END
 WHERE message_ref = $1 AND claim = $2 AND state = 'wanted'
"""
END: Final = """
UPDATE sender.incoming_file
   SET state = $3, reason = $4, size_bytes = $5, sha256 = $6, ended_at = clock_timestamp(),
       keep_until = clock_timestamp() + $7::interval, media_id = NULL, declared_sha256 = NULL,
       claim = NULL, claimed_until = NULL, next_at = NULL, tell_at = clock_timestamp()
 WHERE message_ref = $1 AND claim = $2 AND state = 'wanted' RETURNING 1
"""
STATE: Final = "SELECT state FROM sender.incoming_file WHERE message_ref = $1"
TAKE_UNTOLD: Final = """
WITH untold AS (
    SELECT message_ref FROM sender.incoming_file WHERE tell_at <= clock_timestamp()
     ORDER BY tell_at LIMIT $1 FOR UPDATE SKIP LOCKED)
UPDATE sender.incoming_file AS f SET tell_at = clock_timestamp() + interval '30 seconds'
  FROM untold WHERE f.message_ref = untold.message_ref RETURNING f.*
"""
TOLD: Final = """
WITH theirs AS (
    SELECT message_ref FROM sender.incoming_file
      JOIN unnest($1::text[], $2::timestamptz[]) AS t (message_ref, tell_at) USING (message_ref, tell_at)
     ORDER BY message_ref FOR UPDATE OF incoming_file)
UPDATE sender.incoming_file AS f SET tell_at = NULL, trace = NULL
  FROM theirs WHERE f.message_ref = theirs.message_ref
"""
EXPIRE: Final = """
WITH over AS (
    SELECT message_ref FROM sender.incoming_file WHERE state = 'stored' AND keep_until <= clock_timestamp()
     ORDER BY keep_until LIMIT $1 FOR UPDATE SKIP LOCKED),
doomed AS (
    UPDATE sender.incoming_file AS f
       SET state = 'doomed', contact_id = $2, trace = NULL, tell_at = NULL, next_at = clock_timestamp()
      FROM over WHERE f.message_ref = over.message_ref RETURNING 1)
SELECT count(*) FROM doomed
"""
# Longer than the topic keeps its message, which may be read again.
DROP_ENDED: Final = """
WITH old AS (
    SELECT message_ref FROM sender.incoming_file
     WHERE state IN ('refused', 'gone', 'deleted') AND tell_at IS NULL
       AND ended_at < clock_timestamp() - interval '9 days'
     LIMIT $1 FOR UPDATE SKIP LOCKED),
gone AS (
    DELETE FROM sender.incoming_file AS f USING old WHERE f.message_ref = old.message_ref RETURNING 1)
SELECT count(*) FROM gone
"""
TAKE_DOOMED: Final = """
WITH due AS (
    SELECT message_ref, coalesce(claimed_until <= clock_timestamp(), true) AS is_last
      FROM sender.incoming_file WHERE state = 'doomed' AND next_at <= clock_timestamp()
     ORDER BY next_at LIMIT $1 FOR UPDATE SKIP LOCKED)
UPDATE sender.incoming_file AS f
   SET next_at = greatest(clock_timestamp() + interval '30 seconds', f.claimed_until)
  FROM due WHERE f.message_ref = due.message_ref RETURNING f.message_ref, f.key, due.is_last
"""
SHREDDED: Final = """
WITH theirs AS (
    SELECT message_ref FROM sender.incoming_file
     WHERE message_ref = ANY ($1::text[]) AND state = 'doomed' ORDER BY message_ref FOR UPDATE)
UPDATE sender.incoming_file AS f
   SET state = 'deleted', next_at = NULL, claim = NULL, claimed_until = NULL,
       ended_at = coalesce(ended_at, clock_timestamp())
  FROM theirs WHERE f.message_ref = theirs.message_ref
"""
# One by one, so that each is counted along its own index.
COUNTS: Final = """
SELECT (SELECT count(*) FROM sender.incoming_file WHERE state = 'wanted') AS wanted,
       (SELECT count(*) FROM sender.incoming_file WHERE state = 'doomed') AS doomed
"""
TOLD_AT_ONCE: Final = 500
_WANTED: Final = attrgetter(
    *("message_ref", "contact_id", "brand", "number", "media_id", "kind", "mime_type"),
    *("sha256", "occurred_at", "trace", "key"),
)


class PostgresIncomingFiles:
    """`IncomingFiles` in `sender.incoming_file`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def want(self, files: Sequence[WantedFile]) -> None:
        """Write a row a message."""
        if not files:
            return
        rows = [_WANTED(one) for one in files]
        async with self._database.connection() as connection:
            await connection.execute(WANT, *columns(rows))

    async def claim(self, *, limit: int, lease: timedelta) -> Sequence[ClaimedFile]:
        """Pass over what others are taking."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(CLAIM, limit, lease)
        return [_claimed(row) for row in rows]

    async def extend(self, claimed: ClaimedFile, lease: timedelta) -> bool:
        """Move both instants."""
        async with self._database.connection() as connection:
            held = await connection.fetchval(EXTEND, claimed.file.message_ref, claimed.claim, lease)
        return held is not None

    async def postpone(self, claimed: ClaimedFile, later: LaterFile, *, counts: bool = True) -> None:
        """Nothing where the claim is lost."""
        wait = timedelta(seconds=later.after_s)
        async with self._database.connection() as connection:
            await connection.execute(
                POSTPONE, claimed.file.message_ref, claimed.claim, wait, later.reason, counts
            )

    async def end(self, claimed: ClaimedFile, end: FileEnd, *, keep: timedelta) -> bool:
        """Take the claim for the lock."""
        if isinstance(end, KeptFile):
            found: tuple[object, ...] = ("stored", None, end.size_bytes, end.sha256, keep)
        else:
            state = "refused" if isinstance(end, RefusedFile) else "gone"
            found = (state, end.reason, None, None, None)
        async with self._database.connection() as connection:
            ended = await connection.fetchval(END, claimed.file.message_ref, claimed.claim, *found)
        return ended is not None

    async def is_unwanted(self, message_ref: str) -> bool:
        """See its state; no row is forgotten while somebody may ask."""
        async with self._database.connection() as connection:
            state = await connection.fetchval(STATE, message_ref)
        return state not in ("wanted", "stored")

    async def take_untold(self) -> Sequence[tuple[str, datetime, InboundMedia]]:
        """Claim them for half a minute."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(TAKE_UNTOLD, TOLD_AT_ONCE)
        return [(row["message_ref"], row["tell_at"], _news(row)) for row in rows]

    async def told(self, told: Sequence[tuple[str, datetime]]) -> None:
        """Leave what changed meanwhile."""
        if not told:
            return
        async with self._database.connection() as connection:
            await connection.execute(TOLD, *columns(told))

    async def expire(self, *, limit: int) -> bool:
        """Doomed rows name nobody."""
        async with self._database.transaction() as connection:
            doomed: int = await connection.fetchval(EXPIRE, limit, ERASED_CONTACT)
            dropped: int = await connection.fetchval(DROP_ENDED, limit)
        return limit in (doomed, dropped)

    async def take_doomed(self, *, limit: int) -> Sequence[DoomedFile]:
        """Give what somebody may still be writing again when they may not."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(TAKE_DOOMED, limit)
        return [DoomedFile(row["message_ref"], media_key(row["key"]), row["is_last"]) for row in rows]

    async def shredded(self, message_refs: Sequence[str]) -> None:
        """Leave the row, of nobody."""
        async with self._database.connection() as connection:
            await connection.execute(SHREDDED, list(message_refs))

    async def counts(self) -> Mapping[str, int]:
        """Count along the two indexes."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(COUNTS)
        return dict(row or {})


def _claimed(row: asyncpg.Record) -> ClaimedFile:
    file = WantedFile(
        message_ref=row["message_ref"],
        contact_id=row["contact_id"],
        brand=row["brand"],
        number=row["number"],
        media_id=row["media_id"],
        kind=row["kind"],
        mime_type=row["mime_type"],
        sha256=row["declared_sha256"],
        occurred_at=row["occurred_at"],
        trace=row["trace"],
    )
    return ClaimedFile(file, row["tries"], row["claim"], row["occurred_at"] + ID_LIVES)


def _news(row: asyncpg.Record) -> InboundMedia:
    about = {name: row[name] for name in ("message_ref", "contact_id", "brand", "number", "kind")}
    ended = {name: row[name] for name in ("reason", "size_bytes", "sha256", "occurred_at", "ended_at")}
    if row["state"] == "stored":
        stored = {"key": row["key"], "mime_type": row["mime_type"], "kept_until": row["keep_until"]}
        return InboundMedia(outcome="stored", **about, **ended, **stored)
    return InboundMedia(outcome=row["state"], **about, **ended)
