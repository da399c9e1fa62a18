"""The fake store and PostgreSQL answer alike: one suite, both stores."""

from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID, uuid4

import pytest

from garbo.common.errors import RetryLater
from garbo.common.events.ids import AddressKind, ContactId, MessageId, address_hash
from garbo.common.events.template_observed import TemplateObserved
from garbo.common.events.template_takes import Takes
from garbo.common.runtime.postgres import Database
from garbo.router.domain.grant import Grant, day_of_instant, grant_id_of
from garbo.router.domain.instants import DAY_US, to_us
from garbo.router.domain.state import Consent, RecipientState, Send, Stop
from garbo.router.domain.templates import TemplateCategory
from garbo.router.domain.values import replace
from garbo.router.outbound.postgres.store import PostgresStore
from garbo.router.ports.contacts import Address, Contact, Link
from garbo.router.ports.store import Changes, Scope, Store, StoredDecision
from services.router.tests.support.build import HASH_KEY
from services.router.tests.support.memory import InMemoryStore

pytestmark = pytest.mark.integration


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest, database: Database) -> Store:
    return InMemoryStore(datetime.now(UTC)) if request.param == "memory" else PostgresStore(database)


def address(value: str | None = None, kind: str = "phone") -> Address:
    named = cast("AddressKind", kind)
    text = value or f"+39{uuid4().int % 10**10}"
    return Address(kind=named, value=text, hash=address_hash(HASH_KEY, named, text))


async def met(store: Store, who: Address) -> Contact:
    return (await store.get_or_create_contacts([who]))[who.hash]


def decided(contact: Contact, message_id: MessageId, record: bytes = b"{}") -> StoredDecision:
    return StoredDecision(message_id, "crm", UUID(int=7), b"h" * 32, contact.contact_id, (record,))


def granted(contact: Contact, message_id: MessageId) -> Grant:
    now_us = to_us(datetime.now(UTC))
    return Grant(
        grant_id=grant_id_of(message_id, day_of_instant(now_us)),
        message_id=message_id,
        contact_id=contact.contact_id,
        lane="promo",
        message_class="promo",
        brand="acme",
        number="1002",
        epoch=1,
        state="reserved",
        not_before_us=now_us,
        valid_until_us=now_us + 900_000_000,
        campaign="spring",
        category="marketing",
        tags=("a", "b.c"),
    )


FULL = RecipientState(
    erased=True,
    inbound_at_us={"1001": 5},
    inbound=(("wamid.1", 5),),
    stops={"acme": Stop(stopped_at_us=3, started_at_us=4, by="w")},
    consents={"acme/*/marketing": Consent(given_at_us=1, confirmed_at_us=2, answered_at_us=3)},
    sends=(
        Send(MessageId(UUID(int=2)), 9, "promo", "acme", "spring", "marketing", ("a",), open=True),
        Send(MessageId(UUID(int=3)), 8, "care", "acme"),
    ),
)


async def test_contacts_are_minted_once_and_found_again(store: Store) -> None:
    known, stranger, group = address(), address(), address("group-1", "group_id")
    first = await met(store, known)
    async with store.transaction() as transaction:
        assert stranger.hash not in await transaction.contacts_at([known, stranger])
    found = await store.get_or_create_contacts([known, stranger, group, known])
    async with store.transaction() as transaction:
        again = await transaction.contacts_at([known, stranger, group])
        states = (
            await transaction.load(
                Scope(contacts=frozenset([contact.contact_id for contact in found.values()]))
            )
        ).states
        by_id = await transaction.contacts_of([first.contact_id, ContactId(uuid4())])
    assert found == again
    assert found[known.hash] == first
    assert found[group.hash].kind == "group"
    assert len(states) == 3
    assert all(state == RecipientState(version=state.version) for state in states.values())
    assert by_id == {first.contact_id: first}


async def test_linked_address_leads_to_the_same_contact_and_is_never_taken_away(store: Store) -> None:
    phone, user_id, other = address(), address("IT.77", "user_id"), address()
    contact, stranger = await met(store, phone), await met(store, other)
    home_id = contact.contact_id
    new = {a.hash: Link(a, contact.contact_id, home_id) for a in (user_id, other)}
    async with store.transaction() as transaction:
        await transaction.load(Scope(contacts=frozenset([contact.contact_id]), new_addresses=new))
        found = await transaction.contacts_at([user_id, other])
        by_id = await transaction.contacts_of([contact.contact_id])
    assert found[user_id.hash].contact_id == contact.contact_id
    assert found[other.hash].contact_id == stranger.contact_id
    assert by_id[contact.contact_id].address == phone, "a phone is preferred"


async def test_state_comes_back_as_it_was_written_under_its_next_version(store: Store) -> None:
    contact = await met(store, address())
    async with store.transaction() as transaction:
        before = ((await transaction.load(Scope(contacts=frozenset([contact.contact_id])))).states)[
            contact.contact_id
        ]
        await transaction.save(Changes(states={contact.contact_id: FULL}))
    async with store.transaction() as transaction:
        after = (
            (await transaction.load(Scope(contacts=frozenset([contact.contact_id]), lock=False))).states
        )[contact.contact_id]
    assert after.version == before.version + 1
    assert after == replace(FULL, version=after.version)


