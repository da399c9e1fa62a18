"""Queries of the facts, answered by PostgreSQL."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from garbo.analytics.domain.facts import Fact
from garbo.analytics.domain.funnel import DRAWN, Counts, Funnel
from garbo.analytics.outbound.postgres_facts import COLUMNS, fact_of
from garbo.analytics.ports import Filter
from garbo.common.runtime.postgres import Database

_LIST: Final = ", ".join(COLUMNS)

TOTALS: Final = "SELECT step, detail, sum(count)::bigint FROM analytics.funnel_total GROUP BY 1, 2"
FUNNEL: Final = """
SELECT date_bin($3, minute, $1), step, detail, sum(count)::bigint FROM analytics.funnel_minute
WHERE minute >= $1 AND minute < $2 AND ($4::text IS NULL OR lane = $4) GROUP BY 1, 2, 3
"""
LATEST: Final = f"""
SELECT {_LIST} FROM analytics.fact
WHERE ($2::text[] IS NULL OR verdict = ANY($2)) AND ($3::text IS NULL OR lane = $3)
    AND ($4::text[] IS NULL OR brand = ANY($4))
ORDER BY begun_at DESC, message_id LIMIT $1
"""  # noqa: S608 - our own column names
MESSAGES_OF: Final = f"""
SELECT {_LIST} FROM analytics.fact
WHERE request_id = $1 AND ($2::text IS NULL OR client = $2) AND ($3::text[] IS NULL OR brand = ANY($3))
ORDER BY client
"""  # noqa: S608 - as above


class PostgresFactQueries:
    """The `FactQueries`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def totals(self) -> Counts:
        """Count all messages ever, by step and detail."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(TOTALS)
        return {(step, detail): count for step, detail, count in rows}

    async def funnel(self, *, since: datetime, until: datetime, lane: str | None, width: timedelta) -> Funnel:
        """Count the messages begun in a span of time."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(FUNNEL, since, until, width, lane)
        counts: Counter[tuple[str, str]] = Counter()
        points: Counter[tuple[datetime, str]] = Counter()
        for at, step, detail, count in rows:
            counts[step, detail] += count
            if step in DRAWN:
                points[at, step] += count
        return Funnel(since, until, lane, counts, width, points)

    async def latest(self, wanted: Filter) -> Sequence[Fact]:
        """List messages, the one that began last first."""
        verdicts = list(wanted.verdicts) or None
        async with self._database.connection() as connection:
            rows = await connection.fetch(LATEST, wanted.limit, verdicts, wanted.lane, wanted.brands)
        return [fact_of(row) for row in rows]

    async def messages_of(
        self, request_id: UUID, client: str | None, *, brands: tuple[str, ...] | None = None
    ) -> Sequence[Fact]:
        """Find the messages of a request id."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(MESSAGES_OF, request_id, client, brands)
        return [fact_of(row) for row in rows]
