"""The number: connected, its quality, throughput and name.

Source: Meta, "Business phone numbers" and "Throughput" (read 2026-11).
"""

from typing import Any, Final

from garbo.cli.connect.finding import Found, note, ok, wrong
from garbo.cli.connect.graph import GraphRefused
from garbo.cli.connect.subject import Subject

NAME: Final = "number"
FIELDS: Final = (
    "id,display_phone_number,verified_name,name_status,quality_rating,throughput,status,platform_type,"
    "is_on_biz_app,health_status,webhook_configuration"
)
RATES_PER_S: Final = {"STANDARD": 80, "HIGH": 1000}
IN_THE_APP_PER_S: Final = 20
"""A number that is used in the phone app as well."""
_NAMED: Final = ("APPROVED", "AVAILABLE_WITHOUT_REVIEW")


async def check_number(subject: Subject) -> Found:
    """Look at the number; finds out its account, and where its webhooks go."""
    try:
        node = await subject.graph.get(subject.number, {"fields": FIELDS})
    except GraphRefused as refused:
        mend = (
            "take the phone number id (not the number) from WhatsApp Manager, API setup; the token's system "
        )
        return wrong(
            NAME, f"{subject.number} is not shown, {refused}", f"{mend}user must have the account assigned"
        )
    subject.node = node
    subject.account = _account(node) or subject.account
    return _broken(subject, node) or _doubtful(node) or ok(NAME, _shown(node))


def rate_per_s(node: dict[str, Any]) -> int:
    """Give how many messages a second a number may carry, in and out together."""
    if node.get("is_on_biz_app"):
        return IN_THE_APP_PER_S
    return RATES_PER_S.get(_level(node), RATES_PER_S["STANDARD"])


def _broken(subject: Subject, node: dict[str, Any]) -> Found | None:
    status, health = str(node.get("status", "CONNECTED")), _health(node, "PHONE_NUMBER")
    if status in ("PENDING", "DISCONNECTED"):
        mend = f"register it: POST /{subject.number}/register with its six-digit PIN"
        return wrong(NAME, f"{_display(node)} is {status.lower()}", mend)
    if status in ("BANNED", "DELETED", "RESTRICTED"):
        return wrong(
            NAME,
            f"{_display(node)} is {status.lower()}",
            "see WhatsApp Manager, Account quality: appeal there",
        )
    if node.get("platform_type") not in (None, "CLOUD_API"):
        return wrong(
            NAME,
            f"{_display(node)} is not on the Cloud API",
            "move it there: WhatsApp Manager, Phone numbers",
        )
    if health == "BLOCKED":
        mend = f"ask why: GET /{subject.number}?fields=health_status"
        return wrong(NAME, f"{_display(node)} may not send (health BLOCKED)", mend)
    return None


def _doubtful(node: dict[str, Any]) -> Found | None:
    named, quality = str(node.get("name_status", "APPROVED")), str(node.get("quality_rating", "UNKNOWN"))
    if named not in _NAMED:
        mend = "name it by the rules (WhatsApp Manager, Phone numbers): until then sends may fail, 131037"
        return note(NAME, f"{_shown(node)}, name {named.lower()}", mend)
    if quality == "RED":
        return note(NAME, _shown(node), "send less promo until people block it less: its limits may fall")
    return None


def _shown(node: dict[str, Any]) -> str:
    quality = str(node.get("quality_rating", "unknown")).lower()
    name = str(node.get("verified_name") or "no name")
    return f"{_display(node)} ({name}), quality {quality}, {rate_per_s(node)} messages/s"


def _display(node: dict[str, Any]) -> str:
    return str(node.get("display_phone_number") or node.get("id"))


def _level(node: dict[str, Any]) -> str:
    throughput = node.get("throughput")
    return str(throughput.get("level")) if isinstance(throughput, dict) else ""


def _entities(node: dict[str, Any]) -> list[dict[str, Any]]:
    health = node.get("health_status")
    entities = health.get("entities") if isinstance(health, dict) else None
    return [one for one in entities if isinstance(one, dict)] if isinstance(entities, list) else []


def _health(node: dict[str, Any], kind: str) -> str:
    found = (str(one.get("can_send_message")) for one in _entities(node) if one.get("entity_type") == kind)
    return next(found, "AVAILABLE")


def _account(node: dict[str, Any]) -> str | None:
    return next((str(one["id"]) for one in _entities(node) if one.get("entity_type") == "WABA"), None)
