"""Recipients by the million, written by SQL; those the benchmark asks for stand scattered among them."""

from typing import Final

import asyncpg

from garbo.common.events.ids import address_hash

SCATTER: Final = 7_919
"""A prime: the asked ones are not neighbours on disk."""
STATE: Final = """{"consents":{"acme/*/marketing":{"given_at":1750000000000000}},"sends":[
{"id":"6b1cbbd0-6a4f-5f0e-9c0d-0c3f5b7d2a01","at":1750000000000000,"class":"promo","brand":"acme","campaign":"spring"},
{"id":"6b1cbbd0-6a4f-5f0e-9c0d-0c3f5b7d2a02","at":1760000000000000,"class":"promo","brand":"acme","campaign":"summer"}]}"""
ASKED: Final = "CREATE TEMP TABLE asked (place bigint PRIMARY KEY, hash text, phone text)"
NUMBERED: Final = """
SELECT n, md5('person' || n)::uuid AS contact_id, coalesce(a.hash, md5('address' || n)) AS hash,
       coalesce(a.phone, '+390' || n) AS phone
FROM generate_series($1::bigint, $2::bigint - 1) AS n LEFT JOIN asked a ON a.place = n
"""
CONTACTS: Final = (
    f"INSERT INTO router.contact (contact_id, kind) SELECT contact_id, 'person' FROM ({NUMBERED}) AS p"
)
ALIASES: Final = f"""
INSERT INTO router.alias (address_hash, kind, value, contact_id)
SELECT hash, 'phone', phone, contact_id FROM ({NUMBERED}) AS p
"""
STATES: Final = f"""
INSERT INTO router.recipient_state (contact_id, version, state)
SELECT contact_id, 1, convert_to($3, 'UTF8') FROM ({NUMBERED}) AS p
"""
AT_ONCE: Final = 1_000_000


def phone_of(person: int) -> str:
    """Give the number of one of those that are asked for."""
    return f"+39333{person:07d}"


async def write_people(dsn: str, hash_key: bytes, *, rows: int, asked: int) -> None:
    """Write `rows` people with some history; the first `asked` numbers belong to people among them."""
    connection = await asyncpg.connect(dsn, timeout=30)
    try:
        await connection.execute(ASKED)
        records = [
            ((n * SCATTER) % rows, address_hash(hash_key, "phone", phone_of(n)), phone_of(n))
            for n in range(asked)
        ]
        await connection.copy_records_to_table("asked", records=records)
        await connection.execute("SET synchronous_commit = off")
        for first in range(0, rows, AT_ONCE):
            end = min(rows, first + AT_ONCE)
            await connection.execute(CONTACTS, first, end, timeout=600)
            await connection.execute(ALIASES, first, end, timeout=600)
            await connection.execute(STATES, first, end, STATE, timeout=600)
        for table in ("contact", "alias", "recipient_state"):
            await connection.execute(f"VACUUM ANALYZE router.{table}", timeout=600)
        await connection.execute("CHECKPOINT", timeout=600)
    finally:
        await connection.close()
