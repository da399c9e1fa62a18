"""People under real locks: STOP and claims, merges, erasure and lists against requests, all at once."""

import asyncio
from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest

from garbo.common.errors import RetryLater
from garbo.common.events.addresses import Person
from garbo.common.events.contacts import ContactUpdated
from garbo.common.events.ids import ContactId, address_hash
from garbo.common.runtime.postgres import Database
from garbo.router.domain.instants import to_us
from garbo.router.flow.commands.erase_contact import EraseContact
from garbo.router.flow.commands.import_suppressions import ImportSuppressions, SuppressionEntry
from garbo.router.ports.contacts import Address
from services.router.tests.support.build import AT, HASH_KEY, consent, inbound, requested, result
from services.router.tests.support.router import Router

pytestmark = pytest.mark.integration

CLAIM = "SELECT claimed FROM router.claim_grants($1::uuid[], $2::int[])"
TABLES = """
SELECT table_name FROM information_schema.tables WHERE table_schema = 'router' AND table_type = 'BASE TABLE'
"""
STATES = "SELECT count(*) FROM router.recipient_state WHERE convert_from(state, 'UTF8')::jsonb ? 'sends'"
OPEN_PROMOS = """
SELECT count(*) FROM router.send_grant WHERE state IN ('reserved', 'dispatched') AND contact_id = $1
"""


def a_phone() -> str:
    return f"+39333{uuid4().int % 10**7:07d}"


def hash_of(phone: str) -> str:
    return address_hash(HASH_KEY, "phone", phone)


async def whose(database: Database, phone: str) -> ContactId:
    async with database.connection() as connection:
        found = await connection.fetchval(
            "SELECT contact_id FROM router.alias WHERE address_hash = $1", hash_of(phone)
        )
    assert isinstance(found, UUID)
    return ContactId(found)


async def claimed(database: Database, router: Router) -> Sequence[bool]:
    async with database.transaction() as connection:
        grants = [(g.grant_id, g.epoch) for g in router.granted]
        rows = await connection.fetch(CLAIM, [g for g, _ in grants], [epoch for _, epoch in grants])
    return [row["claimed"] for row in rows]


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


async def test_scenario_47_stop_and_claim_at_once_one_of_them_has_it(
    stored: Router, database: Database
) -> None:
    for _ in range(10):
        phone, before = a_phone(), len(stored.granted)
        await stored.hear(consent(to={"phone": phone}))
        await stored.ask(requested(to={"phone": phone}))
        mine = Router(stored.store, stored.policy, outbox=stored.outbox)
        mine.publisher.told.extend(stored.publisher.told[-2:])
        stop = stored.hear(inbound("STOP", sender=Person(phone=phone)))
        took, _ = await asyncio.gather(claimed(database, mine), stop)
        async with database.connection() as connection:
            state = await connection.fetchval(
                "SELECT state FROM router.send_grant WHERE grant_id = $1", stored.granted[before].grant_id
            )
        assert (took[-1], state) in [(True, "dispatched"), (False, "revoked")]


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


async def test_scenario_57_erasure_and_requests_at_once_leave_nothing_that_leads_to_the_number(
    stored: Router, database: Database
) -> None:
    phone = a_phone()
    await stored.hear(consent(to={"phone": phone}), inbound(sender=Person(phone=phone)))
    promo = requested(to={"phone": phone})
    await stored.ask(promo, requested(to={"phone": phone}, client="desk", purpose="care"))
    await stored.hear(result(stored.granted[0], "accepted", wamid="wamid.HBgM" + phone[1:]))
    contact_id = await whose(database, phone)
    await stored.hear(inbound("STOP", sender=Person(phone=phone)))

    async def ask() -> None:
        for _ in range(5):
            try:
                await stored.ask(requested(to={"contact_id": str(contact_id)}))
            except RetryLater:
                continue

    erasing = EraseContact(stored.dependencies)
    await asyncio.gather(ask(), erasing.erase(contact_id), ask())
    assert await erasing.erase(contact_id)
    await stored.tell()
    async with database.connection() as connection:
        tables = [row["table_name"] for row in await connection.fetch(TABLES)]
        for table in tables:
            rows = await connection.fetch(f"SELECT t::text AS row FROM router.{table} t")
            told = " ".join(row["row"] for row in rows)
            assert phone[1:] not in told, table
            assert phone[1:].encode().hex() not in told, table
            if table != "suppression":
                assert hash_of(phone) not in told, table
        proofs = await connection.fetch(
            "SELECT contact_id, action FROM router.consent_record ORDER BY action"
        )
        assert [(p["contact_id"], p["action"]) for p in proofs] == [(None, "given"), (None, "withdrawn")]
        assert await connection.fetchval(STATES) == 0
        kept = await connection.fetch("SELECT brand, source FROM router.suppression")
    assert [(row["brand"], row["source"]) for row in kept] == [("acme", "opted_out")]
    await stored.hear(consent("imported", to={"phone": phone}))
    (refused,) = await stored.ask(requested(to={"phone": phone}))
    assert refused.reason == "suppressed"


async def test_a_list_and_first_meetings_at_once_miss_nobody(stored: Router) -> None:
    phones = [a_phone() for _ in range(20)]
    entries = [
        SuppressionEntry(Address(kind="phone", value=p, hash=hash_of(p)), "*", to_us(AT), "registry")
        for p in phones
    ]
    meetings = [stored.hear(inbound(sender=Person(phone=phone))) for phone in phones]
    await asyncio.gather(ImportSuppressions(stored.dependencies).take(entries), *meetings)
    decided = await stored.ask(*[requested(to={"phone": phone}) for phone in phones])
    assert {d.reason for d in decided} == {"suppressed"}


async def test_scenario_60_a_fallback_granted_again_can_be_claimed_under_its_epoch_only(
    stored: Router, database: Database
) -> None:
    phone = a_phone()
    await stored.hear(consent(to={"phone": phone}), inbound(sender=Person(phone=phone), occurred_at=AT))
    async with database.connection() as connection:
        now = await connection.fetchval("SELECT clock_timestamp()")
    await stored.hear(inbound(sender=Person(phone=phone), occurred_at=now))
    promo = requested(
        to={"phone": phone},
        content={"type": "text", "text": {"body": "offers!"}},
        fallback={"template": {"name": "sale", "language": {"code": "it"}}},
    )
    await stored.ask(promo)
    first = stored.granted[-1]
    await stored.hear(result(first, "not_sent", reason="window_closing", epoch=first.epoch))
    second = stored.granted[-1]
    assert (second.epoch, second.content.type) == (first.epoch + 1, "template")
    async with database.transaction() as connection:
        (old,) = await connection.fetch(CLAIM, [first.grant_id], [first.epoch])
        (new,) = await connection.fetch(CLAIM, [second.grant_id], [second.epoch])
    assert (old["claimed"], new["claimed"]) == (False, True)
