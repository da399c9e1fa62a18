"""Reads people for people: one snapshot, no locks; and everything that is held about one of them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import asyncpg
import orjson

from garbo.common.events.ids import ContactId
from garbo.common.runtime.postgres import Database
from garbo.router.domain.instants import EPOCH, to_us
from garbo.router.domain.state import RecipientState
from garbo.router.domain.values import replace
from garbo.router.outbound.postgres.codecs import read_send, read_state
from garbo.router.outbound.postgres.merges import CLAIMED_MERGES, read_claimed_merge
from garbo.router.outbound.postgres.rows import read_deferred, read_evidence
from garbo.router.ports.budgets import BudgetRequest
from garbo.router.ports.contacts import Address
from garbo.router.ports.queries import HeldContact

if TYPE_CHECKING:
    from garbo.common.runtime.postgres import Connection

SNAPSHOT: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
SCAN_S: Final = 60.0
"""Decisions and grants know no person but by looking at each row of a day."""

CONTACT_AT: Final = "SELECT contact_id FROM router.alias WHERE address_hash = $1"
CONTACT: Final = """
WITH RECURSIVE line AS (
    SELECT contact_id, kind, merged_into, 1 AS hop FROM router.contact WHERE contact_id = $1
    UNION ALL
    SELECT c.contact_id, c.kind, c.merged_into, line.hop + 1
    FROM router.contact c JOIN line ON c.contact_id = line.merged_into WHERE line.hop < 16
)
SELECT line.contact_id, line.kind, clock_timestamp() AS now_at, r.version, r.state
FROM line JOIN router.recipient_state r USING (contact_id) WHERE line.merged_into IS NULL
"""
ALIASES: Final = (
    "SELECT address_hash, kind, value FROM router.alias WHERE contact_id = $1 ORDER BY kind, value"
)
WAITING: Final = "SELECT * FROM router.deferred WHERE contact_id = $1 ORDER BY due_at LIMIT 10000"
EVIDENCE: Final = """
SELECT * FROM router.consent_record WHERE contact_id = $1
ORDER BY occurred_at DESC, received_at DESC LIMIT 10000
"""
CAMPAIGN_SENDS: Final = "SELECT send FROM router.campaign_send WHERE contact_id = $1 LIMIT 10000"

DAYS: Final = """
SELECT to_date(right(c.relname, 8), 'YYYYMMDD') AS day
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'router.decision'::regclass ORDER BY 1 DESC
"""
# Every line of the persons, those that were merged into this one with it.
EVERYONE: Final = """
WITH RECURSIVE people AS (
    SELECT $1::uuid AS contact_id
    UNION SELECT c.contact_id FROM router.contact c JOIN people p ON c.merged_into = p.contact_id
)
SELECT array_agg(contact_id) FROM people
"""
DECISIONS: Final = """
SELECT jsonb_build_object('message_id', message_id, 'client', client, 'request_id', request_id,
    'decided_at', decided_at, 'made_from', convert_from(facts, 'UTF8')::jsonb,
    'records', (SELECT jsonb_agg(convert_from(r, 'UTF8')::jsonb) FROM unnest(records) AS r))::text
FROM router.decision WHERE contact_id = ANY ($1::uuid[]) AND decided_on = $2
"""
GRANTS: Final = """
SELECT (to_jsonb(g) - 'request' || jsonb_build_object('request', convert_from(request, 'UTF8')::jsonb))::text
FROM router.send_grant g WHERE contact_id = ANY ($1::uuid[]) AND granted_on = $2
"""
_PLAIN: Final = "SELECT to_jsonb(t)::text FROM router.{table} t WHERE contact_id = ANY ($1::uuid[])"
_WITH_JSON: Final = """
SELECT (to_jsonb(t) - '{column}'
        || jsonb_build_object('{column}', convert_from({column}, 'UTF8')::jsonb))::text
FROM router.{table} t WHERE contact_id = ANY ($1::uuid[])
"""
_LISTED: Final = """
SELECT to_jsonb(t)::text FROM router.suppression t
WHERE address_hash IN (SELECT address_hash FROM router.alias WHERE contact_id = ANY ($1::uuid[]))
"""
HELD: Final[Mapping[str, str]] = {
    "contact": _PLAIN.format(table="contact"),
    "alias": _PLAIN.format(table="alias"),
    "recipient_state": _WITH_JSON.format(table="recipient_state", column="state"),
    "deferred": _WITH_JSON.format(table="deferred", column="request"),
    "consent_record": _PLAIN.format(table="consent_record"),
    "campaign_send": _WITH_JSON.format(table="campaign_send", column="send"),
    "suppression": _LISTED,
}


LISTS_AT: Final = (
    "SELECT address_hash, brand, since FROM router.suppression WHERE address_hash = ANY ($1::text[])"
)
# What slices still hold of what was taken is left as well.
BUDGETS_USED: Final = """
SELECT coalesce(b.taken, 0) - coalesce((
    SELECT sum(s.size - s.used) FROM router.budget_slice s
    WHERE s.rule = n.rule AND s.scope = n.scope AND s.period = n.period), 0)::bigint AS used
