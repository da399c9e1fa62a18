"""What a person writes: engagement and care, and nothing of strangers."""

import pytest

from garbo.common.errors import Reject
from garbo.common.events.addresses import Person
from services.router.tests.support.build import consent, inbound, requested, result, status, text
from services.router.tests.support.in_memory import cared, engaged
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.router import Router


async def test_answer_to_a_promo_is_engagement_and_care(router: Router) -> None:
    await router.hear(consent())
    await router.ask(requested(campaign="spring"))
    await router.hear(result(router.granted[0], "accepted", wamid="wamid.promo"))
    await router.hear(inbound("is it blue?", reply_to="wamid.promo"))
    await router.hear(inbound(None, kind="reaction", reply_to="wamid.promo"))
    assert [(e.action, e.campaign) for e in engaged(router)] == [("replied", "spring")] * 2
    assert [care.answers for care in cared(router)] == [router.granted[0].message_id]


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
