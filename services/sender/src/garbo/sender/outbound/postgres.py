"""The memory of what was sent, in PostgreSQL. The only statements are the constants below."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

import asyncpg

from garbo.common.events.grants import SendGranted
from garbo.common.events.ids import MessageId, attempt_id_of
from garbo.common.events.results import SendResult
from garbo.common.runtime.postgres import Database
from garbo.sender.outbound.postgres_claims import claim
from garbo.sender.outbound.postgres_pairs import lock_pairs
from garbo.sender.outbound.rows import columns, conclusion_row, finished_row, result_of, settle_row
from garbo.sender.ports import (
    AttemptStatus,
    BeginResult,
    FinishedAttempt,
    Past,
    PlannedAttempt,
    RefusedGrant,
    SettledAttempt,
)

if TYPE_CHECKING:
    from garbo.common.runtime.postgres import Connection

NOW: Final = "SELECT clock_timestamp()"
ABANDON_NAMED: Final = """
WITH gone AS (
    UPDATE sender.attempt
       SET state = 'unknown', finished_at = clock_timestamp(),
           reason = 'interrupted', resolved_by = 'abandoned'
     WHERE message_id = ANY($1::uuid[]) AND state = 'dispatching' RETURNING attempt_id, message_id)
UPDATE sender.message AS m
   SET state = 'unknown', attempt_id = g.attempt_id, code = NULL, reason = 'interrupted',
       recorded_at = clock_timestamp()
  FROM gone AS g WHERE m.message_id = g.message_id
"""
ABANDON_OLD: Final = """
WITH old AS (
    SELECT attempt_id FROM sender.attempt
     WHERE state = 'dispatching' AND started_at < clock_timestamp() - $1::interval
     ORDER BY attempt_id LIMIT $2 FOR UPDATE SKIP LOCKED),
gone AS (
    UPDATE sender.attempt AS a
       SET state = 'unknown', finished_at = clock_timestamp(),
           reason = 'interrupted', resolved_by = 'abandoned'
      FROM old WHERE a.attempt_id = old.attempt_id RETURNING a.attempt_id, a.message_id)
UPDATE sender.message AS m
   SET state = 'unknown', attempt_id = g.attempt_id, code = NULL, reason = 'interrupted',
       recorded_at = clock_timestamp()
  FROM gone AS g WHERE m.message_id = g.message_id RETURNING m.message_id
"""
RECALL: Final = """
SELECT m.*, a.platform_message_ref, a.started_at,
       (SELECT count(*) FROM sender.attempt AS t WHERE t.message_id = m.message_id) AS attempts_count,
       (SELECT array_agg(DISTINCT t.grant_id::text || ':' || t.epoch) FROM sender.attempt AS t
         WHERE t.message_id = m.message_id) AS claimed
  FROM sender.message AS m LEFT JOIN sender.attempt AS a ON a.attempt_id = m.attempt_id
 WHERE m.message_id = ANY($1::uuid[])
"""
RESULTS: Final = """
SELECT m.*, a.platform_message_ref, a.started_at
  FROM sender.message AS m LEFT JOIN sender.attempt AS a ON a.attempt_id = m.attempt_id
 WHERE m.message_id = ANY($1::uuid[]) AND m.state <> 'open'
"""
# What has a result under this very grant stays: it was published, and a send after it would be one too many.
# Of one grant the higher epoch is newer; of two grants (of two days) the one that begins later.
OPEN: Final = """
INSERT INTO sender.message AS m (message_id, grant_id, epoch, lane, contact_id, number, not_before)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::uuid[], $6::text[], $7::timestamptz[])
ON CONFLICT (message_id) DO UPDATE
   SET grant_id = EXCLUDED.grant_id, epoch = EXCLUDED.epoch, lane = EXCLUDED.lane,
       contact_id = EXCLUDED.contact_id, number = EXCLUDED.number, not_before = EXCLUDED.not_before,
       state = 'open', attempt_id = NULL, code = NULL, reason = NULL, recorded_at = NULL
 WHERE m.state NOT IN ('accepted', 'unknown')
   AND CASE WHEN m.grant_id = EXCLUDED.grant_id
            THEN m.epoch < EXCLUDED.epoch OR (m.epoch = EXCLUDED.epoch AND m.state = 'open')
            ELSE m.not_before <= EXCLUDED.not_before END
