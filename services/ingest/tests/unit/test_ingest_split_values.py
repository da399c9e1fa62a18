"""The small things of a webhook: instants, ids, words, and bodies that hold no parts at all."""

from datetime import UTC, datetime

import orjson
import pytest

from garbo.common.errors import Reject
from garbo.common.events.inbound import InboundMessage
from garbo.ingest.domain.parts import Broken, Found, Part
from garbo.ingest.domain.webhook import MAX_PARTS, split_webhook
from services.ingest.tests.support.http import AnyJson
from services.ingest.tests.support.webhooks import text_message, webhook_of

NOW = datetime(2026, 9, 22, 12, tzinfo=UTC)


def split(body: AnyJson) -> list[Part]:
    return split_webhook(body, received_at=NOW, hash_key=b"hash-key-of-the-tests")


@pytest.mark.parametrize(
    "broken",
    [
        {"timestamp": "soon"},
        {"timestamp": None},
        {"timestamp": True},
        {"timestamp": -1},
        {"timestamp": 10**12 - 1},
        {"timestamp": "٣٣"},
        {"timestamp": "1790000000,5"},
        {"timestamp": 10**30},
        {"id": ""},
        {"id": "x" * 513},
        {"id": {}},
        {"from": None},
        {"from": "not a phone number"},
    ],
    ids=str,
)
def test_a_message_with_a_broken_field_is_a_broken_part(broken: dict[str, AnyJson]) -> None:
    (part,) = split(webhook_of(text_message(**broken)))
    assert isinstance(part, Broken)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ([], "invalid:object"),
        ("text", "invalid:object"),
        ({"object": "page", "entry": []}, "invalid:object"),
        ({"object": "whatsapp_business_account"}, "invalid:entry"),
        ({"object": "whatsapp_business_account", "entry": {}}, "invalid:entry"),
        (webhook_of(*[{}] * (MAX_PARTS + 1)), "too_many_parts"),
    ],
    ids=["array", "text", "another platform", "no entry", "entry no array", "too many"],
)
def test_a_body_without_parts_is_refused_as_a_whole(body: AnyJson, reason: str) -> None:
    with pytest.raises(Reject, match=reason):
        split(body)


REPLIES: list[tuple[dict[str, AnyJson], tuple[str | None, str | None, str | None]]] = [
    (
        {"type": "button", "button": {"text": "Stop", "payload": "p"}, "context": {"id": "w0"}},
        ("Stop", "p", "w0"),
    ),
    (
        {
            "type": "interactive",
            "interactive": {"type": "list_reply", "list_reply": {"id": "r", "title": "Row"}},
        },
        ("Row", "r", None),
    ),
    (
        {"type": "interactive", "interactive": {"type": "nfm_reply", "nfm_reply": {"body": "Sent"}}},
        ("Sent", None, None),
    ),
    ({"type": "reaction", "reaction": {"message_id": "w0", "emoji": "x"}}, (None, None, "w0")),
    ({"type": "image", "image": {"caption": "see"}}, ("see", None, None)),
    ({"type": "text", "text": {"body": 7}}, (None, None, None)),
    ({"type": "interactive", "interactive": []}, (None, None, None)),
    ({"type": None}, (None, None, None)),
]


@pytest.mark.parametrize(("more", "expected"), REPLIES)
def test_words_payload_and_quote_are_found(
    more: dict[str, AnyJson], expected: tuple[str | None, str | None, str | None]
) -> None:
    (part,) = split(webhook_of(text_message(text=None) | more))
    assert isinstance(part, Found)
    assert isinstance(part.event, InboundMessage)
    assert (part.event.text, part.event.payload, part.event.reply_to) == expected
    assert orjson.dumps(part.event.raw) == orjson.dumps(text_message(text=None) | more)


def test_a_message_that_names_no_number_of_ours_is_a_broken_part() -> None:
    (part,) = split(webhook_of(text_message(), metadata=None))
    assert isinstance(part, Broken)
    assert part.reason == "invalid:metadata.phone_number_id"
