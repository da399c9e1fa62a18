"""The shapes of what Meta tells: one update, and a signed body of many.

Source: Meta, webhooks "messages" reference and "status" reference (read 2026-09); statuses as of v24,
that is without `conversation`.
"""

import hmac
import json
from asyncio import Event
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

import orjson

from garbo.simulator.graph.accounts import SendingNumber
from garbo.simulator.webhooks.notices import Notice

Json = dict[str, Any]
Part = Literal["statuses", "messages", "user_preferences"]
"""What an update is listed under. The first two share the field `messages`, the last is its own field."""


@dataclass(frozen=True, slots=True)
class Update:
    """One status, one inbound message, or one change of preference."""

    number: SendingNumber
    part: Part
    item: Json
    contact: Json | None
    heard: Event | None = None
    """Set once the business has taken it."""

    @property
    def waba(self) -> str:
        """The account it is about."""
        return self.number.waba

    @property
    def number_id(self) -> str:
        """The number it is about."""
        return self.number.id

    @property
    def field(self) -> str:
        """The webhook field it is told under."""
        return _field(self.part)


News = Update | Notice
"""Anything that is told."""


def webhook_body(news: Sequence[News]) -> bytes:
    """Write one POST body: an entry per account, a change per number and kind, in order of appearance.

    What is not about messages has an entry of its own, with its time.
    """
    entries: dict[str, dict[tuple[str, Part], Json]] = {}
    notices = [_entry(one) for one in news if isinstance(one, Notice)]
    for update in news:
        if isinstance(update, Notice):
            continue
        changes = entries.setdefault(update.number.waba, {})
        key = (update.number.id, update.part)
        value = changes.get(key)
        if value is None:
            value = changes[key] = _value(update)
        value[update.part].append(update.item)
        if update.contact is not None:
            value.setdefault("contacts", []).append(update.contact)
    envelope = {
        "object": "whatsapp_business_account",
        "entry": [
            {"id": waba, "changes": [{"value": v, "field": _field(part)} for (_, part), v in changes.items()]}
            for waba, changes in entries.items()
        ]
        + notices,
    }
    return escaped(orjson.dumps(envelope))


def escaped(body: bytes) -> bytes:
    """Write JSON as Meta does: ASCII alone, slashes escaped. Parsed and written again it is other bytes."""
    if not body.isascii():
        text = json.dumps(orjson.loads(body), separators=(",", ":"), ensure_ascii=True)
        body = text.encode("ascii")
    return body.replace(b"/", b"\\/")


def signature(secret: str, body: bytes) -> str:
    """Sign a body as `X-Hub-Signature-256`: HMAC-SHA256 over the raw bytes with the app secret."""
    return "sha256=" + hmac.new(secret.encode(), body, sha256).hexdigest()


def _field(part: Part) -> str:
    return "messages" if part in ("statuses", "messages") else part


def _entry(notice: Notice) -> Json:
    return {"id": notice.waba, "time": notice.at, "changes": [{"value": notice.value, "field": notice.field}]}


def _value(update: Update) -> Json:
    return {
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": update.number.digits,
            "phone_number_id": update.number.id,
        },
        update.part: [],
    }
