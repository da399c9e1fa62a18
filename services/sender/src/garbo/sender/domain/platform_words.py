"""What the platform tells of accounts, numbers and templates, and what that pauses or resumes. Pure.

Source: Meta, webhooks reference of these fields (read 2026-11). A word nobody here knows changes nothing.

account_update                  ACCOUNT_RESTRICTION: its templates, or all of it, until the restriction ends
                                ACCOUNT_VIOLATION, to be disabled: promo of its numbers. DISABLE, deleted: all
account_review_update           REJECTED: all
phone_number_quality_update     FLAGGED: promo of the number
phone_number_name_update        APPROVED: resumes what waited for the name
message_template_status_update  PAUSED, DISABLED, REJECTED, FLAGGED ...: the template. APPROVED: resumes it
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from garbo.common.events.instants import platform_instant
from garbo.common.events.pauses import PauseScope, PauseSource
from garbo.common.events.platform import PlatformChange
from garbo.common.events.template_registry import normal_language
from garbo.sender.domain.pauses import ALL, Order, PauseOrder, ResumeOrder

BOTH: Final[tuple[PauseSource, ...]] = ("code", "platform")
"""What the platform says is over, is over, whichever way it had said it. An operator's pause stands."""
_ENDS_ACCOUNT: Final = frozenset({"ACCOUNT_DELETED", "ACCOUNT_OFFBOARDED", "PARTNER_REMOVED"})
_STOPS_TEMPLATE: Final = frozenset(
    ("PAUSED", "DISABLED", "REJECTED", "FLAGGED", "LOCKED", "PENDING_DELETION", "DELETED", "ARCHIVED")
)
_FREES_TEMPLATE: Final = frozenset({"APPROVED", "REINSTATED", "UNARCHIVED"})
_TEMPLATE_PAUSES: Final = {"FIRST_PAUSE": timedelta(hours=3), "SECOND_PAUSE": timedelta(hours=6)}
"""By `other_info.title`: they end by themselves and the platform says so; should that be lost, time does."""
_MARGIN: Final = timedelta(minutes=5)
_RESTRICTIONS: Final = {
    "RESTRICTED_BIZ_INITIATED_MESSAGING": "template",
    "RESTRICTED_CUSTOMER_INITIATED_MESSAGING": "account",
}
"""What each type keeps from being sent; others (RESTRICTED_ADD_PHONE_NUMBER_ACTION) keep from nothing."""


class Numbers:
    """Which numbers an account has, and whose a displayed number is."""

    def __init__(self, listed: Iterable[tuple[str, str, str]]) -> None:
        """Take id, account and display of each."""
        self._listed = {number: (account, _digits(display)) for number, account, display in listed}

    def of(self, account: str) -> list[str]:
        """Give those of an account."""
        return [number for number, (owner, _) in self._listed.items() if owner == account]

    def account_of(self, number: str) -> str | None:
        """Give whose a number is."""
        return self._listed[number][0] if number in self._listed else None

    def displayed(self, account: str, display: object) -> str | None:
        """Give the number that is shown so."""
        shown = (account, _digits(display)) if isinstance(display, str) else None
        return next((number for number, one in self._listed.items() if one == shown), None)


def orders_of(change: PlatformChange, numbers: Numbers) -> list[Order]:
    """Say what a change pauses and resumes."""
    read = _FIELDS.get(change.field)
    return list(read(change, numbers)) if read else []


def recategorised(change: PlatformChange) -> tuple[str, bool] | None:
    """Give a template (account:name:language) whose category changed, and whether it sells now.

    One that is only announced (`correct_category`) has not changed yet.
    """
    if change.field != "template_category_update" or "correct_category" in change.value:
        return None
    template, category = _template(change), change.value.get("new_category")
    if template is None or not isinstance(category, str):
        return None
    return template, category == "MARKETING"


def _account_update(change: PlatformChange, numbers: Numbers) -> Iterator[Order]:
    match change.value.get("event"):
        case "ACCOUNT_RESTRICTION":
            yield from _restrictions(change)
        case "ACCOUNT_VIOLATION":
            yield from _promos(change, numbers, "account_violation")
        case "DISABLED_UPDATE":
            yield from _disabled(change, numbers)
        case "ACCOUNT_RECONNECTED":
            yield _resumed(change, "account", change.waba)
        case event if event in _ENDS_ACCOUNT:
            yield _paused(change, "account", change.waba, str(event).lower())


