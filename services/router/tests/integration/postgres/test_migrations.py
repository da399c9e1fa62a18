"""An installation that has run before keeps what it knows: decisions, grants, states, stops."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from garbo.common.events.ids import ContactId, MessageId
from garbo.common.runtime.migrations import migrate, migrations_of
from garbo.common.runtime.postgres import Database
from garbo.router.domain.grant import day_of_instant, grant_id_of
from garbo.router.domain.instants import to_us
from garbo.router.domain.state import Claims
from garbo.router.outbound.postgres.retention import PostgresRetention
from garbo.router.outbound.postgres.store import PostgresStore
from garbo.router.ports.store import Scope
from tests.support.servers import SharedPostgres

pytestmark = pytest.mark.integration

BEFORE = ("0001_decisions.sql", "0002_stop_and_templates.sql")
LONG_AGO = datetime.now(UTC).replace(hour=23, minute=59, second=59, microsecond=999_999) - timedelta(days=40)
STOPPED = (
    '{"stops": {"acme": {"stopped_at": 5, "by": "w"}, "bolt": {"stopped_at": 1, "started_at": 2}},'
    ' "zone": "Europe/Rome", "zone_at": 7}'
)
COUNTED = '{"sends": [{"id": "%s", "at": 1000000, "class": "promo", "brand": "acme", "open": true}]}'
LEDGER = """
CREATE SCHEMA router;
CREATE TABLE router.migration
    (name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())
"""
APPLIED = "INSERT INTO router.migration (name, sha256) VALUES ($1, $2)"
PERSON = """
WITH person AS (INSERT INTO router.contact (contact_id, kind) VALUES ($1, 'person'))
INSERT INTO router.recipient_state (contact_id, version, state) VALUES ($1, 4, $2::jsonb)
"""
MESSAGE = """
WITH decision AS (
    INSERT INTO router.decision VALUES ($1, 'crm', $1, 'h', $2, ARRAY['one', 'two']::bytea[], $3)
)
INSERT INTO router.send_grant (grant_id, message_id, contact_id, lane, message_class, brand, number,
    not_before, valid_until, tags, wamid, state)
VALUES ($4, $1, $2, 'promo', 'promo', 'acme', '1002', $3, $3, '{a,b}', 'w' || $1::text, 'accepted')
"""


async def as_it_was(dsn: str) -> tuple[ContactId, MessageId, MessageId]:
    """Make a database of the first two migrations with a stopped person, an old and a new message."""
    person, old, new = ContactId(uuid4()), MessageId(uuid4()), MessageId(uuid4())
    connection = await asyncpg.connect(dsn, server_settings={"timezone": "Pacific/Apia"})
    try:
        await connection.execute(LEDGER)
        for migration in (m for m in migrations_of("router") if m.name in BEFORE):
            await connection.execute(migration.sql)
            await connection.execute(APPLIED, migration.name, migration.checksum)
        await connection.execute(PERSON, person, STOPPED)
        await connection.execute(PERSON, uuid4(), COUNTED % new)
        for message_id, at in ((old, LONG_AGO), (new, datetime.now(UTC))):
            grant_id = UUID(int=message_id.int ^ 0x6B1C_BBD0_6A4F)
            await connection.execute(MESSAGE, message_id, person, at, grant_id)
    finally:
        await connection.close()
    return person, old, new


@pytest.fixture
async def migrated(
    postgres: SharedPostgres,
) -> AsyncIterator[tuple[Database, ContactId, MessageId, MessageId]]:
    dsn = postgres.database()
    named = await as_it_was(dsn)
    applied = await migrate(dsn, "router")
    assert applied[0] == "0003_engine.sql"
    database = Database(dsn, service="router", size=2)
    await database.start()
    try:
        yield (database, *named)
    finally:
        await database.stop()


async def test_messages_and_grants_of_before_are_found_whenever_they_were(
    migrated: tuple[Database, ContactId, MessageId, MessageId],
) -> None:
    database, person, old, new = migrated
    store = PostgresStore(database)
    async with store.transaction() as transaction:
        snapshot = await transaction.load(Scope(messages=frozenset([old, new])))
        by_wamid = await transaction.find_grants(wamids=[f"w{new}"])
    assert {m: d.records for m, d in snapshot.decisions.items()} == dict.fromkeys(
        (old, new), (b"one", b"two")
    )
    assert snapshot.grants.keys() == {old, new}
    assert snapshot.grants[old].grant_id == grant_id_of(old, day_of_instant(to_us(LONG_AGO)))
    assert snapshot.grants[old].tags == ("a", "b")
    assert list(by_wamid) == [], "a wamid holds a number: those of before are forgotten"
    assert snapshot.grants[new].wamid is None
    stored = await store.decision(old)
    assert stored is not None
    assert stored.contact_id == person


async def test_states_are_what_they_were_and_a_stop_still_stops(
    migrated: tuple[Database, ContactId, MessageId, MessageId],
) -> None:
    database, person, _, new = migrated
    async with PostgresStore(database).transaction() as transaction:
        state = ((await transaction.load(Scope(contacts=frozenset([person])))).states)[person]
    assert state.version == 4
    assert state.stopped("acme")
    assert not state.stopped("bolt")
    assert state.claims == dict.fromkeys(("acme", "bolt"), Claims(zone="Europe/Rome", zone_at_us=7))
    async with database.connection() as connection:
        blocked = "SELECT promo_blocked FROM router.recipient_state WHERE contact_id = $1"
        assert await connection.fetchval(blocked, person) == ["acme"]
        assert await connection.fetchval("SELECT message_id FROM router.counted_send") == new


async def test_days_past_their_keep_are_dropped_and_the_others_stay(
    migrated: tuple[Database, ContactId, MessageId, MessageId],
) -> None:
    database, _, old, new = migrated
    store = PostgresStore(database)
    dropped = await PostgresRetention(database).tidy(keep_days=30, ahead_days=1)
    assert f"decision_{LONG_AGO:%Y%m%d}" in dropped
    assert f"send_grant_{LONG_AGO:%Y%m%d}" in dropped
    assert await store.decision(old) is None
    assert await store.decision(new) is not None
