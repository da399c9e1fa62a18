from collections.abc import AsyncIterator

import pytest_asyncio

from garbo.cli.local.testing import SharedKafka
from garbo.common.testing.delivery import Stand


@pytest_asyncio.fixture(loop_scope="session")
async def stand(kafka: SharedKafka) -> AsyncIterator[Stand]:
    stand = Stand(kafka.bootstrap_servers)
    try:
        await stand.start()
        yield stand
    finally:
        await stand.stop()
