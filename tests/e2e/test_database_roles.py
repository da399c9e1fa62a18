"""Each service of a running installation has its own database role, and no power over the server."""

import asyncpg
import pytest

from garbo.cli.up.plan import read_plan
from garbo.cli.up.programs import DATABASE, postgres_of
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e

CONNECTED = """
SELECT DISTINCT a.application_name, a.usename, r.rolsuper
FROM pg_stat_activity a JOIN pg_roles r ON r.rolname = a.usename
WHERE a.application_name LIKE 'garbo-%' ORDER BY 1
"""


async def test_every_service_is_connected_as_its_own_role(stack: Stack) -> None:
    if stack.data is None:
        pytest.skip("an installation elsewhere does not let us look at its database")
    connection = await asyncpg.connect(postgres_of(read_plan(stack.environ)).dsn(DATABASE))
    try:
        rows = [tuple(row) for row in await connection.fetch(CONNECTED)]
    finally:
        await connection.close()
    services = ("analytics", "router", "sender")
    assert rows == [(f"garbo-{service}", f"garbo_{service}", False) for service in services]