async def test_decision_and_grant_are_found_by_message_and_by_wamid(store: Store) -> None:
    contact, message_id = await met(store, address()), MessageId(uuid4())
    grant, decision = granted(contact, message_id), decided(contact, message_id)
    unknown = MessageId(uuid4())
    async with store.transaction() as transaction:
        await transaction.save(Changes(decisions=[decision], grants=[grant]))
    async with store.transaction() as transaction:
        snapshot = await transaction.load(Scope(messages=frozenset([message_id, unknown])))
        assert snapshot.decisions == {message_id: decision}
        assert snapshot.grants == {message_id: grant}
        assert (await transaction.load(Scope(grants=frozenset([unknown, message_id])))).locked_grants == {
            message_id: grant
        }
        settled = replace(grant, state="accepted", wamid=f"w{message_id}")
        await transaction.save(Changes(updated_grants=[settled], decision_updates={message_id: b"{2}"}))
    async with store.transaction() as transaction:
        assert list(await transaction.find_grants(message_ids=[message_id])) == [settled]
        both = await transaction.find_grants(message_ids=[message_id], wamids=[f"w{message_id}", "none"])
        assert list(both) == [settled]
        assert list(await transaction.find_grants(wamids=[f"w{message_id}"])) == [settled]
    stored = await store.decision(message_id)
    assert stored is not None
    assert stored.records == (b"{}", b"{2}")
    assert await store.decision(unknown) is None


async def test_second_decision_about_a_message_is_told_to_come_back(store: Store) -> None:
    contact, message_id = await met(store, address()), MessageId(uuid4())
    for attempt in ("first", "second"):
        try:
            async with store.transaction() as transaction:
                await transaction.save(Changes(decisions=[decided(contact, message_id, attempt.encode())]))
        except RetryLater:
            assert attempt == "second"
    stored = await store.decision(message_id)
    assert stored is not None
    assert stored.records == (b"first",)


async def test_nothing_of_a_failed_batch_stays(store: Store) -> None:
    contact, message_id = await met(store, address()), MessageId(uuid4())

    async def fail_after_writing() -> None:
        async with store.transaction() as transaction:
            changes = Changes({contact.contact_id: FULL}, decisions=[decided(contact, message_id)])
            await transaction.save(changes)
            raise RetryLater("test")

    with pytest.raises(RetryLater):
        await fail_after_writing()
    async with store.transaction() as transaction:
        states = (await transaction.load(Scope(contacts=frozenset([contact.contact_id])))).states
        assert states[contact.contact_id].inbound == ()
    assert await store.decision(message_id) is None


async def test_templates_are_new_in_the_next_look_and_an_older_word_changes_nothing(store: Store) -> None:
    def told(category: str | None, at_us: int, status: str | None = None) -> Changes:
        change = TemplateCategory(
            waba="9001",
            name="shipped",
            language="it",
            category=category,
            changed_at_us=at_us,
            status=status,
            categorised_at_us=None if category is None else at_us,
        )
        return Changes(templates=[change])

    for changes in (told("utility", 20), told("marketing", 10), told(None, 30, "PAUSED")):
        async with store.transaction() as transaction:
            await transaction.save(changes)
    async with store.transaction() as transaction:
        templates = (await transaction.load(Scope())).templates
    known = templates.known["9001", "shipped", "it"]
    assert (known.category, known.status, known.changed_at_us) == ("utility", "PAUSED", 30)
    for changes in (told("authentication", 25), told(None, 22, "APPROVED")):
        async with store.transaction() as transaction:
            await transaction.save(changes)
    async with store.transaction() as transaction:
        templates = (await transaction.load(Scope())).templates
    known = templates.known["9001", "shipped", "it"]
    assert (known.category, known.status, known.changed_at_us) == ("authentication", "PAUSED", 30)


async def test_newest_reading_of_a_template_is_kept_whole(
    store: Store,
) -> None:
    def read(at: datetime, status: str) -> TemplateObserved:
        takes = Takes(header="IMAGE", body_values=("1",))
        return TemplateObserved(
            waba="9001", name="sale", language="it", status=status, takes=takes, observed_at=at
        )

    at = datetime(2026, 6, 1, 10, tzinfo=UTC)
    for reading in (read(at, "APPROVED"), read(at - timedelta(hours=1), "PENDING")):
        async with store.transaction() as transaction:
            await transaction.save(Changes(observed=[reading]))
    async with store.transaction() as transaction:
        templates = (await transaction.load(Scope())).templates
    assert templates.observed.known == {"9001:sale:it": read(at, "APPROVED")}


@pytest.mark.parametrize("days_until", [1, -1], ids=["still announced", "its day has come"])
async def test_announced_category_outlives_a_reading_until_its_day(store: Store, days_until: int) -> None:
    told = TemplateCategory(
        waba="9001",
        name="shipped",
        language="it",
        category="utility",
        changed_at_us=DAY_US,
        next_category="marketing",
        next_at_us=(3 + days_until) * DAY_US,
        categorised_at_us=DAY_US,
    )
    reading = replace(
        told,
        changed_at_us=3 * DAY_US,
        categorised_at_us=3 * DAY_US,
        next_category=None,
        next_at_us=None,
        was_read=True,
    )
    for changes in (Changes(templates=[told]), Changes(templates=[reading])):
        async with store.transaction() as transaction:
            await transaction.save(changes)
    async with store.transaction() as transaction:
        templates = (await transaction.load(Scope())).templates
    known = templates.known["9001", "shipped", "it"]
    assert known.next_category == ("marketing" if days_until > 0 else None)


async def test_clock_is_near_and_never_steps_back_within_a_batch(store: Store) -> None:
    async with store.transaction() as transaction:
        first, second = await transaction.load(Scope()), await transaction.load(Scope())
    assert abs(first.now_us - to_us(datetime.now(UTC))) < timedelta(minutes=5) / timedelta(microseconds=1)
    assert second.now_us >= first.now_us
