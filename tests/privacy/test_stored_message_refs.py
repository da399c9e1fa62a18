"""What was stored by its wamid before is known by its hash after migrating, and no wamid is left."""

from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import asyncpg
import orjson
import pytest

from garbo.common.events.ids import platform_message_ref
from garbo.common.runtime.migrations import migrate, migrations_of
from tests.support.servers import SharedPostgres

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]

PHONE: Final = b"393337770001"


def _wamid(peer: bytes, rest: bytes) -> str:
    return "wamid." + b64encode(b"\x1c\x18%c%b%b" % (len(peer), peer, rest)).decode()


OWN: Final = b"\x15\x02\x00\x12\x18\x143A4A6599AEE03810144F\x00"
WAMIDS: Final = (
    _wamid(PHONE, OWN),
    _wamid(b"IT.12345678901234567890", OWN.replace(b"3A4A", b"4B5B")),
    _wamid(PHONE, b""),
    "wamid." + b64encode(PHONE).decode(),
    "wamid.not base64",
    "wamid.HBgM=A==",
    "wamid.",
    "gBGGSFcCNEOPAgkO_KJ55r4w_ww",
    "wamid.\N{SNOWMAN}",
)
SAME_MESSAGE: Final = _wamid(b"393337770009", OWN)
"""The first of `WAMIDS`, with another name of its peer inside."""

pytestmark = pytest.mark.integration


async def before(connection: "Connection", service: str) -> None:
    """Make a service's schema as it was before it kept hashes."""
    await connection.execute(f"CREATE SCHEMA {service}")
    await connection.execute(
        f"CREATE TABLE {service}.migration "
        "(name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
    )
    for migration in migrations_of(service):
        if migration.name.endswith("_message_refs.sql"):
            return
        await connection.execute(migration.sql)
        await connection.execute(
            f"INSERT INTO {service}.migration (name, sha256) VALUES ($1, $2)",
            migration.name,
            migration.checksum,
        )


@pytest.fixture
async def connection(postgres: SharedPostgres) -> Any:  # noqa: ANN401 - a fixture that yields
    dsn = postgres.database()
    connection = await asyncpg.connect(dsn)
    try:
        yield connection, dsn
    finally:
        await connection.close()


async def test_attempts_keep_the_hash(connection: tuple["Connection", str]) -> None:
    known, dsn = connection
    await before(known, "sender")
    for wamid in WAMIDS:
        message = uuid4()
        await known.execute(
            "INSERT INTO sender.message (message_id, grant_id, epoch, lane, contact_id, number) "
            "VALUES ($1, $1, 1, 'care', $1, '1001')",
            message,
        )
        await known.execute(
            "INSERT INTO sender.attempt (attempt_id, message_id, n, grant_id, epoch, wamid) "
            "VALUES ($1, $2, 1, $2, 1, $3)",
            f"{message}.1",
            message,
            wamid,
        )
    await migrate(dsn, "sender")
    rows = await known.fetch("SELECT platform_message_ref FROM sender.message")
    assert {row[0] for row in rows} == set(map(platform_message_ref, WAMIDS))


async def test_what_customers_wrote_and_foreign_statuses_keep_the_hash_and_count_once(
    connection: tuple["Connection", str],
) -> None:
    known, dsn = connection
    await before(known, "analytics")
    for wamid in (*WAMIDS, SAME_MESSAGE):
        await known.execute("INSERT INTO analytics.inbound VALUES ($1, NULL, 'text', now())", wamid)
        await known.execute("INSERT INTO analytics.foreign_status VALUES ($1, 'sent', now())", wamid)
        await known.execute("INSERT INTO analytics.foreign_status VALUES ($1, 'read', now())", wamid)
    await known.execute(
        "INSERT INTO analytics.fact (message_id, wamid, requested_at, sequence, final, provisional, demoted, "
        "checks, possible_duplicate) VALUES ($1, $2, now(), 0, false, false, false, '[]', false)",
        uuid4(),
        WAMIDS[0],
    )
    await migrate(dsn, "analytics")
    refs = sorted(map(platform_message_ref, WAMIDS))
    inbound = await known.fetch("SELECT platform_message_ref FROM analytics.inbound")
    foreign = await known.fetch("SELECT platform_message_ref FROM analytics.foreign_status")
    fact = await known.fetchval("SELECT platform_message_ref FROM analytics.fact")
    assert sorted(row[0] for row in inbound) == refs
    assert sorted(row[0] for row in foreign) == sorted(refs * 2)
    assert fact == platform_message_ref(WAMIDS[0])


async def test_a_persons_row_keeps_the_hashes_of_their_messages_and_words(
    connection: tuple["Connection", str],
) -> None:
    known, dsn = connection
    await before(known, "router")
    state = {
        "inbound": [[wamid, place] for place, wamid in enumerate(WAMIDS)],
        "stops": {"acme": {"stopped_at": 5, "by": WAMIDS[0]}, "bolt": {"started_at": 6}},
        "questions": {"acme": {"asked_at": 1, "until": 2, "by": WAMIDS[1]}},
        "inbound_at": {"1001": 7},
    }
    for content in (state, {"inbound_at": {"1001": 7}}, {}):
        await known.execute(
            "INSERT INTO router.recipient_state (contact_id, version, state) VALUES ($1, 1, $2)",
            uuid4(),
            orjson.dumps(content),
        )
    await migrate(dsn, "router")
    rows = await known.fetch("SELECT state FROM router.recipient_state")
    states = [orjson.loads(row["state"]) for row in rows]
    assert {"inbound_at": {"1001": 7}} in states
    assert {} in states
    assert {
        "inbound": [[platform_message_ref(wamid), place] for place, wamid in enumerate(WAMIDS)],
        "stops": {
            "acme": {"stopped_at": 5, "by": platform_message_ref(WAMIDS[0])},
            "bolt": {"started_at": 6},
        },
        "questions": {"acme": {"asked_at": 1, "until": 2, "by": platform_message_ref(WAMIDS[1])}},
        "inbound_at": {"1001": 7},
    } in states
