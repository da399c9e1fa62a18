"""Scenario 57: who is erased or stands on a list stays away until they opt in themselves."""

import asyncio
import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from garbo.common.errors import RetryLater
from garbo.common.events.addresses import Person
from garbo.common.events.ids import ContactId, address_hash
from garbo.common.events.topics import CONTACT_ERASED, CONVERSATION_CARE
from garbo.common.runtime.postgres import Database
from garbo.router.domain.decide import decide
from garbo.router.domain.instants import to_us
from garbo.router.domain.policy import Policy
from garbo.router.domain.state import Consent
from garbo.router.flow.commands.erase_contact import EraseContact
from garbo.router.flow.commands.import_suppressions import ImportSuppressions, SuppressionEntry
from garbo.router.ports.contacts import Address
from services.router.tests.support.aliases import hash_of, whose
from services.router.tests.support.build import (
    AT,
    EVERYBODY,
    HASH_KEY,
    OTHER_PHONE,
    PHONE,
    consent,
    inbound,
    requested,
    result,
)
from services.router.tests.support.build_domain import JUNE_5, a_request, a_state
from services.router.tests.support.claims import a_phone
from services.router.tests.support.in_memory import contact_of, last_of
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.policies import ERASED, ONE_A_WEEK, OPT_IN, STOPPED, MakePolicy
from services.router.tests.support.router import Router

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def listed(phone: str = PHONE, *, brand: str = "*", since: datetime = AT) -> SuppressionEntry:
    address = Address(kind="phone", value=phone, hash=address_hash(HASH_KEY, "phone", phone))
    return SuppressionEntry(address, brand, to_us(since), "registry")


TABLES = """
SELECT table_name FROM information_schema.tables WHERE table_schema = 'router' AND table_type = 'BASE TABLE'
"""
STATES = "SELECT count(*) FROM router.recipient_state WHERE convert_from(state, 'UTF8')::jsonb ? 'sends'"


@pytest.mark.parametrize(
    ("consent", "verdict"),
    [
        (Consent(given_at_us=9), "deny"),
        (Consent(given_at_us=10), "deny"),
        (Consent(given_at_us=11), "allow"),
        (Consent(given_at_us=1, confirmed_at_us=11), "allow"),
        (Consent(given_at_us=1, imported_at_us=11), "deny"),
    ],
    ids=["given before", "in the same instant", "given after", "confirmed after", "imported after"],
)
def test_scenario_57_a_suppressed_person_stays_so_until_they_opt_in_themselves(
    make_policy: MakePolicy, consent: Consent, verdict: str
) -> None:
    state = a_state(suppressed={"*": 10}, consents={"acme/*/marketing": consent})
    decision = decide(make_policy(STOPPED, OPT_IN), state, a_request(), JUNE_5)
    assert decision.verdict == verdict
    assert decision.reason == ("allowed" if verdict == "allow" else "suppressed")


