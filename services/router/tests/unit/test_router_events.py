"""Events through the use case: windows, STOP and START, settling, templates; again and out of order."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from garbo.common.errors import Reject, RetryLater
from garbo.common.events.addresses import Person
from garbo.common.events.engagement import CareMessage, PromoEngaged
from garbo.common.events.platform import PlatformChange
from garbo.common.events.topics import CONVERSATION_CARE, DECISION_MADE, ENGAGEMENT_PROMO
from garbo.router.domain.policy import Policy
from services.router.tests.support.build import (
    AT,
    CARE_NUMBER,
    PROMO_NUMBER,
    consent,
    inbound,
    requested,
    result,
    status,
    template,
    text,
)
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.router import Router


def engaged(router: Router) -> list[PromoEngaged]:
    return router.publisher.of(ENGAGEMENT_PROMO)


def cared(router: Router) -> list[CareMessage]:
    return router.publisher.of(CONVERSATION_CARE)


async def test_scenario_47_stop_revokes_what_nobody_claimed_and_redelivered_changes_nothing_more(
    router: Router, memory: InMemoryStore
) -> None:
    await router.hear(consent())
    asked = requested()
    (allowed,) = await router.ask(asked)
    stop = inbound("Stop!")
    await router.hear(stop)
    revoked = router.decided[-1]
    assert (revoked.verdict, revoked.reason, revoked.sequence) == ("deny", "revoked", 2)
    assert revoked.message_id == allowed.message_id
    assert memory.tables.grants[asked.message_id].state == "revoked"
    (state,) = memory.tables.states.values()
    assert state.sends == ()
    await router.hear(stop)
    assert len(set(router.publisher.bytes_of(DECISION_MADE))) == 2
    assert router.decided[-1] == revoked
    (refused,) = await router.ask(requested())
    assert (refused.reason, refused.rule) == ("stopped", "user-stop")
    told = await router.ask(asked)
    assert [d.sequence for d in told] == [1, 2], "a repeat tells the whole story"
    assert len(router.granted) == 1


async def test_stop_is_told_after_a_crash_between_commit_and_publish(router: Router) -> None:
    await router.hear(consent())
    await router.ask(requested())
    router.publisher.failures_left = 1
    stop = inbound("STOP")
    with pytest.raises(RetryLater):
        await router.hear(stop)
    await router.hear(stop)
    assert [d.reason for d in router.decided] == ["allowed", "revoked"]
    assert [e.action for e in engaged(router)] == ["opted_out"]


async def test_stop_leaves_claimed_and_care_grants_alone(router: Router, memory: InMemoryStore) -> None:
    await router.hear(consent(), inbound())
    promo, care = requested(), requested(purpose="care", content=text())
    await router.ask(promo, care)
    claimed = next(granted for granted in router.granted if granted.lane == "promo")
    await router.hear(result(claimed, "unknown"))
    await router.hear(inbound("STOP"))
    states = {grant.message_class: grant.state for grant in memory.tables.grants.values()}
    assert states == {"promo": "unknown", "care": "reserved"}


async def test_scenario_55_stop_holds_for_every_number_of_the_brand_and_for_no_other_brand(
    router: Router,
) -> None:
    await router.hear(consent(brand="*"), inbound("STOP"))
    same = await router.ask(requested(number=PROMO_NUMBER))
    other = await router.ask(requested(brand="bolt"))
    assert [d.reason for d in same + other] == ["stopped", "allowed"]


async def test_scenario_50_late_stop_loses_to_a_later_start_and_start_gives_no_consent(
    router: Router,
) -> None:
    start = inbound("START", occurred_at=AT)
    await router.hear(start, inbound("STOP", occurred_at=AT - timedelta(minutes=1)))
    (decision,) = await router.ask(requested())
    assert decision.reason == "not_opted_in"
    assert [e.action for e in engaged(router)] == ["opted_in", "opted_out"]


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


async def test_answer_to_a_promo_is_engagement_and_care(router: Router) -> None:
    await router.hear(consent())
    await router.ask(requested(campaign="spring"))
    await router.hear(result(router.granted[0], "accepted", wamid="wamid.promo"))
    await router.hear(inbound("is it blue?", reply_to="wamid.promo"))
    await router.hear(inbound(None, kind="reaction", reply_to="wamid.promo"))
    assert [(e.action, e.campaign) for e in engaged(router)] == [("replied", "spring")] * 2
    assert [care.answers for care in cared(router)] == [router.granted[0].message_id]


async def test_phone_and_user_id_are_one_person_once_seen_together(router: Router) -> None:
    both = Person(phone="+393331234567", user_id="IT.123")
    await router.hear(inbound(sender=Person(user_id="IT.123")), inbound(sender=both))
    await router.hear(inbound(sender=Person(phone="+393331234567")))
    assert len({care.contact_id for care in cared(router)}) == 1


async def test_scenario_38_undeliverable_frees_the_slot_and_late_delivered_alarms(
    router: Router, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy("id: c, type: cap, limit: 1, window: { rolling: 7d }")
    asked = requested()
    await router.ask(asked)
    await router.hear(result(router.granted[0], "accepted"), status(asked.message_id, "failed", code=131026))
    (second,) = await router.ask(requested())
    assert second.verdict == "allow"
    await router.hear(status(asked.message_id, "delivered"), status(asked.message_id, "delivered"))
    assert router.meter.resurrected_count == 1


async def test_scenario_33_lease_that_ended_unsent_frees_the_slot_and_closes_the_decision(
    router: Router, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy("id: c, type: cap, limit: 1, window: { rolling: 7d }")
    await router.ask(requested())
    unsent = result(router.granted[0], "not_sent", reason="lease_expired")
    await router.hear(unsent)
    await router.hear(unsent)
    allowed, last = router.decided
    assert allowed.verdict == "allow"
    assert (last.verdict, last.reason, last.sequence) == ("deny", "lease_expired", 2)
    (second,) = await router.ask(requested())
    assert second.verdict == "allow"


async def test_scenario_61_recategorised_template_is_promo_at_once_and_announced_from_its_instant(
    router: Router, memory: InMemoryStore
) -> None:
    def change(value: dict[str, Any]) -> PlatformChange:
        named = {"message_template_name": "shipped", "message_template_language": "it", **value}
        return PlatformChange(
            change_id="c", waba="9001", field="template_category_update", value=named, received_at=memory.now
        )

    async def message_class() -> str | None:
        return (await router.ask(requested(purpose="utility", content=template("shipped"))))[0].message_class

    assert await message_class() == "utility"
    from_second = int((AT + timedelta(days=1)).timestamp())
    announced = {"new_category": "UTILITY", "correct_category": "MARKETING"}
    await router.hear(change({**announced, "category_update_timestamp": from_second}))
    assert await message_class() == "utility"
    memory.advance(timedelta(days=1))
    assert await message_class() == "promo"
    memory.advance(timedelta(seconds=1))
    await router.hear(change({"previous_category": "MARKETING", "new_category": "UTILITY"}))
    assert await message_class() == "utility"


async def test_strangers_messages_and_statuses_change_nothing(router: Router, memory: InMemoryStore) -> None:
    foreign = status(requested().message_id, "delivered")
    await router.hear(foreign, foreign.model_copy(update={"attempt_id": "crm-42"}))
    assert not memory.tables.states
    with pytest.raises(Reject, match="unknown_number"):
        await router.hear(inbound(number="555"))
    with pytest.raises(Reject, match="no_sender"):
        await router.hear(inbound(sender=Person()))


async def test_what_is_called_care_is_counted_by_client_and_by_what_bears_it_out(router: Router) -> None:
    await router.ask(requested(client="desk", purpose="care"))
    await router.hear(inbound())
    await router.ask(requested(client="desk", purpose="care", content=text()))
    assert router.meter.care == [("desk", True, True), ("desk", False, False)]
