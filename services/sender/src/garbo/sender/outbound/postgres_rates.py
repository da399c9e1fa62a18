"""The rate of each number in one row, shared by all replicas: GCRA on the database's clock."""

from typing import Final

from garbo.common.runtime.postgres import Database
from garbo.sender.domain.pacing import LEAD_S, LEASE_S, SPENT_RATIO, longest_ahead_s
from garbo.sender.ports import Lease, NoLease

# rate_now: what the row allows at this instant; it climbs 0.5 % of the ceiling a second after a halving.
# One statement takes a lease: it moves `tat` on, unless somebody else's lease still runs.
ACQUIRE: Final = f"""
UPDATE sender.number_rate AS r
   SET tat = greatest(r.tat, statement_timestamp() + $4::float8 * interval '1 second')
             + l.count / l.spent * interval '1 second'
  FROM (SELECT number, spent, least($3::int, greatest(1, floor(spent * {LEASE_S})))::int AS count
          FROM (SELECT number, {SPENT_RATIO} * least($2::float8, rate + 0.005 * $2::float8
                       * greatest(0, extract(epoch FROM statement_timestamp() - rated_at)::float8)) AS spent
                  FROM sender.number_rate WHERE number = $1) AS rate_now) AS l
 WHERE r.number = l.number AND r.tat <= statement_timestamp() + greatest({LEAD_S}, $4) * interval '1 second'
RETURNING l.count, 1 / l.spent AS interval_s,
          extract(epoch FROM r.tat - statement_timestamp())::float8 - l.count / l.spent AS starts_in_s
"""  # noqa: S608 - constants of the domain
WAIT: Final = f"""
SELECT greatest(0.001, extract(epoch FROM tat - clock_timestamp())::float8 - {LEAD_S})
  FROM sender.number_rate WHERE number = $1
"""  # noqa: S608 - as above
# The database's clock has stepped back, or another host with another clock has taken over: no lease of ours
# ends that late. What was sent before the step is over within a second.
HEAL: Final = """
UPDATE sender.number_rate
   SET tat = clock_timestamp() + interval '1 second', rated_at = least(rated_at, clock_timestamp())
 WHERE number = $1 AND tat > clock_timestamp() + $2::float8 * interval '1 second'
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


class PostgresRateLeases:
    """`RateLeases` in `sender.number_rate`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def acquire(
        self, number: str, *, ceiling_per_s: float, wanted: int, ready_in_s: float
    ) -> Lease | NoLease:
        """Take a lease in one statement; a second one only when there is none to take."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(ACQUIRE, number, ceiling_per_s, wanted, ready_in_s)
            if row:
                return Lease(row["count"], max(0.0, row["starts_in_s"]), row["interval_s"])
            after_s = await connection.fetchval(WAIT, number)
            if after_s is None:
                await connection.execute(KNOW, number, ceiling_per_s)
            elif after_s > (longest_s := longest_ahead_s(ceiling_per_s)):
                await connection.execute(HEAL, number, longest_s)
                after_s = 1.0
            return NoLease(after_s or 0.0)

    async def slow_down(self, number: str, *, ceiling_per_s: float) -> None:
        """Halve the row's rate."""
        async with self._database.connection() as connection:
            await connection.execute(SLOW_DOWN, number, ceiling_per_s)
