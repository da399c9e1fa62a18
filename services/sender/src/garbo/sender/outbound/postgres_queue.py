"""What waits to be sent, in `sender.waiting`. The only statements are the constants below."""

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

import asyncpg
from msgspec.structs import replace

from garbo.common.events.decisions import Lane
from garbo.common.events.results import SendResult
from garbo.common.runtime.postgres import Database
from garbo.sender.domain.queued_send import QueuedSend
from garbo.sender.domain.wanted_media import WantedMedia
from garbo.sender.outbound.rows import columns
from garbo.sender.ports.queue import Loaded, Parked, TakenIn

if TYPE_CHECKING:
    from garbo.common.runtime.postgres import Connection

TAKE_IN: Final = """
SELECT message_id, answer, seq, parked
  FROM sender.take_in($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
       $19, $20)
"""
WAITING: Final = """
w.message_id, w.seq, w.shard, w.lane, w.number, w.contact_id, w.grant_id, w.epoch, w.not_before,
w.valid_until, w.window_until, w.brand, w.campaign, w.template, w.category, w.address_kind,
w.address, w.body, w.traceparent, w.media"""
# What is under way is somebody's: when that somebody is gone, it becomes unknown, and that is decided. What
# has to wait behind the same person's own is found when these wake.
LOAD: Final = f"""
SELECT {WAITING}, coalesce(m.state <> 'open' AND m.grant_id = w.grant_id AND m.epoch = w.epoch
       AND NOT (m.state = 'unknown' AND w.lane = 'care'), false) AS is_decided
  FROM sender.waiting AS w LEFT JOIN sender.message AS m ON m.message_id = w.message_id
 WHERE w.number = $1 AND w.lane = $2 AND w.shard = ANY ($3::int[]) AND w.parked_until IS NULL AND w.seq > $4
   AND w.seq <> ALL ($6::bigint[]) AND m.state IS DISTINCT FROM 'dispatching'
   AND NOT EXISTS (
       SELECT 1 FROM sender.waiting AS o
        WHERE o.contact_id = w.contact_id AND o.parked_until IS NOT NULL AND o.seq < w.seq
          AND (o.number, o.lane) = (w.number, w.lane) AND o.parked_why IN ('pair', 'order', 'media'))
 ORDER BY w.seq LIMIT $5
"""  # noqa: S608 - the columns above
WAKE: Final = """
WITH due AS (
    SELECT message_id FROM sender.waiting
     WHERE parked_until <= clock_timestamp() AND lane = $1 AND shard = ANY ($2::int[])
     ORDER BY parked_until, seq LIMIT $3 FOR UPDATE SKIP LOCKED),
woken AS (
    UPDATE sender.waiting AS w SET parked_until = NULL, parked_why = NULL
      FROM due WHERE w.message_id = due.message_id RETURNING w.number, w.seq)
SELECT number, min(seq) AS seq FROM woken GROUP BY number
"""
# Whoever writes several rows locks them in the order of ids: else two may wait for each other.
LOCK: Final = """
SELECT message_id FROM sender.waiting WHERE message_id = ANY ($1::uuid[]) ORDER BY message_id FOR UPDATE
"""
PARK: Final = """
UPDATE sender.waiting AS w
   SET parked_until = CASE WHEN p.after_s = 'infinity' THEN 'infinity'
                           ELSE statement_timestamp() + p.after_s * interval '1 second' END,
       parked_why = p.why
  FROM unnest($1::uuid[], $2::float8[], $3::text[]) AS p (message_id, after_s, why)
 WHERE w.message_id = p.message_id
"""
# In one transaction: who reads that a message waits for a file must not find the id that was of no use.
DROP_IDS: Final = """
DELETE FROM sender.media_upload AS u USING (
    SELECT i.number, i.sha256 FROM sender.media_upload AS i
      JOIN unnest($1::text[], $2::text[]) AS f (number, media_id) USING (number, media_id)
     ORDER BY i.number, i.sha256 FOR UPDATE OF i) AS theirs
 WHERE u.number = theirs.number AND u.sha256 = theirs.sha256
"""
WANT_AGAIN: Final = """
UPDATE sender.waiting AS w SET media = a.media, media_next = a.source
  FROM unnest($1::uuid[], $2::bytea[], $3::text[]) AS a (message_id, media, source)
 WHERE w.message_id = a.message_id
"""
LATE: Final = f"""
SELECT {WAITING} FROM sender.waiting AS w LEFT JOIN sender.message AS m ON m.message_id = w.message_id
 WHERE w.valid_until <= clock_timestamp() AND w.lane = $1 AND w.shard = ANY ($2::int[])
   AND (m.state IS NULL OR m.state NOT IN ('dispatching', 'unknown') OR m.reason = 'unsettled')
 ORDER BY w.valid_until LIMIT $3
"""  # noqa: S608 - the columns above
# What a crash brings back is told once more, so it need not be safe before the next statement. Only what was
# told as it is now: somebody may have decided more since. What may have arrived stays until that is over. A
# grant that came later, or too late to count, goes with it only where that one has nothing to say of its own.
FORGET: Final = """
DELETE FROM sender.waiting AS w
 USING unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[]) AS t (message_id, grant_id, epoch, outcome)
 WHERE w.message_id = t.message_id
   AND (w.grant_id = t.grant_id AND w.epoch <= t.epoch
        OR w.valid_until <= clock_timestamp() AND EXISTS (
            SELECT 1 FROM sender.message AS d
             WHERE d.message_id = w.message_id
               AND (d.state IN ('accepted', 'unknown') OR d.reason = 'ambiguous'
                    OR d.not_before > w.not_before)))
   AND NOT EXISTS (
       SELECT 1 FROM sender.message AS m
        WHERE m.message_id = w.message_id AND (m.state <> t.outcome
              OR (m.grant_id, m.epoch) <> (t.grant_id, t.epoch)
              OR (m.state = 'unknown' AND (m.reason <> 'unsettled'
                  OR (w.lane = 'care' AND w.valid_until > clock_timestamp())))))
"""
NOT_SAFE: Final = "SET LOCAL synchronous_commit = off"
WOKEN_AT_ONCE: Final = 1000


