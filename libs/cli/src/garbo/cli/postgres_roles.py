"""One database role a service: made by `garbo migrate`, without any right it does not need.

Whoever migrates owns all tables. A service's role reads and writes rows of its own schema and calls its
functions; into another's schema leads one door, `router.claim_grants` for the sender.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Literal
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg
from pydantic import SecretStr

from garbo.cli.scram import postgres_verifier
from garbo.common.errors import StartRefused
from garbo.common.runtime.settings import ServiceSettings

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]

DOORS: Final = {"sender": ("router", "router.claim_grants(uuid[], int[], uuid[])")}
"""The one function of another's schema that a service calls."""
LOCK: Final = "SELECT pg_advisory_xact_lock(hashtext('garbo.migrations'))"
HARMLESS: Final = "NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
ROLE: Final = """
SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls AS mighty,
       rolname = current_user AS is_us
FROM pg_roles WHERE rolname = $1
"""
# Tables by day are reached through their parents: nobody needs a right of their own on them.
TABLES: Final = """
SELECT format('%I.%I', n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition AND c.relname <> 'migration'
ORDER BY 1
"""
CLOSED: Final = """
REVOKE ALL ON SCHEMA {schema} FROM {role};
REVOKE ALL ON {tables} FROM {role};
REVOKE ALL ON {schema}.migration FROM {role};
REVOKE ALL ON ALL SEQUENCES IN SCHEMA {schema} FROM {role};
REVOKE ALL ON ALL ROUTINES IN SCHEMA {schema} FROM {role};
"""
OWN: Final = """
GRANT USAGE ON SCHEMA {schema} TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO {role};
GRANT SELECT ON {schema}.migration TO {role};
GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {role};
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA {schema} TO {role};
"""
DOOR: Final = "GRANT USAGE ON SCHEMA {schema} TO {role}; GRANT EXECUTE ON FUNCTION {function} TO {role};"
TRIES: Final = 5
"""Roles are the whole server's: somebody may change the same one in another database meanwhile."""


class RoleSettings(ServiceSettings):
    """What `garbo migrate` is told of roles."""

    service: ClassVar[str] = "cli"

    postgres_roles: Literal["make", "grant", "none"] = "make"
    """make: roles that are missing are made. grant: they are there (a DBA made them), rights are given. none:
    nothing is done, all services use the role that migrates."""
    postgres_router_dsn: SecretStr | None = None
    """As the router will connect: names its role and the role's password. So for the others."""
    postgres_sender_dsn: SecretStr | None = None
    postgres_analytics_dsn: SecretStr | None = None


@dataclass(frozen=True, slots=True)
class ServiceRole:
    """The role of one service, and its password where that is ours to set."""

    service: str
    name: str
    password: str | None = None


def roles_of(settings: RoleSettings) -> list[ServiceRole]:
    """Read which role each service has; without a DSN `garbo_<service>`, whose password is left alone."""
    dsns = {
        "router": settings.postgres_router_dsn,
        "sender": settings.postgres_sender_dsn,
        "analytics": settings.postgres_analytics_dsn,
    }
    return [
        _role_in(dsn.get_secret_value(), s) if dsn else ServiceRole(s, f"garbo_{s}")
        for s, dsn in dsns.items()
    ]


async def set_roles(dsn: str, roles: Sequence[ServiceRole], *, make: bool) -> list[str]:
    """Make the roles that are missing (with `make`), and give each exactly its rights; returns who was made.

    Idempotent; one transaction. Raises `StartRefused` where we may not, or where a role is missing.
    """
    connection = await asyncpg.connect(dsn, timeout=10, command_timeout=60)
    try:
        for turn in range(TRIES):
            try:
                async with connection.transaction():
                    await connection.execute(LOCK)
                    return await _set_all(connection, roles, make=make)
            except (asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError, asyncpg.InternalServerError):
                if turn == TRIES - 1:
                    raise
                await asyncio.sleep(0.1 * 2**turn)
    except asyncpg.InsufficientPrivilegeError as error:
        raise StartRefused(_not_allowed(error, roles)) from None
    finally:
        await connection.close(timeout=5)
    raise AssertionError("every turn returns or raises")


async def _set_all(connection: "Connection", roles: Sequence[ServiceRole], *, make: bool) -> list[str]:
    made = [role.name for role in roles if await _set_role(connection, role, make=make)]
    schemas = {
        role.service: ", ".join(r[0] for r in await connection.fetch(TABLES, role.service)) for role in roles
    }
    for schema, tables in schemas.items():
        await connection.execute(CLOSED.format(schema=schema, tables=tables, role="PUBLIC"))
    for role in roles:
        named = quoted(role.name)
        for schema, tables in schemas.items():
            rights = CLOSED + (OWN if schema == role.service else "")
            await connection.execute(rights.format(schema=schema, tables=tables, role=named))
        if role.service in DOORS:
            schema, function = DOORS[role.service]
            await connection.execute(DOOR.format(schema=schema, function=function, role=named))
    return made


async def _set_role(connection: "Connection", role: ServiceRole, *, make: bool) -> bool:
    """Make a role, or mend what it is; tell whether it was made."""
    there = await connection.fetchrow(ROLE, role.name)
    if there is None and not make:
        raise StartRefused(
            f"there is no role {role.name}: let your DBA type CREATE ROLE {role.name} LOGIN, or set "
            "GARBO_POSTGRES_ROLES=make"
        )
    if there is not None and there["is_us"]:
        raise StartRefused(
            f"{role.name} of {role.service} migrates, too: give GARBO_POSTGRES_DSN the owner's role, or set "
            "GARBO_POSTGRES_ROLES=none to keep one role for all"
        )
    named = quoted(role.name)
    if there is None:
        await connection.execute(f"CREATE ROLE {named} LOGIN {HARMLESS}")
    elif there["mighty"]:
        await connection.execute(f"ALTER ROLE {named} {HARMLESS}")
    if make and role.password is not None:
        await connection.execute(f"ALTER ROLE {named} PASSWORD '{postgres_verifier(role.password)}'")
    return there is None


def quoted(name: str) -> str:
    """Write a name as SQL takes it, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def _role_in(dsn: str, service: str) -> ServiceRole:
    variable = f"GARBO_POSTGRES_{service.upper()}_DSN"
    try:
        parts = urlsplit(dsn)
        said = parse_qs(parts.query)
        name = unquote(parts.username or "") or said.get("user", [""])[0]
        password = unquote(parts.password or "") or said.get("password", [""])[0]
    except ValueError:
        raise StartRefused(
            f"{variable} is no address: write postgresql://role:password@host:5432/database"
        ) from None
    if not name:
        raise StartRefused(
            f"{variable} names no role: write postgresql://garbo_{service}:password@host:5432/database"
        )
    return ServiceRole(service, name, password or None)


def _not_allowed(error: asyncpg.InsufficientPrivilegeError, roles: Sequence[ServiceRole]) -> str:
    names, said = ", ".join(role.name for role in roles), str(error).partition("\n")[0]
    return (
        f"the role that migrates may not make or change roles ({said}): give it CREATEROLE, or let your DBA "
        f"make {names} (LOGIN, nothing else) and set GARBO_POSTGRES_ROLES=grant"
    )
