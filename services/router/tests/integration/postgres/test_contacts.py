"""Several routers that meet the same people at once: one contact each, and nobody waits in a circle."""

import asyncio
import random
from collections import Counter
from dataclasses import replace
from uuid import uuid4

import pytest

from garbo.common.errors import RetryLater
from garbo.common.events.addresses import Person
from garbo.common.events.contacts import ContactUpdated
from garbo.common.events.ids import address_hash
from garbo.common.runtime.postgres import Database
from garbo.router.outbound.postgres.store import PostgresStore
from garbo.router.ports.contacts import Address
from services.router.tests.support.aliases import whose
from services.router.tests.support.build import AT, HASH_KEY, consent, inbound, requested
from services.router.tests.support.claims import a_phone
from services.router.tests.support.router import Router

pytestmark = pytest.mark.integration
WRITERS = 4
STRANGERS = 120
ROUNDS = 6
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
CONTACTS = "SELECT (SELECT count(*) FROM router.contact), (SELECT count(*) FROM router.recipient_state)"


def phone(number: int) -> str:
    return f"+3933300{number:05d}"


OPEN_PROMOS = """
SELECT count(*) FROM router.send_grant WHERE state IN ('reserved', 'dispatched') AND contact_id = $1
"""


async def insist(times: int, router: Router, *events: ContactUpdated) -> None:
    """Hear events as Kafka does: again, until they are taken."""
    for _ in range(times):
        try:
            await router.hear(*events)
        except RetryLater:
            continue
        return
    raise AssertionError("never taken")


def same(phone: str, other: str) -> ContactUpdated:
    return ContactUpdated.model_validate(
        {
            "update_id": uuid4(),
            "client": "crm",
            "to": {"phone": phone},
            "same_as": {"phone": other},
            "occurred_at": AT,
        }
    )


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


async def test_three_contacts_shown_to_be_one_in_one_batch_are_one_for_whoever_asks(
    stored: Router, database: Database
) -> None:
    first, second, third = phones = [a_phone() for _ in range(3)]
    await stored.hear(*(consent(to={"phone": phone}) for phone in phones))
    await stored.hear(inbound("STOP", sender=Person(phone=second)))
    await stored.hear(same(first, second), same(third, first))
    one = {await whose(database, phone) for phone in phones}
    assert len(one) == 1
    told = await stored.ask(*(requested(to={"phone": phone}) for phone in phones))
    assert {(d.contact_id, d.reason) for d in told} == {(*one, "stopped")}


async def test_merges_in_both_directions_and_requests_at_once_leave_one_person_within_the_cap(
    stored: Router, database: Database
) -> None:
    pairs = [(a_phone(), a_phone()) for _ in range(6)]
    for first, second in pairs:
        await stored.hear(consent(to={"phone": first}), consent(to={"phone": second}))

    async def ask(phone: str) -> None:
        for _ in range(3):
            try:
                await stored.ask(*[requested(to={"phone": phone}) for _ in range(2)])
            except RetryLater:
                continue

    for first, second in pairs:
        await asyncio.gather(
            ask(first),
            ask(second),
            insist(9, stored, same(first, second)),
            insist(9, stored, same(second, first)),
        )
        contact_id = await whose(database, first)
        assert contact_id == await whose(database, second)
        async with database.connection() as connection:
            assert await connection.fetchval(OPEN_PROMOS, contact_id) <= 3, "3 in 7 days, all together"
    async with database.connection() as connection:
        merged = await connection.fetchval(
            "SELECT count(*) FROM router.contact WHERE merged_into IS NOT NULL"
        )
    assert merged == len(pairs)
