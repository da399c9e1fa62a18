"""What is taken back leaves nothing behind: no count for life, no instant that helps nobody."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from garbo.common.events.contacts import CaseChanged
from garbo.router.domain.policy import Policy
from services.router.tests.support.build import AT, PHONE, consent, inbound, requested, result, status
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.policies import ONE_PROMO_A_CAMPAIGN
from services.router.tests.support.router import Router


@pytest.mark.parametrize("way", ["failed", "not_sent", "stop", "refund"])
async def test_campaign_send_that_never_went_out_does_not_count_for_life(
    router: Router, make_policy: Callable[..., Policy], way: str
) -> None:
    router.policy = make_policy(ONE_PROMO_A_CAMPAIGN)
    await router.hear(consent())
    await router.ask(requested(campaign="spring"))
    (granted,) = router.granted
    match way:
        case "stop":
            await router.hear(inbound("STOP"))
            await router.hear(inbound("START", occurred_at=AT + timedelta(seconds=1)))
        case "refund":
            await router.hear(result(granted, "accepted"), status(granted.message_id, "failed", code=131026))
        case _:
            await router.hear(result(granted, way))
    (again,) = await router.ask(requested(campaign="spring"))
    assert (again.verdict, again.reason) == ("allow", "allowed")


async def test_refunded_campaign_send_that_arrives_after_all_counts_for_life_again(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(ONE_PROMO_A_CAMPAIGN)
    await router.hear(consent())
    await router.ask(requested(campaign="spring"))
    (granted,) = router.granted
    await router.hear(result(granted, "accepted"), status(granted.message_id, "failed", code=131026))
    await router.hear(status(granted.message_id, "delivered"))
    memory.advance(timedelta(days=200))  # the state row has forgotten it
    await router.hear(consent(occurred_at=memory.now))
    (again,) = await router.ask(requested(campaign="spring"))
    assert (again.verdict, again.rule) == ("deny", "once")


async def test_waiting_promo_that_a_stop_ends_names_no_rule_and_no_instant(
    router: Router, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy("id: c, type: cap, limit: 1, window: { rolling: 24h }")
    await router.hear(consent())
    _, waits = await router.ask(requested(), requested())
    assert (waits.verdict, waits.next_allowed_at is None) == ("defer", False)
    await router.hear(inbound("STOP"))
    ended = next(d for d in router.decided if d.message_id == waits.message_id and d.sequence == 2)
    assert (ended.verdict, ended.reason, ended.final) == ("deny", "stopped", True)
    told = (ended.rule, ended.then_rule, ended.next_allowed_at, ended.due_at, ended.limit, ended.provisional)
    assert told == (None, None, None, None, None, False)


async def test_case_that_was_closed_long_ago_is_not_opened_by_the_old_word_told_again(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    hold = "id: h, type: hold, state: case_open, cool_down: 1h, max: 7d, applies_to: { class: promo }"
    router.policy = make_policy(hold)
    await router.hear(consent())

    def case(action: str, name: str = "one") -> CaseChanged:
        told = {"case_id": name, "client": "desk", "brand": "acme", "to": {"phone": PHONE}, "action": action}
        return CaseChanged.model_validate({**told, "occurred_at": memory.now, "recorded_at": memory.now})

    opened = case("opened")
    await router.hear(opened)
    memory.advance(timedelta(hours=1))
    await router.hear(case("closed"))
    memory.advance(timedelta(hours=2))
    await router.hear(case("closed", "another"))
    memory.advance(timedelta(hours=2))
    await router.hear(opened)
    (decision,) = await router.ask(requested())
    assert decision.verdict == "allow"
