"""Who waits for which files, in `sender.waiting` and beside it. The only statements are these constants."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import asyncpg

from garbo.common.runtime.postgres import Database
from garbo.sender.domain.queued_send import QueuedSend
from garbo.sender.domain.wanted_media import FoundMedia, WantedMedia, next_step
from garbo.sender.outbound.postgres_queue import WAITING, send_of
from garbo.sender.outbound.rows import columns
from garbo.sender.ports.media import Need, Settled

if TYPE_CHECKING:
    from garbo.common.runtime.postgres import Connection

# What is known of sources: `asked` has (number, brand, source).
_KNOWN: Final = """
  LEFT JOIN sender.media_link AS l
         ON l.brand = asked.brand AND l.source = asked.source AND l.expires_at > clock_timestamp()
  LEFT JOIN LATERAL (SELECT CASE WHEN asked.source LIKE 'sha256:%' THEN substr(asked.source, 8)
                                 ELSE l.sha256 END AS sha256) AS h ON true
  LEFT JOIN sender.media_file AS f ON f.brand = asked.brand AND f.sha256 = h.sha256
  LEFT JOIN sender.media_upload AS u
         ON u.number = asked.number AND u.sha256 = h.sha256 AND u.expires_at > clock_timestamp()
  LEFT JOIN sender.media_work AS k
         ON k.name = CASE WHEN h.sha256 IS NULL THEN 'fetch:' || asked.brand || ':' || asked.source
                          ELSE 'upload:' || asked.number || ':' || asked.brand || ':' || h.sha256 END
            AND k.claimed_until > clock_timestamp()
"""
# From need to need along the index, however many wait for each.
NEEDS: Final = f"""
WITH RECURSIVE asked AS (
    (SELECT number, brand, media_next AS source FROM sender.waiting
      WHERE parked_why = 'media' AND media_next IS NOT NULL AND (number, media_next, brand) > ($1, $2, $3)
      ORDER BY number, media_next, brand LIMIT 1)
    UNION ALL
    SELECT n.* FROM asked, LATERAL (
        SELECT w.number, w.brand, w.media_next FROM sender.waiting AS w
         WHERE w.parked_why = 'media' AND w.media_next IS NOT NULL
           AND (w.number, w.media_next, w.brand) > (asked.number, asked.source, asked.brand)
         ORDER BY w.number, w.media_next, w.brand LIMIT 1) AS n)
SELECT asked.number, asked.brand, asked.source, h.sha256,
       u.media_id IS NOT NULL OR k.fault IS NOT NULL
           OR (h.sha256 IS NOT NULL AND f.sha256 IS NULL) AS settled,
       k.name IS NULL AS due
  FROM (SELECT * FROM asked LIMIT $4) AS asked {_KNOWN}
"""  # noqa: S608 - the joins above
FIRST: Final = f"""
SELECT {WAITING} FROM sender.waiting AS w
 WHERE w.parked_why = 'media' AND w.number = $1 AND w.media_next = $2 AND w.brand = $3
 ORDER BY w.seq LIMIT $4
"""  # noqa: S608 - columns of the queue
THEIRS: Final = f"{FIRST} FOR UPDATE SKIP LOCKED"
FOUND: Final = f"""
SELECT asked.source, h.sha256, f.mime_type, f.size_bytes, f.animated, u.media_id, k.fault
  FROM unnest($1::text[], $2::text[], $3::text[]) AS asked (number, brand, source) {_KNOWN}
"""  # noqa: S608 - the joins above
# A file stays for as long as somebody waits who may send it.
TOUCH: Final = """
WITH theirs AS (
    SELECT sha256 FROM sender.media_file
     WHERE brand = $1 AND sha256 = ANY ($2::text[]) AND kept_until < $3 ORDER BY sha256 FOR UPDATE)
UPDATE sender.media_file AS f SET kept_until = $3 FROM theirs WHERE f.brand = $1 AND f.sha256 = theirs.sha256
"""
GO_ON: Final = """
UPDATE sender.waiting AS w
   SET body = coalesce(t.body, w.body), media_next = t.source,
       parked_why = CASE WHEN t.body IS NULL THEN 'media' ELSE 'order' END
  FROM unnest($1::uuid[], $2::bytea[], $3::text[]) AS t (message_id, body, source)
 WHERE w.message_id = t.message_id
"""
# Woken with the others whose time comes, by whoever sends them: in their order, behind what still rests.
_LET_GO: Final = """
WITH free AS (
    SELECT w.message_id, w.seq, (
           SELECT max(o.parked_until) FROM sender.waiting AS o
            WHERE o.contact_id = w.contact_id AND o.number = w.number AND o.lane = w.lane AND o.seq < w.seq
              AND o.parked_why IN ('pair', 'order') AND o.parked_until < 'infinity') AS rests_until
      FROM sender.waiting AS w
     WHERE w.parked_until = 'infinity' AND w.parked_why = 'order' AND {which} AND NOT EXISTS (
           SELECT 1 FROM sender.waiting AS m
            WHERE m.contact_id = w.contact_id AND m.number = w.number AND m.lane = w.lane AND m.seq < w.seq
              AND m.parked_until = 'infinity' AND m.parked_why = 'media')
     ORDER BY w.seq LIMIT $1 FOR UPDATE OF w SKIP LOCKED),
placed AS (SELECT *, row_number() OVER (ORDER BY seq) AS place FROM free)
UPDATE sender.waiting AS w
   SET parked_until = greatest(p.rests_until, now()) + p.place * interval '1 microsecond'
  FROM placed AS p WHERE w.message_id = p.message_id
