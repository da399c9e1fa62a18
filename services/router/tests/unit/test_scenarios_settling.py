"""What became of a send: refunds, late deliveries, the platform's brake, in any order and number."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from garbo.common.events.grants import SendGranted
from garbo.common.events.ids import MessageId
from garbo.router.domain.instants import to_us
from garbo.router.domain.policy import Policy
from garbo.router.domain.state import RecipientState
from garbo.router.domain.values import replace
from services.router.tests.support.build import AT, consent, requested, result, status
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.policies import ONE_A_WEEK, STOPPED
from services.router.tests.support.router import Router

HOUR = timedelta(hours=1)


def the_state(memory: InMemoryStore) -> RecipientState:
    (state,) = memory.tables.states.values()
    return state


async def a_promo(router: Router, **more: Any) -> SendGranted:  # noqa: ANN401 - any field
    await router.ask(requested(**more))
    return router.granted[-1]


async def test_scenario_30_a_refund_told_twice_is_one_and_a_late_delivery_counts_again(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(ONE_A_WEEK)
    granted = await a_promo(router)
    failed = status(granted.message_id, "failed", code=131026)
    await router.hear(result(granted, "accepted"), failed, failed)
    assert the_state(memory).sends == ()
    delivered = status(granted.message_id, "delivered")
    await router.hear(delivered, delivered)
    assert [send.delivered for send in the_state(memory).sends] == [True]
    await router.hear(failed)
    assert memory.tables.grants[MessageId(granted.message_id)].state == "delivered"
    assert router.meter.resurrected_count == 1


async def test_scenario_31_statuses_in_any_order_end_the_same(
    memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    ends = set()
    for order in permutations(("sent", "delivered", "read")):
        router = Router(memory, make_policy(STOPPED))
        granted = await a_promo(router)
        for word in order:
            await router.hear(status(granted.message_id, word, at=AT))
        (send,) = (s for s in the_state(memory).sends if s.message_id == granted.message_id)
        ends.add((memory.tables.grants[MessageId(granted.message_id)].state, send.at_us, send.delivered))
    assert ends == {("delivered", to_us(AT) + 1_000_000, True)}


async def test_scenario_32_an_accepted_send_counts_from_its_acceptance(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(ONE_A_WEEK)
    granted = await a_promo(router)
    memory.advance(4 * HOUR)
    await router.hear(result(granted, "accepted", recorded_at=AT + 4 * HOUR))
    (deferred,) = await router.ask(requested())
    assert deferred.next_allowed_at == AT + 4 * HOUR + timedelta(days=7)
    assert not deferred.provisional


async def test_scenario_38_an_undeliverable_frees_the_slot_and_wakes_who_waits_for_it(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(ONE_A_WEEK)
    granted = await a_promo(router)
    (deferred,) = await router.ask(requested())
    await router.hear(result(granted, "accepted"), status(granted.message_id, "failed", code=131026))
    assert memory.tables.deferred[MessageId(deferred.message_id)].due_at_us == to_us(memory.now)
    (allowed,) = await router.ask(requested())
    assert allowed.verdict == "allow"


async def test_scenario_38_131049_is_refunded_and_holds_the_brand_24_48_96_hours_and_7_days(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(STOPPED)
    for hours in (24, 48, 96, 168, 168):
        granted = await a_promo(router, requested_at=memory.now)
        failed = status(granted.message_id, "failed", code=131049, at=memory.now)
        await router.hear(result(granted, "accepted", recorded_at=memory.now), failed, failed)
        assert the_state(memory).sends == ()
        (held,) = await router.ask(requested(requested_at=memory.now))
        assert (held.verdict, held.rule) == ("defer", "platform_cooldown")
        assert held.next_allowed_at == memory.now + timedelta(hours=hours)
        (other,) = await router.ask(requested(brand="bolt", requested_at=memory.now))
        assert other.verdict == "allow"
        await router.hear(result(router.granted[-1], "failed", code=131026, recorded_at=memory.now))
        memory.advance(timedelta(hours=hours))


async def test_a_delivered_promo_lets_the_brake_begin_anew(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(STOPPED)

    async def strike() -> datetime | None:
        granted = await a_promo(router, requested_at=memory.now)
        await router.hear(status(granted.message_id, "failed", code=131049, at=memory.now))
        (held,) = await router.ask(requested(requested_at=memory.now))
        return held.next_allowed_at

    assert await strike() == memory.now + 24 * HOUR
    memory.advance(24 * HOUR)
    granted = await a_promo(router, requested_at=memory.now)
    await router.hear(status(granted.message_id, "delivered", at=memory.now))
    assert await strike() == memory.now + 24 * HOUR


async def test_131049_takes_back_other_promos_of_the_brand_which_wait(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(STOPPED)
    first, second = requested(), requested()
    await router.ask(first, second)
    await router.hear(status(first.message_id, "failed", code=131049))
    last = router.decided[-1]
    assert (last.message_id, last.verdict, last.rule) == (second.message_id, "defer", "platform_cooldown")
    assert second.message_id in memory.tables.deferred


@pytest.mark.parametrize(
    ("outcome", "counts"), [("unknown", True), ("failed", False)], ids=["timeout", "validation"]
)
async def test_scenario_39_a_timeout_is_not_refunded_and_a_refusal_is(
    router: Router,
    memory: InMemoryStore,
    make_policy: Callable[..., Policy],
    outcome: str,
    counts: bool,
) -> None:
    router.policy = make_policy(ONE_A_WEEK)
    granted = await a_promo(router)
    code = None if outcome == "unknown" else 100
    await router.hear(result(granted, outcome, code=code, started_at=AT))
    (next_one,) = await router.ask(requested())
    assert next_one.verdict == ("defer" if counts else "allow")
    if counts:
        assert next_one.next_allowed_at == AT + timedelta(days=7, seconds=45)


async def test_a_policy_may_keep_the_slot_of_what_the_platform_rejects(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    policy = make_policy(ONE_A_WEEK)
    router.policy = replace(
        policy, counting=replace(policy.counting, refund_rejected=False, refund_failed=False)
    )
    granted = await a_promo(router)
    await router.hear(result(granted, "failed", code=100))
    assert [send.open for send in the_state(memory).sends] == [False]
    await router.hear(status(granted.message_id, "failed", code=131026))
    assert len(the_state(memory).sends) == 1


async def test_a_policy_may_count_from_the_reservation(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    policy = make_policy(ONE_A_WEEK)
    router.policy = replace(policy, counting=replace(policy.counting, instant="reserved"))
    granted = await a_promo(router)
    memory.advance(HOUR)
    await router.hear(result(granted, "accepted", recorded_at=memory.now))
    assert [send.at_us for send in the_state(memory).sends] == [to_us(AT)]


async def test_a_result_of_an_earlier_grant_says_nothing_of_the_one_after_it(
    router: Router, memory: InMemoryStore
) -> None:
    await router.hear(consent())
    granted = await a_promo(router)
    grant = memory.tables.grants[MessageId(granted.message_id)]
    memory.tables.grants[MessageId(granted.message_id)] = replace(grant, epoch=2)
    await router.hear(result(granted, "not_sent", reason="lease_expired", epoch=1))
    assert memory.tables.grants[MessageId(granted.message_id)].state == "reserved"
