"""Whose an address is, on a real database."""

from uuid import UUID

from garbo.common.events.ids import ContactId, address_hash
from garbo.common.runtime.postgres import Database
from services.router.tests.support.build import HASH_KEY


def hash_of(phone: str) -> str:
    return address_hash(HASH_KEY, "phone", phone)


async def whose(database: Database, phone: str) -> ContactId:
    async with database.connection() as connection:
        found = await connection.fetchval(
            "SELECT contact_id FROM router.alias WHERE address_hash = $1", hash_of(phone)
        )
    assert isinstance(found, UUID)
    return ContactId(found)