"""
LET_GO: Final = _LET_GO.format(which="true")
LET_THEM_GO: Final = _LET_GO.format(which="w.contact_id = ANY ($2::uuid[])")
CLAIM: Final = """
INSERT INTO sender.media_work AS k (name, claimed_until) VALUES ($1, clock_timestamp() + $2::interval)
ON CONFLICT (name) DO UPDATE
   SET claimed_until = EXCLUDED.claimed_until, fault = NULL,
       tries = CASE WHEN k.fault IS NULL THEN k.tries + 1 ELSE 0 END
 WHERE k.claimed_until <= clock_timestamp()
RETURNING tries
"""
RENEW: Final = "UPDATE sender.media_work SET claimed_until = clock_timestamp() + $2::interval WHERE name = $1"
PUT_OFF: Final = """
UPDATE sender.media_work SET claimed_until = clock_timestamp() + $2::interval, fault = $3 WHERE name = $1
"""
DONE: Final = "DELETE FROM sender.media_work WHERE name = $1"
FETCHED: Final = """
INSERT INTO sender.media_link (brand, source, sha256, expires_at)
VALUES ($1, $2, $3, clock_timestamp() + $4::interval)
ON CONFLICT (brand, source) DO UPDATE SET sha256 = EXCLUDED.sha256, expires_at = EXCLUDED.expires_at
"""
UPLOADED: Final = """
INSERT INTO sender.media_upload (number, sha256, media_id, expires_at)
VALUES ($1, $2, $3, clock_timestamp() + $4::interval)
ON CONFLICT (number, sha256) DO UPDATE
   SET media_id = EXCLUDED.media_id, uploaded_at = clock_timestamp(), expires_at = EXCLUDED.expires_at
"""


class PostgresMediaNeeds:
    """`MediaNeeds` in the schema `sender`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def needs(self, after: Need | None, *, limit: int) -> Sequence[Need]:
        """Read along the index of what is waited for."""
        place = (after.number, after.source, after.brand) if after else ("", "", "")
        async with self._database.connection() as connection:
            rows = await connection.fetch(NEEDS, *place, limit)
        return [Need(**dict(row)) for row in rows]

    async def settle(self, need: Need, *, limit: int) -> Settled:
        """Take the first that nobody else has in hand."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(THEIRS, need.number, need.source, need.brand, limit)
            return await self._settle(connection, need, [send_of(row) for row in rows])

    async def _settle(self, connection: "Connection", need: Need, sends: Sequence[QueuedSend]) -> Settled:
        if not sends:
            return Settled(0, ())
        wanted = {send.message_id: WantedMedia.read(send.media or b"") for send in sends}
        sources = sorted({ref.source for one in wanted.values() for ref in one.refs})
        asked = [(need.number, need.brand, source) for source in sources]
        found = {row["source"]: _found(row) for row in await connection.fetch(FOUND, *columns(asked))}
        hashes = [one.sha256 for one in found.values() if one.sha256]
        await connection.execute(TOUCH, need.brand, hashes, max(send.valid_until for send in sends))
        steps = [(send, next_step(send.body, wanted[send.message_id], found)) for send in sends]
        rows = [(send.message_id, step.body, step.source) for send, step in steps]
        await connection.execute(GO_ON, *columns(rows))
        await connection.execute(LET_THEM_GO, 10 * len(sends), [send.contact_id for send in sends])
        return Settled(len(sends), [(send, step.refused) for send, step in steps if step.refused])

    async def let_go(self, *, limit: int) -> None:
        """Look along the index of those that wait behind others."""
        async with self._database.connection() as connection:
            await connection.execute(LET_GO, limit)

    async def first_link(self, need: Need) -> str | None:
        """Read the first message that waits."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(FIRST, need.number, need.source, need.brand, 1)
        refs = WantedMedia.read(send_of(rows[0]).media or b"").refs if rows else ()
        return next((ref.link for ref in refs if ref.source == need.source), None)

    async def claim(self, need: Need, *, lease: timedelta) -> int | None:
        """Write one's lease, unless another one runs."""
        async with self._database.connection() as connection:
            tries: int | None = await connection.fetchval(CLAIM, need.work, lease)
        return tries

    async def renew(self, need: Need, *, lease: timedelta) -> None:
        """Write it anew."""
        async with self._database.connection() as connection:
            await connection.execute(RENEW, need.work, lease)

    async def fetched(self, need: Need, sha256: str, *, good_for: timedelta) -> None:
        """Write it, and that the work is done."""
        async with self._database.transaction() as connection:
            await connection.execute(FETCHED, need.brand, need.source, sha256, good_for)
            await connection.execute(DONE, need.work)

    async def uploaded(self, need: Need, media_id: str, *, good_for: timedelta) -> None:
        """Write it, and that the work is done."""
        async with self._database.transaction() as connection:
            await connection.execute(UPLOADED, need.number, need.sha256, media_id, good_for)
            await connection.execute(DONE, need.work)

    async def put_off(self, need: Need, after: timedelta, *, fault: str | None = None) -> None:
        """Write until when, and why."""
        async with self._database.connection() as connection:
            await connection.execute(PUT_OFF, need.work, after, fault)


def _found(row: asyncpg.Record) -> FoundMedia:
    return FoundMedia(
        sha256=row["sha256"],
        mime_type=row["mime_type"],
        size_bytes=row["size_bytes"] or 0,
        animated=bool(row["animated"]),
        media_id=row["media_id"],
        fault=row["fault"],
    )
