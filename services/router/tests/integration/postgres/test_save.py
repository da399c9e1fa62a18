"""What stands beside states and decisions, in both stores alike: waiting, later grants, campaigns, merges."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from msgspec.structs import fields

from garbo.common.events.ids import ContactId, MessageId, address_hash
from garbo.common.runtime.postgres import Database
from garbo.router.domain.grant import Grant, day_of_instant, grant_id_of
from garbo.router.domain.instants import DAY_US, to_us
from garbo.router.domain.prepared_request import decision_inputs
from garbo.router.domain.state import (
    Case,
    Claims,
    Consent,
    Cooldown,
    Preference,
    Question,
    RecipientState,
    Send,
    Stop,
)
from garbo.router.domain.values import replace
from garbo.router.outbound.postgres.retention import PostgresRetention
from garbo.router.outbound.postgres.store import PostgresStore
from garbo.router.ports.contacts import Address, ConsentEvidence, Contact
from garbo.router.ports.store import Changes, Deferred, Scope, Store, StoredDecision
from services.router.tests.support.build import HASH_KEY
from services.router.tests.support.build_domain import a_request, a_state
from services.router.tests.support.memory import InMemoryStore

pytestmark = pytest.mark.integration

NOW_US = to_us(datetime.now(UTC))
EVERYTHING = RecipientState(
    erased=True,
    claims={"acme": Claims("Europe/Rome", 7, "it", 8)},
    cases={"desk:1": Case(opened_at_us=0, closed_at_us=9), "desk:2": Case(opened_at_us=3)},
    preferences={"1002": Preference("acme", stopped_at_us=1, resumed_at_us=2)},
    suppressed={"*": 5},
    cooldowns={"acme": Cooldown(4, 2, MessageId(UUID(int=8)))},
    questions={"acme": Question(1, 2, "wamid.q")},
    inbound_at_us={"1001": 5},
    inbound=(("wamid.1", 5),),
    stops={"acme": Stop(stopped_at_us=3, started_at_us=4, by="w")},
    consents={
        "acme/*/marketing": Consent(given_at_us=1, confirmed_at_us=2, answered_at_us=3, withdrawn_at_us=0)
    },
    sends=(
        Send(MessageId(UUID(int=2)), 9, "promo", "acme", "spring", "marketing", ("a",), open=True),
        Send(MessageId(UUID(int=3)), 0, "care", "acme", delivered=True),
    ),
)


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest, database: Database) -> Store:
    return InMemoryStore(datetime.now(UTC)) if request.param == "memory" else PostgresStore(database)


INPUTS = decision_inputs(a_request(), a_state())


def address() -> Address:
    phone = f"+39{uuid4().int % 10**10}"
    return Address(kind="phone", value=phone, hash=address_hash(HASH_KEY, "phone", phone))


async def met(store: Store) -> Contact:
    who = address()
    return (await store.get_or_create_contacts([who]))[who.hash]


def decided(contact: Contact) -> StoredDecision:
    message_id = MessageId(uuid4())
    return StoredDecision(message_id, "crm", UUID(int=7), b"h" * 32, contact.contact_id, (b"{}",), INPUTS)


def granted(decision: StoredDecision, *, days_ago: int = 0, epoch: int = 1) -> Grant:
    assert decision.contact_id is not None
    at_us = NOW_US - days_ago * DAY_US
    return Grant(
        grant_id=grant_id_of(decision.message_id, day_of_instant(at_us)),
        message_id=decision.message_id,
        contact_id=decision.contact_id,
        lane="promo",
        message_class="promo",
        brand="acme",
        number="1002",
        epoch=epoch,
        state="reserved",
        not_before_us=at_us,
        valid_until_us=at_us + 900_000_000,
        campaign="spring",
        policy_version="sha256:1",
        budget_leases=(3, 4),
        request=b'{"request":1}',
    )


def waits(decision: StoredDecision, *, campaign: str | None = "spring") -> Deferred:
    assert decision.contact_id is not None
    return Deferred(
        message_id=decision.message_id,
        contact_id=decision.contact_id,
        due_at_us=NOW_US + 9,
        free_at_us=NOW_US + 5,
        first_decided_at_us=NOW_US,
        expires_at_us=None,
        brand="acme",
        campaign=campaign,
        priority=7,
        reason="quiet",
        request=b"{}",
        trace="00-1",
        policy_version="sha256:1",
    )


async def test_every_part_of_a_state_comes_back(store: Store) -> None:
    plain = RecipientState()
    elsewhere = {"version", "campaign_sends", "merged_into"}
    for part in fields(RecipientState):
        alike = getattr(EVERYTHING, part.name) == getattr(plain, part.name)
        assert alike == (part.name in elsewhere), f"{part.name} is not tried here"
    contact = await met(store)
    async with store.transaction() as transaction:
        await transaction.save(Changes(states={contact.contact_id: EVERYTHING}))
    async with store.transaction() as transaction:
        after = (
            (await transaction.load(Scope(contacts=frozenset([contact.contact_id]), lock=False))).states
        )[contact.contact_id]
    assert after == replace(EVERYTHING, version=after.version)


async def test_waiting_request_is_found_by_message_and_by_person_until_it_is_woken(store: Store) -> None:
    contact = await met(store)
    decision = decided(contact)
    waiting = waits(decision)
    async with store.transaction() as transaction:
        await transaction.save(Changes(decisions=[decision], deferred=[waiting]))
    later = replace(waiting, due_at_us=NOW_US + 99, free_at_us=NOW_US + 98, reason="cap_reached")
    async with store.transaction() as transaction:
        assert (await transaction.load(Scope(messages=frozenset([decision.message_id])))).deferred == {
            waiting.message_id: waiting
        }
        assert (await transaction.load(Scope(messages=frozenset([decision.message_id])))).decisions == {
            decision.message_id: replace(decision, inputs=None)
        }
        assert list(
            (
                await transaction.load(Scope(deferred_of=frozenset([contact.contact_id, ContactId(uuid4())])))
            ).deferred.values()
        ) == [waiting]
        await transaction.save(Changes(deferred=[later]))
    async with store.transaction() as transaction:
        assert list(
            (await transaction.load(Scope(deferred_of=frozenset([contact.contact_id])))).deferred.values()
        ) == [later]
        await transaction.save(Changes(no_longer_deferred=[waiting.message_id]))
    async with store.transaction() as transaction:
        assert (await transaction.load(Scope(messages=frozenset([decision.message_id])))).deferred == {}


@pytest.mark.parametrize("days_ago", [0, 1], ids=["same day", "day after"])
async def test_newest_grant_of_a_message_is_the_one_that_is_found(store: Store, days_ago: int) -> None:
    contact = await met(store)
    decision = decided(contact)
    first, second = granted(decision, days_ago=days_ago), granted(decision, epoch=2)
    async with store.transaction() as transaction:
        await transaction.save(Changes(decisions=[decision], grants=[first]))
    async with store.transaction() as transaction:
        over = replace(first, state="revoked", request=None, budget_leases=())
        await transaction.save(Changes(updated_grants=[over]))
    async with store.transaction() as transaction:
        assert (await transaction.load(Scope(messages=frozenset([decision.message_id])))).grants == {
            decision.message_id: over
        }
        await transaction.save(Changes(grants=[second]))
    async with store.transaction() as transaction:
        assert (await transaction.load(Scope(messages=frozenset([decision.message_id])))).grants == {
            decision.message_id: second
        }
        assert (await transaction.load(Scope(grants=frozenset([decision.message_id])))).locked_grants == {
            decision.message_id: second
        }
        assert list(await transaction.find_grants(message_ids=[decision.message_id])) == [second]


async def test_settled_grant_keeps_its_request_while_it_may_be_decided_again(store: Store) -> None:
    contact = await met(store)
    decision = decided(contact)
    grant = granted(decision)
    async with store.transaction() as transaction:
        await transaction.save(Changes(decisions=[decision], grants=[grant]))
    longer = replace(grant, valid_until_us=grant.valid_until_us + 5, policy_version="sha256:2")
    async with store.transaction() as transaction:
        await transaction.save(Changes(updated_grants=[longer]))
    async with store.transaction() as transaction:
        assert (await transaction.load(Scope(messages=frozenset([decision.message_id])))).grants == {
            decision.message_id: longer
        }


async def test_campaign_called_off_and_sends_for_life_are_told_when_asked_about(store: Store) -> None:
    contact = await met(store)
    key = (contact.contact_id, "spring")
    one, two = (Send(MessageId(UUID(int=n)), n, "promo", "acme", "spring") for n in (1, 2))
    async with store.transaction() as transaction:
        cancelled = [("acme", "spring", NOW_US), ("acme", "spring", NOW_US)]
        await transaction.save(Changes(cancelled=cancelled, campaign_sends={key: [one, two]}))
    async with store.transaction() as transaction:
        asked = [("acme", "spring"), ("bolt", "spring")]
        assert (await transaction.load(Scope(campaigns=frozenset(asked)))).cancelled == {("acme", "spring")}
        found = (
            await transaction.load(Scope(campaign_sends=frozenset([key, (contact.contact_id, "winter")])))
        ).campaign_sends
        assert {k: list(v) for k, v in found.items()} == {key: [one, two]}
        moved = replace(two, at_us=50)
        await transaction.save(Changes(campaign_sends={key: [moved]}))
    async with store.transaction() as transaction:
        assert {
            k: list(v)
            for k, v in (
                (await transaction.load(Scope(campaign_sends=frozenset([key])))).campaign_sends
            ).items()
        } == {key: [moved]}


async def test_send_for_life_that_came_back_is_told_no_more_and_one_that_arrived_late_again(
    store: Store,
) -> None:
    contact = await met(store)
    key = (contact.contact_id, "spring")
    one, two = (Send(MessageId(UUID(int=n)), n, "promo", "acme", "spring") for n in (1, 2))
    ours = (contact.contact_id, one.message_id)
    for recounted, left in (
        ({}, [one, two]),
        ({ours: ("spring", None)}, [two]),
        ({ours: ("spring", one)}, [one, two]),
    ):
        counted = {} if recounted else {key: [one, two]}
        async with store.transaction() as transaction:
            await transaction.save(Changes(campaign_sends=counted, campaign_send_updates=recounted))
        async with store.transaction() as transaction:
            assert (
                list(((await transaction.load(Scope(campaign_sends=frozenset([key])))).campaign_sends)[key])
                == left
            )


async def test_who_turned_out_to_be_somebody_else_is_found_there(store: Store) -> None:
    old, kept = await met(store), await met(store)
    decision = decided(old)
    proof = ConsentEvidence(
        uuid4(), old.contact_id, "acme", "whatsapp", "marketing", "given", "form", "crm", NOW_US, NOW_US
    )
    async with store.transaction() as transaction:
        await transaction.save(Changes(decisions=[decision], deferred=[waits(decision)], evidence=[proof]))
    async with store.transaction() as transaction:
        await transaction.save(Changes(states={old.contact_id: RecipientState(merged_into=kept.contact_id)}))
    async with store.transaction() as transaction:
        by_address = await transaction.contacts_at([old.address])
        assert by_address[old.address.hash].contact_id == kept.contact_id
        by_id = await transaction.contacts_of([old.contact_id])
        assert by_id[old.contact_id].contact_id == kept.contact_id
        assert [
            w.contact_id
            for w in (
                await transaction.load(Scope(deferred_of=frozenset([kept.contact_id])))
            ).deferred.values()
        ] == [kept.contact_id]
        state = ((await transaction.load(Scope(contacts=frozenset([old.contact_id])))).states)[old.contact_id]
        assert state.merged_into == kept.contact_id


async def test_partitions_are_made_once(database: Database) -> None:
    store, retention = PostgresStore(database), PostgresRetention(database)
    await store.make_partitions(ahead_days=9)
    assert await store.make_partitions(ahead_days=9) == 0
    assert list(await retention.tidy(keep_days=400, ahead_days=9)) == []
