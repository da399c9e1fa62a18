"""The brands' files, in `sender.media_file` and beside it. The only statements are the constants below."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import asyncpg

from garbo.common.runtime.postgres import Database
from garbo.sender.domain.media_keys import MediaKey, media_key
from garbo.sender.ports.media import MediaFile

BEGIN: Final = """
INSERT INTO sender.media_leftover (key, since) VALUES ($1, clock_timestamp() + $2::interval)
ON CONFLICT (key) DO NOTHING
"""
KEEP: Final = """
WITH kept AS (
    INSERT INTO sender.media_file AS f (brand, sha256, key, mime_type, size_bytes, animated, kept_until)
    VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp() + $7::interval)
    ON CONFLICT (brand, sha256) DO UPDATE SET kept_until = greatest(f.kept_until, EXCLUDED.kept_until)
    RETURNING *),
-- The same content came before: what was stored now is left over at once.
mine AS (
    DELETE FROM sender.media_leftover AS l USING kept WHERE l.key = $3 AND kept.key = $3),
others AS (
    UPDATE sender.media_leftover AS l SET since = clock_timestamp() FROM kept
     WHERE l.key = $3 AND kept.key <> $3)
SELECT * FROM kept
"""
FIND: Final = "SELECT * FROM sender.media_file WHERE brand = $1 AND sha256 = $2"
END_OLD: Final = """
WITH old AS (
    SELECT f.brand, f.sha256 FROM sender.media_file AS f
     WHERE f.kept_until < clock_timestamp() AND NOT EXISTS (
           SELECT 1 FROM sender.waiting AS w
            WHERE w.parked_why = 'media' AND w.media_next = 'sha256:' || f.sha256 AND w.brand = f.brand)
     ORDER BY f.kept_until LIMIT $1 FOR UPDATE SKIP LOCKED),
gone AS (
    DELETE FROM sender.media_file AS f USING old WHERE f.brand = old.brand AND f.sha256 = old.sha256
    RETURNING f.key),
links AS (
    DELETE FROM sender.media_link WHERE (brand, source) IN (
        SELECT brand, source FROM sender.media_link WHERE expires_at < clock_timestamp()
           FOR UPDATE SKIP LOCKED)),
uploads AS (
    DELETE FROM sender.media_upload WHERE (number, sha256) IN (
        SELECT number, sha256 FROM sender.media_upload WHERE expires_at < clock_timestamp()
           FOR UPDATE SKIP LOCKED)),
work AS (
    DELETE FROM sender.media_work WHERE name IN (
        SELECT name FROM sender.media_work WHERE claimed_until < clock_timestamp() - interval '1 day'
           FOR UPDATE SKIP LOCKED)),
left_over AS (
    INSERT INTO sender.media_leftover (key, since) SELECT key, clock_timestamp() FROM gone
    ON CONFLICT (key) DO NOTHING)
SELECT count(*) FROM gone
"""
LEFTOVERS: Final = """
SELECT key FROM sender.media_leftover WHERE since <= clock_timestamp() ORDER BY since LIMIT $1
"""
CLEARED: Final = """
DELETE FROM sender.media_leftover WHERE key IN (
    SELECT key FROM sender.media_leftover WHERE key = ANY ($1::text[]) ORDER BY key FOR UPDATE)
"""


class PostgresMediaFiles:
    """`MediaFiles` in the schema `sender`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, key: MediaKey, *, within: timedelta) -> None:
        """Write it before the first byte is stored."""
        async with self._database.connection() as connection:
            await connection.execute(BEGIN, key, within)

    async def keep(self, file: MediaFile, *, keep: timedelta) -> MediaFile:
        """Write it in one statement."""
        what = (file.brand, file.sha256, file.key, file.mime_type, file.size_bytes, file.animated)
        async with self._database.connection() as connection:
            [row] = await connection.fetch(KEEP, *what, keep)
        return _file_of(row)

    async def find(self, brand: str, sha256: str) -> MediaFile | None:
        """Look it up."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(FIND, brand, sha256)
        return _file_of(row) if row else None

    async def end_old(self, *, limit: int) -> int:
        """Take out rows; their bytes are left over from then on."""
        async with self._database.connection() as connection:
            count: int = await connection.fetchval(END_OLD, limit)
        return count

    async def leftovers(self, *, limit: int) -> Sequence[MediaKey]:
        """Read the oldest."""
        async with self._database.connection() as connection:
            return [media_key(row["key"]) for row in await connection.fetch(LEFTOVERS, limit)]

    async def cleared(self, keys: Sequence[MediaKey]) -> None:
        """Forget them."""
        async with self._database.connection() as connection:
            await connection.execute(CLEARED, list(keys))


def _file_of(row: asyncpg.Record) -> MediaFile:
    return MediaFile(
        brand=row["brand"],
        sha256=row["sha256"],
        key=media_key(row["key"]),
        mime_type=row["mime_type"],
        size_bytes=row["size_bytes"],
        animated=row["animated"],
        kept_until=row["kept_until"],
    )