async def test_scenario_57_erasure_leaves_no_number_and_no_link_and_drops_what_waits(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(ERASED, STOPPED, OPT_IN, ONE_A_WEEK)
    given = consent()
    await router.hear(given, inbound("hello"))
    granted, waits = requested(), requested()
    await router.ask(granted)
    await router.ask(waits)
    contact_id = contact_of(memory)
    erasing = EraseContact(router.dependencies)
    assert await erasing.erase(contact_id, EVERYBODY)
    assert await erasing.erase(contact_id, EVERYBODY), "again"
    await router.tell()
    reasons = {m: (d.verdict, d.reason) for m, d in last_of(router).items()}
    assert reasons == {granted.message_id: ("deny", "erased"), waits.message_id: ("deny", "erased")}
    tables = memory.tables
    hashed = address_hash(HASH_KEY, "phone", PHONE)
    assert tables.erased_addresses.keys() == {hashed}, "for 33 days, so that nothing late brings them back"
    everything = repr(dataclasses.replace(tables, outbox=(), erased_addresses={}))
    assert PHONE[1:] not in everything
    assert hashed not in everything, "nobody opted out: nothing of the address stays"
    assert not tables.deferred
    assert not any(grant.request for grant in tables.grants.values())
    await router.hear(given)
    assert not memory.tables.aliases, "an old record of consent brings nobody back"
    memory.advance(HOUR)
    (refused,) = await router.ask(requested(requested_at=memory.now))
    assert refused.reason == "not_opted_in"
    assert await erasing.erase(ContactId(uuid4()), EVERYBODY) is None


async def test_scenario_57_who_opted_out_and_was_erased_stays_suppressed_when_imported_again(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(ERASED, STOPPED, OPT_IN)
    memory.advance(HOUR)
    await router.hear(consent(), inbound("STOP"))
    erased = await EraseContact(router.dependencies).erase(contact_of(memory), EVERYBODY)
    assert erased is not None
    assert erased.suppressed
    memory.advance(DAY)
    await router.hear(consent("imported", occurred_at=memory.now, recorded_at=memory.now))
    (refused,) = await router.ask(requested(requested_at=memory.now))
    assert refused.reason == "suppressed"
    memory.advance(DAY)
    await router.hear(consent("given", occurred_at=memory.now, recorded_at=memory.now))
    (allowed,) = await router.ask(requested(requested_at=memory.now))
    assert allowed.verdict == "allow", "a consent that is newer than the opt-out outweighs it"


async def test_a_list_reaches_who_is_known_who_comes_later_and_what_was_granted(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(STOPPED)
    promo = requested()
    await router.ask(promo)
    known = await ImportSuppressions(router.dependencies).take([listed(), listed(OTHER_PHONE, brand="acme")])
    await router.tell()
    assert known == 1
    last = last_of(router)[promo.message_id]
    assert (last.verdict, last.reason) == ("deny", "suppressed")
    late = await router.ask(requested(to={"phone": OTHER_PHONE}))
    other_brand = await router.ask(requested(to={"phone": OTHER_PHONE}, brand="bolt"))
    assert [d.reason for d in (*late, *other_brand)] == ["suppressed", "allowed"]


@pytest.mark.integration
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
    await asyncio.gather(ask(), erasing.erase(contact_id, EVERYBODY), ask())
    assert await erasing.erase(contact_id, EVERYBODY)
    await stored.tell()
    async with database.connection() as connection:
        tables = [row["table_name"] for row in await connection.fetch(TABLES)]
        for table in tables:
            rows = await connection.fetch(f"SELECT t::text AS row FROM router.{table} t")
            told = " ".join(row["row"] for row in rows)
            assert phone[1:] not in told, table
            assert phone[1:].encode().hex() not in told, table
            if table not in ("suppression", "erased_address"):
                assert hash_of(phone) not in told, table
        proofs = await connection.fetch(
            "SELECT contact_id, action FROM router.consent_record ORDER BY action"
        )
        assert [(p["contact_id"], p["action"]) for p in proofs] == [(None, "given"), (None, "withdrawn")]
        assert await connection.fetchval(STATES) == 0
        kept = await connection.fetch("SELECT brand, source FROM router.suppression")
    assert [(row["brand"], row["source"]) for row in kept] == [("acme", "opted_out")]
    later = datetime.now(UTC) + HOUR
    await stored.hear(consent("imported", to={"phone": phone}, recorded_at=later))
    (refused,) = await stored.ask(requested(to={"phone": phone}, requested_at=later))
    assert refused.reason == "suppressed"


@pytest.fixture(params=["memory", "postgres"])
def either(request: pytest.FixtureRequest) -> Router:
    """A router over the fake store, or over PostgreSQL."""
    router: Router = request.getfixturevalue("router" if request.param == "memory" else "stored")
    return router


@pytest.mark.integration
async def test_an_erasure_is_told_with_all_ids_the_person_had_and_told_again(either: Router) -> None:
    phone, user_id = a_phone(), f"IT.{uuid4().int}"[:24]
    await either.hear(consent(to={"phone": phone}), inbound(sender=Person(phone=phone)))
    await either.hear(inbound(sender=Person(user_id=user_id)))
    told_of = {e.contact_id for e in either.publisher.of(CONVERSATION_CARE)}
    await either.hear(inbound(sender=Person(phone=phone, user_id=user_id)))
    last = either.publisher.of(CONVERSATION_CARE)[-1].contact_id
    erasing = EraseContact(either.dependencies)
    for _ in range(2):
        assert await erasing.erase(ContactId(last), EVERYBODY)
    await either.tell()
    news = either.publisher.of(CONTACT_ERASED)
    assert len(told_of) == len(news) == 2
    assert {frozenset(one.all_ids) for one in news} == {frozenset(told_of)}
    assert {one.contact_id for one in news} == {last}


@pytest.mark.integration
async def test_what_a_client_wrote_as_evidence_goes_with_the_person(
    stored: Router, database: Database
) -> None:
    phone = a_phone()
    await stored.hear(consent(to={"phone": phone}, evidence="signed by Maria at the till", locale="it"))
    await EraseContact(stored.dependencies).erase(await whose(database, phone), EVERYBODY)
    async with database.connection() as connection:
        (proof,) = await connection.fetch("SELECT evidence, locale, action FROM router.consent_record")
    assert tuple(proof) == (None, "it", "given")


@pytest.mark.integration
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
