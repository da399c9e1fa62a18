"""Budgets in PostgreSQL: a total that changes only as slices are leased; a slice only its owner spends."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, TypeAlias
from uuid import uuid4

import asyncpg

from garbo.common.errors import RetryLater
from garbo.common.runtime.postgres import Database
from garbo.router.domain.instants import EPOCH
from garbo.router.ports.budgets import BudgetLease, BudgetRequest

if TYPE_CHECKING:
    from garbo.common.runtime.postgres import Connection

HELD_S: Final = 60.0
"""A slice nobody used for so long may be taken back by anybody: also when its owner is dead."""
SLICES_OF_LIMIT: Final = 100
LARGEST_SLICE: Final = 1_000
"""A slice is a hundredth of the limit, so many at most; near the end a part of what is left."""
LAST_SHARES: Final = 4

OWN: Final = """
WITH mine AS MATERIALIZED (
    SELECT s.slice_id FROM router.budget_slice s
    JOIN unnest($2::text[], $3::text[], $4::date[]) AS n(rule, scope, period) USING (rule, scope, period)
    WHERE s.owner = $1 AND s.size > s.used AND s.held_until > clock_timestamp()
    ORDER BY s.slice_id FOR UPDATE OF s
)
UPDATE router.budget_slice s SET held_until = clock_timestamp() + make_interval(secs => $5)
FROM mine WHERE s.slice_id = mine.slice_id
RETURNING s.slice_id, s.rule, s.scope, s.period, s.size - s.used AS left
"""
TAKEN: Final = """
SELECT b.rule, b.scope, b.period, b.taken
FROM unnest($1::text[], $2::text[], $3::date[]) AS n(rule, scope, period)
JOIN router.budget b USING (rule, scope, period)
"""
OPEN: Final = "INSERT INTO router.budget (rule, scope, period) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
LOCK: Final = "SELECT taken FROM router.budget WHERE rule = $1 AND scope = $2 AND period = $3 FOR UPDATE"
# Returned: slices that rested too long, whoever owned them; while the limit was lowered, one's own as well.
RETURNED: Final = """
WITH resting AS (
    SELECT slice_id, size - used AS unused FROM router.budget_slice
    WHERE rule = $1 AND scope = $2 AND period = $3 AND size > used
      AND (held_until <= clock_timestamp() OR owner = $4)
    ORDER BY slice_id FOR UPDATE SKIP LOCKED
), closed AS (
    UPDATE router.budget_slice s SET size = s.size - resting.unused
    FROM resting WHERE s.slice_id = resting.slice_id
)
SELECT coalesce(sum(unused), 0)::bigint FROM resting
"""
LEASE: Final = """
WITH slice AS (
    INSERT INTO router.budget_slice (rule, scope, period, size, owner, held_until)
    SELECT $1, $2, $3, $4, $5, clock_timestamp() + make_interval(secs => $6) WHERE $4::bigint > 0
    RETURNING slice_id
), total AS (
    UPDATE router.budget SET taken = $7 WHERE rule = $1 AND scope = $2 AND period = $3
)
SELECT slice_id FROM slice
"""
HOLD: Final = """
SELECT slice_id, rule, scope, period, size - used AS left FROM router.budget_slice
WHERE slice_id = ANY ($1::bigint[]) ORDER BY slice_id FOR UPDATE
"""
# `held`: in the order every writer takes, so that two never wait for each other.
SPEND: Final = """
WITH held AS MATERIALIZED (
    SELECT slice_id FROM router.budget_slice WHERE slice_id = ANY ($1::bigint[]) ORDER BY slice_id FOR UPDATE
)
UPDATE router.budget_slice s SET used = s.used + n.count
FROM unnest($1::bigint[], $2::bigint[]) AS n(slice_id, count) JOIN held USING (slice_id)
WHERE s.slice_id = n.slice_id AND s.used + n.count BETWEEN 0 AND s.size
RETURNING n.slice_id, n.count
"""

_Budget: TypeAlias = tuple[str, str, date]


class PostgresBudgetLeases:
    """A `Stock`. Each one is an owner of its own: give every lane its own."""

    def __init__(self, database: Database, *, held_s: float = HELD_S) -> None:
        self._database, self._owner, self._held_s = database, uuid4(), held_s

    async def fill(self, wants: Sequence[BudgetRequest]) -> Sequence[int]:
        """See to it that this process holds what is wanted, as far as the limits go; returns its slices."""
        columns = _columns(wants)
        async with self._database.connection() as connection:
            own = await connection.fetch(OWN, self._owner, *columns, self._held_s)
            taken = {_budget(row): row["taken"] for row in await connection.fetch(TAKEN, *columns)}
        left: dict[_Budget, int] = {}
        for row in own:
            left[_budget(row)] = left.get(_budget(row), 0) + row["left"]
        held = [row["slice_id"] for row in own]
        for want, budget in zip(wants, zip(*columns, strict=True), strict=True):
            if left.get(budget, 0) < want.count or taken.get(budget, 0) > want.limit:
                async with self._database.transaction() as connection:
                    held += await self._lease(connection, want, budget)
        return held

    async def _lease(self, connection: "Connection", want: BudgetRequest, budget: _Budget) -> list[int]:
        """Take a slice, out of what was never leased and of what came back."""
        await connection.execute(OPEN, *budget)
        taken = await connection.fetchval(LOCK, *budget)
        taken -= await connection.fetchval(RETURNED, *budget, self._owner)
        size = slice_size(limit=want.limit, left=want.limit - taken, wanted=want.count)
        row = await connection.fetchrow(LEASE, *budget, size, self._owner, self._held_s, taken + size)
        return [] if row is None else [row["slice_id"]]


def slice_size(*, limit: int, left: int, wanted: int) -> int:
    """Say how much to lease: what is wanted now, or a slice where that is more; near the end less ahead."""
    ahead = min(LARGEST_SLICE, -(-limit // SLICES_OF_LIMIT), max(left // LAST_SHARES, 1))
    return max(min(left, max(wanted, ahead)), 0)


async def lock_leases(connection: "Connection", lease_ids: Iterable[int]) -> list[BudgetLease]:
    """Lock slices until the transaction ends, and read what is left in them."""
    rows = await connection.fetch(HOLD, list(lease_ids))
    return [
        BudgetLease(
            row["slice_id"], row["rule"], row["scope"], (row["period"] - EPOCH.date()).days, row["left"]
        )
        for row in rows
    ]


async def spend(connection: "Connection", spent: Mapping[int, int]) -> None:
    """Count what was used of slices, or given back; raises `RetryLater` when one does not hold that much."""
    rows = await connection.fetch(SPEND, list(spent), list(spent.values()))
    if sum(row["count"] > 0 for row in rows) < sum(count > 0 for count in spent.values()):
        raise RetryLater("budget_slice_gone")


def _columns(wants: Iterable[BudgetRequest]) -> tuple[list[str], list[str], list[date]]:
    wanted = list(wants)
    first = EPOCH.date()
    return (
        [want.rule for want in wanted],
        [want.scope for want in wanted],
        [first + timedelta(days=want.period) for want in wanted],
    )


def _budget(row: asyncpg.Record) -> _Budget:
    return row["rule"], row["scope"], row["period"]
