from collections.abc import AsyncIterator

import pytest

from services.sender.tests.support.graph import FakeGraph, fake_graph
from services.sender.tests.support.postgres import SenderDatabase, sender_database_on
from services.sender.tests.support.running_sender import Sender, a_sender
from tests.support.servers import SharedPostgres


@pytest.fixture
async def sender_database(postgres: SharedPostgres) -> AsyncIterator[SenderDatabase]:
    async with sender_database_on(postgres) as database:
        yield database


@pytest.fixture
async def graph() -> AsyncIterator[FakeGraph]:
    async with fake_graph() as server:
        yield server


@pytest.fixture
async def sender(sender_database: SenderDatabase, graph: FakeGraph) -> AsyncIterator[Sender]:
    async with a_sender(sender_database, graph.url) as made:
        yield made
