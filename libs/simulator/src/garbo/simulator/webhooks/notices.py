"""What Meta tells about templates, numbers and accounts: each field with its documented value.

Source: Meta, webhook references of these fields (read 2026-09). Statuses and messages are in `updates.py`.
"""

import dataclasses
import time
from dataclasses import dataclass
from typing import Any, Final

from garbo.simulator.assets.templates import Template

Json = dict[str, Any]
_PAUSED: Final = "Your WhatsApp message template has been paused"
_SAID: Final = {
    "FIRST_PAUSE": f"{_PAUSED} for 3 hours because it continues to have issues.",
    "SECOND_PAUSE": f"{_PAUSED} for 6 hours because it continues to have issues.",
    "RATE_LIMITING_PAUSE": f"{_PAUSED}: feedback on its first messages is low.",
    "UNPAUSE": "Your WhatsApp message template has been unpaused.",
    "DISABLED": "Your WhatsApp message template has been disabled because it was paused too often.",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """One change of a field other than `messages`."""

    waba: str
    field: str
    value: Json
    number_id: str | None = None
    """Where it is about one number."""
    at: int = dataclasses.field(default_factory=lambda: int(time.time()))


def template_status(
    waba: str, template: Template, *, event: str, reason: str | None = None, title: str | None = None
) -> Notice:
    """Tell what became of a template; `title` names the pause."""
    value = _named(template) | {
        "event": event,
        "reason": reason or ("NONE" if title is None else None),
        "message_template_category": template.category,
    }
    if title is not None:
        value["other_info"] = {"title": title, "description": _SAID.get(title, title)}
    if event in ("DISABLED", "FLAGGED"):
        value["disable_info"] = {"disable_date": time.strftime("%B %d, %Y", time.gmtime())}
    return Notice(waba, "message_template_status_update", value)


def template_quality(waba: str, template: Template, *, before: str) -> Notice:
    """Tell that a template's quality changed."""
    value = {"previous_quality_score": before, "new_quality_score": template.quality} | _named(template)
    return Notice(waba, "message_template_quality_update", value)


def template_recategorised(waba: str, template: Template, *, before: str) -> Notice:
    """Tell that a template has another category from now on."""
    value = _named(template) | {"previous_category": before, "new_category": template.category}
    return Notice(waba, "template_category_update", value)


def template_category_impending(waba: str, template: Template, *, at: int) -> Notice:
    """Tell which category a template gets at an instant (epoch seconds); it has its own until then."""
    value = _named(template) | {
        "new_category": template.category,
        "correct_category": template.correct_category,
        "category_update_timestamp": at,
    }
    return Notice(waba, "template_category_update", value)


def template_components(waba: str, template: Template) -> Notice:
    """Tell a template's new texts and buttons."""
    value = _named(template)
    names = {"HEADER": "title", "BODY": "element", "FOOTER": "footer"}
    for part in template.components:
        kind = str(part.get("type")).upper()
        if kind in names and "text" in part:
            value[f"message_template_{names[kind]}"] = part["text"]
        if kind == "BUTTONS":
            value["message_template_buttons"] = [_button(one) for one in part.get("buttons", ())]
    return Notice(waba, "message_template_components_update", value)


def number_throughput(waba: str, number_id: str, digits: str, *, limit: str) -> Notice:
    """Tell that a number may send faster."""
    value = {
        "display_phone_number": digits,
        "event": "THROUGHPUT_UPGRADE",
        "max_daily_conversations_per_business": limit,
    }
    return Notice(waba, "phone_number_quality_update", value, number_id)


def number_name(waba: str, number_id: str, digits: str, *, decision: str, name: str) -> Notice:
    """Tell what was decided about a number's display name."""
    value = {
        "display_phone_number": digits,
        "decision": decision,
        "requested_verified_name": name,
        "rejection_reason": None,
    }
    return Notice(waba, "phone_number_name_update", value, number_id)


def account(waba: str, event: str, **more: object) -> Notice:
    """Tell that something happened to an account: its `event`, and what belongs to it."""
    return Notice(waba, "account_update", {"event": event, **more})


def capability(waba: str, *, limit: str, numbers: int = 20) -> Notice:
    """Tell how many people a day the business may reach, and how many numbers it may have."""
    value = {"max_daily_conversations_per_business": limit, "max_phone_numbers_per_business": numbers}
    return Notice(waba, "business_capability_update", value)


def _named(template: Template) -> Json:
    return {
        "message_template_id": int(template.id),
        "message_template_name": template.name,
        "message_template_language": template.language,
    }


def _button(button: Json) -> Json:
    said = {
        "message_template_button_type": button.get("type"),
        "message_template_button_text": button.get("text"),
    }
    for name in ("url", "phone_number"):
        if name in button:
            said[f"message_template_button_{name}"] = button[name]
    return said
