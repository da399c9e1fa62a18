"""Facts and counters in PostgreSQL, written in one transaction a batch."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import asyncpg
import orjson

from garbo.analytics.domain.facts import Fact, merge
from garbo.analytics.domain.funnel import FunnelCounter, count_once, difference
from garbo.analytics.domain.observe import Engagement, ForeignStatus, Inbound, Observed
from garbo.common.events.decisions import Check
from garbo.common.runtime.postgres import Database

if TYPE_CHECKING:
    from garbo.common.runtime.postgres import Connection

COLUMNS: Final = tuple(field.name for field in fields(Fact))
_LIST: Final = ", ".join(COLUMNS)
_GIVEN: Final = "jsonb_populate_recordset(NULL::analytics.fact, $1::jsonb)"

INSERT_NEW: Final = f"""
INSERT INTO analytics.fact ({_LIST})
SELECT {_LIST} FROM {_GIVEN} ORDER BY message_id
ON CONFLICT (message_id) DO NOTHING RETURNING message_id
"""  # noqa: S608 - our own column names
LOCK: Final = f"SELECT {_LIST} FROM analytics.fact WHERE message_id = ANY($1) ORDER BY message_id FOR UPDATE"  # noqa: S608 - as above
UPDATE: Final = f"""
UPDATE analytics.fact SET ({_LIST}) = ({", ".join(f"new.{name}" for name in COLUMNS)})
FROM {_GIVEN} AS new WHERE fact.message_id = new.message_id
"""  # noqa: S608 - as above
INSERT_INBOUND: Final = """
INSERT INTO analytics.inbound (platform_message_ref, contact_id, kind, occurred_at)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::timestamptz[]) ORDER BY 1
ON CONFLICT (platform_message_ref) DO NOTHING RETURNING platform_message_ref
"""
NAME_CONTACTS: Final = """
UPDATE analytics.inbound SET contact_id = new.contact_id
FROM (
    SELECT platform_message_ref, given.contact_id
    FROM unnest($1::text[], $2::uuid[]) AS given (platform_message_ref, contact_id)
    JOIN analytics.inbound i USING (platform_message_ref)
    WHERE given.contact_id IS NOT NULL AND i.contact_id IS NULL
    ORDER BY platform_message_ref FOR UPDATE OF i
) AS new WHERE inbound.platform_message_ref = new.platform_message_ref
"""
INSERT_FOREIGN: Final = """
INSERT INTO analytics.foreign_status (platform_message_ref, status, occurred_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[]) ORDER BY 1, 2
ON CONFLICT (platform_message_ref, status) DO NOTHING RETURNING platform_message_ref, status
"""
INSERT_ENGAGEMENTS: Final = """
INSERT INTO analytics.engagement (engagement_id, action, contact_id, message_id, campaign, occurred_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::timestamptz[])
ORDER BY 1, 2
ON CONFLICT (engagement_id, action) DO NOTHING RETURNING engagement_id, action
"""
COUNT_MINUTES: Final = """
INSERT INTO analytics.funnel_minute (minute, lane, step, detail, count)
SELECT * FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::bigint[]) ORDER BY 1, 2, 3, 4
ON CONFLICT (minute, lane, step, detail) DO UPDATE SET count = funnel_minute.count + excluded.count
"""
COUNT_TOTALS: Final = """
INSERT INTO analytics.funnel_total (lane, step, detail, count)
SELECT lane, step, detail, sum(count)
FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS given (lane, step, detail, count)
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
ON CONFLICT (lane, step, detail) DO UPDATE SET count = funnel_total.count + excluded.count
"""


class PostgresFacts:
    """The `FactStore`. Rows are locked in sorted order and counters come last, so writers do not deadlock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def upsert(self, observed: Observed) -> None:
        """Join a batch to what is known, facts and counters in one transaction."""
        async with self._database.transaction() as connection:
            changed = difference(await _merge_facts(connection, observed.facts))
            new = count_once(
                [
                    *await _insert_inbound(connection, list(observed.inbound.values())),
                    *await _insert_foreign(connection, observed.foreign),
                    *await _insert_engagements(connection, observed.engagements),
                ]
            )
            await _count(connection, {p: changed.get(p, 0) + new.get(p, 0) for p in {*changed, *new}})


