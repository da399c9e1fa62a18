"""The rate of each number in one row, shared by all replicas: GCRA on the database's clock."""

from collections.abc import Mapping
from typing import Final
from uuid import uuid4

from garbo.common.runtime.postgres import Database
from garbo.sender.domain.pacing import LEAD_S, LEASE_S, SPENT_RATIO, longest_ahead_s
from garbo.sender.domain.retries import LONGEST_REST_S
from garbo.sender.outbound.rows import columns
from garbo.sender.ports.rates import Lease, NoLease

# rate_now: what the row allows at this instant; it climbs 0.5 % of the ceiling a second after a halving.
# One statement takes a lease: it moves `tat` on, unless somebody else's lease still runs.
ACQUIRE: Final = f"""
UPDATE sender.number_rate AS r
   SET tat = greatest(r.tat, statement_timestamp() + $4::float8 * interval '1 second')
             + l.count / l.spent * interval '1 second',
       holder = $5, held_since = CASE WHEN r.holder = $5 THEN r.held_since ELSE statement_timestamp() END
  FROM (SELECT number, spent, least($3::int, greatest(1, floor(spent * {LEASE_S})))::int AS count
          FROM (SELECT number, {SPENT_RATIO} * least($2::float8, rate + 0.005 * $2::float8
                       * greatest(0, extract(epoch FROM statement_timestamp() - rated_at)::float8)) AS spent
                  FROM sender.number_rate WHERE number = $1) AS rate_now) AS l
 WHERE r.number = l.number AND r.tat <= statement_timestamp() + greatest({LEAD_S}, $4) * interval '1 second'
   AND r.rests_until <= statement_timestamp()
RETURNING l.count, 1 / l.spent AS interval_s, extract(epoch FROM statement_timestamp())::float8 AS given_at,
          extract(epoch FROM r.tat)::float8 - l.count / l.spent AS begins,
          extract(epoch FROM statement_timestamp() - r.held_since)::float8 AS alone_s
"""  # noqa: S608 - constants of the domain
WAIT: Final = f"""
SELECT greatest(0.001, extract(epoch FROM tat - clock_timestamp())::float8 - {LEAD_S},
                extract(epoch FROM rests_until - clock_timestamp())::float8) AS after_s,
       extract(epoch FROM tat - clock_timestamp())::float8 > $2
           OR rests_until > clock_timestamp() + {2 * LONGEST_REST_S} * interval '1 second' AS ill
  FROM sender.number_rate WHERE number = $1
"""  # noqa: S608 - as above
# The database's clock has stepped back, or another host with another clock has taken over: no lease of ours
# ends that late. What was sent before the step is over within a second.
HEAL: Final = """
UPDATE sender.number_rate
   SET tat = clock_timestamp() + interval '1 second', rated_at = least(rated_at, clock_timestamp()),
       rests_until = clock_timestamp() + interval '1 second'
 WHERE number = $1
"""
KNOW: Final = "INSERT INTO sender.number_rate (number, rate) VALUES ($1, $2) ON CONFLICT DO NOTHING"
SLOW_DOWN: Final = """
UPDATE sender.number_rate
   SET rate = greatest(least(1.0, $2::float8), 0.5 * least($2::float8, rate + 0.005 * $2::float8
              * greatest(0, extract(epoch FROM clock_timestamp() - rated_at)::float8))),
       rated_at = clock_timestamp()
 WHERE number = $1
   AND rated_at NOT BETWEEN clock_timestamp() - interval '1 second' AND clock_timestamp()
"""
REST: Final = """
UPDATE sender.number_rate
   SET rests_until = greatest(rests_until, clock_timestamp() + $2::float8 * interval '1 second')
 WHERE number = $1
"""
# What came in has spent its part: half a second at most, or a flood of questions would silence a number.
COUNT_INBOUND: Final = f"""
UPDATE sender.number_rate AS r
   SET tat = greatest(r.tat, least(
           greatest(r.tat, clock_timestamp()) + i.count / ({SPENT_RATIO} * r.rate) * interval '1 second',
           clock_timestamp() + interval '500 milliseconds'))
  FROM (SELECT number, count FROM sender.number_rate JOIN unnest($1::text[], $2::int[]) AS a (number, count)
          USING (number) ORDER BY number FOR UPDATE OF number_rate) AS i
 WHERE r.number = i.number
"""  # noqa: S608 - constants of the domain


class PostgresRateLeases:
    """`RateLeases` in `sender.number_rate`."""

    def __init__(self, database: Database) -> None:
        self._database, self._holder = database, uuid4()

    async def acquire(
        self, number: str, *, ceiling_per_s: float, wanted: int, ready_in_s: float
    ) -> Lease | NoLease:
        """Take a lease in one statement; a second one only when there is none to take."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(ACQUIRE, number, ceiling_per_s, wanted, ready_in_s, self._holder)
            if row:
                return Lease(**row)
            longest_s = longest_ahead_s(ceiling_per_s)
            wait = await connection.fetchrow(WAIT, number, longest_s)
            if wait is None:
                await connection.execute(KNOW, number, ceiling_per_s)
                return NoLease(0.0)
            if wait["ill"]:
                await connection.execute(HEAL, number)
                return NoLease(1.0)
            return NoLease(wait["after_s"])

    async def slow_down(self, number: str, *, ceiling_per_s: float, rest_s: float) -> None:
        """Halve the row's rate, and let it rest."""
        async with self._database.transaction() as connection:
            await connection.execute(SLOW_DOWN, number, ceiling_per_s)
            await connection.execute(REST, number, rest_s)

    async def count_inbound(self, received: Mapping[str, int]) -> None:
        """Move each number's `tat` on."""
        async with self._database.connection() as connection:
            await connection.execute(COUNT_INBOUND, *columns(sorted(received.items())))