RETURNING message_id
"""
WRITE_AHEAD: Final = """
INSERT INTO sender.attempt (attempt_id, message_id, n, grant_id, epoch, traceparent)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::int[], $4::uuid[], $5::int[], $6::text[])
ON CONFLICT DO NOTHING RETURNING message_id
"""
# Not while an attempt of it is live: somebody else's call is under way, and its answer is the truth.
REFUSE: Final = """
UPDATE sender.message AS m
   SET state = 'not_sent', attempt_id = NULL, code = r.code, reason = r.reason,
       recorded_at = clock_timestamp()
  FROM unnest($1::uuid[], $2::text[], $3::int[]) AS r (message_id, reason, code)
 WHERE m.message_id = r.message_id
   AND NOT EXISTS (SELECT 1 FROM sender.attempt AS a
                    WHERE a.message_id = r.message_id AND a.state IN ('dispatching', 'accepted', 'unknown'))
"""
FINISH: Final = """
UPDATE sender.attempt AS a
   SET state = f.state, finished_at = clock_timestamp(),
       platform_message_ref = f.platform_message_ref, code = f.code,
       http_status = f.http_status, reason = f.reason, resolved_by = 'answer'
  FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::int[], $6::text[])
       AS f (attempt_id, state, platform_message_ref, code, http_status, reason)
 WHERE a.attempt_id = f.attempt_id
   AND (a.state = 'dispatching' OR (a.state = 'unknown' AND f.state <> 'unknown'))
RETURNING a.attempt_id
"""
CONCLUDE: Final = """
UPDATE sender.message AS m
   SET state = coalesce(c.outcome, 'not_sent'), attempt_id = c.attempt_id, code = c.code, reason = c.reason,
       recorded_at = coalesce(c.recorded_at, clock_timestamp())
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::int[], $5::text[], $6::timestamptz[])
       AS c (message_id, attempt_id, outcome, code, reason, recorded_at)
 WHERE m.message_id = c.message_id AND (c.outcome IS NOT NULL OR m.state = 'unknown')
"""
SETTLE: Final = """
UPDATE sender.attempt AS a
   SET state = s.state, finished_at = clock_timestamp(),
       platform_message_ref = s.platform_message_ref, code = s.code, reason = s.reason,
       resolved_by = 'status:' || s.status
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::text[])
       AS s (attempt_id, state, status, platform_message_ref, code, reason)
 WHERE a.attempt_id = s.attempt_id AND a.state IN ('dispatching', 'unknown')
RETURNING a.attempt_id, a.message_id, a.started_at
"""
SETTLED: Final = """
SELECT m.*, a.platform_message_ref, a.started_at, a.traceparent
  FROM unnest($1::text[], $2::text[]) AS s (attempt_id, status)
  JOIN sender.attempt AS a ON a.attempt_id = s.attempt_id AND a.resolved_by = 'status:' || s.status
  JOIN sender.message AS m ON m.attempt_id = a.attempt_id
