"""What was in flight when an installation got the queue is known afterwards: nothing of it is sent again."""

from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4

import asyncpg
import pytest

from garbo.common.runtime.migrations import migrate, migrations_of
from garbo.common.runtime.postgres import Database
from garbo.sender.outbound.postgres import PostgresAttempts
from services.sender.tests.support.builders import a_grant
from services.sender.tests.support.postgres import CLAIMS, SenderDatabase
from services.sender.tests.support.stand import Stand
from tests.support.servers import SharedPostgres

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]

pytestmark = pytest.mark.integration

MESSAGE: Final = """
INSERT INTO sender.message
    (message_id, grant_id, epoch, lane, contact_id, number, state, attempt_id, code, reason, recorded_at)
VALUES ($1, $1, 1, $2, $1, '1', $3, $4, $5, $6, CASE WHEN $3 <> 'open' THEN now() END)
"""
ATTEMPT: Final = """
INSERT INTO sender.attempt
    (attempt_id, message_id, n, grant_id, epoch, state, started_at, platform_message_ref, code, reason)
VALUES ($1::uuid || '.' || $2::int, $1, $2, $1, 1, $3, now() - interval '1 minute', $4, $5, $6)
"""
BEFORE: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "never tried": ("open", ()),
    "refused": ("not_sent", ()),
    "under way": ("open", ("dispatching",)),
    "to be tried again": ("open", ("rejected",)),
    "tried again": ("open", ("rejected", "rejected", "dispatching")),
    "accepted": ("accepted", ("accepted",)),
    "accepted at last": ("accepted", ("rejected", "accepted")),
    "failed": ("failed", ("rejected",)),
    "unknown": ("unknown", ("unknown",)),
    "unknown at last": ("unknown", ("rejected", "unknown")),
    "refused after a try": ("not_sent", ("rejected",)),
}
"""A message's state and its attempts', before: every one there was."""
AFTER: Final[dict[str, tuple[str, int, tuple[str, ...]]]] = {
    "never tried": ("open", 0, ()),
    "refused": ("not_sent", 0, ()),
    "under way": ("unknown", 1, ()),
    "to be tried again": ("open", 1, ("rejected",)),
    "tried again": ("unknown", 3, ("rejected", "rejected")),
    "accepted": ("accepted", 1, ()),
    "accepted at last": ("accepted", 2, ("rejected",)),
    "failed": ("failed", 1, ()),
    "unknown": ("unknown", 1, ()),
    "unknown at last": ("unknown", 2, ("rejected",)),
    "refused after a try": ("not_sent", 1, ("rejected",)),
}
"""Its state, the number of its newest attempt, and what the attempts before it are."""


async def _filled(dsn: str, lane: str) -> dict[str, UUID]:
    """Make the schema as it was, with a message in each state."""
    connection = await asyncpg.connect(dsn)
    try:
        await _before_the_queue(connection)
        messages = {name: uuid4() for name in BEFORE}
        for name, (state, attempts) in BEFORE.items():
            message = messages[name]
            newest = f"{message}.{len(attempts)}" if attempts else None
            reason = {"unknown": "timeout", "failed": "undeliverable", "not_sent": "revoked"}.get(state)
            await connection.execute(MESSAGE, message, lane, state, newest, None, reason)
            for n, attempt in enumerate(attempts, start=1):
                ref = "ref.a" if attempt == "accepted" else None
                await connection.execute(ATTEMPT, message, n, attempt, ref, None, reason)
    finally:
        await connection.close()
    return messages


async def _before_the_queue(connection: "Connection") -> None:
    await connection.execute("CREATE SCHEMA sender")
    await connection.execute(
        "CREATE TABLE sender.migration "
        "(name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
    )
    for migration in migrations_of("sender"):
        if migration.name.endswith("_queue.sql"):
            return
        await connection.execute(migration.sql)
        await connection.execute(
            "INSERT INTO sender.migration (name, sha256) VALUES ($1, $2)", migration.name, migration.checksum
        )


@pytest.mark.parametrize("lane", ["care", "promo"])
async def test_every_message_keeps_what_is_known_of_it(postgres: SharedPostgres, lane: str) -> None:
    dsn = postgres.database()
    messages = await _filled(dsn, lane)
    await migrate(dsn, "sender")
    connection = await asyncpg.connect(dsn)
    try:
        found = {}
        for name, message in messages.items():
            row = await connection.fetchrow("SELECT * FROM sender.message WHERE message_id = $1", message)
            assert row is not None
            former = await connection.fetch(
                "SELECT state FROM sender.former_attempt WHERE message_id = $1 ORDER BY n", message
            )
            found[name] = (row["state"], row["n"], tuple(one["state"] for one in former))
    finally:
        await connection.close()
    assert found == AFTER


async def test_nothing_that_may_have_arrived_is_begun_again_and_its_status_settles_it(
    postgres: SharedPostgres,
) -> None:
    dsn = postgres.database()
    messages = await _filled(dsn, "promo")
    await migrate(dsn, "sender")
    database = Database(dsn, service="sender")
    await database.start()
    try:
        async with database.connection() as connection:
            await connection.execute(CLAIMS.read_text())
        stand = Stand(SenderDatabase(dsn, database))
        begun = set()
        for name, message in messages.items():
            grant = a_grant(lane="promo").model_copy(
                update={"message_id": message, "grant_id": message, "contact_id": message}
            )
            await stand.door.book(grant)
            if BEFORE[name][1]:
                await stand.door.claim(grant)
            await stand.come(grant)
            if (await stand.begin(grant)).outcome == "begun":
                begun.add(name)
        assert begun == {"never tried", "to be tried again"}
        for name in ("under way", "tried again", "unknown", "unknown at last"):
            grant = a_grant().model_copy(update={"message_id": messages[name]})
            [settled] = await stand.status(grant, "delivered", n=AFTER[name][1])
            assert settled.outcome == "accepted"
        assert await PostgresAttempts(database).abandon(older_than=timedelta(0), limit=10) != []
    finally:
        await database.stop()
