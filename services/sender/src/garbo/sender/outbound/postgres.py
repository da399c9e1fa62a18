"""The memory of what was sent, in PostgreSQL: the machine of attempts (migration 0007).

The only statements are the constants below.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from garbo.common.events.ids import MessageId, attempt_of
from garbo.common.events.results import SendResult
from garbo.common.runtime.postgres import Database
from garbo.sender.domain.deadlines import LEAVE_WITHIN, SEND_BUDGET
from garbo.sender.domain.pair import BURST, EVERY_US, MOST_AHEAD_US
from garbo.sender.domain.retries import MOST_RESENDS, RESEND_AFTER
from garbo.sender.outbound.rows import columns, finished_row, result_of, status_row
from garbo.sender.ports.attempts import (
    AttemptStatus,
    BeginResult,
    FinishedAttempt,
    PlannedAttempt,
    RefusedGrant,
    SettledAttempt,
)

BEGIN: Final = """
SELECT answer, n, resent_count, after_s
  FROM sender.begin_attempts($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
"""
RECORD: Final = "SELECT * FROM sender.record_outcomes($1, $2, $3, $4, $5, $6, $7, $8, $9)"
REFUSE: Final = "SELECT * FROM sender.refuse($1, $2, $3, $4)"
SETTLE: Final = "SELECT * FROM sender.settle_attempts($1, $2, $3, $4, $5, $6, $7, $8, $9)"
RESULTS: Final = """
SELECT * FROM sender.message WHERE message_id = ANY ($1::uuid[]) AND state NOT IN ('open', 'dispatching')
"""
TRACES_OF: Final = "SELECT message_id, n, traceparent FROM sender.message WHERE message_id = ANY ($1::uuid[])"
ABANDON: Final = """
WITH old AS (
    SELECT message_id FROM sender.message
     WHERE state = 'dispatching' AND started_at < clock_timestamp() - $1::interval
     ORDER BY message_id LIMIT $2 FOR UPDATE SKIP LOCKED),
gone AS (
    UPDATE sender.message AS m
       SET state = 'unknown', finished_at = clock_timestamp(), recorded_at = clock_timestamp(),
           reason = 'interrupted', resolved_by = 'abandoned'
      FROM old WHERE m.message_id = old.message_id RETURNING m.*),
theirs AS (
    SELECT g.message_id, g.lane, g.resent_count FROM gone AS g JOIN sender.waiting AS w USING (message_id)
     ORDER BY g.message_id FOR UPDATE OF w),
parked AS (
    UPDATE sender.waiting AS w
       SET parked_why = 'ambiguous', parked_until = CASE WHEN t.lane = 'care' AND t.resent_count < $4 THEN
               clock_timestamp() + $3::interval * 2 ^ t.resent_count ELSE 'infinity' END
      FROM theirs AS t WHERE w.message_id = t.message_id)
SELECT * FROM gone
"""
# What was sent as often as it may be has failed, as far as anybody knows; of the rest nothing will be heard.
UNSETTLED: Final = """
WITH old AS (
    SELECT message_id, lane = 'care' AND resent_count >= $3 AS spent FROM sender.message
     WHERE state = 'unknown' AND reason <> 'unsettled'
       AND started_at < clock_timestamp() - CASE WHEN lane = 'care' AND resent_count >= $3 THEN $4::interval
                                                 ELSE $1::interval END
     ORDER BY message_id LIMIT $2 FOR UPDATE SKIP LOCKED)
UPDATE sender.message AS m
   SET state = CASE WHEN old.spent THEN 'failed' ELSE m.state END,
       reason = CASE WHEN old.spent THEN 'ambiguous' ELSE 'unsettled' END, recorded_at = clock_timestamp()
  FROM old WHERE m.message_id = old.message_id RETURNING m.*
"""
UNKNOWN_COUNT: Final = "SELECT count(*) FROM sender.message WHERE state = 'unknown' AND reason <> 'unsettled'"
LEAVES_WITHIN_US: Final = LEAVE_WITHIN // timedelta(microseconds=1)


class PostgresAttempts:
    """`Attempts` in the schema `sender`."""

    def __init__(
        self, database: Database, *, resend_after: timedelta = RESEND_AFTER, most_resends: int = MOST_RESENDS
    ) -> None:
        self._database, self._resend_after, self._most_resends = database, resend_after, most_resends

    async def begin(self, planned: Sequence[PlannedAttempt]) -> Sequence[BeginResult]:
        """One statement: pairs, messages, claims, in this order and each in the order of ids."""
        first = planned[0].send
        rows = [
            (
                s.message_id,
                s.grant_id,
                s.epoch,
                s.contact_id,
                s.is_to_group,
                s.not_before,
                s.valid_until,
                p.traceparent,
            )
            for p in planned
            for s in (p.send,)
        ]
        pace = (BURST[first.lane], EVERY_US, MOST_AHEAD_US, LEAVES_WITHIN_US)
        limits = (*pace, self._most_resends, self._resend_after)
        async with self._database.connection() as connection:
            answers = await connection.fetch(BEGIN, first.number, first.lane, *columns(rows), *limits)
        return [
            BeginResult(a["answer"], a["n"] or 0, a["resent_count"] or 0, a["after_s"] or 0.0)
            for a in answers
        ]

    async def record(self, finished: Sequence[FinishedAttempt]) -> Mapping[UUID, SendResult]:
        """Fenced by the attempt's number: what a status decided meanwhile stays."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                RECORD, *columns(map(finished_row, finished)), self._resend_after, self._most_resends
            )
        return {row["message_id"]: result_of(row) for row in rows}

    async def refuse(self, refused: Sequence[RefusedGrant]) -> Mapping[UUID, SendResult]:
        """Give what others decided as it is. Several may find the same too late at once."""
        each = {r.send.message_id: r for r in refused}.values()
        rows = [(r.send.message_id, r.send.grant_id, r.send.epoch, r.reason) for r in each]
        async with self._database.connection() as connection:
            answers = await connection.fetch(REFUSE, *columns(rows))
        return {row["message_id"]: result_of(row) for row in answers}

    async def results(self, messages: Sequence[UUID]) -> Mapping[UUID, SendResult]:
        """See `Attempts`."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(RESULTS, list(messages))
        return {row["message_id"]: result_of(row) for row in rows}

    async def settle(self, seen: Sequence[AttemptStatus]) -> Sequence[SettledAttempt]:
        """Let an acceptance count at the status' instant and a second: the platform gives whole seconds."""
        rows = []
        for status in seen:
            if attempt := attempt_of(status.attempt_id):
                at = status.occurred_at + timedelta(seconds=1)
                rows.append((*status_row(status, *attempt), at))
        if not rows:
            return []
        async with self._database.connection() as connection:
            settled = await connection.fetch(SETTLE, *columns(rows), SEND_BUDGET)
        return [SettledAttempt(result_of(row), row["traceparent"]) for row in settled]

    async def traces_of(self, attempt_ids: Sequence[str]) -> Mapping[str, str | None]:
        """Those of each message's newest attempt."""
        wanted = {attempt: name for name in attempt_ids if (attempt := attempt_of(name))}
        async with self._database.connection() as connection:
            rows = await connection.fetch(TRACES_OF, [message for message, _ in wanted])
        found = {(MessageId(row["message_id"]), row["n"]): row["traceparent"] for row in rows}
        return {wanted[attempt]: trace for attempt, trace in found.items() if attempt in wanted}

    async def abandon(self, *, older_than: timedelta, limit: int) -> Sequence[SendResult]:
        """Skip rows that somebody is recording at this moment."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(ABANDON, older_than, limit, self._resend_after, self._most_resends)
        return [result_of(row) for row in rows]

    async def unsettled(self, *, older_than: timedelta, limit: int) -> Sequence[SendResult]:
        """Each is given once: who takes it tells it."""
        async with self._database.connection() as connection:
            last = self._resend_after * 2**self._most_resends
            rows = await connection.fetch(UNSETTLED, older_than, limit, self._most_resends, last)
        return [result_of(row) for row in rows]

    async def unknown_count(self) -> int:
        """Count by the partial index."""
        async with self._database.connection() as connection:
            return int(await connection.fetchval(UNKNOWN_COUNT))