class PostgresQueue:
    """`Queue` in `sender.waiting`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take_in(self, sends: Sequence[QueuedSend]) -> Sequence[TakenIn]:
        """Keep them in one statement; places follow the order given."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(TAKE_IN, *columns(map(_row_of, sends)))
        by_message = {row["message_id"]: row for row in rows}
        return [_taken(send, by_message[send.message_id]) for send in sends]

    async def load(
        self, number: str, lane: Lane, *, shards: Collection[int], after: int, most: int, but: Sequence[int]
    ) -> Sequence[Loaded]:
        """Read along the index of the line."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(LOAD, number, lane, list(shards), after, most, list(but))
        return [Loaded(send_of(row), row["is_decided"]) for row in rows]

    async def wake(self, lane: Lane, shards: Collection[int]) -> Mapping[str, int]:
        """Wake `WOKEN_AT_ONCE` at most."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(WAKE, lane, list(shards), WOKEN_AT_ONCE)
        return {row["number"]: row["seq"] for row in rows}

    async def park(self, parked: Sequence[Parked]) -> None:
        """Write until when, and why."""
        async with self._database.transaction() as connection:
            locked = await _lock(connection, [p.message_id for p in parked])
            rows = [(p.message_id, min(math.inf, p.after_s), p.why) for p in parked if p.message_id in locked]
            if again := [(p.message_id, p.media) for p in parked if p.media and p.message_id in locked]:
                dropped = sorted({(one.number, media_id) for _, one in again for media_id in one.ids})
                await connection.execute(DROP_IDS, *columns(dropped))
                await connection.execute(WANT_AGAIN, *columns((m, a.media, a.source) for m, a in again))
            if rows:
                await connection.execute(PARK, *columns(rows))

    async def late(self, lane: Lane, shards: Collection[int], *, limit: int) -> Sequence[QueuedSend]:
        """Look along the index of deadlines."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(LATE, lane, list(shards), limit)
        return [send_of(row) for row in rows]

    async def forget(self, told: Sequence[SendResult]) -> None:
        """Delete without waiting for the disk."""
        if not told:
            return
        async with self._database.transaction() as connection:
            await connection.execute(NOT_SAFE)
            locked = await _lock(connection, [result.message_id for result in told])
            rows = [(r.message_id, r.grant_id, r.epoch, r.outcome) for r in told if r.message_id in locked]
            if rows:
                await connection.execute(FORGET, *columns(rows))

    async def now(self) -> datetime:
        """Ask the database's clock."""
        async with self._database.connection() as connection:
            instant: datetime = await connection.fetchval("SELECT clock_timestamp()")
        return instant


async def _lock(connection: "Connection", messages: Sequence[UUID]) -> Collection[UUID]:
    return {row["message_id"] for row in await connection.fetch(LOCK, messages)}


def _row_of(s: QueuedSend) -> tuple[object, ...]:
    who = (s.message_id, s.shard, s.lane, s.number, s.contact_id, s.grant_id, s.epoch)
    when = (s.not_before, s.valid_until, s.window_until)
    what = (s.brand, s.campaign, s.template, s.category, s.address_kind, s.address, s.body, s.traceparent)
    return (*who, *when, *what, s.media, WantedMedia.read(s.media).refs[0].source if s.media else None)


def send_of(row: asyncpg.Record) -> QueuedSend:
    """Read the columns of `WAITING`."""
    values = list(row.values())[:20]
    return QueuedSend(*values)


def _taken(send: QueuedSend, row: asyncpg.Record) -> TakenIn:
    waiting = row["answer"] == "waiting"
    return TakenIn(replace(send, seq=row["seq"]) if waiting else send, row["answer"], bool(row["parked"]))
