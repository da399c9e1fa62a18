"""One message in the database: written as the model has it, and read back."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import asyncpg

from services.sender.tests.model.kept import (
    Former,
    Grant,
    Kept,
    Row,
    Waiting,
    contact_id,
    grant_id,
    message_id,
    reason_of,
)

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]

DAY: Final = datetime(2026, 1, 1, tzinfo=UTC)
FAR: Final = timedelta(days=365 * 20)
OLD: Final = timedelta(hours=5)
WRITE_ROW: Final = """
INSERT INTO sender.message
    (message_id, grant_id, epoch, lane, contact_id, number, not_before, state, n, grant_n, resent_count,
     started_at, reason, resolved_by, recorded_at)
VALUES ($1, $2, $3, $4, $5, '1', $6, $7, $8, $9, $10,
        CASE WHEN $8 > 0 THEN clock_timestamp() - $11::interval END, $12, $13,
        CASE WHEN $7 NOT IN ('open', 'dispatching') THEN clock_timestamp() END)
"""
WRITE_FORMER: Final = """
INSERT INTO sender.former_attempt (message_id, n, state, started_at)
VALUES ($1, $2, $3, clock_timestamp() - interval '5 h')
"""
WRITE_WAITING: Final = """
INSERT INTO sender.waiting
    (message_id, shard, lane, number, contact_id, grant_id, epoch, not_before, valid_until, brand,
     address_kind, address, body, parked_until, parked_why)
VALUES ($1, 0, $2, '1', $3, $4, $5, $6, clock_timestamp() + $7::interval, 'b', 'phone', '+1', '{}',
        CASE $8 WHEN 'later' THEN clock_timestamp() + interval '9 h'
                WHEN 'due' THEN clock_timestamp() - interval '1 s'
                WHEN 'never' THEN 'infinity'::timestamptz END, CASE WHEN $8 <> 'no' THEN 'ambiguous' END)
"""
WRITE_GRANT: Final = """
INSERT INTO router.stand_in (grant_id, epoch, message_id, state, valid_until)
VALUES ($1, $2, $3, $4, clock_timestamp() + $5::interval)
"""
READ: Final = """
SELECT m.*, w.grant_id AS w_grant, w.epoch AS w_epoch, w.message_id AS w_message,
       CASE WHEN w.parked_until IS NULL THEN 'no' WHEN w.parked_until = 'infinity' THEN 'never'
            WHEN w.parked_until > clock_timestamp() THEN 'later' ELSE 'due' END AS parked,
       w.valid_until <= clock_timestamp() AS is_late,
       m.started_at < clock_timestamp() - interval '2 h' AS is_old,
       ARRAY(SELECT (f.n, f.state)::text FROM sender.former_attempt AS f
              WHERE f.message_id = q.id ORDER BY f.n) AS formers,
       ARRAY(SELECT g.epoch || ':' || g.state FROM unnest($2::uuid[]) WITH ORDINALITY AS u (id, place)
               JOIN router.stand_in AS g ON g.grant_id = u.id ORDER BY u.place) AS grants
  FROM (SELECT $1::uuid AS id) AS q LEFT JOIN sender.message AS m ON m.message_id = q.id
  LEFT JOIN sender.waiting AS w ON w.message_id = q.id
"""


async def write(connection: "Connection", place: int, kept: Kept) -> None:
    """Put a message into the database as it is to be."""
    ids = message_id(place), contact_id(place)
    if (row := kept.row) is not None:
        by = f"status:{row.by}" if row.by else None
        await connection.execute(
            WRITE_ROW,
            ids[0],
            grant_id(place, row.grant),
            row.epoch,
            kept.lane,
            ids[1],
            DAY + timedelta(days=row.grant),
            row.state,
            row.n,
            row.grant_n,
            row.resent,
            OLD if row.is_old else timedelta(0),
            row.reason,
            by,
        )
    for former in kept.formers:
        await connection.execute(WRITE_FORMER, ids[0], former.n, former.state)
    for grant, booked in enumerate(kept.grants):
        if booked:
            await connection.execute(
                WRITE_GRANT,
                grant_id(place, grant),
                booked.epoch,
                ids[0],
                booked.state,
                _ends(kept.is_over),
            )
    if (waiting := kept.waiting) is not None:
        await connection.execute(
            WRITE_WAITING,
            ids[0],
            kept.lane,
            ids[1],
            grant_id(place, waiting.grant),
            waiting.epoch,
            DAY + timedelta(days=waiting.grant),
            _ends(waiting.is_late),
            waiting.parked,
        )


async def read(connection: "Connection", place: int, before: Kept) -> Kept:
    """See what has become of it."""
    grants = [grant_id(place, grant) for grant in range(2)]
    found = await connection.fetchrow(READ, message_id(place), grants)
    assert found is not None
    row = waiting = None
    if found["message_id"] is not None:
        by = (found["resolved_by"] or "").removeprefix("status:")
        row = Row(
            grants.index(found["grant_id"]),
            found["epoch"],
            found["state"],
            found["n"],
            found["grant_n"],
            found["resent_count"],
            bool(found["is_old"]),
            reason_of(found["state"], found["reason"]),
            by if by in ("delivered", "failed") else None,
        )
    if found["w_message"] is not None:
        waiting = Waiting(grants.index(found["w_grant"]), found["w_epoch"], found["parked"], found["is_late"])
    formers = tuple(_former(text) for text in found["formers"])
    booked = [Grant(int(text.partition(":")[0]), text.partition(":")[2]) for text in found["grants"]]
    return before._replace(
        row=row, waiting=waiting, formers=formers, grants=(booked[0], booked[1] if booked[1:] else None)
    )


def _ends(is_over: bool) -> timedelta:
    return timedelta(seconds=-1) if is_over else FAR


def _former(text: str) -> Former:
    n, _, state = text.strip("()").partition(",")
    return Former(int(n), state)
