from collections.abc import AsyncIterator

import pytest_asyncio

from libs.common.tests.support.delivery import Stand
from tests.support.servers import SharedKafka


@pytest_asyncio.fixture(loop_scope="session")
async def stand(kafka: SharedKafka) -> AsyncIterator[Stand]:
    stand = Stand(kafka.bootstrap_servers)
    try:
        await stand.start()
        yield stand
    finally:
        await stand.stop()
