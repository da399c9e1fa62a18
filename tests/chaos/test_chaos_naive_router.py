"""The negative control: routers that do not lock must be caught by the same run and the same sweep."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from tests.chaos.__main__ import show
from tests.chaos.installation import installed
from tests.chaos.run import Size, chaos
from tests.chaos.trailing import over_cap
from tests.support.servers import SharedKafka, SharedPostgres

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

TABLE = "CREATE TABLE sent (person int NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp())"
INDEX = "CREATE INDEX ON sent (person)"
COUNT = "SELECT count(*) FROM sent WHERE person = $1 AND at > clock_timestamp() - interval '1 hour'"
SEND = "INSERT INTO sent (person) VALUES ($1)"
READ = "SELECT person::text, (extract(epoch FROM at) * 1e6)::bigint FROM sent"


async def _count_then_insert(dsn: str, people: int, rounds: int) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for n in range(people * rounds):
            if await connection.fetchval(COUNT, n % people) < 3:
                await connection.execute(SEND, n % people)
    finally:
        await connection.close()


async def test_scenario_68_counting_before_inserting_is_caught(postgres: SharedPostgres) -> None:
    dsn = postgres.database()
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(TABLE)
        await connection.execute(INDEX)
        async with asyncio.TaskGroup() as workers:
            for _ in range(4):
                workers.create_task(_count_then_insert(dsn, people=200, rounds=4))
        sends = [(str(person), int(at_us)) for person, at_us in await connection.fetch(READ)]
    finally:
        await connection.close()
    assert over_cap(sends, limit=3, span_us=3_600_000_000)


def test_scenario_68_router_without_row_locks_fails_the_same_run(
    kafka: SharedKafka, postgres: SharedPostgres, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    size = Size(people=100, requests=4_000, routers=4, kills=0)
    with installed(kafka, postgres, tmp_path) as installation:
        found = asyncio.run(chaos(installation, size, module="tests.chaos.naive_router"))
    with capsys.disabled():
        show(size, found)
    assert found.people_over_cap > 0, "the run cannot tell a router without locks"