def _restrictions(change: PlatformChange) -> Iterator[Order]:
    listed = change.value.get("restriction_info")
    for one in listed if isinstance(listed, list) else []:
        kind = one.get("restriction_type") if isinstance(one, dict) else None
        until = platform_instant(one.get("expiration")) if isinstance(one, dict) else None
        match _RESTRICTIONS.get(str(kind)):
            case "account":
                yield _paused(change, "account", change.waba, "account_restricted", until=until)
            case "template":
                name = f"{change.waba}:{ALL}:{ALL}"
                yield _paused(change, "template", name, "account_restricted", until=until)


def _disabled(change: PlatformChange, numbers: Numbers) -> Iterator[Order]:
    ban = change.value.get("ban_info")
    match ban.get("waba_ban_state") if isinstance(ban, dict) else None:
        case "SCHEDULE_FOR_DISABLE":
            yield from _promos(change, numbers, "account_to_be_disabled")
        case "DISABLE":
            yield _paused(change, "account", change.waba, "account_disabled")
        case "REINSTATE":
            yield _resumed(change, "account", change.waba)
            yield _resumed(change, "template", f"{change.waba}:{ALL}:{ALL}")
            for number in numbers.of(change.waba):
                yield ResumeOrder("promo", number, ("platform",), change.field, change.happened_at)


def _review(change: PlatformChange, numbers: Numbers) -> Iterator[Order]:
    del numbers
    match change.value.get("decision"):
        case "REJECTED":
            yield _paused(change, "account", change.waba, "account_review_rejected")
        case "APPROVED":
            reason = "account_review_rejected"
            at = change.happened_at
            yield ResumeOrder("account", change.waba, ("platform",), change.field, at, reason=reason)


def _quality(change: PlatformChange, numbers: Numbers) -> Iterator[Order]:
    if (number := _number(change, numbers)) is None:
        return
    match change.value.get("event"):
        case "FLAGGED":
            yield _paused(change, "promo", number, "number_flagged")
        case "UNFLAGGED":
            yield ResumeOrder("promo", number, ("platform",), change.field, change.happened_at)


def _name(change: PlatformChange, numbers: Numbers) -> Iterator[Order]:
    number = _number(change, numbers)
    if number is not None and change.value.get("decision") == "APPROVED":
        reason = "display_name_not_approved"
        yield ResumeOrder("number", number, ("code",), change.field, change.happened_at, reason=reason)


def _template_status(change: PlatformChange, numbers: Numbers) -> Iterator[Order]:
    del numbers
    template, event = _template(change), change.value.get("event")
    if template is None or not isinstance(event, str):
        return
    if event in _FREES_TEMPLATE:
        yield _resumed(change, "template", template)
    elif event in _STOPS_TEMPLATE:
        more = change.value.get("other_info")
        lasts = _TEMPLATE_PAUSES.get(str(more.get("title"))) if isinstance(more, dict) else None
        until = change.happened_at + lasts + _MARGIN if lasts and event == "PAUSED" else None
        yield _paused(change, "template", template, f"template_{event.lower()}", until=until)


_FIELDS: Final[Mapping[str, Callable[[PlatformChange, Numbers], Iterator[Order]]]] = {
    "account_update": _account_update,
    "account_review_update": _review,
    "phone_number_quality_update": _quality,
    "phone_number_name_update": _name,
    "message_template_status_update": _template_status,
}


def _promos(change: PlatformChange, numbers: Numbers, reason: str) -> Iterator[Order]:
    for number in numbers.of(change.waba):
        yield _paused(change, "promo", number, reason)


def _paused(
    change: PlatformChange, scope: PauseScope, name: str, reason: str, *, until: datetime | None = None
) -> PauseOrder:
    return PauseOrder(scope, name, "platform", reason, change.field, change.happened_at, until)


def _resumed(change: PlatformChange, scope: PauseScope, name: str) -> ResumeOrder:
    return ResumeOrder(scope, name, BOTH, change.field, change.happened_at)


def _number(change: PlatformChange, numbers: Numbers) -> str | None:
    return change.number or numbers.displayed(change.waba, change.value.get("display_phone_number"))


def _template(change: PlatformChange) -> str | None:
    value: Mapping[str, Any] = change.value
    name, language = (value.get(f"message_template_{key}") for key in ("name", "language"))
    if not isinstance(name, str) or not isinstance(language, str):
        return None
    return f"{change.waba}:{name}:{normal_language(language)}"


def _digits(display: str) -> str:
    return "".join(one for one in display if one.isdecimal())
