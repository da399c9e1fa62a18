"""What clients write is small enough that whatever is made of it fits its topic."""

import json
from typing import Any

import pytest

from garbo.common.errors import Reject
from garbo.common.events.topics import (
    CAMPAIGN_CHANGED,
    CASE_CHANGED,
    CONSENT_RECORDED,
    CONTACT_UPDATED,
    MAX_REQUEST_BYTES,
    SEND_REQUESTED,
    TOPICS,
    Topic,
)
from garbo.common.events.wire import decode
from garbo.common.runtime.outgoing import outgoing

CLIENTS = (SEND_REQUESTED, CONSENT_RECORDED, CASE_CHANGED, CONTACT_UPDATED, CAMPAIGN_CHANGED)


def test_whatever_clients_may_write_is_bounded() -> None:
    written_by_clients = {topic for topic in TOPICS if "other services" in topic.writers}
    assert {topic for topic in TOPICS if topic.max_event_bytes == MAX_REQUEST_BYTES} == written_by_clients


@pytest.mark.parametrize("topic", CLIENTS, ids=lambda topic: str(topic.name))
def test_record_of_a_client_that_is_too_large_is_refused_unread(topic: Topic[Any]) -> None:
    value = b"{" + b" " * MAX_REQUEST_BYTES + b"}"
    with pytest.raises(Reject, match="too_large"):
        decode(topic, value)
    with pytest.raises(Reject, match="invalid"):
        decode(topic, b"{" + b" " * (MAX_REQUEST_BYTES - 2) + b"}")


def test_request_is_measured_as_it_is_written_and_not_as_it_came() -> None:
    asked = {
        "request_id": "0197b1a2-7c00-7000-8000-000000000001",
        "client": "shop",
        "brand": "acme",
        "purpose": "promo",
        "to": {"phone": "+393331234567"},
        "requested_at": "2026-06-05T10:00:00Z",
    }
    text = "x" * (MAX_REQUEST_BYTES - 19_000)
    components = f'[{{"type":"x","a":[{",".join(["1E9"] * 1900)}],"b":"{text}"}}]'
    template = f'{{"name":"t","language":{{"code":"it"}},"components":{components}}}'
    content = f'{{"type":"template","template":{template}}}'
    value = json.dumps(asked)[:-1].encode() + b',"content":' + content.encode() + b"}"
    assert len(value) < MAX_REQUEST_BYTES
    with pytest.raises(Reject, match="record_too_large"):
        outgoing(SEND_REQUESTED, decode(SEND_REQUESTED, value), key="k")
