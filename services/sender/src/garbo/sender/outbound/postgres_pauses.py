"""Pauses, in `sender.pause`. The only statements are the constants below."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import asyncpg

from garbo.common.events.pauses import PauseChanged
from garbo.common.runtime.postgres import Database
from garbo.sender.domain.pauses import FIRST_PROBE_S, LONGEST_PROBE_S, Order, Pause, PauseOrder, ResumeOrder
from garbo.sender.outbound.rows import columns

IN_FORCE: Final = """
SELECT scope, name, source, reason, by, since, until,
       extract(epoch FROM probe_at - clock_timestamp())::float8 AS probe_in_s
  FROM sender.pause WHERE ended_at IS NULL AND (until IS NULL OR until > clock_timestamp())
 ORDER BY scope, name, source
"""
# A code says the same with each call that was under way: only a later end is news.
PAUSE: Final = f"""
INSERT INTO sender.pause AS p (scope, name, source, reason, by, since, until, probe_at)
SELECT $1::text, $2::text, $3::text, $4::text, $5::text, coalesce($6::timestamptz, clock_timestamp()),
       coalesce($7::timestamptz, clock_timestamp() + $8::interval),
       CASE WHEN $1 = 'number' AND $3 = 'code' THEN clock_timestamp() + interval '{FIRST_PROBE_S} seconds' END
 WHERE NOT EXISTS (SELECT 1 FROM sender.pause AS e
                    WHERE e.scope = $1 AND e.name = $2 AND e.ended_at >= $6::timestamptz)
   AND coalesce($7::timestamptz, 'infinity') > clock_timestamp()
ON CONFLICT (scope, name, source) WHERE ended_at IS NULL DO UPDATE
   SET reason = EXCLUDED.reason, by = EXCLUDED.by, since = EXCLUDED.since, until = EXCLUDED.until,
       tell_at = clock_timestamp(), told = false
 WHERE CASE WHEN p.source = 'code'
            THEN p.until < coalesce(EXCLUDED.until, 'infinity') - interval '1 minute'
            ELSE p.since <= EXCLUDED.since
                 AND (p.reason, p.by, p.until) IS DISTINCT FROM
                     (EXCLUDED.reason, EXCLUDED.by, EXCLUDED.until) END
"""  # noqa: S608 - constants of the domain
RESUME: Final = """
UPDATE sender.pause
   SET ended_at = greatest(since, coalesce($5, clock_timestamp())), ended_by = $4, tell_at = clock_timestamp()
 WHERE scope = $1 AND name = $2 AND source = ANY ($3::text[]) AND ended_at IS NULL
   AND ($5::timestamptz IS NULL OR since <= $5) AND ($6::text IS NULL OR reason = $6)
RETURNING scope, name, source, reason, by, since, until, NULL::float8 AS probe_in_s
"""
END_DUE: Final = """
WITH due AS (
    SELECT id FROM sender.pause WHERE ended_at IS NULL AND until <= clock_timestamp() FOR UPDATE SKIP LOCKED)
UPDATE sender.pause AS p SET ended_at = until, ended_by = 'time', tell_at = clock_timestamp()
  FROM due WHERE p.id = due.id
"""
# From why to why along the index, however many are parked for each. What is parked for a pause that ended
# meanwhile, by a process that had not heard of it, is found here, too.
FREE: Final = """
WITH RECURSIVE why AS (
    (SELECT parked_why FROM sender.waiting
      WHERE parked_why LIKE 'pause:%' AND parked_until = 'infinity' ORDER BY parked_why LIMIT 1)
    UNION ALL
    SELECT (SELECT w.parked_why FROM sender.waiting AS w
             WHERE w.parked_why LIKE 'pause:%' AND w.parked_until = 'infinity'
               AND w.parked_why > why.parked_why
             ORDER BY w.parked_why LIMIT 1)
      FROM why WHERE why.parked_why IS NOT NULL),
ended AS (
    SELECT why.parked_why FROM why WHERE why.parked_why IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM sender.pause AS p
         WHERE p.ended_at IS NULL AND (p.until IS NULL OR p.until > clock_timestamp())
           AND why.parked_why = 'pause:' || p.scope || ':' || p.name)),
free AS (
    SELECT w.message_id, row_number() OVER (ORDER BY w.seq) AS place
      FROM ended JOIN LATERAL (
           SELECT message_id, seq FROM sender.waiting AS i
            WHERE i.parked_why = ended.parked_why
              AND i.parked_why LIKE 'pause:%' AND i.parked_until = 'infinity'
            ORDER BY seq LIMIT $1 FOR UPDATE SKIP LOCKED) AS w ON true)
UPDATE sender.waiting AS w SET parked_until = statement_timestamp() + free.place * interval '1 microsecond'
  FROM free WHERE w.message_id = free.message_id AND w.parked_until = 'infinity'
"""
TAKE_PROBE: Final = f"""
UPDATE sender.pause AS p
   SET probes = probes + 1, probe_at = clock_timestamp()
       + least({LONGEST_PROBE_S}, {FIRST_PROBE_S} * 2 ^ least(10, probes + 1)) * interval '1 second'
 WHERE p.scope = 'number' AND p.name = $1 AND p.source = 'code' AND p.ended_at IS NULL
   AND p.probe_at <= clock_timestamp() AND NOT EXISTS (
       SELECT 1 FROM sender.pause AS o
        WHERE o.ended_at IS NULL AND (o.until IS NULL OR o.until > clock_timestamp())
          AND (o.scope = 'account' AND o.name = $2
               OR o.scope = 'number' AND o.name = $1 AND o.source <> 'code'))
