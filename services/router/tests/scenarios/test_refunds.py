"""Scenarios 38 and 39: slots that come back, those that do not, and the platform's brake."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from garbo.common.events.ids import MessageId
from garbo.router.domain.cooldown import with_strike
from garbo.router.domain.decide import decide, decide_and_count
from garbo.router.domain.grant import Grant, Settled, settle_by_result
from garbo.router.domain.instants import DAY_US, HOUR_US, MINUTE_US, to_us
from garbo.router.domain.policy import Policy
from garbo.router.domain.state import Send, without_send
from services.router.tests.support.build import AT, requested, result, status
from services.router.tests.support.build_domain import JUNE_5, UTILITY, a_request, a_state, message
from services.router.tests.support.grant_steps import (
    BUDGET_US,
    SENT_US,
    a_grant,
    accepted,
    run,
    sent,
    unknown,
)
from services.router.tests.support.in_memory import a_promo, last_of, the_state
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.policies import ONE_A_DAY, ONE_A_WEEK, STOPPED, MakePolicy
from services.router.tests.support.router import Router

HOUR = timedelta(hours=1)


def failed_result(grant: Grant) -> Settled:
    return settle_by_result(grant, outcome="failed", wamid=None, reason=None, at_us=SENT_US)


def test_scenario_38_a_refunded_slot_is_free_at_once(make_policy: MakePolicy) -> None:
    policy = make_policy(ONE_A_DAY)
    _, state = decide_and_count(policy, a_state(), a_request(1), JUNE_5)
    assert decide(policy, state, a_request(2), JUNE_5).verdict == "defer"
    assert decide(policy, without_send(state, message(1)), a_request(2), JUNE_5).verdict == "allow"


def test_scenario_38_a_promo_the_platform_held_back_leaves_the_brand_alone_for_a_day(
    make_policy: MakePolicy,
) -> None:
    policy = make_policy(ONE_A_DAY)
    state = with_strike(a_state(), brand="acme", by=message(1), at_us=JUNE_5)
    decision = decide(policy, state, a_request(), JUNE_5 + 1)
    assert (decision.verdict, decision.reason) == ("defer", "platform_cooldown")
    assert decision.next_allowed_at_us == JUNE_5 + DAY_US
    assert [(a.id, a.ok, a.rule.type) for a in decision.results] == [
        ("day", True, "cap"),
        ("platform_cooldown", False, "hold"),
    ]
    assert [a.id for a in decide(policy, state, a_request(), JUNE_5 + DAY_US).results] == ["day"]
    assert decide(policy, state, a_request(purpose="utility", body=UTILITY), JUNE_5 + 1).verdict == "allow"
    assert decide(policy, state, a_request(brand="bolt"), JUNE_5 + 1).verdict == "allow"


def test_scenario_39_a_send_nobody_knows_the_end_of_counts_on(make_policy: MakePolicy) -> None:
    unknown = Send(message(1), JUNE_5 + MINUTE_US, "promo", "acme", open=True)
    decision = decide(make_policy(ONE_A_DAY), a_state(sends=(unknown,)), a_request(), JUNE_5 + HOUR_US)
    assert decision.next_allowed_at_us == JUNE_5 + MINUTE_US + DAY_US
    assert decision.provisional


async def test_scenario_38_an_undeliverable_frees_the_slot_and_wakes_who_waits_for_it(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(ONE_A_WEEK)
    granted = await a_promo(router)
    (deferred,) = await router.ask(requested())
    await router.hear(result(granted, "accepted"), status(granted.message_id, "failed", code=131026))
    assert memory.tables.deferred[MessageId(deferred.message_id)].due_at_us == to_us(memory.now)
    (later,) = await router.ask(requested(requested_at=memory.now + timedelta(seconds=1)))
    await router.tell()
    assert later.verdict == "defer"
    assert last_of(router)[deferred.message_id].verdict == "allow"


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


def test_scenario_38_refused_send_gives_its_slot_back_once() -> None:
    assert run(failed_result, failed_result) == ("failed", False, False)
    assert run(failed_result, accepted)[2]


def test_scenario_39_unknown_counts_until_a_status_says_more() -> None:
    settled = unknown(a_grant("dispatched"))
    assert (settled.change, settled.open, settled.at_us) == ("count", True, SENT_US + BUDGET_US)
    by_status = sent(settled.grant)
    assert (by_status.change, by_status.open) == ("count", False)
    assert by_status.at_us == SENT_US - 250_000 + 1_000_000, "the end of the status' second"
