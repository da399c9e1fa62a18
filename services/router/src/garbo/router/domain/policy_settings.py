"""What a policy says beside its rules."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Zones:
    """Where the person's wall clock comes from, the first source that knows."""

    sources: tuple[Literal["contact", "country"], ...] = ("contact", "country")
    default: str = "UTC"
    strictest: bool = True
    """Of several zones an instant counts only when it is permitted in all; else the first counts."""


@dataclass(frozen=True, slots=True)
class Counting:
    """From when on a send counts, at which instant, and what gives its slot back."""

    consume: Literal["reserved", "accepted", "delivered"] = "reserved"
    instant: Literal["reserved", "accepted"] = "accepted"
    refund_rejected: bool = True
    """An answer of the platform that it will not send (`rejected`)."""
    refund_failed: bool = True
    """A later failure with one of `PolicySettings.refund_codes` (`failed_definitive`)."""
    parts: Literal["each", "once"] = "each"
    """What a request of several messages counts as; decided whole either way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySettings:
    """What a rule may know of the policy it stands in."""

    lease_us: int
    """How long a grant may wait for its send."""
    send_budget_us: int
    """The sender's whole HTTP timeout: an accepted send is at most this much later than its lease's end."""
    history_us: int
    """How long sends are remembered; no window is longer."""
    refund_codes: frozenset[int]
    """Platform error codes after which a send never reached the person."""
    clock_skew_us: int = 2_000_000
    """A lease ends this much before the next instant at which a rule closes."""
    zones: Zones = Zones()
    week_starts_on: int = 0
    """0 is Monday."""
    counting: Counting = Counting()
    same_campaign: Literal["keep_newest", "keep_all"] = "keep_all"
    """Of several waiting requests of one campaign to one person, the newest or all."""
    gather_us: int = 0
    """A promo waits this long for others to the same person, so that the best is decided first; 0 is off."""
    spread_us: int = 0
    """Wakes of deferred requests are spread over this long, the same for each retry."""
    platform_stop: Literal["number", "brand"] = "brand"
    """What a stop by the platform's own preference blocks."""
    stop_words: tuple[str, ...] = ()
    """Further words that are always an opt-out; those that ship can not be taken away."""
