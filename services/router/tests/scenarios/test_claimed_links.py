"""What a client says of two addresses: a claim of its brands, never where to write to, undone by a split."""

from collections.abc import Mapping
from typing import Any, Final

import pytest

from garbo.common.errors import Reject
from garbo.common.events.addresses import Person
from garbo.common.events.contacts import ContactUpdated
from garbo.common.events.ids import ContactId, address_hash
from garbo.router.domain.state import RecipientState
from garbo.router.flow.commands.split_contact import NotTheirsToSplit, SplitContact
from garbo.router.flow.directory import Directory
from garbo.router.flow.merge_contacts import MOST_ADDRESSES
from garbo.router.outbound.postgres.queries import PostgresContactReader
from garbo.router.ports.contacts import Address
from garbo.router.ports.store import Scope
from services.router.tests.support.build import (
    EVERYBODY,
    HASH_KEY,
    OTHER_NUMBER,
    OTHER_PHONE,
    PHONE,
    business,
    consent,
    inbound,
    requested,
    template,
    update,
)
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.policies import ONE_A_WEEK, MakePolicy
from services.router.tests.support.router import Router

USER_ID: Final = "IT.13491208655302741918"
RIVAL: Final = {
    "id": "rival",
    "brands": ["bolt"],
    "purposes": ["care", "promo"],
    "scopes": ["publish", "link"],
}
SHOP: Final = {
    "id": "shop",
    "brands": ["acme"],
    "purposes": ["promo", "utility"],
    "scopes": ["publish", "link"],
}
CLIENTS: Final = [*(client.model_dump() for client in business().clients), RIVAL, SHOP]


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.integration)])
def either(request: pytest.FixtureRequest) -> Router:
    """A router in memory, and one over real PostgreSQL."""
    router: Router = request.getfixturevalue("router" if request.param == "memory" else "stored")
    router.business = business(clients=CLIENTS)
    return router


async def who(router: Router, phone: str) -> ContactId:
    """Give whose phone it is."""
    hashed = address_hash(HASH_KEY, "phone", phone)
    async with router.store.transaction() as transaction:
        found = await transaction.contacts_at([Address("phone", phone, hashed)])
    return found[hashed].contact_id


async def state_of(router: Router, contact_id: ContactId) -> RecipientState:
    """Read a contact's row."""
    async with router.store.transaction() as transaction:
        snapshot = await transaction.load(Scope(contacts=frozenset([contact_id])))
    return snapshot.states[contact_id]


async def written_to(router: Router, contact_id: ContactId) -> Mapping[str, str]:
    """Let acme answer a contact by their id, and give the address that the sender is told."""
    request = requested(to={"contact_id": contact_id}, purpose="utility", content=template("shipped"))
    (decision,) = await router.ask(request)
    assert decision.verdict == "allow", decision.reason
    (grant,) = [g for g in router.granted if g.message_id == request.message_id]
    return grant.to.model_dump(exclude_none=True)


def same(to: Mapping[str, Any], other: Mapping[str, Any], *, client: str = "shop") -> ContactUpdated:
    """Let a client say that two names are one person's."""
    return update(client=client, to=to, same_as=other)


async def met(router: Router, *phones: str) -> list[ContactId]:
    """Let people write to acme: their windows are open."""
    await router.hear(*(inbound("ciao", sender=Person(phone=phone)) for phone in phones))
    return [await who(router, phone) for phone in phones]


@pytest.mark.parametrize("reverse", [False, True])
async def test_nobody_of_another_brand_joins_a_person_to_their_own_phone(
    either: Router, *, reverse: bool
) -> None:
    (victim,) = await met(either, PHONE)
    await either.hear(inbound("hi", number=OTHER_NUMBER, sender=Person(phone=OTHER_PHONE)))
    names = {"phone": PHONE}, {"phone": OTHER_PHONE}
    to, other = reversed(names) if reverse else names
    with pytest.raises(Reject, match="unknown_contact"):
        await either.hear(same(to, other, client="rival"))
    assert await who(either, PHONE) == victim != await who(either, OTHER_PHONE)
    assert await written_to(either, victim) == {"phone": PHONE}


async def test_joining_takes_a_scope_and_a_person_known_to_the_client(either: Router) -> None:
    await met(either, PHONE)
    with pytest.raises(Reject, match="link_not_allowed"):
        await either.hear(same({"phone": PHONE}, {"phone": OTHER_PHONE}, client="desk"))
    with pytest.raises(Reject, match="unknown_contact"):
        await either.hear(same({"phone": OTHER_PHONE}, {"user_id": USER_ID}))


@pytest.mark.parametrize("reverse", [False, True])
async def test_both_ids_are_written_to_at_their_own_phones_whichever_way_a_client_joined_them(
    either: Router, *, reverse: bool
) -> None:
    first, second = await met(either, PHONE, OTHER_PHONE)
    names = {"phone": PHONE}, {"phone": OTHER_PHONE}
    to, other = reversed(names) if reverse else names
    await either.hear(same(to, other))
    assert await who(either, PHONE) == await who(either, OTHER_PHONE), "they are one to caps and stops"
    await met(either, OTHER_PHONE, PHONE)  # whoever wrote last
    assert await written_to(either, first) == {"phone": PHONE}
    assert await written_to(either, second) == {"phone": OTHER_PHONE}


