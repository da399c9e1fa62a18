"""The template registry: which category a template has at an instant, and what it takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from garbo.common.events.instants import platform_instant
from garbo.common.events.platform import PlatformChange
from garbo.common.events.template_observed import TemplateObserved
from garbo.common.events.template_registry import TemplateRegistry, normal_language
from garbo.router.domain.instants import to_us, to_us_or_none
from garbo.router.domain.values import Value

ANY_ACCOUNT: Final = "*"
Observed: TypeAlias = TemplateObserved
"""What was read of a template, or of an account, at the platform."""


class TemplateCategory(Value, frozen=True):
    """One template of one account (or of any, from the business file)."""

    waba: str
    name: str
    language: str
    category: str | None
    """marketing, utility, authentication; None when only its status was told."""
    changed_at_us: int
    next_category: str | None = None
    next_at_us: int | None = None
    """An announced change holds from this instant."""
    status: str | None = None
    categorised_at_us: int | None = None
    """When the category, or its announced change, was told; None when it never was."""
    was_read: bool = False
    """It was read at the platform, which shows no announced change: a known one stands until its day."""

    def category_at(self, now_us: int) -> str | None:
        """Tell the category that holds at an instant."""
        if self.next_category and self.next_at_us is not None and now_us >= self.next_at_us:
            return self.next_category
        return self.category


@dataclass(frozen=True, slots=True)
class Templates:
    """The registry as one process knows it."""

    version: int = 0
    known: Mapping[tuple[str, str, str], TemplateCategory] = field(default_factory=dict)
    observed: TemplateRegistry = field(default_factory=TemplateRegistry)
    """What was read at the platform."""

    def category_at(self, *, waba: str, name: str, language: str, now_us: int) -> str | None:
        """Tell a template's category for an account at an instant; None when nobody knows it."""
        spoken = normal_language(language)
        for account in (waba, ANY_ACCOUNT):
            template = self.known.get((account, name, spoken))
            category = template.category_at(now_us) if template else None
            if category:
                return category
        return None


def template_change(change: PlatformChange) -> TemplateCategory | None:
    """Read what the platform tells of a template; None when it is about something else.

    A category change is done (`new_category`) or announced (`correct_category` with a timestamp).
    Source: Meta, webhooks reference `template_category_update` (read 2026-11).
    """
    if change.field not in ("template_category_update", "message_template_status_update"):
        return None
    name, language = (change.value.get(f"message_template_{key}") for key in ("name", "language"))
    if not isinstance(name, str) or not isinstance(language, str):
        return None
    told = _category(change.value, "new_category") or _category(change.value, "message_template_category")
    announced = _category(change.value, "correct_category")
    event, at_us = change.value.get("event"), to_us(change.happened_at)
    return TemplateCategory(
        waba=change.waba,
        name=name,
        language=normal_language(language),
        category=told,
        changed_at_us=at_us,
        next_category=announced,
        next_at_us=to_us_or_none(platform_instant(change.value.get("category_update_timestamp"))),
        status=event if isinstance(event, str) else None,
        categorised_at_us=at_us if told or announced else None,
    )


def observed_category(event: Observed) -> TemplateCategory | None:
    """Take category and status of what was read; None of an account's own record."""
    if event.name is None or event.language is None:
        return None
    category, at_us = _category({"category": event.category}, "category"), to_us(event.observed_at)
    return TemplateCategory(
        waba=event.waba,
        name=event.name,
        language=normal_language(event.language),
        category=category,
        changed_at_us=at_us,
        status=event.status,
        categorised_at_us=at_us if category else None,
        was_read=True,
    )


def _category(value: Mapping[str, Any], key: str) -> str | None:
    word = value.get(key)
    known = ("marketing", "utility", "authentication")
    return word.lower() if isinstance(word, str) and word.lower() in known else None
