"""The database: made when it is missing, migrated service by service."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import asyncpg

from garbo.cli.postgres_roles import RoleSettings, roles_of, set_roles
from garbo.cli.up.environment import WITH_SCHEMA
from garbo.common.errors import StartRefused
from garbo.common.runtime.migrations import migrate, pending

CONNECT_S = 10.0


async def ensure_database(admin_dsn: str, name: str) -> None:
    """Create the database when it is not there."""
    async with asyncio.timeout(CONNECT_S * 2):
        connection = await asyncpg.connect(admin_dsn, timeout=CONNECT_S)
        try:
            if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
                await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        finally:
            await connection.close()


async def migrate_all(dsn: str) -> list[str]:
    """Apply what is pending; returns `service/file` of each. Raises StartRefused when it cannot connect."""
    return [f"{service}/{name}" for service in WITH_SCHEMA for name in await _reached(migrate(dsn, service))]


async def roles_all(dsn: str, settings: RoleSettings) -> list[str]:
    """Give each service's role its rights, once all is migrated; returns the roles that were made."""
    if settings.postgres_roles == "none":
        return []
    return await _reached(set_roles(dsn, roles_of(settings), make=settings.postgres_roles == "make"))


async def pending_all(dsn: str) -> list[str]:
    """Name what `migrate_all` would apply."""
    return [f"{service}/{name}" for service in WITH_SCHEMA for name in await _reached(pending(dsn, service))]


async def _reached(work: Coroutine[Any, Any, list[str]]) -> list[str]:
    try:
        return await work
    except (OSError, TimeoutError, asyncpg.InvalidAuthorizationSpecificationError) as error:
        why = type(error).__name__
        raise StartRefused(
            f"PostgreSQL does not answer ({why}): start it, or correct GARBO_POSTGRES_DSN"
        ) from None
