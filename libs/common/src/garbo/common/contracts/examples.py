"""One example for each topic: what a reader of the contract sees first. Invented people only."""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from garbo.common.contracts.file_examples import A_FILE, a_stored_file
from garbo.common.contracts.operating_examples import a_pause, an_act
from garbo.common.events.addresses import Person, Recipient
from garbo.common.events.base import Event
from garbo.common.events.contacts import CampaignChanged, CaseChanged, ConsentRecorded, ContactUpdated
from garbo.common.events.content import TemplateContent
from garbo.common.events.decisions import Check, DecisionMade, GrantGiven
from garbo.common.events.engagement import CareMessage, PromoEngaged
from garbo.common.events.erasure import ContactErased
from garbo.common.events.grants import SendGranted
from garbo.common.events.ids import attempt_id_of, message_id_of, platform_message_ref
from garbo.common.events.inbound import InboundMessage
from garbo.common.events.platform import PlatformChange
from garbo.common.events.reads import ReadRequested
from garbo.common.events.requests import SendRequested
from garbo.common.events.results import SendResult
from garbo.common.events.shown import AddressShown
from garbo.common.events.statuses import MessageStatus
from garbo.common.events.template import Language, Template
from garbo.common.events.template_observed import TemplateObserved
from garbo.common.events.template_takes import Takes

_AT: Final = datetime(2026, 6, 5, 10, 0, tzinfo=UTC)
_UNTIL: Final = _AT + timedelta(minutes=15)
_REQUEST: Final = UUID("0197b1a2-7c00-7000-8000-000000000001")
_CONTACT: Final = UUID("8f3a2b1c-0d4e-4f5a-9b6c-7d8e9f0a1b2c")
_GRANT: Final = UUID("5c0ffee0-1234-4abc-8def-000000000001")
_DECISION: Final = UUID("d0000000-1234-4abc-8def-000000000001")
_CONSENT: Final = UUID("c0000000-1234-4abc-8def-000000000001")
_UPDATE: Final = UUID("a0000000-1234-4abc-8def-000000000001")
_MESSAGE: Final = message_id_of("shop", _REQUEST)
_NUMBER: Final = "106540352242922"
_WABA: Final = "102290129340398"
_PHONE: Final = "+393331234567"
_WAMID: Final = "wamid.HBgMMzkzMzMxMjM0NTY3FQIAERgSRTdGQUNBMDAwMDAwMDAwMDAxAA=="
_CONTENT: Final = TemplateContent(
    template=Template(
        name="summer_sale",
        language=Language(code="it"),
        components=({"type": "body", "parameters": [{"type": "text", "text": "20%"}]},),
    )
)


def examples() -> tuple[Event, ...]:
    """Give one example of each event type."""
    asked = (_request(), _inbound(), _status(), _change(), _template())
    return (
        *asked,
        _decision(),
        _lease(),
        _result(),
        _shown(),
        a_pause(waba=_WABA, at=_AT),
        an_act(at=_AT),
        *_engagements(),
        *_updates(),
    )


def _request() -> SendRequested:
    return SendRequested(
        request_id=_REQUEST,
        client="shop",
        brand="acme",
        to=Recipient(phone=_PHONE),
        purpose="promo",
        campaign="summer-2026",
        content=_CONTENT,
        expires_at=_AT + timedelta(hours=12),
        requested_at=_AT,
    )


def _inbound() -> InboundMessage:
    raw = {"from": _PHONE[1:], "id": _WAMID, "timestamp": "1780653600", "type": "text"}
    return InboundMessage(
        wamid=_WAMID,
        waba=_WABA,
        number=_NUMBER,
        sender=Person(phone=_PHONE, user_id="IT.13491208655302741918"),
        name="Maria",
        kind="text",
        text="Dov'è il mio ordine?",
        occurred_at=_AT,
        received_at=_AT,
        raw=raw | {"text": {"body": "Dov'è il mio ordine?"}},
    )


def _status() -> MessageStatus:
    attempt = attempt_id_of(_MESSAGE, 1)
    raw = {
        "id": _WAMID,
        "status": "delivered",
        "timestamp": "1780653600",
        "biz_opaque_callback_data": attempt,
    }
    return MessageStatus(
        wamid=_WAMID,
        status="delivered",
        waba=_WABA,
        number=_NUMBER,
        recipient=Person(phone=_PHONE),
        attempt_id=attempt,
        category="marketing",
        billing="regular",
        occurred_at=_AT,
        received_at=_AT,
        raw=raw,
    )


