"""The business account: reviewed, not restricted; its templates, and whether it may use the marketing API.

Source: Meta, "WhatsApp Business Account" reference, "Marketing Messages API" (read 2026-11).
"""

from collections import Counter
from typing import Any, Final

from garbo.cli.connect.finding import Found, note, ok, skipped, wrong
from garbo.cli.connect.graph import GraphRefused
from garbo.cli.connect.subject import Subject

NAME: Final = "account"
TEMPLATES: Final = "templates"
MARKETING: Final = "marketing"
FIELDS: Final = (
    "name,account_review_status,business_verification_status,health_status,"
    "whatsapp_business_manager_messaging_limit"
)
_MARKETING_FIELDS: Final = "marketing_messages_onboarding_status,disable_marketing_messages_on_cloud_api"
_UNKNOWN: Final = "the account is not known yet: see the lines above"


async def check_account(subject: Subject) -> Found:
    """Look at the account."""
    if subject.account is None:
        return skipped(NAME, _UNKNOWN)
    try:
        node = await subject.graph.get(subject.account, {"fields": FIELDS})
    except GraphRefused as refused:
        mend = (
            "assign the account to the token's system user: Business settings, WhatsApp accounts, Add people"
        )
        return wrong(NAME, f"{subject.account} is not shown, {refused}", mend)
    review = str(node.get("account_review_status", "APPROVED"))
    if review != "APPROVED":
        return wrong(
            NAME, f"{_shown(subject, node)}, review {review.lower()}", "see WhatsApp Manager, Account quality"
        )
    if _blocked(node):
        mend = "see WhatsApp Manager, Account quality and Billing: appeal, or pay"
        return wrong(NAME, f"{_shown(subject, node)}, may not send (health BLOCKED)", mend)
    if node.get("business_verification_status") != "verified":
        mend = "verify it: Business settings, Security centre; until then 250 people a day"
        return note(NAME, f"{_shown(subject, node)}, business not verified", mend)
    return ok(NAME, _shown(subject, node))


async def check_templates(subject: Subject) -> Found:
    """Look whether templates can be read, and what state they are in."""
    if subject.account is None:
        return skipped(TEMPLATES, _UNKNOWN)
    params = {"fields": "name,status", "limit": "100"}
    try:
        page = await subject.graph.get(f"{subject.account}/message_templates", params)
    except GraphRefused as refused:
        mend = "give the token whatsapp_business_management: without it nothing is refused at the door"
        return wrong(TEMPLATES, f"cannot be read, {refused}", mend)
    items = page.get("data")
    states = Counter(
        str(one.get("status", "?")).lower() for one in (items if isinstance(items, list) else ())
    )
    if not states:
        return note(TEMPLATES, "there are none", "write one: WhatsApp Manager, Message templates")
    more = " or more" if "next" in (page.get("paging") or {}) else ""
    return ok(
        TEMPLATES,
        f"{states.total()}{more}: " + ", ".join(f"{n} {word}" for word, n in states.most_common()),
    )


async def check_marketing(subject: Subject) -> Found:
    """Look whether promos may go, and how."""
    if subject.account is None:
        return skipped(MARKETING, _UNKNOWN)
    try:
        node = await subject.graph.get(subject.account, {"fields": _MARKETING_FIELDS})
    except GraphRefused as refused:
        return note(MARKETING, f"not shown, {refused}", "see WhatsApp Manager, Marketing messages")
    status = str(node.get("marketing_messages_onboarding_status", "unknown"))
    if node.get("disable_marketing_messages_on_cloud_api") is True:
        mend = "allow them again (WhatsApp Manager, Marketing messages): promos are refused with 131063 now"
        return wrong(MARKETING, "the account sends no marketing over the Cloud API", mend)
    if status == "ONBOARDED":
        subject.has_marketing = True
        return ok(MARKETING, "onboarded to the Marketing Messages API")
    mend = "accept its terms in WhatsApp Manager for better delivery; without, promos go as other messages do"
    return note(MARKETING, f"not onboarded to the Marketing Messages API ({status.lower()})", mend)


def _shown(subject: Subject, node: dict[str, Any]) -> str:
    limit = node.get("whatsapp_business_manager_messaging_limit")
    told = f", {str(limit).removeprefix('TIER_').lower()} people a day" if limit else ""
    return f"{node.get('name') or 'no name'} ({subject.account}){told}"


def _blocked(node: dict[str, Any]) -> bool:
    health = node.get("health_status")
    return isinstance(health, dict) and health.get("can_send_message") == "BLOCKED"
