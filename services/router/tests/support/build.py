"""Builders: a policy, a business and events with everything one does not care about filled in."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import UUID, uuid4

from garbo.common.business import Business
from garbo.common.events.addresses import Person
from garbo.common.events.contacts import CaseChanged, ConsentRecorded, ContactUpdated
from garbo.common.events.grants import SendGranted
from garbo.common.events.ids import MessageId, address_hash, attempt_id_of, platform_message_ref
from garbo.common.events.inbound import InboundMessage
from garbo.common.events.platform import PlatformChange
from garbo.common.events.requests import SendRequested
from garbo.common.events.results import SendResult
from garbo.common.events.statuses import MessageStatus, PlatformError
from garbo.router.flow.visibility import Viewer
from garbo.router.ports.contacts import Address

AT: Final = datetime(2026, 6, 1, 10, tzinfo=UTC)
HASH_KEY: Final = b"a key for tests only, long enough"
CARE_NUMBER, PROMO_NUMBER, OTHER_NUMBER = "1001", "1002", "2001"
PHONE: Final = "+393331234567"
OTHER_PHONE: Final = "+393339999999"
PHONE_ADDRESS: Final = Address("phone", PHONE, address_hash(HASH_KEY, "phone", PHONE))
API_KEY: Final = "test-crm-key"


def business(**more: Any) -> Business:  # noqa: ANN401 - any field
    """Give two brands, three numbers, five templates and two clients."""
    number = {"waba": "9001", "token": "t", "display": "+39 02 5550 0001"}
    content: dict[str, Any] = {
        "brands": [
            {"id": "acme", "care_number": CARE_NUMBER, "promo_number": PROMO_NUMBER},
            {"id": "bolt", "care_number": OTHER_NUMBER, "promo_number": OTHER_NUMBER},
        ],
        "numbers": [
            {"id": CARE_NUMBER, "brand": "acme", **number},
            {"id": PROMO_NUMBER, "brand": "acme", **number},
            {"id": OTHER_NUMBER, "brand": "bolt", **number},
        ],
        "templates": [
            {"name": "sale", "language": "it", "category": "MARKETING"},
            {"name": "shipped", "language": "it", "category": "UTILITY"},
            {"name": "code", "language": "it", "category": "AUTHENTICATION"},
            {"name": "counted", "language": "it", "category": "UTILITY", "parameters": 1},
        ],
        "clients": [
            {
                "id": "crm",
                "keys_sha256": [sha256(API_KEY.encode()).hexdigest()],
                "brands": ["acme", "bolt"],
                "purposes": ["care", "promo", "utility", "auth"],
                "scopes": ["publish", "read", "link"],
            },
            {"id": "desk", "brands": ["acme"], "purposes": ["care"]},
        ],
    }
    return Business.model_validate({**content, **more})


EVERYBODY: Final = Viewer(
    ("acme", "bolt"), frozenset({CARE_NUMBER, PROMO_NUMBER, OTHER_NUMBER}), has_every_brand=True
)
"""Somebody who sees everybody."""


def template(name: str = "sale", language: str = "it") -> dict[str, Any]:
    """Give the content of a template message."""
    return {"type": "template", "template": {"name": name, "language": {"code": language}}}


def text(body: str = "hello") -> dict[str, Any]:
    """Give the content of a free-form text."""
    return {"type": "text", "text": {"body": body}}


def requested(**more: Any) -> SendRequested:  # noqa: ANN401 - any field
    """Ask for a promo template to be sent to one person."""
    content: dict[str, Any] = {
        "request_id": uuid4(),
        "client": "crm",
        "brand": "acme",
        "to": {"phone": PHONE},
        "purpose": "promo",
        "content": template(),
        "requested_at": AT,
    }
    return SendRequested.model_validate({**content, **more})


def inbound(body: str | None = "hello", **more: Any) -> InboundMessage:  # noqa: ANN401 - any field
    """Let the person write a text."""
    content: dict[str, Any] = {
        "wamid": f"wamid.{uuid4().hex}",
        "waba": "9001",
        "number": CARE_NUMBER,
        "sender": Person(phone=PHONE),
        "kind": "text",
        "text": body,
        "occurred_at": AT,
        "received_at": AT,
        "raw": {},
    }
    return InboundMessage.model_validate({**content, **more})


def consent(action: str = "given", **more: Any) -> ConsentRecorded:  # noqa: ANN401 - any field
    """Let the person consent to marketing."""
    content: dict[str, Any] = {
        "consent_id": uuid4(),
        "client": "crm",
        "brand": "acme",
        "to": {"phone": PHONE},
        "action": action,
        "source": "form",
        "occurred_at": AT - timedelta(days=1),
        "recorded_at": AT - timedelta(days=1),
    }
    return ConsentRecorded.model_validate({**content, **more})


def result(granted: SendGranted, outcome: str, **more: Any) -> SendResult:  # noqa: ANN401 - any field
    """Let the sender say what it did with a grant; a `wamid` as it tells it, by its hash."""
    if wamid := more.pop("wamid", None):
        more["platform_message_ref"] = platform_message_ref(wamid)
    content: dict[str, Any] = {
        "message_id": granted.message_id,
        "grant_id": granted.grant_id,
        "contact_id": granted.contact_id,
        "lane": granted.lane,
        "number": granted.number,
        "attempt_id": attempt_id_of(MessageId(granted.message_id), 1),
        "outcome": outcome,
        "recorded_at": AT,
    }
    return SendResult.model_validate({**content, **more})


def status(
    message_id: UUID, word: str, *, code: int | None = None, at: datetime = AT, phone: str | None = PHONE
) -> MessageStatus:
    """Let the platform say what became of a message, and by which phone it knows who got it."""
    return MessageStatus(
        wamid=f"wamid.of.{message_id.hex}",
        status=word,
        waba="9001",
        number=PROMO_NUMBER,
        recipient=Person(phone=phone),
        attempt_id=attempt_id_of(MessageId(message_id), 1),
        errors=() if code is None else (PlatformError(code=code),),
        occurred_at=at,
        received_at=at,
        raw={},
    )


def preference(
    word: str, *, at: datetime = AT, number: str = PROMO_NUMBER, phone: str = PHONE
) -> PlatformChange:
    """Let the person switch marketing of a number off (`stop`) or on (`resume`) in their app."""
    said = {"wa_id": phone[1:], "category": "marketing_messages", "value": word}
    return PlatformChange(
        change_id=f"{word}:{at.isoformat()}:{number}:{phone}",
        waba="9001",
        field="user_preferences",
        number=number,
        person=Person(phone=phone),
        value={"user_preferences": [said]},
        occurred_at=at,
        received_at=at,
    )


def case(action: str, at: datetime = AT, **more: Any) -> CaseChanged:  # noqa: ANN401 - any field
    """Say that a client's case with the person of these tests was opened or closed."""
    plain = {"case_id": "C-1", "client": "crm", "brand": "acme", "to": {"phone": PHONE}, "action": action}
    return CaseChanged.model_validate({**plain, "occurred_at": at, "recorded_at": at, **more})


def update(at: datetime = AT, **more: Any) -> ContactUpdated:  # noqa: ANN401 - any field
    """Say something of a contact."""
    plain = {"update_id": uuid4(), "client": "crm", "to": {"phone": PHONE}, "occurred_at": at}
    return ContactUpdated.model_validate({**plain, **more})
