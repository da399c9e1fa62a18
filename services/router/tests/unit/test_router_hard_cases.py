"""What only goes wrong when two rare things meet: found by reading, kept as tests."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from garbo.common.errors import Reject
from garbo.common.events.addresses import Person
from garbo.common.events.contacts import ContactUpdated
from garbo.common.events.ids import ContactId, MessageId, address_hash
from garbo.router.domain.instants import DAY_US, to_datetime
from garbo.router.domain.policy import Policy
from garbo.router.domain.state import RecipientState
from services.router.tests.support.build import AT, HASH_KEY, PHONE, PROMO_NUMBER, inbound, requested
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.policies import NIGHT, STOPPED
from services.router.tests.support.router import Router

PHONES = (PHONE, "+393339999991", "+393339999992")
SAME = ((0, 1), (1, 2)), ((0, 1), (2, 0)), ((1, 0), (2, 1)), ((0, 1), (2, 1)), ((0, 1), (1, 2), (2, 0))


def same(into: int, other: int) -> ContactUpdated:
    return update(to={"phone": PHONES[into]}, same_as={"phone": PHONES[other]})


def update(**more: Any) -> ContactUpdated:  # noqa: ANN401 - any field
    plain = {"update_id": uuid4(), "client": "crm", "to": {"phone": PHONE}, "occurred_at": AT}
    return ContactUpdated.model_validate({**plain, **more})


def contact_of(memory: InMemoryStore, phone: str = PHONE) -> ContactId:
    return memory.tables.aliases[address_hash(HASH_KEY, "phone", phone)].contact_id


def state_of(memory: InMemoryStore, phone: str = PHONE) -> RecipientState:
    return memory.tables.states[contact_of(memory, phone)]


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


async def test_a_promo_that_stands_in_another_zone_ends_before_the_night_there(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    """Asked at noon in Rome, valid for 15 minutes; in the zone told next the night begins in 10."""
    router.policy = make_policy(NIGHT)
    memory.now = datetime(2026, 6, 1, 10, 50, tzinfo=UTC)
    (allowed,) = await router.ask(requested())
    await router.hear(update(timezone="Asia/Vladivostok"))  # 20:50 there
    grant = memory.tables.grants[MessageId(allowed.message_id)]
    assert grant.state == "reserved"
    assert to_datetime(grant.valid_until_us) == datetime(2026, 6, 1, 10, 59, 58, tzinfo=UTC)


async def test_a_stop_takes_back_every_promo_however_many_are_open(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(STOPPED)
    await router.ask(*(requested() for _ in range(100)))
    await router.hear(inbound("STOP", number=PROMO_NUMBER))
    assert {g.state for g in memory.tables.grants.values()} == {"revoked"}
    assert state_of(memory).sends == ()


async def test_nothing_waits_for_longer_than_its_decision_is_kept(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    """The tables of days are dropped: what waits for longer would end without a word."""
    router.policy = make_policy(STOPPED)
    history = timedelta(microseconds=router.policy.history_us)
    assert router.policy.history_us >= 30 * DAY_US
    (waits,) = await router.ask(requested(not_before=memory.now + history))
    assert (waits.verdict, waits.reason) == ("defer", "not_before")
    for beyond in (memory.now + history + timedelta(seconds=1), datetime(9999, 12, 31, 23, tzinfo=UTC)):
        (denied,) = await router.ask(requested(not_before=beyond))
        assert (denied.verdict, denied.reason) == ("deny", "would_expire")


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


async def test_a_zone_told_by_a_clock_far_ahead_does_not_stand_for_ever(
    router: Router, memory: InMemoryStore
) -> None:
    await router.hear(update(timezone="Asia/Tokyo", occurred_at=datetime(9999, 1, 1, tzinfo=UTC)))
    memory.advance(timedelta(minutes=1))
    await router.hear(update(timezone="Europe/Rome", occurred_at=memory.now))
    assert state_of(memory).zone == "Europe/Rome"


async def test_a_stop_at_the_end_of_the_calendar_is_heard(router: Router, memory: InMemoryStore) -> None:
    await router.hear(inbound("STOP", occurred_at=datetime(9999, 12, 31, 23, 30, tzinfo=UTC)))
    assert state_of(memory).stopped("acme")