def _change() -> PlatformChange:
    value = {
        "message_template_name": "order_update",
        "message_template_language": "it",
        "previous_category": "UTILITY",
        "new_category": "MARKETING",
    }
    return PlatformChange(
        change_id="9b1f0c5e",
        waba=_WABA,
        field="template_category_update",
        value=value,
        occurred_at=_AT,
        received_at=_AT,
    )


def _template() -> TemplateObserved:
    return TemplateObserved(
        waba=_WABA,
        name="summer_sale",
        language="it",
        category="MARKETING",
        status="APPROVED",
        quality="GREEN",
        takes=Takes(header="IMAGE", body_values=("1",)),
        observed_at=_AT,
    )


def _decision() -> DecisionMade:
    grant = GrantGiven(id=_GRANT, lane="promo", number=_NUMBER, epoch=1, not_before=_AT, valid_until=_UNTIL)
    return DecisionMade(
        decision_id=_DECISION,
        sequence=1,
        message_id=_MESSAGE,
        request_id=_REQUEST,
        client="shop",
        brand="acme",
        contact_id=_CONTACT,
        verdict="allow",
        final=True,
        message_class="promo",
        purpose="promo",
        campaign="summer-2026",
        category="MARKETING",
        reason="allowed",
        checks=(Check(rule="promo-week", type="cap", ok=True, used=2, limit=3, window="rolling 7d"),),
        grant=grant,
        policy_version="sha256:5f0c",
        state_version=42,
        tzdata="2026a",
        requested_at=_AT,
        decided_at=_AT,
    )


def _lease() -> SendGranted:
    return SendGranted(
        grant_id=_GRANT,
        epoch=1,
        message_id=_MESSAGE,
        request_id=_REQUEST,
        client="shop",
        brand="acme",
        contact_id=_CONTACT,
        lane="promo",
        message_class="promo",
        category="MARKETING",
        campaign="summer-2026",
        number=_NUMBER,
        to=Recipient(phone=_PHONE),
        content=_CONTENT,
        not_before=_AT,
        valid_until=_UNTIL,
        decided_at=_AT,
    )


def _result() -> SendResult:
    return SendResult(
        message_id=_MESSAGE,
        grant_id=_GRANT,
        contact_id=_CONTACT,
        lane="promo",
        number=_NUMBER,
        attempt_id=attempt_id_of(_MESSAGE, 1),
        outcome="accepted",
        platform_message_ref=platform_message_ref(_WAMID),
        started_at=_AT,
        recorded_at=_AT + timedelta(milliseconds=180),
    )


def _shown() -> AddressShown:
    return AddressShown(
        message_id=_MESSAGE,
        attempt_id=attempt_id_of(_MESSAGE, 1),
        contact_id=_CONTACT,
        shown=Person(phone="+551187650002"),
        occurred_at=_AT + timedelta(milliseconds=180),
    )


def _engagements() -> tuple[Event, ...]:
    return (
        CareMessage(
            wamid=_WAMID,
            contact_id=_CONTACT,
            brand="acme",
            number=_NUMBER,
            kind="image",
            text="Dov'è il mio ordine?",
            media=A_FILE,
            window_until=_AT + timedelta(hours=24),
            occurred_at=_AT,
        ),
        a_stored_file(_WAMID, contact_id=_CONTACT, number=_NUMBER, at=_AT),
        PromoEngaged(
            engagement_id=platform_message_ref(_WAMID),
            contact_id=_CONTACT,
            brand="acme",
            number=_NUMBER,
            action="replied",
            message_id=_MESSAGE,
            campaign="summer-2026",
            occurred_at=_AT,
        ),
    )


def _updates() -> tuple[Event, ...]:
    to = Recipient(phone=_PHONE)
    return (
        ContactErased(contact_id=_CONTACT, erased_at=_AT),
        ConsentRecorded(
            consent_id=_CONSENT,
            client="shop",
            brand="acme",
            to=to,
            action="given",
            source="form",
            number=_NUMBER,
            text_version="2026-03",
            locale="it",
            occurred_at=_AT,
            recorded_at=_AT,
        ),
        CaseChanged(
            case_id="C-1042",
            client="helpdesk",
            brand="acme",
            to=to,
            action="opened",
            occurred_at=_AT,
            recorded_at=_AT,
        ),
        ContactUpdated(
            update_id=_UPDATE, client="shop", to=to, timezone="Europe/Rome", language="it", occurred_at=_AT
        ),
        CampaignChanged(
            client="shop", brand="acme", campaign="summer-2026", action="cancelled", occurred_at=_AT
        ),
        ReadRequested(client="helpdesk", number=_NUMBER, message_id=_WAMID, typing=True, requested_at=_AT),
    )
