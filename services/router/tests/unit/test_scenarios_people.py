"""Cases, merges, changed numbers, lists and erasure: what becomes of a person and of their promos."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from garbo.common.errors import Reject
from garbo.common.events.addresses import Person
from garbo.common.events.contacts import CaseChanged, ContactUpdated
from garbo.common.events.decisions import DecisionMade
from garbo.common.events.ids import ContactId, address_hash
from garbo.common.events.platform import PlatformChange
from garbo.router.domain.instants import to_us
from garbo.router.domain.policy import Policy
from garbo.router.domain.state import RecipientState
from garbo.router.domain.values import replace
from garbo.router.flow.commands.erase_contact import EraseContact
from garbo.router.flow.commands.import_suppressions import ImportSuppressions, SuppressionEntry
from garbo.router.ports.contacts import Address
from services.router.tests.support.build import (
    AT,
    HASH_KEY,
    PHONE,
    consent,
    inbound,
    requested,
    result,
    status,
    text,
)
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.policies import CASE_HOLD, ERASED, ONE_A_WEEK, OPT_IN, STOPPED
from services.router.tests.support.router import Router

OTHER_PHONE = "+393339999999"
USER_ID = "IT.13491208655302741918"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def case(action: str, at: datetime = AT, **more: Any) -> CaseChanged:  # noqa: ANN401 - any field
    plain = {"case_id": "C-1", "client": "crm", "brand": "acme", "to": {"phone": PHONE}, "action": action}
    return CaseChanged.model_validate({**plain, "occurred_at": at, "recorded_at": at, **more})


def update(at: datetime = AT, **more: Any) -> ContactUpdated:  # noqa: ANN401 - any field
    plain = {"update_id": uuid4(), "client": "crm", "to": {"phone": PHONE}, "occurred_at": at}
    return ContactUpdated.model_validate({**plain, **more})


def contact_of(memory: InMemoryStore, phone: str = PHONE) -> ContactId:
    return memory.tables.aliases[address_hash(HASH_KEY, "phone", phone)].contact_id


def state_of(memory: InMemoryStore, phone: str = PHONE) -> RecipientState:
    return memory.tables.states[contact_of(memory, phone)]


def listed(phone: str = PHONE, *, brand: str = "*", since: datetime = AT) -> SuppressionEntry:
    address = Address(kind="phone", value=phone, hash=address_hash(HASH_KEY, "phone", phone))
    return SuppressionEntry(address, brand, to_us(since), "registry")


def last_of(router: Router) -> dict[Any, DecisionMade]:
    return {d.message_id: d for d in router.decided}


async def test_scenario_63_a_case_takes_back_a_granted_promo_which_waits_for_its_end(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy((CASE_HOLD % "30d"), ONE_A_WEEK)
    promo = requested()
    await router.ask(promo)
    memory.advance(HOUR)
    opened = case("opened", AT + HOUR)
    await router.hear(opened)
    await router.hear(opened)
    held = last_of(router)[promo.message_id]
    assert (held.verdict, held.reason, held.sequence, held.final) == ("defer", "case_open", 2, False)
    assert held.next_allowed_at == AT + HOUR + 7 * DAY, "a forgotten case lets go after 7 days"
    assert memory.tables.grants[promo.message_id].state == "revoked"
    assert state_of(memory).sends == ()
    waiting = memory.tables.deferred[promo.message_id]
    assert waiting.due_at_us >= to_us(AT + HOUR + 7 * DAY)
    assert waiting.first_decided_at_us == to_us(AT)


async def test_scenario_63_closing_looks_at_what_waits_at_once_and_reopening_is_a_new_case(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(CASE_HOLD % "30d")
    await router.hear(case("opened"))
    promo = requested()
    (held,) = await router.ask(promo)
    assert held.next_allowed_at == AT + 7 * DAY
    memory.advance(HOUR)
    await router.hear(case("closed", AT + HOUR))
    assert memory.tables.deferred[promo.message_id].due_at_us == to_us(memory.now)
    (cooling,) = await router.ask(requested())
    assert cooling.next_allowed_at == AT + HOUR + DAY, "closed and the cool-down"
    memory.advance(HOUR)
    await router.hear(case("opened", AT + 2 * HOUR), case("opened", AT), case("closed", AT + HOUR))
    (again,) = await router.ask(requested())
    assert again.next_allowed_at == AT + 2 * HOUR + 7 * DAY


async def test_scenario_63_a_case_heard_of_by_its_end_first_is_closed(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(CASE_HOLD % "30d")
    memory.advance(2 * HOUR)
    await router.hear(case("closed", AT + HOUR), case("opened", AT))
    (cooling,) = await router.ask(requested())
    assert cooling.next_allowed_at == AT + HOUR + DAY


async def test_a_case_of_another_brand_holds_nothing(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(CASE_HOLD % "30d")
    await router.hear(case("opened", brand="bolt"))
    acme, bolt = requested(), requested(brand="bolt")
    decided = {d.message_id: d.verdict for d in await router.ask(acme, bolt)}
    assert decided == {acme.message_id: "allow", bolt.message_id: "defer"}


async def test_a_case_changes_nothing_where_no_rule_holds(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(ONE_A_WEEK)
    promo = requested()
    await router.ask(promo)
    await router.hear(case("opened"))
    assert memory.tables.grants[promo.message_id].state == "reserved"
    assert len(state_of(memory).sends) == 1


async def test_a_case_of_a_strange_client_or_brand_is_refused(router: Router) -> None:
    for more, why in (({"client": "nobody"}, "unknown_client"), ({"brand": "none"}, "unknown_brand")):
        with pytest.raises(Reject, match=why):
            await router.hear(case("opened", AT, **more))
    with pytest.raises(Reject, match="brand_not_allowed"):
        await router.hear(case("opened", client="desk", brand="bolt"))


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


async def test_the_newest_word_on_zone_and_language_stands(router: Router, memory: InMemoryStore) -> None:
    await router.hear(
        update(AT, timezone="America/New_York", language="es"),
        update(AT - HOUR, timezone="Europe/Rome", language="it"),
    )
    state = state_of(memory)
    assert (state.zone, state.language) == ("America/New_York", "es")


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
    assert await erasing.erase(contact_id)
    assert await erasing.erase(contact_id), "again"
    await router.tell()
    reasons = {m: (d.verdict, d.reason) for m, d in last_of(router).items()}
    assert reasons == {granted.message_id: ("deny", "erased"), waits.message_id: ("deny", "erased")}
    tables = memory.tables
    hashed = address_hash(HASH_KEY, "phone", PHONE)
    everything = repr(replace(tables, outbox=()))
    assert PHONE[1:] not in everything
    assert hashed not in everything, "nobody opted out: nothing of the address stays"
    assert not tables.deferred
    assert not any(grant.request for grant in tables.grants.values())
    await router.hear(given)
    assert not memory.tables.aliases, "an old record of consent brings nobody back"
    (refused,) = await router.ask(requested())
    assert refused.reason == "not_opted_in"
    assert await erasing.erase(ContactId(uuid4())) is None


async def test_scenario_57_who_opted_out_and_was_erased_stays_suppressed_when_imported_again(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(ERASED, STOPPED, OPT_IN)
    memory.advance(HOUR)
    await router.hear(consent(), inbound("STOP"))
    erased = await EraseContact(router.dependencies).erase(contact_of(memory))
    assert erased is not None
    assert erased.suppressed
    memory.advance(DAY)
    await router.hear(consent("imported", occurred_at=memory.now))
    (refused,) = await router.ask(requested())
    assert refused.reason == "suppressed"
    memory.advance(DAY)
    await router.hear(consent("given", occurred_at=memory.now))
    (allowed,) = await router.ask(requested())
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


async def test_scenario_60_a_window_that_closes_before_the_send_falls_back_to_the_template(
    router: Router, memory: InMemoryStore
) -> None:
    await router.hear(consent(), inbound())
    promo = requested(
        content={"type": "text", "text": {"body": "offers!"}},
        fallback={"template": {"name": "sale", "language": {"code": "it"}}},
    )
    await router.ask(promo)
    first = router.granted[0]
    assert first.content.type == "text"
    memory.advance(24 * HOUR - timedelta(seconds=1))
    unsent = result(first, "not_sent", reason="window_closing", epoch=first.epoch, recorded_at=memory.now)
    await router.hear(unsent)
    await router.hear(unsent)
    second = router.granted[-1]
    assert (second.content.type, second.epoch, second.window_until) == ("template", first.epoch + 1, None)
    assert len(router.granted) == 2
    last = last_of(router)[promo.message_id]
    assert (last.verdict, last.sequence) == ("allow", 2)
    assert memory.tables.grants[promo.message_id].state == "reserved"
    assert [send.open for send in state_of(memory).sends] == [True]


async def test_scenario_60_a_window_that_closes_without_a_fallback_is_a_deny(
    router: Router, memory: InMemoryStore
) -> None:
    await router.hear(consent(), inbound())
    promo = requested(content={"type": "text", "text": {"body": "offers!"}})
    await router.ask(promo)
    await router.hear(result(router.granted[0], "not_sent", reason="window_closing"))
    last = last_of(router)[promo.message_id]
    assert (last.verdict, last.reason) == ("deny", "window_closing")
    assert state_of(memory).sends == ()
