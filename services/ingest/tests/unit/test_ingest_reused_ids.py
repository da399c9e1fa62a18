"""A reused id is told at the door, where this process still knows what it stood for."""

from typing import Any
from uuid import uuid4

import pytest
from starlette.types import ASGIApp

from garbo.common.events.ids import message_id_of, request_id_of
from garbo.ingest.domain.submissions import MESSAGES
from garbo.ingest.flow.recent_ids import RecentIds
from services.ingest.tests.support.event_log import MemoryEventLog
from services.ingest.tests.support.http import PHONE, post

FIRST: dict[str, Any] = {
    "brand": "acme",
    "to": {"phone": PHONE},
    "purpose": "promo",
    "content": {"type": "text", "text": {"body": "ciao"}},
}
OTHER = FIRST | {"priority": 7}
CONTACT = {"to": {"phone": PHONE}, "timezone": "Europe/Rome"}


async def test_another_body_under_the_same_key_is_answered_with_the_first_id(
    ingest_app: ASGIApp, event_log: MemoryEventLog
) -> None:
    await post(ingest_app, FIRST, idempotency=["order-17"])
    answer = await post(ingest_app, OTHER, idempotency=["order-17"])
    first = request_id_of("shop", "order-17")
    assert answer.status == 409
    ids = {"request_id": str(first), "message_id": str(message_id_of("shop", first))}
    assert answer.json()["messages"] == [ids]
    assert [error["field"] for error in answer.json()["errors"]] == ["request_id"]
    assert len(event_log.found) == 1


async def test_the_same_body_again_is_the_same_request(ingest_app: ASGIApp) -> None:
    later = FIRST | {"requested_at": "2026-06-01T10:00:00Z", "tags": None}
    answers = [await post(ingest_app, body, idempotency=["k"]) for body in (FIRST, FIRST, later)]
    assert [answer.status for answer in answers] == [202, 202, 202]
    assert answers[0].body == answers[2].body


async def test_an_id_of_the_body_is_held_to_its_first_content_too(ingest_app: ASGIApp) -> None:
    own = {"request_id": str(uuid4())}
    assert (await post(ingest_app, FIRST | own)).status == 202
    assert (await post(ingest_app, [FIRST, OTHER | own])).status == 409
    twice = {"request_id": str(uuid4())}
    answer = await post(ingest_app, [FIRST | twice, FIRST, OTHER | twice])
    assert (answer.status, [error["index"] for error in answer.json()["errors"]]) == (409, [2])


async def test_other_submissions_with_ids_are_held_to_them(ingest_app: ASGIApp) -> None:
    await post(ingest_app, CONTACT, path="contacts", idempotency=["k"])
    answer = await post(ingest_app, CONTACT | {"timezone": "Asia/Tokyo"}, path="contacts", idempotency=["k"])
    assert answer.status == 409
    assert answer.json()["contacts"] == [{"update_id": str(request_id_of("shop", "k"))}]


async def test_what_was_not_kept_may_be_corrected_under_its_key(
    ingest_app: ASGIApp, event_log: MemoryEventLog
) -> None:
    event_log.down = True
    assert (await post(ingest_app, FIRST, idempotency=["k"])).status == 503
    event_log.down = False
    assert (await post(ingest_app, OTHER, idempotency=["k"])).status == 202


@pytest.mark.parametrize("taken", [3, 4])
async def test_the_oldest_id_is_forgotten_first(
    ingest_app: ASGIApp, event_log: MemoryEventLog, taken: int
) -> None:
    bodies = [FIRST | {"request_id": str(uuid4())} for _ in range(taken)]
    await post(ingest_app, bodies)
    events: list[Any] = [found.event for found in event_log.found]
    recent = RecentIds(most=3)
    recent.remember(events, MESSAGES)
    changed = [event.model_copy(update={"priority": 7}) for event in events]
    refusal = recent.refusal(changed, MESSAGES, alone=False)
    assert refusal is not None
    assert [fault.index for fault in refusal.faults] == list(range(taken))[-3:]