async def test_address_only_a_client_linked_is_written_to_when_the_platform_shows_it_too(
    either: Router,
) -> None:
    (contact_id,) = await met(either, PHONE)
    await either.hear(same({"contact_id": contact_id}, {"phone": OTHER_PHONE}))
    await met(either, OTHER_PHONE)
    assert await who(either, OTHER_PHONE) == contact_id
    assert await written_to(either, contact_id) == {"phone": PHONE}
    await either.hear(inbound("ciao", sender=Person(phone=OTHER_PHONE, user_id=USER_ID)))
    assert await written_to(either, contact_id) == {"phone": PHONE}, "shown with no address of theirs"
    await either.hear(inbound("ciao", sender=Person(phone=PHONE, user_id=USER_ID)))
    assert (await either.ask(requested(to={"user_id": USER_ID})))[0].contact_id == contact_id


async def test_two_joined_by_a_client_have_one_home_once_the_platform_shows_them_together(
    either: Router,
) -> None:
    first, second = await met(either, PHONE, OTHER_PHONE)
    await either.hear(same({"phone": PHONE}, {"phone": OTHER_PHONE}))
    await either.hear(inbound("ciao", sender=Person(phone=OTHER_PHONE, user_id=USER_ID)))
    await either.hear(inbound("ciao", sender=Person(phone=PHONE, user_id=USER_ID)))
    assert await written_to(either, first) == await written_to(either, second)


async def test_a_contact_has_a_handful_of_addresses_however_many_a_client_tells(either: Router) -> None:
    (contact_id,) = await met(either, PHONE)
    further = [same({"phone": PHONE}, {"phone": f"+3933300000{n:02d}"}) for n in range(MOST_ADDRESSES)]
    for told in further[1:]:
        await either.hear(told)
    with pytest.raises(Reject, match="too_many_addresses"):
        await either.hear(further[0])
    with pytest.raises(Reject, match="too_many_addresses"):
        await either.hear(*(same({"phone": PHONE}, {"phone": f"+393330001{n:03d}"}) for n in range(200)))
    assert await written_to(either, contact_id) == {"phone": PHONE}


async def test_zone_and_language_are_true_for_the_brands_of_who_told_them(either: Router) -> None:
    (contact_id,) = await met(either, PHONE)
    await either.hear(update(client="rival", timezone="Pacific/Kiritimati", language="zh"))
    await either.hear(update(timezone="Europe/Rome", language="it", brand="acme"))
    state = await state_of(either, contact_id)
    assert (state.zone_for("acme"), state.language_for("acme")) == ("Europe/Rome", "it")
    assert (state.zone_for("bolt"), state.language_for("bolt")) == ("Pacific/Kiritimati", "zh")
    with pytest.raises(Reject, match="brand_not_allowed"):
        await either.hear(update(client="rival", timezone="Asia/Tokyo", brand="acme"))


async def test_split_gives_each_what_was_theirs_and_leaves_a_stop_with_both(
    either: Router, make_policy: MakePolicy
) -> None:
    either.policy = make_policy(ONE_A_WEEK)
    first, second = await met(either, PHONE, OTHER_PHONE)
    await either.hear(consent(), consent("given", to={"phone": OTHER_PHONE}, brand="bolt"))
    promos = [requested(), requested(to={"phone": OTHER_PHONE})]
    await either.ask(*promos)
    before = await state_of(either, first), await state_of(either, second)
    await either.hear(same({"phone": PHONE}, {"phone": OTHER_PHONE}))
    await either.hear(inbound("STOP", sender=Person(phone=OTHER_PHONE)))
    parted = await SplitContact(either.dependencies).split(second, EVERYBODY)
    assert parted is not None
    assert (parted.contact_id, parted.into_id, parted.said_by) == (second, first, "shop")
    assert (await who(either, PHONE), await who(either, OTHER_PHONE)) == (first, second)
    after = await state_of(either, first), await state_of(either, second)
    for old, new in zip(before, after, strict=True):
        assert (new.consents, new.claims, new.merged_into) == (old.consents, old.claims, None)
        assert new.stopped("acme")
    assert await written_to(either, second) == {"phone": OTHER_PHONE}
    assert await SplitContact(either.dependencies).split(second, EVERYBODY) is None, "once"


async def test_split_takes_all_brands_of_the_person(either: Router) -> None:
    _, second = await met(either, PHONE, OTHER_PHONE)
    await either.hear(inbound("hi", number=OTHER_NUMBER))
    await either.hear(same({"phone": PHONE}, {"phone": OTHER_PHONE}))
    splitting, directory = SplitContact(either.dependencies), Directory(either.business)
    with pytest.raises(NotTheirsToSplit):
        await splitting.split(second, directory.viewer("shop"))
    assert await splitting.split(await who(either, PHONE), EVERYBODY) is None, "it was joined to nobody"


async def test_who_looks_at_a_person_sees_who_joined_them(either: Router) -> None:
    first, second = await met(either, PHONE, OTHER_PHONE)
    await either.hear(same({"phone": PHONE}, {"phone": OTHER_PHONE}))
    if isinstance(either.store, InMemoryStore):
        merges = tuple(either.store.tables.claimed_merges.values())
    else:
        held = await PostgresContactReader(either.store._database).contact(first)  # type: ignore[attr-defined]
        assert held is not None
        merges = held.merges
    assert [(merge.contact_id, merge.said_by) for merge in merges] == [(second, "shop")]
