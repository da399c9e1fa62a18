"""What PostgreSQL says becomes what to do."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from garbo.common.errors import Reject, RetryLater, StartRefused
from garbo.common.runtime import migrations
from garbo.common.runtime import postgres as postgres_runtime
from garbo.common.runtime.migrations import Migration, SchemaCurrent, migrate
from garbo.common.runtime.postgres import Database
from libs.common.tests.support.waiting import until
from tests.support.own_servers import OwnPostgres
from tests.support.servers import SharedPostgres

pytestmark = pytest.mark.integration


async def test_a_value_it_cannot_hold_is_a_reject(postgres: SharedPostgres) -> None:
    database = Database(postgres.database(), service="test", size=1)
    await database.start()
    try:
        with pytest.raises(Reject, match="unstorable"):
            async with database.transaction() as connection:
                await connection.fetchval("SELECT $1::text", "a\x00b")
        async with database.connection() as connection:
            assert await connection.fetchval("SELECT 1") == 1
    finally:
        await database.stop()


async def test_a_killed_connection_is_a_retry_and_the_pool_recovers(postgres: SharedPostgres) -> None:
    database = Database(postgres.database(), service="test", size=1)
    await database.start()
    try:
        with pytest.raises(RetryLater):
            async with database.transaction() as connection:
                await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        async with database.connection() as connection:
            assert await connection.fetchval("SELECT 1") == 1
    finally:
        await database.stop()


async def test_a_deadlock_is_a_retry(postgres: SharedPostgres) -> None:
    database = Database(postgres.database(), service="test", size=3)
    await database.start()
    async with database.connection() as connection:
        await connection.execute("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2)")
    both = asyncio.Barrier(2)

    async def lock(first: int, second: int) -> None:
        async with database.transaction() as connection:
            await connection.execute("SELECT 1 FROM t WHERE id = $1 FOR UPDATE", first)
            await both.wait()
            await connection.execute("SELECT 1 FROM t WHERE id = $1 FOR UPDATE", second)

    results = await asyncio.gather(lock(1, 2), lock(2, 1), return_exceptions=True)
    await database.stop()
    assert sorted(type(r).__name__ for r in results) == ["NoneType", "RetryLater"]


async def test_a_wrong_password_refuses_the_start() -> None:
    database = Database("postgresql://localhost:notaport/x", service="test")
    with pytest.raises(StartRefused, match="GARBO_POSTGRES_DSN"):
        await database.start()


async def test_migrations_apply_once_under_concurrency_and_refuse_a_changed_file(
    postgres: SharedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn = postgres.database()
    files = [Migration("0001_first.sql", "CREATE TABLE router.a (id int)")]
    monkeypatch.setattr(migrations, "migrations_of", lambda _: files)
    applied = await asyncio.gather(*(migrate(dsn, "router") for _ in range(4)))
    assert sorted(len(names) for names in applied) == [0, 0, 0, 1]
    files.append(Migration("0002_second.sql", "CREATE TABLE router.b (id int)"))
    assert await migrations.pending(dsn, "router") == ["0002_second.sql"]
    assert await migrate(dsn, "router") == ["0002_second.sql"]
    files[0] = Migration("0001_first.sql", "CREATE TABLE router.a (id bigint)")
    with pytest.raises(StartRefused, match="changed after it was applied"):
        await migrate(dsn, "router")
    connection = await asyncpg.connect(dsn)
    assert await connection.fetchval("SELECT count(*) FROM router.migration") == 2
    await connection.close()


async def test_a_server_that_goes_away_is_not_ready_until_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_runtime, "ASK_EVERY_S", 0.1)
    server = OwnPostgres(home=tmp_path / "server")
    await asyncio.to_thread(server.start)
    database = Database(server.dsn(), service="test", size=2)
    await database.start()
    try:
        assert database.healthy
        await asyncio.to_thread(server.kill)
        await until(lambda: not database.healthy)
        await asyncio.to_thread(server.start)
        await until(lambda: database.healthy)
    finally:
        await database.stop()
        await asyncio.to_thread(server.stop)


async def test_a_process_refuses_to_start_on_a_schema_that_lacks_something(postgres: SharedPostgres) -> None:
    schema = SchemaCurrent(postgres.database(), service="router")
    with pytest.raises(StartRefused, match=r"the schema router lacks 0001_\S+: type garbo migrate"):
        await schema.start()


async def test_a_process_refuses_to_start_on_a_schema_it_cannot_look_at(postgres: SharedPostgres) -> None:
    schema = SchemaCurrent(f"{postgres.database()}_gone", service="router")
    with pytest.raises(StartRefused, match=r"cannot be read \(InvalidCatalogNameError\): see that"):
        await schema.start()