def fact_of(record: asyncpg.Record) -> Fact:
    """Read a row of `COLUMNS`."""
    values = {name: _plain(value) for name, value in record.items()}
    checks = tuple(Check.model_validate(check) for check in orjson.loads(values.pop("checks")))
    return Fact(**values, checks=checks)


def _plain(value: Any) -> Any:  # noqa: ANN401 - a column of any type
    """Take asyncpg's own kind of UUID, which orjson refuses, for the standard library's; arrays as tuples."""
    if isinstance(value, list):
        return tuple(value)
    return UUID(int=value.int) if isinstance(value, UUID) else value


def _json_of(facts: Iterable[Fact]) -> str:
    return orjson.dumps([_row(fact) for fact in facts]).decode()


def _row(fact: Fact) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(fact, name) for name in COLUMNS}
    row["checks"] = [check.model_dump(mode="json", exclude_none=True) for check in fact.checks]
    return row


async def _merge_facts(
    connection: "Connection", facts: Mapping[UUID, Fact]
) -> Sequence[tuple[Fact | None, Fact]]:
    """Insert new facts, merge known ones under their row locks; return what changed, before and after."""
    if not facts:
        return []
    inserted = {row["message_id"] for row in await connection.fetch(INSERT_NEW, _json_of(facts.values()))}
    changes: list[tuple[Fact | None, Fact]] = [(None, facts[message_id]) for message_id in inserted]
    if known := [message_id for message_id in facts if message_id not in inserted]:
        rows = [fact_of(record) for record in await connection.fetch(LOCK, known)]
        merged = [(before, merge(before, facts[before.message_id])) for before in rows]
        updated = [(before, after) for before, after in merged if before != after]
        await connection.execute(UPDATE, _json_of(after for _, after in updated))
        changes += updated
    return changes


async def _insert_inbound(connection: "Connection", inbound: Sequence[Inbound]) -> list[Inbound]:
    if not inbound:
        return []
    refs, contacts = [i.platform_message_ref for i in inbound], [i.contact_id for i in inbound]
    kinds, instants = [i.kind for i in inbound], [i.occurred_at for i in inbound]
    rows = await connection.fetch(INSERT_INBOUND, refs, contacts, kinds, instants)
    new = {row["platform_message_ref"] for row in rows}
    await connection.execute(NAME_CONTACTS, refs, contacts)
    return [i for i in inbound if i.platform_message_ref in new]


async def _insert_foreign(
    connection: "Connection", foreign: Mapping[tuple[str, str], ForeignStatus]
) -> list[ForeignStatus]:
    if not foreign:
        return []
    columns = _columns(foreign.values(), "platform_message_ref", "status", "occurred_at")
    return [foreign[tuple(row)] for row in await connection.fetch(INSERT_FOREIGN, *columns)]


async def _insert_engagements(
    connection: "Connection", engagements: Mapping[tuple[str, str], Engagement]
) -> list[Engagement]:
    if not engagements:
        return []
    names = ("engagement_id", "action", "contact_id", "message_id", "campaign", "occurred_at")
    rows = await connection.fetch(INSERT_ENGAGEMENTS, *_columns(engagements.values(), *names))
    return [engagements[tuple(row)] for row in rows]


async def _count(connection: "Connection", change: Mapping[FunnelCounter, int]) -> None:
    moved = {counter: count for counter, count in change.items() if count}
    if not moved:
        return
    minutes: list[datetime] = [counter.minute for counter in moved]
    rest = [*_columns(moved, "lane", "step", "detail"), list(moved.values())]
    await connection.execute(COUNT_MINUTES, minutes, *rest)
    await connection.execute(COUNT_TOTALS, *rest)


def _columns(rows: Iterable[object], *names: str) -> list[list[Any]]:
    items = list(rows)
    return [[attrgetter(name)(item) for item in items] for name in names]
