"""Rules that count: caps, gaps, budgets, and the windows they count in."""

from dataclasses import dataclass
from typing import Final, Literal

from garbo.common.events.zones import zone_names
from garbo.router.domain.instants import DAY_US, HOUR_US
from garbo.router.domain.rules.budget import BudgetRule
from garbo.router.domain.rules.cap import KeepFor, RateRule
from garbo.router.domain.rules.counting_windows import Calendar, Lifetime, Rolling
from garbo.router.domain.selectors import Reach
from garbo.router.domain.state import REMEMBERED_SENDS
from garbo.router.domain.zones import RECIPIENT_ZONE
from garbo.router.inbound.policy_file.fields import Fields
from garbo.router.inbound.policy_file.selectors import COUNTS, read_selector

MOST_BUDGET: Final = 10**12
UNITS: Final[tuple[Literal["day", "week", "month"], ...]] = ("day", "week", "month")
_LONGEST_US: Final = {"day": 25 * HOUR_US, "week": 8 * DAY_US, "month": 32 * DAY_US}
"""A calendar window and the hour a clock may be set by, or the date a zone may skip."""
PER: Final = frozenset({"recipient", "brand", "campaign"})
BUDGET_PER: Final[tuple[Literal["campaign", "brand", "portfolio"], ...]] = ("campaign", "brand", "portfolio")


@dataclass(frozen=True, slots=True)
class Limits:
    """What the rest of the file means for its rules."""

    history_us: int
    zone: str
    """The policy's own."""


def read_zone(fields: Fields, name: str, *, default: str = RECIPIENT_ZONE) -> str:
    """Read `recipient` or an IANA name."""
    if not fields.has(name):
        return default
    zone = fields.text(name)
    if zone != RECIPIENT_ZONE and zone not in zone_names():
        raise fields.fault(name, "is not a known time zone: write recipient, or such as Europe/Rome")
    return zone


def read_cap(fields: Fields, reach: Reach, limits: Limits) -> RateRule:
    """Read a cap."""
    limit = fields.count("limit", most=REMEMBERED_SENDS)
    window = _window(fields, limits)
    per = _per(fields)
    if isinstance(window, Lifetime) and "campaign" not in per:
        raise fields.fault(
            "per", "must name campaign for a lifetime: other sends are forgotten after history"
        )
    return RateRule(
        reach,
        kind="cap",
        limit=limit,
        window=window,
        counts=read_selector(fields, "counts", COUNTS),
        per_brand="brand" in per,
        per_campaign="campaign" in per,
        keep_for=_keep_for(fields, limit=limit),
    )


def read_gap(fields: Fields, reach: Reach, limits: Limits) -> RateRule:
    """Read a gap: a cap of one over a rolling window."""
    span_us, text = fields.duration_us("min")
    if span_us > limits.history_us:
        raise fields.fault("min", "is longer than history: raise history")
    per = _per(fields)
    return RateRule(
        reach,
        kind="gap",
        limit=1,
        window=Rolling(span_us, f"min {text}"),
        counts=read_selector(fields, "counts", COUNTS),
        per_brand="brand" in per,
        per_campaign="campaign" in per,
    )


def read_budget(fields: Fields, reach: Reach, limits: Limits) -> BudgetRule:
    """Read a total over all people."""
    limit = fields.count("limit", most=MOST_BUDGET)
    window: Calendar | Lifetime = Lifetime()
    if fields.has("window"):
        node = fields.take("window")
        if node.value != "lifetime":
            inner = Fields(node, where=f"{fields.where}: window")
            unit = inner.word("calendar", of=UNITS)
            inner.done()
            window = Calendar(unit, zone=limits.zone)
    return BudgetRule(reach, limit, per=fields.word("per", of=BUDGET_PER), window=window)


def _window(fields: Fields, limits: Limits) -> Rolling | Calendar | Lifetime:
    node = fields.take("window")
    if node.value == "lifetime":
        return Lifetime()
    if not isinstance(node.value, dict):
        raise fields.fault(
            "window", "must be { rolling: 7d }, { calendar: day, zone: recipient } or lifetime"
        )
    inner = Fields(node, where=f"{fields.where}: window")
    if inner.has("rolling"):
        span_us, text = inner.duration_us("rolling")
        window: Rolling | Calendar = Rolling(span_us, f"rolling {text}")
    else:
        unit = inner.word("calendar", of=UNITS)
        window, span_us = Calendar(unit, zone=read_zone(inner, "zone")), _LONGEST_US[unit]
    inner.done()
    if span_us > limits.history_us:
        raise fields.fault("window", "is longer than history: raise history")
    return window


def _per(fields: Fields) -> frozenset[str]:
    per = fields.words("per") or frozenset({"recipient"})
    if "recipient" not in per or per - PER:
        raise fields.fault("per", "must be [recipient], with brand, campaign or both beside it")
    return per


def _keep_for(fields: Fields, *, limit: int) -> KeepFor | None:
    if not fields.has("keep_for"):
        return None
    inner = fields.child("keep_for")
    slots = inner.count("slots", least=1, most=REMEMBERED_SENDS)
    kept = KeepFor(slots, min_priority=inner.count("min_priority", least=1, most=100))
    inner.done()
    if slots >= limit:
        raise inner.fault(
            "slots", f"keeps {slots} of {limit}: nothing would be left for the others; keep fewer"
        )
    return kept
