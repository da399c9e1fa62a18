"""Requests through the use case: once, in order, explained; repeats byte for byte."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from garbo.common.errors import RetryLater
from garbo.common.events.ids import message_id_of
from garbo.common.events.topics import DECISION_MADE, SEND_PROMO
from garbo.router.domain.policy import Policy
from garbo.router.flow.queries.preview import PreviewRequests
from garbo.router.flow.request import ReceivedRequest
from services.router.tests.support.build import (
    AT,
    OTHER_NUMBER,
    PHONE,
    consent,
    inbound,
    requested,
    template,
    text,
)
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.memory_reading import InMemoryPreviewReader
from services.router.tests.support.router import Router


async def test_scenario_23_one_of_three_in_a_batch_by_priority_then_deadline_then_id(
    router: Router, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy("id: c, type: cap, limit: 1, window: { rolling: 7d }")
    ids = sorted(uuid4() for _ in range(3))
    late, soon = AT + timedelta(hours=2), AT + timedelta(hours=1)
    pairs: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"priority": 80}, {"priority": 79}),
        ({"expires_at": soon}, {"expires_at": late}),
        ({"expires_at": late}, {}),
        ({"requested_at": AT - timedelta(seconds=1)}, {}),
        ({"request_id": ids[0]}, {"request_id": ids[1]}),
    ]
    for better, worse in pairs:
        to = {"phone": f"+39333{uuid4().int % 10**7:07d}"}
        worst = requested(to=to, priority=1)
        decided = await router.ask(worst, requested(to=to, **worse), requested(to=to, **better))
        verdicts = {d.request_id: d.verdict for d in decided}
        assert sorted(verdicts.values()) == ["allow", "deny", "deny"]
        allowed = next(d for d in decided if d.verdict == "allow")
        assert decided[0] == allowed, "told in the order decided"
        assert allowed.request_id != worst.request_id


async def test_scenario_24_repeat_gives_the_same_bytes_and_counts_once(
    router: Router, memory: InMemoryStore
) -> None:
    await router.hear(consent())
    asked = requested()
    await router.ask(asked, asked)
    memory.advance(timedelta(hours=25))
    await router.ask(asked)
    told = router.publisher.bytes_of(DECISION_MADE)
    assert len(told) == 3
    assert len(set(told)) == 1
    assert router.meter.repeats_count == 2
    (state,) = memory.tables.states.values()
    assert len(state.sends) == 1
    granted = router.publisher.bytes_of(SEND_PROMO)
    assert len(granted) == 2
    assert len(set(granted)) == 1


async def test_scenario_25_same_id_with_another_body_is_id_reused_and_changes_nothing(
    router: Router, memory: InMemoryStore
) -> None:
    await router.hear(consent())
    asked = requested()
    (first,) = await router.ask(asked)
    other = requested(request_id=asked.request_id, priority=51)
    (answer,) = await router.ask(other)
    assert (answer.verdict, answer.reason, answer.sequence) == ("deny", "id_reused", 0)
    (again,) = await router.ask(other)
    assert again.decision_id == answer.decision_id != first.decision_id
    stored = await memory.decision(asked.message_id)
    assert stored is not None
    assert len(stored.records) == 1
    assert len(router.granted) == 1


async def test_requested_at_is_no_part_of_the_body(router: Router) -> None:
    asked = requested()
    await router.ask(asked)
    (again,) = await router.ask(requested(request_id=asked.request_id, requested_at=AT + timedelta(hours=1)))
    assert again.reason == "not_opted_in"


async def test_scenario_26_crash_after_commit_publishes_on_redelivery(router: Router) -> None:
    await router.hear(consent())
    router.publisher.failures_left = 1
    asked = requested()
    with pytest.raises(RetryLater):
        await router.ask(asked)
    assert router.publisher.told == []
    (decision,) = await router.ask(asked)
    assert decision.verdict == "allow"
    assert len(router.granted) == 1


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"client": "nobody"}, "unknown_client"),
        ({"brand": "nothing"}, "unknown_brand"),
        ({"client": "desk", "brand": "bolt", "purpose": "care"}, "brand_not_allowed"),
        ({"client": "desk"}, "purpose_not_allowed"),
        ({"number": OTHER_NUMBER}, "unknown_number"),
        ({"number": "777"}, "unknown_number"),
        ({"channel": "sms"}, "channel_unavailable"),
        ({"to": {"contact_id": str(UUID(int=1))}}, "unknown_contact"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_request_that_is_not_the_clients_to_make_is_denied_and_stored(
    router: Router, memory: InMemoryStore, more: dict[str, Any], reason: str
) -> None:
    asked = requested(**more)
    (decision,) = await router.ask(asked)
    assert (decision.verdict, decision.reason, decision.final) == ("deny", reason, True)
    assert decision.contact_id is None
    assert await memory.decision(message_id_of(asked.client, asked.request_id))
    assert not memory.tables.states


async def test_same_request_id_of_two_clients_is_two_requests(router: Router) -> None:
    await router.hear(inbound())
    one = requested(purpose="care", content=text())
    two = requested(purpose="care", content=text(), client="desk", request_id=one.request_id)
    decided = await router.ask(one, two)
    assert [d.verdict for d in decided] == ["allow", "allow"]
    assert decided[0].message_id != decided[1].message_id


async def test_contact_id_reaches_the_address_it_stands_for(router: Router) -> None:
    await router.hear(consent())
    (first,) = await router.ask(requested())
    await router.ask(requested(to={"contact_id": str(first.contact_id)}))
    assert [granted.to.phone for granted in router.granted] == [PHONE, PHONE]


async def test_fallback_template_is_what_the_sender_gets(router: Router) -> None:
    asked = requested(purpose="care", content=text(), fallback={"template": template("shipped")["template"]})
    (decision,) = await router.ask(asked)
    assert (decision.verdict, decision.message_class, decision.demoted) == ("allow", "utility", True)
    (granted,) = router.granted
    assert granted.content.type == "template"
    assert (granted.lane, granted.window_until) == ("care", None)
    await router.ask(asked)
    assert router.granted[1] == granted


async def test_unknown_template_is_promo_and_says_so(router: Router) -> None:
    (decision,) = await router.ask(requested(purpose="utility", content=template("never_approved")))
    assert (decision.message_class, decision.template_unknown) == ("promo", True)
    assert decision.reason == "not_opted_in"


async def test_preview_answers_as_a_decision_would_and_writes_nothing(
    router: Router, memory: InMemoryStore
) -> None:
    await router.hear(consent())
    before = memory.tables.copied()
    stranger = requested(to={"phone": "+393339999999"})
    previews = await PreviewRequests(router.dependencies, InMemoryPreviewReader(memory)).preview(
        [ReceivedRequest(requested()), ReceivedRequest(stranger), ReceivedRequest(requested(client="no"))]
    )
    assert [(p.verdict, p.reason, p.grant) for p in previews] == [
        ("allow", "allowed", None),
        ("deny", "not_opted_in", None),
        ("deny", "unknown_client", None),
    ]
    assert memory.tables == before
    assert router.publisher.told == []
