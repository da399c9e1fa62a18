"""What strangers and clocks can do: instants out of range, addresses that are none, words out of order."""

from collections.abc import Callable
from datetime import timedelta
from itertools import permutations
from typing import Any
from uuid import uuid4

import pytest

from garbo.common.errors import Reject
from garbo.common.events.addresses import Person
from garbo.common.events.base import Event
from garbo.common.events.engagement import CareMessage
from garbo.common.events.platform import PlatformChange
from garbo.common.events.topics import CONVERSATION_CARE
from garbo.router.domain.policy import Policy
from garbo.router.domain.templates import template_change
from garbo.router.outbound.postgres.templates import seeds
from services.router.tests.support.build import (
    AT,
    business,
    consent,
    inbound,
    requested,
    result,
    status,
    template,
)
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


@pytest.mark.parametrize("timestamp", [1_000_000_000_000, "1000000000000", BEYOND, "soon", -1, None])
def test_announced_instant_that_no_calendar_holds_is_no_instant(timestamp: object) -> None:
    change = template_change(
        template_says({"correct_category": "MARKETING", "category_update_timestamp": timestamp})
    )
    assert change is not None
    assert change.next_at_us is None


@pytest.mark.parametrize(
    "sender", [Person(phone="+00"), Person(user_id="no such form")], ids=["phone", "user_id"]
)
async def test_contact_whose_address_cannot_be_sent_to_is_denied(router: Router, sender: Person) -> None:
    await router.hear(inbound(sender=sender))
    (care,) = router.publisher.of(CONVERSATION_CARE)
    assert isinstance(care, CareMessage)
    to = {"contact_id": str(care.contact_id)}
    (decision,) = await router.ask(requested(to=to, purpose="utility", content=template("shipped")))
    assert (decision.verdict, decision.reason) == ("deny", "no_address")
    assert router.granted == []


async def test_category_that_arrives_after_a_later_word_about_status_counts(router: Router) -> None:
    paused = template_says(
        {"event": "PAUSED"}, field="message_template_status_update", occurred_at=AT + timedelta(seconds=20)
    )
    recategorised = template_says({"new_category": "MARKETING"}, occurred_at=AT + timedelta(seconds=10))
    await router.hear(paused)
    await router.hear(recategorised)
    (decision,) = await router.ask(requested(purpose="utility", content=template("shipped")))
    assert decision.message_class == "promo"


async def test_one_members_failure_does_not_give_back_a_groups_slot(
    router: Router, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy("id: c, type: cap, limit: 1, window: { rolling: 7d }")
    asked = requested(to={"group_id": "g1"})
    await router.ask(asked)
    await router.hear(result(router.granted[0], "accepted", wamid="wamid.g"))
    failed = status(asked.message_id, "failed", code=131026)
    await router.hear(failed.model_copy(update={"participant": "+393331112222"}))
    (second,) = await router.ask(requested(to={"group_id": "g1"}))
    assert (second.verdict, second.rule) == ("deny", "c"), "free in a week, later than a request waits"


async def test_unsent_after_unknown_gives_the_slot_back(
    router: Router, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy("id: c, type: cap, limit: 1, window: { rolling: 7d }")
    await router.ask(requested())
    granted = router.granted[0]
    unknown = result(granted, "unknown", reason="interrupted")
    unsent = result(granted, "not_sent", reason="number_throttled")
    await router.hear(unknown, unsent, unknown)
    (second,) = await router.ask(requested())
    assert (router.decided[1].sequence, router.decided[1].reason) == (2, "number_throttled")
    assert second.verdict == "allow"


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"client": "nobody"}, "unknown_client"),
        ({"brand": "nothing"}, "unknown_brand"),
        ({"client": "desk", "brand": "bolt"}, "brand_not_allowed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_consent_that_is_not_the_clients_to_record_is_refused(
    router: Router, memory: InMemoryStore, more: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Reject, match=reason):
        await router.hear(consent(**more))
    assert not memory.tables.states


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


async def test_failure_told_twice_and_a_late_sent_leave_the_slot_free_in_any_order(
    make_policy: Callable[..., Policy],
) -> None:
    policy = make_policy("id: c, type: cap, limit: 1, window: { rolling: 7d }")
    for order in permutations(range(4)):
        store = InMemoryStore()
        store.know(seeds(business()))
        router = Router(store, policy)
        asked = requested()
        await router.ask(asked)
        events: list[Event] = [
            result(router.granted[0], "unknown", started_at=AT),
            result(router.granted[0], "failed", code=131026),
            status(asked.message_id, "failed", code=131026),
            status(asked.message_id, "sent"),
        ]
        for place in order:
            await router.hear(events[place])
        (second,) = await router.ask(requested())
        assert second.verdict == "allow", order


async def test_consent_of_a_contact_nobody_knows_is_refused_and_its_neighbours_are_not(
    router: Router, memory: InMemoryStore
) -> None:
    with pytest.raises(Reject, match="unknown_contact"):
        await router.hear(consent(), consent("withdrawn", to={"contact_id": str(uuid4())}))
    assert not memory.tables.evidence, "nothing of the batch stays: it comes again record by record"
