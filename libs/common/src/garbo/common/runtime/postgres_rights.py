"""What the role of a process may do that its service never does."""

from typing import TYPE_CHECKING, Final

import asyncpg
import structlog

from garbo.common.events.topics import SERVICES

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]

ATTRIBUTES: Final = """
SELECT rolname, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls
FROM pg_roles WHERE rolname = current_user
"""
MEMBERSHIPS: Final = """
SELECT rolname FROM pg_roles
WHERE rolname IN ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files',
                  'pg_read_all_data', 'pg_write_all_data') AND pg_has_role(current_user, oid, 'MEMBER')
ORDER BY 1
"""
OTHERS: Final = """
SELECT DISTINCT n.nspname
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY ($1) AND c.relkind IN ('r', 'p', 'v') AND has_schema_privilege(n.oid, 'USAGE')
  AND has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE')
ORDER BY 1
"""
OWNED: Final = "SELECT pg_has_role(current_user, nspowner, 'MEMBER') FROM pg_namespace WHERE nspname = $1"
WORDS: Final = {
    "rolsuper": "is a superuser",
    "rolcreatedb": "makes databases",
    "rolcreaterole": "makes roles",
    "rolreplication": "replicates",
    "rolbypassrls": "passes row security",
}

log = structlog.get_logger()


async def excess_rights(connection: "Connection", service: str) -> list[str]:
    """Say in words what this connection may do beyond its service's own schema; empty when nothing."""
    role = await connection.fetchrow(ATTRIBUTES)
    found = [words for column, words in WORDS.items() if role is not None and role[column]]
    if "is a superuser" in found:
        return found[:1]  # all else follows
    found += [f"is a member of {row[0]}" for row in await connection.fetch(MEMBERSHIPS)]
    others = [name for name in SERVICES if name != service]
    found += [f"reaches tables of {row[0]}" for row in await connection.fetch(OTHERS, others)]
    if await connection.fetchval(OWNED, service):
        found.append(f"owns the schema {service}")
    return found


async def warn_of_rights(connection: "Connection", service: str) -> None:
    """Log one line when the role may do more than its service does."""
    if found := await excess_rights(connection, service):
        log.warning(
            "database role may do too much",
            may=", ".join(found),
            mend=f"connect as the role garbo_{service}, which garbo migrate makes (docs/runbook.md)",
        )
