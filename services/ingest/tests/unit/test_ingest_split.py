"""What each situation of a webhook becomes. Bodies: `payloads/`, named by the situation."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from garbo.common.events.addresses import Person
from garbo.common.events.ids import address_hash
from garbo.common.events.inbound import InboundMessage
from garbo.common.events.jsontext import parse_json
from garbo.common.events.platform import PlatformChange
from garbo.common.events.statuses import MessageStatus
from garbo.common.events.wire import decode, encode
from garbo.ingest.domain.parts import Broken, Found, Part
from garbo.ingest.domain.webhook import split_webhook
from services.ingest.tests.support.http import AnyJson
from services.ingest.tests.support.webhooks import text_message, webhook_of

PAYLOADS = Path(__file__).parents[1] / "payloads"
NOW = datetime(2026, 9, 22, 12, tzinfo=UTC)
HASH_KEY = b"hash-key-of-the-tests"
PHONE = "+16505551234"
USER = "US.13491208655302741918"
SITUATIONS = sorted(path.stem for path in PAYLOADS.glob("*.json"))


def split(body: AnyJson) -> list[Part]:
    return split_webhook(body, received_at=NOW, hash_key=HASH_KEY)


def split_payload(situation: str) -> list[Part]:
    return split(parse_json((PAYLOADS / f"{situation}.json").read_bytes()))


def the_event(situation: str) -> AnyJson:
    (part,) = split_payload(situation)
    assert isinstance(part, Found)
    return part.event


@pytest.mark.parametrize("situation", [s for s in SITUATIONS if not s.startswith("bad_")])
def test_every_healthy_situation_becomes_events_that_can_be_read_back(situation: str) -> None:
    parts = split_payload(situation)
    assert parts
    for part in parts:
        assert isinstance(part, Found)
        assert decode(part.topic, encode(part.event)) == part.event


@pytest.mark.parametrize(
    ("situation", "reasons"),
    [
        ("bad_changes_missing", ["invalid:changes"]),
        ("bad_message_without_id", ["invalid:id"]),
        ("bad_metadata_missing", ["invalid:from"]),
        ("bad_timestamp_not_number", ["invalid:timestamp"]),
        ("bad_value_null", ["invalid:value"]),
        ("bad_timestamp_int", []),
        ("bad_message_type_block_missing", []),
    ],
)
def test_a_broken_part_says_what_is_broken(situation: str, reasons: list[str]) -> None:
    assert [part.reason for part in split_payload(situation) if isinstance(part, Broken)] == reasons


INBOUND: list[tuple[str, dict[str, Any]]] = [
    ("stop_keyword_text", {"kind": "text", "text": "STOP"}),
    ("button_without_context", {"kind": "button", "reply_to": None}),
    ("edit", {"kind": "edit", "text": "edited text"}),
    ("revoke", {"kind": "revoke", "text": None}),
    ("unknown_message_type_future", {"kind": "hologram", "text": None}),
    ("system_user_changed_number_no_contacts", {"kind": "system", "text": None, "name": None}),
    ("bad_message_type_block_missing", {"kind": "image", "text": None}),
    ("bad_timestamp_int", {"kind": "text"}),
]


@pytest.mark.parametrize(("situation", "expected"), INBOUND, ids=[case[0] for case in INBOUND])
def test_a_message_becomes_an_inbound_message(situation: str, expected: dict[str, Any]) -> None:
    event = the_event(situation)
    assert isinstance(event, InboundMessage)
    assert {name: getattr(event, name) for name in expected} == expected
    assert event.sender.phone == PHONE


def test_a_person_may_show_a_user_id_only() -> None:
    event = the_event("text_bsuid_only_with_parent_and_username")
    assert (event.sender.phone, event.sender.user_id) == (None, USER)
    assert event.sender.parent_user_id == "US.ENT.11815799212886844830"
    assert event.name == "Sheena Nelson"


def test_a_group_message_is_keyed_by_its_group() -> None:
    (part,) = split_payload("group_message_text")
    assert isinstance(part, Found)
    assert isinstance(part.event, InboundMessage)
    assert part.event.group_id
    assert part.key == address_hash(HASH_KEY, "group_id", part.event.group_id)


def test_a_persons_message_is_keyed_by_the_hash_of_their_address() -> None:
    (part,) = split(webhook_of(text_message()))
    assert isinstance(part, Found)
    assert part.key == address_hash(HASH_KEY, "phone", PHONE)


def test_both_people_of_a_group_status_are_told_apart_without_showing_their_numbers() -> None:
    parts = split_payload("group_statuses_aggregated")
    events = [part.event for part in parts if isinstance(part, Found)]
    assert len({event.event_id for event in events}) == 2
    assert not any("16505551234" in event.event_id for event in events)
    assert len({part.key for part in parts if isinstance(part, Found)}) == 1


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        ("status_failed_131049", {"status": "failed"}),
        ("status_v24_read_no_conversation_no_pricing", {"status": "read", "category": None}),
        ("status_sent_free_customer_service_utility", {"billing": "free_customer_service"}),
    ],
)
def test_a_status_becomes_a_message_status(situation: str, expected: dict[str, Any]) -> None:
    event = the_event(situation)
    assert isinstance(event, MessageStatus)
    assert {name: getattr(event, name) for name in expected} == expected


def test_a_failed_status_carries_its_codes() -> None:
    assert [error.code for error in the_event("status_failed_131049").errors] == [131049]
    assert len(the_event("status_failed_with_two_errors").errors) == 2


def test_an_error_code_may_be_a_string_and_an_error_without_code_stays_raw() -> None:
    errors = [{"code": "131026"}, {"code": None}, {"title": "?"}, "odd"]
    status = {"id": "w", "status": "failed", "timestamp": "1790000000", "errors": errors}
    (part,) = split(webhook_of(statuses=[status], messages=None))
    assert isinstance(part, Found)
    assert isinstance(part.event, MessageStatus)
    assert [error.code for error in part.event.errors] == [131026]
    assert part.event.raw["errors"] == errors


def test_callback_data_becomes_the_attempt_id() -> None:
    status = {"id": "w", "status": "sent", "timestamp": 1790000000, "biz_opaque_callback_data": "m.1"}
    (part,) = split(webhook_of(statuses=[status], messages=[]))
    assert isinstance(part, Found)
    assert isinstance(part.event, MessageStatus)
    assert part.event.attempt_id == "m.1"


CHANGES = [
    ("user_actions_landing_page_view", "messages"),
    ("user_preferences_stop", "user_preferences"),
    ("history_declined", "history"),
    ("history_last_chunk_out_of_order", "history"),
    ("template_category_update_impending", "template_category_update"),
    ("standby", "standby"),
    ("messaging_handovers_take_control", "messaging_handovers"),
]


@pytest.mark.parametrize(("situation", "field"), CHANGES, ids=[case[0] for case in CHANGES])
def test_everything_else_becomes_a_platform_change(situation: str, field: str) -> None:
    event = the_event(situation)
    assert isinstance(event, PlatformChange)
    assert event.field == field


PEOPLE: list[tuple[str, Person, Person | None]] = [
    ("user_preferences_stop", Person(phone=PHONE), None),
    ("user_preferences_resume_contact_only_wa_id", Person(phone=PHONE), None),
    (
        "user_id_update",
        Person(user_id=USER),
        Person(
            phone=PHONE,
            user_id="US.13491208655302741999",
            parent_user_id="US.ENT.11815799212886844999",
        ),
    ),
]


@pytest.mark.parametrize(("situation", "who", "now"), PEOPLE, ids=[case[0] for case in PEOPLE])
def test_a_change_of_one_person_names_them_and_is_keyed_by_the_hash_of_their_address(
    situation: str, who: Person, now: Person | None
) -> None:
    (part,) = split_payload(situation)
    assert isinstance(part, Found)
    assert isinstance(part.event, PlatformChange)
    assert (part.event.person, part.event.changed_to) == (who, now)
    assert who.address
    assert part.key == address_hash(HASH_KEY, *who.address)
    assert part.event.occurred_at is not None


def test_each_person_of_a_change_becomes_a_change_of_their_own() -> None:
    said = [{"wa_id": f"1650555{n}", "value": "stop", "timestamp": 1790000000 + n} for n in range(1001, 1004)]
    value = {
        "metadata": {"phone_number_id": "100"},
        "contacts": [{"wa_id": one["wa_id"], "profile": {"name": "x"}} for one in said],
        "user_preferences": [*said, "odd"],
    }
    change = {"field": "user_preferences", "value": value}
    *parts, odd = split({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]})
    events = [p.event for p in parts if isinstance(p, Found) and isinstance(p.event, PlatformChange)]
    assert [event.person and event.person.phone for event in events] == [
        f"+1650555{n}" for n in range(1001, 1004)
    ]
    assert [event.value["user_preferences"] for event in events] == [[one] for one in said]
    assert [len(event.value["contacts"]) for event in events] == [1, 1, 1]
    assert len({event.event_id for event in events}) == 3
    assert isinstance(odd, Found)
    assert isinstance(odd.event, PlatformChange)
    assert odd.event.person is None


def test_a_system_message_says_who_the_sender_is_from_now_on() -> None:
    event = the_event("system_user_changed_number_no_contacts")
    assert (event.sender.phone, event.changed_to) == (PHONE, Person(phone="+12195555358"))
    seen = {"type": "customer_identity_changed", "wa_id": "12195555358"}
    (part,) = split(webhook_of(text_message(type="system", system=seen)))
    assert isinstance(part, Found)
    assert isinstance(part.event, InboundMessage)
    assert part.event.changed_to is None


def test_what_the_business_wrote_itself_is_no_inbound_message() -> None:
    body = webhook_of(text_message())
    for field in ("smb_message_echoes", "history"):
        body["entry"][0]["changes"][0]["field"] = field
        assert [type(part.event) for part in split(body) if isinstance(part, Found)] == [PlatformChange]


def test_keys_nobody_knows_yet_are_kept_raw_beside_the_messages() -> None:
    body = webhook_of(text_message(), errors=[{"code": 1}], holograms={"a": 1})
    body["entry"][0]["messaging"] = [{"page": 1}]
    parts = [part for part in split(body) if isinstance(part, Found)]
    kinds = Counter(type(part.event).__name__ for part in parts)
    assert kinds == {"InboundMessage": 1, "PlatformChange": 3}
    values = [part.event.value for part in parts if isinstance(part.event, PlatformChange)]
    assert [set(value) - {"metadata", "id"} for value in values] == [{"messaging"}, {"errors"}, {"holograms"}]


def test_the_same_change_has_the_same_id_each_time() -> None:
    first, again = the_event("user_preferences_stop"), the_event("user_preferences_stop")
    assert first.change_id == again.change_id
    assert the_event("user_preferences_signup").change_id != first.change_id


def test_neighbours_of_a_broken_part_land_and_it_can_be_read_again_once_mended() -> None:
    contacts = [{"wa_id": PHONE[1:], "profile": {"name": "A"}}, {"wa_id": "39333", "profile": {"name": "B"}}]
    body = webhook_of(
        text_message(), text_message(timestamp="soon", id="w2"), text_message(id="w3"), contacts=contacts
    )
    good, broken, after = split(body)
    assert isinstance(good, Found)
    assert isinstance(after, Found)
    assert isinstance(broken, Broken)
    assert broken.webhook is not None
    value = broken.webhook["entry"][0]["changes"][0]["value"]
    assert [m["id"] for m in value["messages"]] == ["w2"]
    value["messages"][0]["timestamp"] = "1790000000"
    (mended,) = split(broken.webhook)
    assert isinstance(mended, Found)
    assert isinstance(mended.event, InboundMessage)
    assert mended.event.name == "A"
