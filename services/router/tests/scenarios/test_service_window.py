"""Scenarios 58 to 60: the customer's window, what opens it, and what is sent when it has closed."""

from datetime import timedelta
from typing import Any

import pytest

from garbo.common.events.addresses import Person
from garbo.common.runtime.postgres import Database
from garbo.router.domain.decide import decide
from garbo.router.domain.instants import DAY_US, HOUR_US, SECOND_US
from garbo.router.domain.state import RecipientState, with_inbound
from garbo.router.domain.values import replace
from services.router.tests.support.build import AT, CARE_NUMBER, consent, inbound, requested, result
from services.router.tests.support.build_domain import FREE, JUNE_5, PROMO, UTILITY, a_request, a_state, at
from services.router.tests.support.claims import CLAIM, a_phone
from services.router.tests.support.in_memory import cared, last_of, state_of
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.policies import NIGHT, WINDOW, MakePolicy
from services.router.tests.support.router import Router

CARE = a_request(purpose="care", body=FREE)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("after", "verdict"), [(DAY_US - SECOND_US, "allow"), (DAY_US - 1, "allow"), (DAY_US, "deny")]
)
def test_scenario_58_window_is_open_until_just_before_24_hours(
    make_policy: MakePolicy, after: int, verdict: str
) -> None:
    state = a_state(inbound_at_us={"1001": JUNE_5})
    decision = decide(make_policy(WINDOW), state, CARE, JUNE_5 + after)
    assert decision.verdict == verdict
    if verdict == "allow":
        assert decision.terms is not None
        assert decision.terms.valid_until_us == JUNE_5 + DAY_US
    else:
        assert (decision.reason, decision.next_allowed_at_us) == ("window_closed", None)


def test_scenario_58_closed_window_falls_back_to_the_template(make_policy: MakePolicy) -> None:
    request = replace(CARE, fallback=UTILITY)
    decision = decide(make_policy(WINDOW), RecipientState(), request, JUNE_5)
    assert (decision.verdict, decision.message_class) == ("allow", "utility")
    assert (decision.by_fallback, decision.demoted) == (True, True)


def test_scenario_58_a_webhook_three_hours_late_leaves_21_hours(make_policy: MakePolicy) -> None:
    state = with_inbound(RecipientState(), ref="w", number="1001", at_us=JUNE_5 - 3 * HOUR_US)
    assert decide(make_policy(WINDOW), state, CARE, JUNE_5 + 21 * HOUR_US - 1).verdict == "allow"
    assert decide(make_policy(WINDOW), state, CARE, JUNE_5 + 21 * HOUR_US).verdict == "deny"


def test_scenario_59_an_older_message_that_comes_later_shrinks_no_window(make_policy: MakePolicy) -> None:
    state = with_inbound(RecipientState(), ref="new", number="1001", at_us=JUNE_5)
    state = with_inbound(state, ref="old", number="1001", at_us=JUNE_5 - 5 * HOUR_US)
    assert decide(make_policy(WINDOW), state, CARE, JUNE_5 + DAY_US - 1).verdict == "allow"


def test_free_form_that_cannot_go_before_its_window_closes_falls_back_or_is_denied(
    make_policy: MakePolicy,
) -> None:
    policy, now = make_policy(NIGHT, WINDOW), at("2026-06-05T22:00Z")
    state = a_state(inbound_at_us={"1001": now - 20 * HOUR_US})
    promo = a_request(body=FREE)
    denied = decide(policy, state, promo, now)
    assert (denied.verdict, denied.reason, denied.then_rule) == ("deny", "quiet", "wa-window")
    assert denied.next_allowed_at_us is None
    second = decide(policy, state, replace(promo, fallback=PROMO), now)
    assert (second.verdict, second.reason, second.by_fallback) == ("defer", "quiet", True)
    assert second.next_allowed_at_us == at("2026-06-06T09:00Z")


async def test_scenario_58_window_opens_by_the_events_time_and_care_is_told(router: Router) -> None:
    wrote = inbound(occurred_at=AT - timedelta(hours=3))
    await router.hear(wrote)
    (care,) = cared(router)
    assert care.window_until == AT + timedelta(hours=21)
    assert care.text == "hello"


async def test_scenario_58_a_platform_clock_ahead_opens_no_longer_window(router: Router) -> None:
    await router.hear(inbound(occurred_at=AT + timedelta(hours=1)))
    assert cared(router)[0].window_until == AT + timedelta(hours=24, seconds=2)


async def test_scenario_59_older_message_does_not_shrink_the_window(router: Router) -> None:
    await router.hear(inbound(occurred_at=AT))
    await router.hear(inbound(occurred_at=AT - timedelta(hours=5)))
    assert {care.window_until for care in cared(router)} == {AT + timedelta(hours=24)}


@pytest.mark.parametrize("more", [{"kind": "system"}, {"kind": "edit"}], ids=str)
async def test_scenario_59_what_is_not_the_persons_own_new_word_opens_no_window(
    router: Router, memory: InMemoryStore, more: dict[str, Any]
) -> None:
    await router.hear(inbound(**more))
    assert all(not state.inbound_at_us for state in memory.tables.states.values())


async def test_a_groups_message_opens_the_groups_window_and_leaves_its_member_alone(
    router: Router, memory: InMemoryStore
) -> None:
    await router.hear(inbound(group_id="g"))
    ((hash_, contact),) = memory.tables.aliases.items()
    assert (contact.kind, hash_) == ("group", contact.address.hash)
    assert list(memory.tables.states[contact.contact_id].inbound_at_us) == [CARE_NUMBER]


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
    assert (second.content.type, second.epoch) == ("template", first.epoch + 1)
    assert second.window_until == first.window_until, "a template that leaves by then begins no conversation"
    assert first.window_until is not None
    assert second.valid_until > first.window_until, "and may leave later"
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


@pytest.mark.integration
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
