"""What the oracle answers from: rules in a simple form, what is known of one person, and what is asked."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from services.router.tests.model.wallclock import (
    Unit,
)

HOUR_US = 3_600_000_000
MINUTE_US = 60_000_000
DAY_US = 24 * HOUR_US
OnHit = Literal["defer", "deny"]


@dataclass(frozen=True, slots=True)
class Rule:
    """What all rules have."""

    id: str
    applies: frozenset[str]
    """Message classes."""
    on_hit: OnHit = "defer"
    max_defer_us: int = 72 * HOUR_US
    unless_tag: str | None = None


@dataclass(frozen=True, slots=True)
class StopRule(Rule):
    """Nothing after a STOP to the brand."""


@dataclass(frozen=True, slots=True)
class ConsentRule(Rule):
    """Nothing without a consent that is not older than this."""

    double: bool = False
    max_age_us: int | None = None


@dataclass(frozen=True, slots=True)
class WindowRule(Rule):
    """Nothing free-form later than a day after they wrote."""


@dataclass(frozen=True, slots=True)
class QuietRule(Rule):
    """Nothing at night; minutes of the wall clock."""

    from_min: int = 21 * 60
    to_min: int = 9 * 60
    days: frozenset[int] = frozenset(range(7))
    zone: str = "recipient"


@dataclass(frozen=True, slots=True)
class HoldRule(Rule):
    """Nothing while a case is open, and for a while after."""

    cool_down_us: int = 24 * HOUR_US
    max_us: int = 7 * DAY_US


@dataclass(frozen=True, slots=True)
class CapRule(Rule):
    """At most `limit` of `counts` in the window. A gap is a cap of 1."""

    limit: int = 1
    span_us: int | None = None
    """Rolling when given, else `unit`, else for ever."""
    unit: Unit | None = None
    counts: frozenset[str] = frozenset({"promo"})
    per: Literal["recipient", "brand", "campaign"] = "recipient"
    keep_slots: int = 0
    keep_priority: int = 0
    is_gap: bool = False
    zone: str = "recipient"


TimedRule: TypeAlias = QuietRule | HoldRule | CapRule
"""Rules that refuse until an instant."""
AnyRule: TypeAlias = StopRule | ConsentRule | WindowRule | TimedRule


@dataclass(slots=True)
class Sent:
    """Something that was sent, or may yet be: then at the latest instant it can be accepted."""

    at_us: int
    message_class: str
    brand: str
    campaign: str | None = None
    open: bool = True


@dataclass(slots=True)
class Facts:
    """All that is known of one person."""

    sends: dict[object, Sent] = field(default_factory=dict)
    stops: list[tuple[str, int, bool]] = field(default_factory=list)
    """Brand, instant, and whether it was a STOP (else a START)."""
    consents: list[tuple[str, str, int]] = field(default_factory=list)
    """Brand, action, instant."""
    wrote: list[tuple[str, int]] = field(default_factory=list)
    """Number, instant."""
    cases: dict[tuple[str, str], tuple[int, int | None]] = field(default_factory=dict)
    """Brand and name -> opened, closed."""
    zones: tuple[str, ...] = ("Europe/Rome",)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked, already classified."""

    message_class: str
    brand: str
    campaign: str | None = None
    tags: tuple[str, ...] = ()
    priority: int = 50
    free_form: bool = False
    number: str = ""
    not_before_us: int = 0
    expires_at_us: int | None = None
    first_decided_at_us: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The oracle's word. Why is left open (`never`) where rules take turns and no instant is left."""

    verdict: Literal["allow", "defer", "deny"]
    reason: str
    rule: str | None = None
    next_allowed_at_us: int | None = None
