"""`/v1/consents`, `/v1/cases`, `/v1/contacts`, `/v1/campaigns`, `/v1/reads` over ASGI."""

from typing import Any
from uuid import UUID

import pytest
from starlette.types import ASGIApp

from garbo.common.events.contacts import CampaignChanged, CaseChanged, ConsentRecorded, ContactUpdated
from garbo.common.events.ids import address_hash, platform_message_ref, request_id_of
from garbo.common.events.reads import ReadRequested
from garbo.common.events.wire import decode, encode
from libs.common.tests.support.clock import FixedClock
from services.ingest.tests.support.event_log import MemoryEventLog
from services.ingest.tests.support.http import CARE, DESK, PHONE, READER, SHOP, AnyJson, post

CONTACT = "8f3a2b1c-0d4e-4f5a-9b6c-7d8e9f0a1b2c"


def consent(**more: AnyJson) -> dict[str, Any]:
    base = {
        "brand": "acme",
        "to": {"phone": PHONE},
        "action": "given",
        "source": "form",
        "occurred_at": "2026-09-01T10:00:00Z",
    }
    return base | more


async def test_a_consent_is_taken(
    ingest_app: ASGIApp, event_log: MemoryEventLog, ingest_clock: FixedClock
) -> None:
    answer = await post(ingest_app, consent(), path="consents", idempotency=["form-9"])
    assert answer.status == 202
    (event,) = (found.event for found in event_log.found)
    assert isinstance(event, ConsentRecorded)
    assert event.consent_id == request_id_of("shop", "form-9")
    assert event.recorded_at == ingest_clock.now()
    assert answer.json() == {"consents": [{"consent_id": str(event.consent_id)}]}


@pytest.mark.parametrize(("key", "status"), [(SHOP, 403), (DESK, 202)])
async def test_consent_for_all_brands_needs_a_client_of_all_brands(
    ingest_app: ASGIApp, key: str, status: int
) -> None:
    assert (await post(ingest_app, consent(brand="*"), path="consents", key=key)).status == status


async def test_a_wrong_consent_is_refused(ingest_app: ASGIApp) -> None:
    answer = await post(ingest_app, consent(action="maybe", text="x"), path="consents")
    assert answer.status == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["action", "text"]


async def test_a_consent_says_what_was_shown_and_where(
    ingest_app: ASGIApp, event_log: MemoryEventLog
) -> None:
    shown = {"number": "100", "text_version": "3", "text_hash": "sha256:5f", "locale": "it-IT"}
    assert (await post(ingest_app, consent(**shown), path="consents")).status == 202
    (event,) = (found.event for found in event_log.found)
    assert {name: getattr(event, name) for name in shown} == shown


async def test_a_consent_about_another_brands_number_is_refused(ingest_app: ASGIApp) -> None:
    answer = await post(ingest_app, consent(number="200"), path="consents")
    assert answer.status == 403
    assert [error["field"] for error in answer.json()["errors"]] == ["number"]


TOLD: list[tuple[str, dict[str, Any], type]] = [
    ("cases", {"case_id": "C-1", "brand": "acme", "to": {"phone": PHONE}, "action": "opened"}, CaseChanged),
    ("contacts", {"to": {"phone": PHONE}, "timezone": "America/New_York"}, ContactUpdated),
    ("contacts", {"to": {"contact_id": CONTACT}, "same_as": {"phone": PHONE}}, ContactUpdated),
    ("campaigns", {"brand": "acme", "campaign": "summer", "action": "cancelled"}, CampaignChanged),
    ("reads", {"number": "100", "message_id": "wamid.x", "typing": True}, ReadRequested),
]
IDS = [f"{case[0]}-{n}" for n, case in enumerate(TOLD)]


@pytest.mark.parametrize(("path", "body", "kind"), TOLD, ids=IDS)
async def test_what_is_told_is_taken_with_client_and_instant_filled_in(
    ingest_app: ASGIApp,
    event_log: MemoryEventLog,
    ingest_clock: FixedClock,
    path: str,
    body: dict[str, Any],
    kind: type,
) -> None:
    assert (await post(ingest_app, [body, body], path=path)).status == 202
    found = event_log.found
    assert [type(one.event) for one in found] == [kind, kind]
    for one in found:
        assert decode(one.topic, encode(one.event)) == one.event
        assert (one.event.model_dump()["client"], one.event.happened_at) == ("shop", ingest_clock.now())
        assert PHONE[1:] not in one.key


async def test_the_answer_names_what_was_taken(ingest_app: ASGIApp) -> None:
    case, contact, _, campaign, read = (body for _, body, _ in TOLD)
    answers = [
        await post(ingest_app, body, path=path, idempotency=["k"])
        for path, body in (("cases", case), ("contacts", contact), ("campaigns", campaign), ("reads", read))
    ]
    assert [answer.json() for answer in answers] == [
        {"cases": [{"case_id": "C-1", "action": "opened"}]},
        {"contacts": [{"update_id": str(request_id_of("shop", "k"))}]},
        {"campaigns": [{"campaign": "summer", "action": "cancelled"}]},
        {"reads": [{"message_id": "wamid.x"}]},
    ]


async def test_a_record_is_keyed_by_whom_or_what_it_is_about(
    ingest_app: ASGIApp, event_log: MemoryEventLog
) -> None:
    for path, body, _ in TOLD:
        await post(ingest_app, body, path=path)
    hashed = address_hash(b"hash-key-of-the-tests", "phone", PHONE)
    assert [found.key for found in event_log.found] == [
        hashed,
        hashed,
        CONTACT,
        "acme:summer",
        platform_message_ref("wamid.x"),
    ]


