"""Plain SQL files, forward only, one schema a service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import asyncpg

from garbo.common.errors import StartRefused
from garbo.common.runtime.postgres_rights import warn_of_rights

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]

_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtext('garbo.migrations'))"
_LEDGER: Final = """
CREATE TABLE IF NOT EXISTS {schema}.migration (
    name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its name and text."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """Hash of the text: an applied file must not change."""
        return sha256(self.sql.encode()).hexdigest()


def migrations_of(service: str) -> list[Migration]:
    """Read a service's files, `garbo/<service>/migrations/0001_....sql`, in order."""
    folder = files(f"garbo.{service}") / "migrations"
    entries = sorted((e for e in folder.iterdir() if e.name.endswith(".sql")), key=lambda e: e.name)
    return [Migration(entry.name, entry.read_text(encoding="utf-8")) for entry in entries]


async def migrate(dsn: str, service: str) -> list[str]:
    """Apply what is new of a service's files to the schema of its name; returns the names applied.

    One transaction under one lock, so several processes may start at once. Raises `StartRefused` when an
    applied file has changed: forward only means a new file.
    """
    connection = await asyncpg.connect(dsn, timeout=10, command_timeout=300)
    try:
        async with connection.transaction():
            await connection.execute(_LOCK)
            await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {service}")
            await connection.execute(_LEDGER.format(schema=service))
            return await _apply(connection, service)
    finally:
        await connection.close(timeout=5)


async def pending(dsn: str, service: str) -> list[str]:
    """Name what `migrate` would apply, without applying it."""
    async with _connected(dsn) as connection:
        return await _pending(connection, service)


class SchemaCurrent:
    """A component: the process starts only when all migrations of its service are applied.

    It warns of a role that may do more than the service does.
    """

    def __init__(self, dsn: str, *, service: str) -> None:
        self._dsn, self._service = dsn, service

    async def start(self) -> None:
        """Look; raises `StartRefused` when something is missing, or cannot be looked at."""
        try:
            async with _connected(self._dsn) as connection:
                missing = await _pending(connection, self._service)
                await warn_of_rights(connection, self._service)
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            raise StartRefused(
                f"the schema {self._service} cannot be read ({type(error).__name__}): see that "
                "the database of GARBO_POSTGRES_DSN is up and that its user may read it (garbo migrate "
                "gives each service's role its rights)."
            ) from None
        if missing:
            raise StartRefused(f"the schema {self._service} lacks {missing[0]}: type garbo migrate.")

    async def stop(self) -> None:
        """Nothing is held."""


@asynccontextmanager
async def _connected(dsn: str) -> AsyncIterator["Connection"]:
    connection = await asyncpg.connect(dsn, timeout=10, command_timeout=30)
    try:
        yield connection
    finally:
        await connection.close(timeout=5)


async def _pending(connection: "Connection", service: str) -> list[str]:
    exists = await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", f"{service}.migration")
    applied = await _applied(connection, service) if exists else {}
    return [m.name for m in migrations_of(service) if m.name not in applied]


async def _apply(connection: "Connection", service: str) -> list[str]:
    applied = await _applied(connection, service)
    new: list[str] = []
    for migration in migrations_of(service):
        if migration.name not in applied:
            await connection.execute(migration.sql)
            await connection.execute(
                f"INSERT INTO {service}.migration (name, sha256) VALUES ($1, $2)",  # noqa: S608 - own name
                migration.name,
                migration.checksum,
            )
            new.append(migration.name)
        elif applied[migration.name] != migration.checksum:
            raise StartRefused(
                f"{service}/{migration.name} changed after it was applied: put it back, add a new file."
            )
    return new


async def _applied(connection: "Connection", service: str) -> dict[str, str]:
    rows = await connection.fetch(f"SELECT name, sha256 FROM {service}.migration")  # noqa: S608 - own name
    return {row["name"]: row["sha256"] for row in rows}
