from collections.abc import AsyncIterator

import pytest

from services.sender.tests.support.postgres import SenderDatabase, sender_database_on
from tests.support.servers import SharedPostgres


@pytest.fixture
async def sender_database(postgres: SharedPostgres) -> AsyncIterator[SenderDatabase]:
    async with sender_database_on(postgres) as database:
        yield database