FROM unnest($1::text[], $2::text[], $3::date[]) WITH ORDINALITY AS n(rule, scope, period, place)
LEFT JOIN router.budget b USING (rule, scope, period) ORDER BY n.place
"""


class PostgresContactReader:
    """A `ContactReader`. Transient failures come out as `RetryLater`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def contact_at(self, address_hash: str) -> ContactId | None:
        """Find whose address it is."""
        async with self._database.connection() as connection:
            found = await connection.fetchval(CONTACT_AT, address_hash)
        return None if found is None else ContactId(found)

    async def contact(self, contact_id: ContactId) -> HeldContact | None:
        """Read a person; who turned out to be somebody else is read there."""
        async with self._snapshot() as connection:
            row = await connection.fetchrow(CONTACT, contact_id)
            if row is None:
                return None
            held_id = row["contact_id"]
            aliases = await connection.fetch(ALIASES, held_id)
            waiting = await connection.fetch(WAITING, held_id)
            evidence = await connection.fetch(EVIDENCE, held_id)
            sends = await connection.fetch(CAMPAIGN_SENDS, held_id)
            merges = await connection.fetch(CLAIMED_MERGES, held_id)
        return HeldContact(
            contact_id=ContactId(held_id),
            kind=row["kind"],
            now_us=to_us(row["now_at"]),
            state=_state(row, sends),
            addresses=tuple(
                Address(kind=a["kind"], value=a["value"], hash=a["address_hash"]) for a in aliases
            ),
            waiting=tuple(map(read_deferred, waiting)),
            evidence=tuple(map(read_evidence, evidence)),
            merges=tuple(map(read_claimed_merge, merges)),
        )

    async def export(self, contact_id: ContactId) -> Mapping[str, Sequence[Mapping[str, Any]]] | None:
        """Give everything that is held about a person: table -> rows of JSON values."""
        async with self._snapshot() as connection:
            row = await connection.fetchrow(CONTACT, contact_id)
            if row is None:
                return None
            people = await connection.fetchval(EVERYONE, row["contact_id"])
            held = {name: _rows(await connection.fetch(sql, people)) for name, sql in HELD.items()}
            days = [day["day"] for day in await connection.fetch(DAYS)]
            for name, sql in (("decision", DECISIONS), ("send_grant", GRANTS)):
                held[name] = []
                for day in days:
                    held[name] += _rows(await connection.fetch(sql, people, day, timeout=SCAN_S))
        return held

    @asynccontextmanager
    async def _snapshot(self) -> AsyncIterator["Connection"]:
        async with self._database.transaction() as connection:
            await connection.execute(SNAPSHOT)
            yield connection


class PostgresPreviewReader:
    """A `PreviewReader`. Transient failures come out as `RetryLater`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def left(self, budgets: Sequence[BudgetRequest]) -> Mapping[BudgetRequest, int]:
        """Tell what is left of each budget, leased to somebody or not."""
        days = [EPOCH.date() + timedelta(days=want.period) for want in budgets]
        columns = [want.rule for want in budgets], [want.scope for want in budgets], days
        async with self._database.connection() as connection:
            rows = await connection.fetch(BUDGETS_USED, *columns)
        return {want: want.limit - row["used"] for want, row in zip(budgets, rows, strict=True)}

    async def lists_at(self, address_hashes: Sequence[str]) -> Mapping[str, Mapping[str, int]]:
        """Tell what suppression lists say of addresses nobody has written to yet: hash -> brand -> since."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(LISTS_AT, list(address_hashes))
        lists: dict[str, dict[str, int]] = {}
        for row in rows:
            lists.setdefault(row["address_hash"], {})[row["brand"]] = to_us(row["since"])
        return lists


def _state(row: asyncpg.Record, sends: Sequence[asyncpg.Record]) -> RecipientState:
    state = read_state(row["version"], row["state"])
    lasting = tuple(read_send(send["send"]) for send in sends)
    return replace(state, campaign_sends=lasting)


def _rows(records: Sequence[asyncpg.Record]) -> list[Mapping[str, Any]]:
    return [orjson.loads(record[0]) for record in records]
