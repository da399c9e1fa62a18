"""A router that dies at a point of its own work, as long as a block runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.router.tests.support.dying_router import go_to
from services.router.tests.support.forked import Forked

LEASES_END = "UPDATE router.send_grant SET valid_until = clock_timestamp() - interval '1 minute'"


@asynccontextmanager
async def dying(point: str, dsn: str, kafka: str = "-") -> AsyncIterator[Forked]:
    process = Forked(go_to, point, dsn, kafka)
    try:
        yield process
    finally:
        process.kill()
        await process.exit_code()