"""
TRACES_OF: Final = "SELECT attempt_id, traceparent FROM sender.attempt WHERE attempt_id = ANY ($1::text[])"
UNKNOWN_COUNT: Final = "SELECT count(*) FROM sender.attempt WHERE state = 'unknown'"


class PostgresAttempts:
    """`Attempts` in the schema `sender`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def recall(self, grants: Sequence[SendGranted]) -> tuple[datetime, Mapping[UUID, Past]]:
        """Two statements: what is left over becomes unknown, then look."""
        messages = [grant.message_id for grant in grants]
        async with self._database.transaction() as connection:
            await connection.execute(ABANDON_NAMED, messages)
            rows = {row["message_id"]: row for row in await connection.fetch(RECALL, messages)}
            instant: datetime = await connection.fetchval(NOW)
        known = {g.message_id: _past(g, rows[g.message_id]) for g in grants if g.message_id in rows}
        return instant, known

    async def begin(self, planned: Sequence[PlannedAttempt]) -> Mapping[UUID, BeginResult]:
        """One transaction: message rows, pairs, the claim, the attempts; locked in this order."""
        planned = sorted(planned, key=lambda p: p.grant.message_id)
        answer = {p.grant.message_id: BeginResult(p.grant.message_id, "elsewhere") for p in planned}
        async with self._database.transaction() as connection:
            opened = await _open(connection, [p.grant for p in planned])
            mine = [p for p in planned if p.grant.message_id in opened]
            pairs = await lock_pairs(connection, mine)
            waits = pairs.waits(mine)
            for message, after_s in waits.items():
                answer[message] = BeginResult(message, "too_soon", after_s=after_s)
            mine = [p for p in mine if p.grant.message_id not in waits]
            may, refused = await claim(connection, mine)
            begun = await _write_ahead(connection, may)
            await pairs.count_sends(connection, [p.grant for p in may if p.grant.message_id in begun])
            for message in begun:
                answer[message] = BeginResult(message, "begun")
            for message, result in (await _refuse(connection, refused)).items():
                answer[message] = BeginResult(message, "refused", result)
        return answer

    async def record(self, finished: Sequence[FinishedAttempt]) -> Mapping[UUID, SendResult]:
        """Fenced by the attempt's id: what a status decided meanwhile stays."""
        rows = {f.attempt_id: finished_row(f) for f in finished}
        async with self._database.transaction() as connection:
            changed = await connection.fetch(FINISH, *columns(r.attempt for r in rows.values()))
            concluded = [rows[row["attempt_id"]].message for row in changed]
            if concluded:
                await connection.execute(CONCLUDE, *columns(concluded))
            return await _results(connection, [f.grant.message_id for f in finished])

    async def refuse(self, refused: Sequence[RefusedGrant]) -> Mapping[UUID, SendResult]:
        """Open the rows where they are new, then close them; what others finished is published as it is."""
        refused = sorted(refused, key=lambda r: r.grant.message_id)
        async with self._database.transaction() as connection:
            opened = await _open(connection, [r.grant for r in refused])
            await _refuse(connection, [r for r in refused if r.grant.message_id in opened])
            return await _results(connection, [r.grant.message_id for r in refused])

    async def settle(self, seen: Sequence[AttemptStatus]) -> Sequence[SettledAttempt]:
        """Let an acceptance count at the status' instant, within the attempt's own time."""
        rows = {s.attempt_id: s for s in seen}
        async with self._database.transaction() as connection:
            changed = await connection.fetch(SETTLE, *columns(settle_row(s) for s in seen))
            if changed:
                await connection.execute(
                    CONCLUDE, *columns(conclusion_row(r, rows[r["attempt_id"]]) for r in changed)
                )
            names = [(s.attempt_id, s.status) for s in seen]
            settled = await connection.fetch(SETTLED, *columns(names))
        return [SettledAttempt(result_of(row), row["traceparent"]) for row in settled]

    async def traces_of(self, attempt_ids: Sequence[str]) -> Mapping[str, str | None]:
        """See `Attempts`."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(TRACES_OF, list(attempt_ids))
        return {row["attempt_id"]: row["traceparent"] for row in rows}

    async def abandon(self, *, older_than: timedelta, limit: int) -> Sequence[SendResult]:
        """Skip rows that somebody is recording at this moment."""
        async with self._database.transaction() as connection:
            gone = await connection.fetch(ABANDON_OLD, older_than, limit)
            return list((await _results(connection, [row["message_id"] for row in gone])).values())

    async def unknown_count(self) -> int:
        """Count by the partial index."""
        async with self._database.connection() as connection:
            return int(await connection.fetchval(UNKNOWN_COUNT))


def _past(grant: SendGranted, row: asyncpg.Record) -> Past:
    of_this_day = row["grant_id"] == grant.grant_id
    same = of_this_day and row["epoch"] == grant.epoch
    useless = row["state"] in ("accepted", "unknown")
    newer = row["epoch"] > grant.epoch if of_this_day else row["not_before"] > grant.not_before
    is_final = row["state"] != "open" and (same or useless or newer)
    return Past(
        attempts_count=row["attempts_count"],
        claimed=f"{grant.grant_id}:{grant.epoch}" in (row["claimed"] or ()),
        result=result_of(row) if is_final else None,
        stale=newer,
    )


async def _open(connection: "Connection", grants: Sequence[SendGranted]) -> set[UUID]:
    rows = [(g.message_id, g.grant_id, g.epoch, g.lane, g.contact_id, g.number, g.not_before) for g in grants]
    return {row["message_id"] for row in await connection.fetch(OPEN, *columns(rows))}


async def _write_ahead(connection: "Connection", may: Sequence[PlannedAttempt]) -> set[UUID]:
    if not may:
        return set()
    rows = [
        (
            attempt_id_of(MessageId(p.grant.message_id), p.n),
            p.grant.message_id,
            p.n,
            p.grant.grant_id,
            p.grant.epoch,
            p.traceparent,
        )
        for p in may
    ]
    return {row["message_id"] for row in await connection.fetch(WRITE_AHEAD, *columns(rows))}


async def _refuse(connection: "Connection", refused: Sequence[RefusedGrant]) -> Mapping[UUID, SendResult]:
    if not refused:
        return {}
    rows = [(r.grant.message_id, r.reason, r.code) for r in refused]
    await connection.execute(REFUSE, *columns(rows))
    return await _results(connection, [r.grant.message_id for r in refused])


async def _results(connection: "Connection", messages: Sequence[UUID]) -> dict[UUID, SendResult]:
    if not messages:
        return {}
    return {row["message_id"]: result_of(row) for row in await connection.fetch(RESULTS, messages)}
