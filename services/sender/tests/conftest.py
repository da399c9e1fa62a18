"""A database with the sender's schema, and the router's door as a stand-in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from garbo.common.runtime.postgres import Database
from services.sender.tests.support.postgres import SenderDatabase
from tests.support.servers import SharedPostgres

CLAIMS = Path(__file__).parent / "integration" / "claims.sql"


@pytest.fixture
async def sender_database(postgres: SharedPostgres) -> AsyncIterator[SenderDatabase]:
    dsn = postgres.database("sender")
    database = Database(dsn, service="sender")
    await database.start()
    try:
        async with database.connection() as connection:
            await connection.execute(CLAIMS.read_text())
        yield SenderDatabase(dsn, database)
    finally:
        await database.stop()
