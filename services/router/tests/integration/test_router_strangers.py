"""Several routers that meet the same strangers at once: one contact each, and nobody waits in a circle."""

import asyncio
import random
from collections import Counter

import pytest

from garbo.common.errors import RetryLater
from garbo.common.events.ids import address_hash
from garbo.common.runtime.postgres import Database
from garbo.router.domain.values import replace
from garbo.router.outbound.postgres.store import PostgresStore
from garbo.router.ports.contacts import Address
from services.router.tests.support.build import HASH_KEY, requested
from services.router.tests.support.router import Router

pytestmark = pytest.mark.integration

WRITERS = 4
STRANGERS = 120
ROUNDS = 6
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
CONTACTS = "SELECT (SELECT count(*) FROM router.contact), (SELECT count(*) FROM router.recipient_state)"


def phone(number: int) -> str:
    return f"+3933300{number:05d}"


async def test_four_writers_make_the_same_strangers_without_a_deadlock(
    stored: Router, database: Database
) -> None:
    """Each writer asks for the same people in its own order, several times; each batch also locks them."""
    problems: Counter[str] = Counter()

    async def write(seed: int) -> None:
        router = replace(stored, store=PostgresStore(database))
        chance = random.Random(seed)
        for begin in range(0, STRANGERS * ROUNDS, STRANGERS):
            numbers = list(range(begin, begin + STRANGERS))
            chance.shuffle(numbers)
            try:
                await router.ask(*(requested(to={"phone": phone(number)}) for number in numbers))
            except RetryLater as later:
                problems[later.why] += 1

    await asyncio.gather(*(write(seed) for seed in range(WRITERS)))
    assert problems == {}
    async with database.connection() as connection:
        assert tuple(await connection.fetchrow(CONTACTS) or ()) == (STRANGERS * ROUNDS, STRANGERS * ROUNDS)
        assert await connection.fetchval(DEADLOCKS) == 0


async def test_everybody_is_told_the_same_contact(database: Database) -> None:
    addresses = [Address("phone", phone(n), address_hash(HASH_KEY, "phone", phone(n))) for n in range(200)]

    async def get_or_create_contacts(seed: int) -> dict[str, object]:
        mine = random.Random(seed).sample(addresses, len(addresses))
        return dict(await PostgresStore(database).get_or_create_contacts(mine))

    first, *others = await asyncio.gather(*(get_or_create_contacts(seed) for seed in range(WRITERS)))
    assert len(first) == len(addresses)
    assert all(other == first for other in others)
