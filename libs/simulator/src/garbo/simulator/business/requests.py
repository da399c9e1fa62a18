"""What the demo business asks for, as the publish API wants it. Pure: ids and instants are given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

from garbo.common.business import Business, KnownTemplate

Json = dict[str, Any]
_CONSENTS: Final = UUID("6b1cbbd0-6a4f-5f0e-9c0d-0c3f5b7d2a10")
_ZONES: Final = ("America/New_York", "Asia/Tokyo", "Europe/London")
_PROMO_VALUES: Final = ("spring shoes", "20 %", "Sunday")
_UPDATE_VALUES: Final = ("ACME-1042", "tomorrow", "Via Roma 1")


@dataclass(frozen=True, slots=True)
class Offer:
    """What the demo business may say: its brand, and its templates by kind."""

    brand: str
    promos: tuple[KnownTemplate, ...]
    updates: tuple[KnownTemplate, ...]


def offer_of(business: Business, brand: str | None) -> Offer:
    """Read brand and templates out of the business file; the first brand unless one is named."""
    return Offer(
        brand=brand or business.brands[0].id,
        promos=tuple(t for t in business.templates if t.category == "MARKETING"),
        updates=tuple(t for t in business.templates if t.category == "UTILITY"),
    )


def consents(people: Sequence[Json], *, brand: str, ratio: float, now: datetime) -> list[Json]:
    """Record marketing consent for a share of the people; the same record for the same person each time."""
    return [
        {
            "consent_id": str(uuid5(_CONSENTS, f"{brand}\n{person['phone']}")),
            "brand": brand,
            "to": {"phone": person["phone"]},
            "channel": "whatsapp",
            "purpose": "marketing",
            "action": "given",
            "source": "form",
            "text_version": "demo-1",
            "occurred_at": now.isoformat(),
        }
        for person in people[: round(len(people) * ratio)]
    ]


def zones(people: Sequence[Json], *, ratio: float, now: datetime) -> list[Json]:
    """Tell where a share of the people lives, when it is not where their number says."""
    abroad = people[len(people) - round(len(people) * ratio) :]
    return [
        {"to": {"phone": p["phone"]}, "timezone": _ZONES[n % len(_ZONES)], "occurred_at": now.isoformat()}
        for n, p in enumerate(abroad)
    ]


def order_update(person: Json, template: KnownTemplate, *, brand: str, request_id: UUID) -> Json:
    """Ask for an order update."""
    return {
        "request_id": str(request_id),
        "brand": brand,
        "to": {"phone": person["phone"]},
        "purpose": "utility",
        "tags": ["order"],
        "content": template_content(template),
    }


def campaign(
    people: Sequence[tuple[UUID, Json]], template: KnownTemplate, *, brand: str, name: str, until: datetime
) -> list[Json]:
    """Ask for one promo to each of many people, none later than `until`."""
    return [
        {
            "request_id": str(request_id),
            "brand": brand,
            "to": {"phone": person["phone"]},
            "purpose": "promo",
            "campaign": name,
            "content": template_content(template),
            "expires_at": until.isoformat(),
        }
        for request_id, person in people
    ]


def care_answer(question: Mapping[str, Any], text: str, *, request_id: UUID) -> Json:
    """Answer a customer's message in free text, citing it."""
    return {
        "request_id": str(request_id),
        "brand": question["brand"],
        "to": {"contact_id": question["contact_id"]},
        "number": question["number"],
        "purpose": "care",
        "reply_to": question["wamid"],
        "content": {"type": "text", "text": {"body": text}},
    }


def template_content(template: KnownTemplate) -> Json:
    """Fill a template with as many values as it wants."""
    words = _PROMO_VALUES if template.category == "MARKETING" else _UPDATE_VALUES
    values = [{"type": "text", "text": words[n % len(words)]} for n in range(template.parameters or 0)]
    components = [{"type": "body", "parameters": values}] if values else []
    block = {"name": template.name, "language": {"code": template.language}, "components": components}
    return {"type": "template", "template": block}
