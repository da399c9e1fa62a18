"""What each number has sent to each person lately, in one row a pair, on the database's clock."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from garbo.common.events.grants import SendGranted
from garbo.sender.domain.deadlines import LEAVE_WITHIN
from garbo.sender.domain.pair import MOST_AHEAD_US, earliest_us, tat_after_us
from garbo.sender.outbound.rows import columns
from garbo.sender.ports import PlannedAttempt

if TYPE_CHECKING:
    from garbo.common.runtime.postgres import Connection

LEAVES_WITHIN_US: Final = LEAVE_WITHIN // timedelta(microseconds=1)
# Locks the rows in the order given. A `tat` that is too far ahead is left from before the clock stepped back.
LOCK: Final = f"""
INSERT INTO sender.pair_rate AS p (number, contact_id, tat_us)
SELECT number, contact_id, 0 FROM unnest($1::text[], $2::uuid[]) AS a (number, contact_id)
ON CONFLICT (number, contact_id) DO UPDATE
   SET tat_us = least(p.tat_us, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + {MOST_AHEAD_US})
RETURNING number, contact_id, tat_us, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now_us
"""  # noqa: S608 - constants of the domain
TAKE: Final = """
UPDATE sender.pair_rate AS p SET tat_us = t.tat_us
  FROM unnest($1::text[], $2::uuid[], $3::bigint[]) AS t (number, contact_id, tat_us)
 WHERE p.number = t.number AND p.contact_id = t.contact_id
"""
Pair = tuple[str, UUID]


@dataclass(frozen=True, slots=True)
class LockedPairs:
    """The rows of some grants, locked until the transaction ends."""

    rows: dict[Pair, tuple[int, int]]
    """tat and the database's instant, in microseconds."""

    def waits(self, planned: Sequence[PlannedAttempt]) -> dict[UUID, float]:
        """Name the messages that may not go yet, each with the seconds until it may, at the earliest."""
        tats = {pair: tat_us for pair, (tat_us, _) in self.rows.items()}
        waits: dict[UUID, float] = {}
        for plan in planned:
            if (pair := pair_of(plan.grant)) is None:
                continue
            now_us = self.rows[pair][1]
            if (at_us := earliest_us(tats[pair], now_us, plan.grant.lane)) > now_us:
                waits[plan.grant.message_id] = (at_us - now_us) / 1_000_000
            else:
                tats[pair] = _after(tats[pair], now_us)
        return waits

    async def count_sends(self, connection: "Connection", gone: Collection[SendGranted]) -> None:
        """Count the messages that go."""
        tats: dict[Pair, int] = {}
        for pair in filter(None, map(pair_of, gone)):
            tat_us, now_us = self.rows[pair]
            tats[pair] = _after(tats.get(pair, tat_us), now_us)
        if tats:
            await connection.execute(TAKE, *columns((*pair, tat_us) for pair, tat_us in tats.items()))


async def lock_pairs(connection: "Connection", planned: Sequence[PlannedAttempt]) -> LockedPairs:
    """Lock the row of each pair, in order, and read it."""
    pairs = sorted({pair for plan in planned if (pair := pair_of(plan.grant))})
    rows = await connection.fetch(LOCK, *columns(pairs)) if pairs else []
    return LockedPairs({(row["number"], row["contact_id"]): (row["tat_us"], row["now_us"]) for row in rows})


def pair_of(grant: SendGranted) -> Pair | None:
    """Name the pair that is limited; a group is nobody's pair."""
    return None if grant.to.group_id is not None else (grant.number, grant.contact_id)


def _after(tat_us: int, now_us: int) -> int:
    """Count a send at the latest instant at which it may leave, so that the platform never sees it early."""
    return tat_after_us(tat_us, now_us + LEAVES_WITHIN_US)
