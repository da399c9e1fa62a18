"""Scenario 56: whose addresses these are. Contacts become one, change their number, and stay apart."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from garbo.common.errors import Reject
from garbo.common.events.addresses import Person
from garbo.common.events.contacts import ContactUpdated
from garbo.common.events.platform import PlatformChange
from garbo.router.domain.instants import to_us
from garbo.router.domain.policy import Policy
from services.router.tests.support.build import (
    AT,
    OTHER_PHONE,
    PHONE,
    PROMO_NUMBER,
    consent,
    inbound,
    requested,
    result,
    status,
    text,
    update,
)
from services.router.tests.support.in_memory import cared, contact_of, state_of
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.policies import ONE_A_WEEK, STOPPED
from services.router.tests.support.router import Router

USER_ID = "IT.13491208655302741918"
PHONES = (PHONE, "+393339999991", "+393339999992")
SAME = ((0, 1), (1, 2)), ((0, 1), (2, 0)), ((1, 0), (2, 1)), ((0, 1), (2, 1)), ((0, 1), (1, 2), (2, 0))


def same(into: int, other: int) -> ContactUpdated:
    return update(to={"phone": PHONES[into]}, same_as={"phone": PHONES[other]})


async def test_scenario_56_another_number_is_another_contact_and_the_old_one_loses_its_consent(
    router: Router, memory: InMemoryStore
) -> None:
    await router.hear(consent(), inbound("STOP", number="2001"))
    promo = requested()
    await router.ask(promo)
    moved = inbound(None, kind="system", changed_to=Person(phone=OTHER_PHONE, user_id=USER_ID))
    await router.hear(moved)
    await router.hear(moved)
    assert memory.tables.grants[promo.message_id].state == "revoked"
    new = await router.ask(requested(to={"phone": OTHER_PHONE}))
    old = await router.ask(requested())
    assert [d.reason for d in (*new, *old)] == ["not_opted_in", "not_opted_in"]
    assert contact_of(memory) != contact_of(memory, OTHER_PHONE)
    assert state_of(memory).stopped("bolt")
    assert not state_of(memory).inbound_at_us.get("1001"), "a notice opens no window"


async def test_two_contacts_become_one_and_what_is_over_the_cap_now_is_taken_back(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(ONE_A_WEEK)
    first, second = requested(), requested(to={"phone": OTHER_PHONE})
    await router.ask(first)
    memory.advance(timedelta(seconds=1))
    await router.ask(second)
    assert [d.verdict for d in router.decided] == ["allow", "allow"]
    same = update(same_as={"phone": OTHER_PHONE})
    await router.hear(same)
    await router.hear(same)
    assert contact_of(memory) == contact_of(memory, OTHER_PHONE)
    assert [send.message_id for send in state_of(memory).sends] == [first.message_id]
    assert memory.tables.grants[second.message_id].state == "revoked"
    assert memory.tables.deferred[second.message_id].contact_id == contact_of(memory)
    pointers = [s.merged_into for s in memory.tables.states.values() if s.merged_into]
    assert pointers == [contact_of(memory)]
    (third,) = await router.ask(requested(to={"phone": OTHER_PHONE}))
    assert third.verdict == "defer"


async def test_a_merge_unites_consents_stops_windows_and_settles_old_grants_there(
    router: Router, memory: InMemoryStore
) -> None:
    await router.hear(consent(), consent(to={"phone": OTHER_PHONE}))
    promo = requested(to={"phone": OTHER_PHONE})
    await router.ask(promo)
    other = contact_of(memory, OTHER_PHONE)
    await router.hear(inbound(sender=Person(phone=OTHER_PHONE)), inbound("STOP", number="2001"))
    await router.hear(update(same_as={"contact_id": str(other)}))
    state = state_of(memory)
    assert state.stopped("bolt")
    assert state.inbound_at_us == {"1001": to_us(AT), "2001": to_us(AT)}
    await router.hear(result(router.granted[0], "accepted"))
    assert [send.open for send in state_of(memory).sends] == [False]
    told = await router.ask(requested(to={"contact_id": str(other)}))
    assert told[0].contact_id == contact_of(memory), "the old id leads on"


async def test_a_late_refund_of_a_merged_persons_send_frees_the_slot_of_who_they_are_now(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(ONE_A_WEEK)
    await router.hear(consent())
    promo = requested(to={"phone": OTHER_PHONE})
    await router.ask(promo)
    await router.hear(result(router.granted[0], "accepted"))
    await router.hear(update(same_as={"phone": OTHER_PHONE}))
    await router.hear(status(promo.message_id, "failed", code=131026))
    (allowed,) = await router.ask(requested())
    assert allowed.verdict == "allow"


async def test_phone_and_user_id_of_two_contacts_shown_together_are_one(
    router: Router, memory: InMemoryStore
) -> None:
    await router.hear(inbound("STOP", sender=Person(user_id=USER_ID)), consent())
    await router.hear(inbound(sender=Person(phone=PHONE, user_id=USER_ID)))
    assert len({contact.contact_id for contact in memory.tables.aliases.values()}) == 1
    (refused,) = await router.ask(requested())
    assert refused.reason == "stopped"


async def test_who_shows_one_parent_id_by_two_user_ids_is_one_person_and_is_not_written_to_by_it(
    router: Router,
) -> None:
    parent = "IT.ENT.77"
    await router.hear(inbound(sender=Person(user_id=USER_ID, parent_user_id=parent)))
    await router.hear(inbound("STOP", sender=Person(user_id="IT.9", parent_user_id=parent)))
    (denied,) = await router.ask(requested(to={"user_id": USER_ID}))
    assert (denied.verdict, denied.reason) == ("deny", "stopped")
    assert denied.contact_id is not None
    await router.ask(requested(to={"contact_id": denied.contact_id}, purpose="care", content=text()))
    assert router.granted[-1].to.user_id in (USER_ID, "IT.9")


async def test_a_changed_user_id_keeps_the_contact(router: Router, memory: InMemoryStore) -> None:
    await router.hear(inbound("STOP", sender=Person(phone=PHONE, user_id=USER_ID)))
    changed = PlatformChange(
        change_id="c",
        waba="9001",
        field="user_id_update",
        number="1001",
        person=Person(user_id=USER_ID),
        changed_to=Person(phone=PHONE, user_id="IT.2"),
        value={},
        received_at=AT,
    )
    await router.hear(changed)
    await router.hear(inbound(sender=Person(user_id="IT.2")))
    assert len(memory.tables.states) == 1
    assert {c.address.value for c in memory.tables.aliases.values()} == {PHONE, USER_ID, "IT.2"}


@pytest.mark.parametrize("pairs", SAME)
@pytest.mark.parametrize("stopped", range(3))
async def test_three_contacts_shown_to_be_one_in_one_batch_keep_their_stop_and_their_sends(
    router: Router,
    memory: InMemoryStore,
    make_policy: Callable[..., Policy],
    pairs: tuple[tuple[int, int], ...],
    stopped: int,
) -> None:
    router.policy = make_policy(STOPPED)
    asked = [requested(to={"phone": phone}) for phone in PHONES]
    await router.ask(*asked)
    await router.hear(inbound("STOP", number=PROMO_NUMBER, sender=Person(phone=PHONES[stopped])))
    kept = {a.message_id for n, a in enumerate(asked) if n != stopped}
    await router.hear(*(same(*pair) for pair in pairs))
    one = {contact_of(memory, phone) for phone in PHONES}
    assert len(one) == 1
    assert {s.message_id for s in state_of(memory).sends} <= kept
    assert state_of(memory).stopped("acme")
    pointers = {s.merged_into for s in memory.tables.states.values() if s.merged_into}
    assert pointers == one
    for phone in PHONES:
        (told,) = await router.ask(requested(to={"phone": phone}))
        assert (told.verdict, told.reason) == ("deny", "stopped")


@pytest.mark.parametrize("turned", [False, True])
async def test_a_group_is_nobody_and_cannot_be_the_same_as_a_person(
    router: Router, memory: InMemoryStore, *, turned: bool
) -> None:
    """They would share caps, stops and consent, and a person's promos would be the group's."""
    pair = [{"phone": PHONE}, {"group_id": "120363@g.us"}]
    for to in pair:
        await router.ask(requested(to=to))
    to, other = reversed(pair) if turned else pair
    with pytest.raises(Reject, match="group_and_person"):
        await router.hear(update(to=to, same_as=other))
    assert not any(state.merged_into for state in memory.tables.states.values())
    contacts = {alias.contact_id for alias in memory.tables.aliases.values()}
    with pytest.raises(Reject, match="group_and_person"):
        await router.hear(*(update(to={"contact_id": str(c)}, same_as=o) for c in contacts for o in pair))
    assert not any(state.merged_into for state in memory.tables.states.values())


async def test_phone_and_user_id_are_one_person_once_seen_together(router: Router) -> None:
    both = Person(phone="+393331234567", user_id="IT.123")
    await router.hear(inbound(sender=Person(user_id="IT.123")), inbound(sender=both))
    await router.hear(inbound(sender=Person(phone="+393331234567")))
    assert len({care.contact_id for care in cared(router)}) == 1
