"""A service's role can do its service's work in a real PostgreSQL, and nothing else."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from garbo.cli.postgres_roles import HARMLESS, ServiceRole, quoted, set_roles
from garbo.common.errors import StartRefused
from garbo.common.runtime.migrations import SchemaCurrent, migrate
from garbo.common.runtime.postgres_rights import excess_rights
from tests.support.servers import SharedPostgres

pytestmark = pytest.mark.integration

SERVICES: Final = ("router", "sender", "analytics")
CLAIM: Final = "SELECT reason FROM router.claim_grants($1::uuid[], $2::int[], $3::uuid[])"


@dataclass(frozen=True, slots=True)
class Installed:
    """A migrated database of its own, whose roles nobody else has."""

    dsn: str
    roles: Sequence[ServiceRole]

    def as_role(self, service: str) -> str:
        role = next(role for role in self.roles if role.service == service)
        return _as(self.dsn, role.name, role.password or "")

    async def ask(self, service: str, statement: str, *arguments: object) -> Any:  # noqa: ANN401 - any value
        return await _ask(self.as_role(service), statement, *arguments)


def _as(dsn: str, name: str, password: str) -> str:
    host = urlsplit(dsn).netloc.rpartition("@")[2]
    return urlsplit(dsn)._replace(netloc=f"{name}:{password}@{host}").geturl()


async def _ask(dsn: str, statement: str, *arguments: object) -> Any:  # noqa: ANN401 - any value
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        return await connection.fetchval(statement, *arguments)
    finally:
        await connection.close()


def _roles() -> list[ServiceRole]:
    mark = uuid4().hex[:8]
    return [ServiceRole(service, f"t{mark} {service}", f"pw-{uuid4().hex}") for service in SERVICES]


async def _forget(dsn: str, names: Sequence[str]) -> None:
    for name in names:
        await _ask(dsn, f"DROP OWNED BY {quoted(name)}")
        await _ask(dsn, f"DROP ROLE {quoted(name)}")


@pytest.fixture
async def installed(postgres: SharedPostgres) -> AsyncIterator[Installed]:
    given = Installed(postgres.database(*SERVICES), _roles())
    made = await set_roles(given.dsn, given.roles, make=True)
    assert made == [role.name for role in given.roles]
    yield given
    await _forget(given.dsn, made)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_role_is_without_any_power_over_the_server(installed: Installed, service: str) -> None:
    assert await excess_rights_of(installed, service) == []
    for statement in (
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "COPY (SELECT 1) TO '/tmp/garbo-role'",
        "CREATE ROLE another",
        "CREATE DATABASE another",
        "CREATE SCHEMA another",
        "CREATE TABLE public.another (id int)",
        f"CREATE TABLE {service}.another (id int)",
        f"DROP TABLE {service}.migration",
        f"INSERT INTO {service}.migration (name, sha256) VALUES ('9999_mine.sql', '')",
        "SET ROLE garbo",
    ):
        with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.InvalidParameterValueError)):
            await installed.ask(service, statement)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_role_reads_and_writes_every_table_of_its_own_and_none_of_another(
    installed: Installed, service: str
) -> None:
    tables = """
        SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY ($1) AND c.relkind IN ('r', 'p', 'v')"""
    owned = await _asked_all(installed.dsn, tables, list(SERVICES))
    assert len(owned) > 30
    for table in owned:
        own = table.startswith(f"{service}.") and not table[-2:].isdigit()
        for right in ("SELECT", "INSERT", "UPDATE", "DELETE"):
            may = "SELECT has_schema_privilege($1, 'USAGE') AND has_table_privilege($2, $3)"
            allowed = await installed.ask(service, may, table.partition(".")[0], table, right)
            assert allowed is (own and (right == "SELECT" or not table.endswith(".migration"))), (
                table,
                right,
            )


async def test_only_the_sender_claims_and_sees_nothing_else_of_the_router(installed: Installed) -> None:
    asked = ([uuid4()], [1], [uuid4()])
    assert await installed.ask("sender", CLAIM, *asked) == "unknown_grant"
    assert await installed.ask("router", CLAIM, *asked) == "unknown_grant"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await installed.ask("analytics", CLAIM, *asked)
    for statement in (
        "SELECT count(*) FROM router.send_grant",
        "SELECT router.make_partitions(1)",
        "SELECT router.drop_partitions(31)",
        "SELECT router.granted_on(gen_random_uuid())",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await installed.ask("sender", statement)


async def test_the_router_makes_and_drops_its_days_and_writes_into_those_made(installed: Installed) -> None:
    assert await installed.ask("router", "SELECT router.make_partitions(30)") > 20
    assert await installed.ask("router", "SELECT router.make_partitions(30)") == 0
    written = """
        INSERT INTO router.request_seen (message_id, month, decided_on)
        VALUES (gen_random_uuid(), date_trunc('month', current_date + 28)::date, current_date) RETURNING 1"""
    assert await installed.ask("router", written) == 1
    await _ask(installed.dsn, "SELECT router.make_partitions(0, current_date - 40)")
    dropped = await installed.ask("router", "SELECT count(*) FROM router.drop_partitions(31)")
    assert dropped >= 16


async def test_what_is_made_as_owner_cannot_be_turned_by_the_caller_s_search_path(
    installed: Installed,
) -> None:
    functions = """
        SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = ANY ($1) AND p.prosecdef"""
    pinned = f"{functions} AND 'search_path=pg_catalog, pg_temp' = ANY (p.proconfig)"
    schemas = list(SERVICES)
    as_owner = await _asked_all(installed.dsn, functions, schemas)
    assert sorted(as_owner) == ["claim_grants", "drop_partitions", "make_partitions"]
    assert sorted(await _asked_all(installed.dsn, pinned, schemas)) == sorted(as_owner)


async def test_again_is_idempotent_takes_another_password_and_what_is_too_much_away(
    installed: Installed,
) -> None:
    router = installed.roles[0]
    await _ask(installed.dsn, f"ALTER ROLE {quoted(router.name)} SUPERUSER CREATEDB CREATEROLE")
    await _ask(installed.dsn, f"GRANT USAGE ON SCHEMA sender TO {quoted(router.name)}")
    await _ask(installed.dsn, f"GRANT SELECT ON sender.message TO {quoted(router.name)}")
    assert await excess_rights_of(installed, "router") == ["is a superuser"]
    changed = [replace(role, password=f"new-{uuid4().hex}") for role in installed.roles]
    assert await set_roles(installed.dsn, changed, make=True) == []
    with pytest.raises(asyncpg.InvalidPasswordError):
        await installed.ask("router", "SELECT 1")
    assert await excess_rights_of(Installed(installed.dsn, changed), "router") == []
    untold = [replace(role, password=None) for role in changed]
    assert await set_roles(installed.dsn, untold, make=True) == []
    assert await _ask(Installed(installed.dsn, changed).as_role("router"), "SELECT 1") == 1


async def test_two_installations_in_one_server_do_not_disturb_each_other(postgres: SharedPostgres) -> None:
    roles, dsns = _roles(), [postgres.database(*SERVICES) for _ in range(3)]
    made = await asyncio.gather(*(set_roles(dsn, roles, make=True) for dsn in dsns))
    assert sorted(name for names in made for name in names) == sorted(role.name for role in roles)
    for dsn in dsns:
        assert await _ask(Installed(dsn, roles).as_role("sender"), "SELECT count(*) FROM sender.message") == 0
    for dsn in dsns[1:]:
        for role in roles:
            await _ask(dsn, f"DROP OWNED BY {quoted(role.name)}")
    await _forget(dsns[0], [role.name for role in roles])


@pytest.fixture
async def owner(postgres: SharedPostgres) -> AsyncIterator[Installed]:
    """A database as a managed PostgreSQL gives it: an owner who is no superuser and may make roles."""
    name, password = f"owner_{uuid4().hex[:8]}", uuid4().hex
    await _ask(postgres.dsn, f"CREATE ROLE {name} LOGIN CREATEROLE PASSWORD '{password}'")
    empty = postgres.database()
    database = urlsplit(empty).path.removeprefix("/")
    await _ask(postgres.dsn, f'ALTER DATABASE "{database}" OWNER TO {name}')
    dsn, roles = _as(empty, name, password), _roles()
    for service in SERVICES:
        await migrate(dsn, service)
    yield Installed(dsn, roles)
    await _ask(postgres.dsn, f'ALTER DATABASE "{database}" OWNER TO CURRENT_USER')
    there = "SELECT rolname FROM pg_roles WHERE rolname = ANY ($1)"
    await _forget(empty, [*await _asked_all(empty, there, [role.name for role in roles]), name])


async def test_an_owner_who_is_no_superuser_makes_roles_that_work(owner: Installed) -> None:
    assert len(await set_roles(owner.dsn, owner.roles, make=True)) == len(SERVICES)
    assert await set_roles(owner.dsn, owner.roles, make=True) == []
    assert await owner.ask("router", "SELECT router.make_partitions(9)") > 0
    assert await owner.ask("sender", CLAIM, [uuid4()], [1], [uuid4()]) == "unknown_grant"
    for service in SERVICES:
        assert await excess_rights_of(owner, service) == []


async def test_roles_that_a_dba_made_are_only_given_their_rights(
    owner: Installed, postgres: SharedPostgres
) -> None:
    await _ask(postgres.dsn, f"ALTER ROLE {urlsplit(owner.dsn).username} NOCREATEROLE")
    with pytest.raises(StartRefused, match=r"may not make or change roles .* GARBO_POSTGRES_ROLES=grant"):
        await set_roles(owner.dsn, owner.roles, make=True)
    with pytest.raises(StartRefused, match=r"there is no role .* CREATE ROLE"):
        await set_roles(owner.dsn, owner.roles, make=False)
    for role in owner.roles:
        await _ask(postgres.dsn, f"CREATE ROLE {quoted(role.name)} LOGIN PASSWORD '{role.password}'")
    others = [replace(role, password="not-ours-to-set") for role in owner.roles]
    assert await set_roles(owner.dsn, others, make=False) == []
    assert await owner.ask("sender", CLAIM, [uuid4()], [1], [uuid4()]) == "unknown_grant"


async def test_a_dba_s_role_with_too_much_power_is_not_taken(
    owner: Installed, postgres: SharedPostgres
) -> None:
    for role in owner.roles:
        await _ask(postgres.dsn, f"CREATE ROLE {quoted(role.name)} SUPERUSER LOGIN")
    with pytest.raises(StartRefused, match="may not make or change roles"):
        await set_roles(owner.dsn, owner.roles, make=False)
    assert HARMLESS.startswith("NOSUPERUSER")


async def test_the_owner_s_role_is_no_service_s(owner: Installed) -> None:
    us = urlsplit(owner.dsn).username or ""
    with pytest.raises(StartRefused, match=f"{us} of router migrates, too: .*GARBO_POSTGRES_ROLES=none"):
        await set_roles(owner.dsn, [ServiceRole("router", us), *owner.roles[1:]], make=True)


async def test_a_service_that_may_do_too_much_says_so_at_its_start(
    owner: Installed, postgres: SharedPostgres, capfd: pytest.CaptureFixture[str]
) -> None:
    await set_roles(owner.dsn, owner.roles, make=True)
    await SchemaCurrent(owner.as_role("router"), service="router").start()
    assert "database role" not in "".join(capfd.readouterr())
    await SchemaCurrent(owner.dsn, service="router").start()
    said = "".join(capfd.readouterr())
    assert (
        "makes roles, reaches tables of analytics, reaches tables of sender, owns the schema router" in said
    )
    assert "connect as the role garbo_router" in said
    superuser = urlsplit(postgres.dsn)._replace(path=urlsplit(owner.dsn).path).geturl()
    await SchemaCurrent(superuser, service="sender").start()
    assert "is a superuser" in "".join(capfd.readouterr())


async def excess_rights_of(installed: Installed, service: str) -> list[str]:
    connection = await asyncpg.connect(installed.as_role(service), timeout=10)
    try:
        return await excess_rights(connection, service)
    finally:
        await connection.close()


async def _asked_all(dsn: str, statement: str, *arguments: object) -> list[str]:
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        return [row[0] for row in await connection.fetch(statement, *arguments)]
    finally:
        await connection.close()