RETURNING 1
"""  # noqa: S608 - constants of the domain
TAKE_UNTOLD: Final = """
WITH untold AS (
    SELECT id FROM sender.pause WHERE tell_at <= clock_timestamp()
     ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)
UPDATE sender.pause AS p SET tell_at = clock_timestamp() + interval '30 seconds'
  FROM untold WHERE p.id = untold.id RETURNING p.*
"""
TOLD: Final = """
WITH theirs AS (
    SELECT id FROM sender.pause
      JOIN unnest($1::bigint[], $2::timestamptz[]) AS t (id, tell_at) USING (id, tell_at)
     ORDER BY id FOR UPDATE OF pause)
UPDATE sender.pause AS p SET tell_at = NULL, told = true FROM theirs WHERE p.id = theirs.id
"""
SELLS: Final = """
INSERT INTO sender.recategorised AS r (template, told_at, before)
VALUES ($1, $2, clock_timestamp() + interval '2 seconds')
ON CONFLICT (template) DO UPDATE SET told_at = EXCLUDED.told_at, before = EXCLUDED.before
 WHERE r.told_at < EXCLUDED.told_at
"""
SELLS_NO_MORE: Final = "DELETE FROM sender.recategorised WHERE template = $1 AND told_at <= $2"
RECATEGORISED: Final = """
SELECT template, before FROM sender.recategorised WHERE before > clock_timestamp() - interval '1 day'
"""
PARKED: Final = """
SELECT CASE WHEN parked_why LIKE 'pause:%' THEN 'pause_' || split_part(parked_why, ':', 2)
            ELSE split_part(parked_why, ':', 1) END AS why, count(*) AS count
  FROM sender.waiting WHERE parked_until IS NOT NULL GROUP BY 1
"""
FREED_AT_ONCE: Final = 2000
TOLD_AT_ONCE: Final = 500


class PostgresPauses:
    """`PauseSwitches` in `sender.pause`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def in_force(self) -> Sequence[Pause]:
        """One look along the index of what is in force."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(IN_FORCE)
        return [Pause(**row) for row in rows]

    async def order(self, orders: Sequence[Order]) -> Sequence[Pause]:
        """One after the other, in one transaction; those of one name in the order given."""
        ended: list[Pause] = []
        async with self._database.transaction() as connection:
            for order in sorted(orders, key=lambda order: (order.scope, order.name)):
                if isinstance(order, PauseOrder):
                    await connection.execute(PAUSE, *_pausing(order))
                else:
                    ended += [Pause(**row) for row in await connection.fetch(RESUME, *_resuming(order))]
        return ended

    async def end_due(self) -> None:
        """Free `FREED_AT_ONCE` of each pause at most."""
        async with self._database.connection() as connection:
            await connection.execute(END_DUE)
            await connection.execute(FREE, FREED_AT_ONCE)

    async def take_probe(self, number: str, *, account: str | None) -> bool:
        """Move the instant of the next probe: only one process can."""
        async with self._database.connection() as connection:
            return await connection.fetchval(TAKE_PROBE, number, account) is not None

    async def take_untold(self) -> Sequence[tuple[int, datetime, PauseChanged]]:
        """Claim them for half a minute."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(TAKE_UNTOLD, TOLD_AT_ONCE)
        rows.sort(key=lambda row: row["id"])
        return [(row["id"], row["tell_at"], change) for row in rows for change in _changes(row)]

    async def told(self, told: Sequence[tuple[int, datetime]]) -> None:
        """Leave what changed meanwhile."""
        async with self._database.connection() as connection:
            await connection.execute(TOLD, *columns(told))

    async def recategorise(self, template: str, *, sells: bool, told_at: datetime) -> None:
        """Let the latest word count."""
        async with self._database.connection() as connection:
            await connection.execute(SELLS if sells else SELLS_NO_MORE, template, told_at)

    async def recategorised(self) -> Mapping[str, datetime]:
        """See `PauseSwitches`."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(RECATEGORISED)
        return {row["template"]: row["before"] for row in rows}

    async def parked_counts(self) -> Mapping[str, int]:
        """Count along the index of what is parked."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(PARKED)
        return {row["why"]: row["count"] for row in rows}


def _pausing(order: PauseOrder) -> tuple[Any, ...]:
    said = (order.scope, order.name, order.source, order.reason, order.by)
    return (*said, order.at, order.until, order.lasts)


def _resuming(order: ResumeOrder) -> tuple[Any, ...]:
    return (order.scope, order.name, list(order.sources), order.by, order.at, order.reason)


def _changes(row: asyncpg.Record) -> Iterator[PauseChanged]:
    """Give what is to be told of a row: that it was paused, that it ended, or both."""
    about = {key: row[key] for key in ("scope", "name", "source", "reason")}
    if not row["told"]:
        yield PauseChanged(
            change="paused", by=row["by"], changed_at=row["since"], until=row["until"], **about
        )
    if row["ended_at"] is not None:
        yield PauseChanged(change="resumed", by=row["ended_by"], changed_at=row["ended_at"], **about)
