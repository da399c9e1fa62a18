"""Between rows and values: the state as JSON one can read in psql, grants as columns."""

from typing import Any
from uuid import UUID

import asyncpg
import orjson

from garbo.common.events.ids import ContactId, GrantId, MessageId
from garbo.router.domain.grant import Grant
from garbo.router.domain.instants import to_us, to_us_or_none
from garbo.router.domain.state import Consent, RecipientState, Send, Stop
from garbo.router.domain.templates import TemplateCategory


def state_text(state: RecipientState) -> str:
    """Write a state as JSON; instants are microseconds, empty parts are left out."""
    parts: dict[str, Any] = {
        "erased": state.erased,
        "inbound_at": dict(state.inbound_at_us),
        "inbound": state.inbound,
        "stops": {brand: _stop_json(stop) for brand, stop in state.stops.items()},
        "consents": {key: _consent_json(consent) for key, consent in state.consents.items()},
        "sends": [_send_json(send) for send in state.sends],
    }
    return orjson.dumps(_without_empty(parts)).decode()


def read_state(version: int, text: str) -> RecipientState:
    """Read a state from its row."""
    if text == "{}":
        return RecipientState(version=version)
    parts = orjson.loads(text)
    return RecipientState(
        version=version,
        erased=parts.get("erased", False),
        inbound_at_us=parts.get("inbound_at", {}),
        inbound=tuple((wamid, at_us) for wamid, at_us in parts.get("inbound", ())),
        stops={brand: _read_stop(stop) for brand, stop in parts.get("stops", {}).items()},
        consents={key: _read_consent(consent) for key, consent in parts.get("consents", {}).items()},
        sends=tuple(_read_send(send) for send in parts.get("sends", ())),
    )


def read_grant(row: asyncpg.Record) -> Grant:
    """Read a grant from its row."""
    return Grant(
        grant_id=GrantId(row["grant_id"]),
        message_id=MessageId(row["message_id"]),
        contact_id=ContactId(row["contact_id"]),
        lane=row["lane"],
        message_class=row["message_class"],
        brand=row["brand"],
        number=row["number"],
        epoch=row["epoch"],
        state=row["state"],
        not_before_us=to_us(row["not_before"]),
        valid_until_us=to_us(row["valid_until"]),
        window_until_us=to_us_or_none(row["window_until"]),
        campaign=row["campaign"],
        category=row["category"],
        tags=tuple(row["tags"]),
        by_fallback=row["by_fallback"],
        wamid=row["wamid"],
    )


def read_template(row: asyncpg.Record) -> TemplateCategory:
    """Read a template from its row."""
    return TemplateCategory(
        waba=row["waba"],
        name=row["name"],
        language=row["language"],
        category=row["category"],
        changed_at_us=to_us(row["changed_at"]),
        next_category=row["next_category"],
        next_at_us=to_us_or_none(row["next_category_at"]),
        status=row["status"],
        categorised_at_us=to_us_or_none(row["categorised_at"]),
    )


def _without_empty(parts: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in parts.items() if value}


def _send_json(send: Send) -> dict[str, Any]:
    return _without_empty(
        {
            "id": str(send.message_id),
            "at": send.at_us,
            "class": send.message_class,
            "brand": send.brand,
            "campaign": send.campaign,
            "category": send.category,
            "tags": send.tags,
            "open": send.open,
        }
    )


def _read_send(send: dict[str, Any]) -> Send:
    return Send(
        message_id=MessageId(UUID(send["id"])),
        at_us=send["at"],
        message_class=send["class"],
        brand=send["brand"],
        campaign=send.get("campaign"),
        category=send.get("category"),
        tags=tuple(send.get("tags", ())),
        open=send.get("open", False),
    )


def _stop_json(stop: Stop) -> dict[str, Any]:
    revoked = [str(message_id) for message_id in stop.revoked]
    return _without_empty(
        {
            "stopped_at": stop.stopped_at_us,
            "started_at": stop.started_at_us,
            "by": stop.by,
            "revoked": revoked,
        }
    )


def _read_stop(stop: dict[str, Any]) -> Stop:
    return Stop(
        stopped_at_us=stop.get("stopped_at"),
        started_at_us=stop.get("started_at"),
        by=stop.get("by", ""),
        revoked=tuple(MessageId(UUID(message_id)) for message_id in stop.get("revoked", ())),
    )


def _consent_json(consent: Consent) -> dict[str, Any]:
    return _without_empty(
        {
            "given_at": consent.given_at_us,
            "confirmed_at": consent.confirmed_at_us,
            "withdrawn_at": consent.withdrawn_at_us,
        }
    )


def _read_consent(consent: dict[str, Any]) -> Consent:
    return Consent(
        given_at_us=consent.get("given_at"),
        confirmed_at_us=consent.get("confirmed_at"),
        withdrawn_at_us=consent.get("withdrawn_at"),
    )
