"""Instants that no calendar holds, clocks ahead of ours, and the platform's words out of order."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from garbo.common.events.engagement import CareMessage
from garbo.common.events.platform import PlatformChange
from garbo.common.events.topics import CONVERSATION_CARE
from garbo.router.domain.templates import template_change
from services.router.tests.support.build import AT, consent, inbound, requested, template
from services.router.tests.support.in_memory import state_of
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.router import Router

BEYOND = "9999-12-31T23:59:59-12:00"
"""A valid instant whose UTC year is 10000."""
BEFORE = "0001-01-01T00:00:00+12:00"


def template_says(value: dict[str, Any], **more: Any) -> PlatformChange:  # noqa: ANN401 - any field
    named = {"message_template_name": "shipped", "message_template_language": "it", **value}
    content = {"change_id": "c", "waba": "9001", "field": "template_category_update", "received_at": AT}
    return PlatformChange.model_validate({**content, "value": named, **more})


@pytest.mark.parametrize("field", ["not_before", "expires_at", "requested_at"])
@pytest.mark.parametrize("instant", [BEYOND, BEFORE])
async def test_instant_that_utc_cannot_hold_is_decided_like_any_other(
    router: Router, field: str, instant: str
) -> None:
    await router.hear(consent())
    (decision,) = await router.ask(requested(**{field: instant}))
    assert decision.reason in ("allowed", "would_expire", "expired")


@pytest.mark.parametrize("instant", [BEYOND, BEFORE])
async def test_event_with_an_instant_that_utc_cannot_hold_is_taken(router: Router, instant: str) -> None:
    await router.hear(consent(occurred_at=instant))
    await router.ask(requested())
    await router.hear(
        inbound(occurred_at=instant), template_says({"new_category": "UTILITY"}, occurred_at=instant)
    )
    (care,) = router.publisher.of(CONVERSATION_CARE)
    assert isinstance(care, CareMessage)


@pytest.mark.parametrize("timestamp", [999_999_999_999, "999999999999", BEYOND, "soon", -1, None])
def test_announced_instant_that_no_calendar_holds_is_no_instant(timestamp: object) -> None:
    change = template_change(
        template_says({"correct_category": "MARKETING", "category_update_timestamp": timestamp})
    )
    assert change is not None
    assert change.next_at_us is None


@pytest.mark.parametrize("timestamp", ["1795901275.5", 1795901275500, "2026-11-28T21:27:55.500Z"])
def test_announced_instant_is_read_however_it_is_written(timestamp: object) -> None:
    change = template_change(
        template_says({"correct_category": "MARKETING", "category_update_timestamp": timestamp})
    )
    assert change is not None
    assert change.next_at_us == 1795901275_500_000


async def test_category_that_arrives_after_a_later_word_about_status_counts(router: Router) -> None:
    paused = template_says(
        {"event": "PAUSED"}, field="message_template_status_update", occurred_at=AT + timedelta(seconds=20)
    )
    recategorised = template_says({"new_category": "MARKETING"}, occurred_at=AT + timedelta(seconds=10))
    await router.hear(paused)
    await router.hear(recategorised)
    (decision,) = await router.ask(requested(purpose="utility", content=template("shipped")))
    assert decision.message_class == "promo"


async def test_stop_of_a_clock_ahead_is_the_same_stop_when_it_comes_again(
    router: Router, memory: InMemoryStore
) -> None:
    await router.hear(consent())
    await router.ask(requested())
    stop = inbound("STOP", occurred_at=AT + timedelta(hours=1))
    await router.hear(stop)
    memory.advance(timedelta(seconds=10))
    told = len(router.decided)
    await router.hear(stop)
    assert router.decided[told:] == [], "it is the same STOP"
    memory.advance(timedelta(seconds=10))
    await router.hear(inbound("START", occurred_at=memory.now))
    memory.advance(timedelta(seconds=10))
    await router.hear(stop)
    (decision,) = await router.ask(requested())
    assert decision.reason == "allowed"


async def test_a_stop_at_the_end_of_the_calendar_is_heard(router: Router, memory: InMemoryStore) -> None:
    await router.hear(inbound("STOP", occurred_at=datetime(9999, 12, 31, 23, 30, tzinfo=UTC)))
    assert state_of(memory).stopped("acme")
