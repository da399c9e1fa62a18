"""Requests through the use case: explained, stored, previewed, and written down where they wait."""

from typing import Any
from uuid import UUID

import pytest

from garbo.common.events.addresses import Person
from garbo.common.events.engagement import CareMessage
from garbo.common.events.ids import message_id_of
from garbo.common.events.topics import CONVERSATION_CARE
from garbo.router.flow.queries.preview import PreviewRequests
from garbo.router.flow.request import ReceivedRequest
from services.router.tests.support.build import (
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