async def test_told_again_with_the_same_key_it_has_the_same_id(
    ingest_app: ASGIApp, event_log: MemoryEventLog
) -> None:
    body = {"to": {"phone": PHONE}, "timezone": "Europe/Rome"}
    given = "0192c3d4-0000-7000-8000-000000000001"
    await post(ingest_app, body, path="contacts", idempotency=["crm-9"])
    await post(ingest_app, body, path="contacts", idempotency=["crm-9"])
    await post(ingest_app, body | {"update_id": given}, path="contacts", idempotency=["crm-9"])
    ids = [found.event.model_dump()["update_id"] for found in event_log.found]
    assert ids == [request_id_of("shop", "crm-9")] * 2 + [UUID(given)]


WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    ("contacts", {"timezone": "Europe/Roma"}, "timezone", "IANA name"),
    ("contacts", {"timezone": "+02:00"}, "timezone", "IANA name"),
    ("contacts", {"same_as": {"phone": "12"}}, "same_as.phone", "E.164"),
    ("contacts", {"to": {}}, "to", "exactly one"),
    ("contacts", {"colour": "red"}, "colour", "no field here"),
    ("cases", {"action": "paused"}, "action", "opened"),
    ("cases", {"case_id": ""}, "case_id", "pattern"),
    ("cases", {"occurred_at": "2026-10-01T10:00:00"}, "occurred_at", "UTC offset"),
    ("campaigns", {"action": "paused"}, "action", "cancelled"),
    ("campaigns", {"campaign": None}, "campaign", "string"),
    ("reads", {"message_id": CONTACT}, "message_id", "wamid of the message that came in"),
    ("reads", {"number": "+39021234567"}, "number", "pattern"),
    ("reads", {"typing": "perhaps"}, "typing", "true or false"),
]


@pytest.mark.parametrize(("path", "more", "field", "advice"), WRONG, ids=[f"{c[0]}-{c[2]}" for c in WRONG])
async def test_what_is_told_wrongly_is_named_with_what_to_do(
    ingest_app: ASGIApp, event_log: MemoryEventLog, path: str, more: AnyJson, field: str, advice: str
) -> None:
    good = next(body for name, body, _ in TOLD if name == path)
    answer = await post(ingest_app, good | more, path=path)
    assert answer.status == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert advice in error["detail"]
    assert event_log.entries == []


@pytest.mark.parametrize("path", ["cases", "campaigns", "consents"])
async def test_a_client_speaks_of_its_own_brands_only(
    ingest_app: ASGIApp, event_log: MemoryEventLog, path: str
) -> None:
    good = consent() if path == "consents" else next(body for name, body, _ in TOLD if name == path)
    assert (await post(ingest_app, good | {"brand": "bella"}, path=path)).status == 403
    assert (await post(ingest_app, good | {"brand": "bella"}, path=path, key=DESK)).status == 202
    assert (await post(ingest_app, good | {"client": "desk"}, path=path)).status == 403
    assert len(event_log.entries) == 1


async def test_message_is_read_at_a_number_of_the_clients_brands_alone(
    ingest_app: ASGIApp, event_log: MemoryEventLog
) -> None:
    read = {"number": "200", "message_id": "wamid.x"}
    answer = await post(ingest_app, read, path="reads")
    assert (answer.status, [error["field"] for error in answer.json()["errors"]]) == (403, ["number"])
    assert (await post(ingest_app, read | {"client": "desk"}, path="reads", key=SHOP)).status == 403
    assert (await post(ingest_app, read, path="reads", key=DESK)).status == 202
    assert len(event_log.entries) == 1


@pytest.mark.parametrize("path", ["cases", "contacts", "campaigns", "consents", "reads"])
@pytest.mark.parametrize(("key", "status"), [(None, 401), (READER, 403)])
async def test_a_key_that_may_not_publish_may_tell_nothing(
    ingest_app: ASGIApp, path: str, key: str | None, status: int
) -> None:
    assert (await post(ingest_app, {}, path=path, key=key)).status == status


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("campaigns", {"brand": "acme", "campaign": "summer", "action": "cancelled"}, 403),
        ("consents", consent() | {"action": "given"}, 403),
        ("consents", consent() | {"action": "confirmed"}, 403),
        ("consents", consent() | {"action": "imported"}, 403),
        ("consents", consent() | {"action": "requested"}, 403),
        ("consents", consent() | {"action": "withdrawn"}, 202),
        ("consents", consent() | {"purpose": "care"}, 202),
    ],
)
async def test_of_promo_speaks_who_may_ask_for_promo_but_a_no_is_anybodys_to_tell(
    ingest_app: ASGIApp, path: str, body: AnyJson, status: int
) -> None:
    answer = await post(ingest_app, body, path=path, key=CARE)
    assert answer.status == status
    assert status == 202 or "purpose promo" in answer.json()["errors"][0]["detail"]


@pytest.mark.parametrize(("brand", "status"), [("acme", 202), ("bella", 403), ("nothing", 403)])
async def test_contact_data_is_told_for_the_clients_brands_alone(
    ingest_app: ASGIApp, brand: str, status: int
) -> None:
    body = {"to": {"phone": PHONE}, "timezone": "Europe/Rome", "brand": brand}
    assert (await post(ingest_app, body, path="contacts")).status == status


@pytest.mark.parametrize(("key", "status"), [(SHOP, 202), (DESK, 403)])
async def test_two_addresses_are_joined_with_the_scope_link_alone(
    ingest_app: ASGIApp, key: str, status: int
) -> None:
    body = {"to": {"phone": PHONE}, "same_as": {"user_id": "IT.7"}}
    answer = await post(ingest_app, body, path="contacts", key=key)
    assert answer.status == status
    assert status == 202 or answer.json()["errors"][0]["field"] == "same_as"
