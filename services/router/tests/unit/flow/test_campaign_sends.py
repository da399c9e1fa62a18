"""Sends that count for life: not those that never went out, and those that arrive after all."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from garbo.router.domain.policy import Policy
from services.router.tests.support.build import AT, consent, inbound, requested, result, status
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
