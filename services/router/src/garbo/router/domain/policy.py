"""The policy as values: what the rules are, not how they are written down."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final, Literal, TypeAlias, get_args

from garbo.common.events.decisions import MessageClass
from garbo.router.domain.selectors import Reach, Selector

RECIPIENT_ZONE: Final = "recipient"
"""In place of an IANA name: the zone (or zones) of the person asked about."""


@dataclass(frozen=True, slots=True)
class BlockRule:
    """Refuses while the person is in a state: erased, stopped; or always."""

    reads_clock: ClassVar[bool] = False
    reach: Reach
    state: Literal["erased", "stopped", "always"]


@dataclass(frozen=True, slots=True)
class ConsentRule:
    """Refuses without a consent that is recorded, strong and young enough."""

    reach: Reach
    purpose: str
    level: Literal["single", "double"]
    max_age_us: int | None = None
    max_age_months: int | None = None
    """Calendar months in the person's zone, clamped to the month's end; one of the two, or none."""

    @property
    def reads_clock(self) -> bool:
        """Whether its answer rests on the rules of time zones."""
        return self.max_age_months is not None


@dataclass(frozen=True, slots=True)
class WindowRule:
    """Refuses outside the customer service window: `open_us` from the person's last message to the number."""

    reads_clock: ClassVar[bool] = False
    reach: Reach
    open_us: int


@dataclass(frozen=True, slots=True)
class QuietRule:
    """Refuses in `[from, to)` by the wall clock, one interval for each local date it starts on.

    `from_us` and `to_us` are microseconds of the wall clock since 00:00; `to_us` of 24:00 (or 00:00) is the
    first instant of the next local date. A `to` before `from` is on the next local date.
    """

    reads_clock: ClassVar[bool] = True
    reach: Reach
    from_us: int
    to_us: int
    days: frozenset[int]
    """Local start dates it holds on: 0 is Monday."""
    zone: str = RECIPIENT_ZONE


@dataclass(frozen=True, slots=True)
class HoldRule:
    """Refuses while a case is open: until the earlier of closing + `cool_down_us` and opening + `max_us`."""

    reads_clock: ClassVar[bool] = False
    reach: Reach
    cool_down_us: int
    max_us: int


@dataclass(frozen=True, slots=True)
class Rolling:
    """The half-open `(now - span, now]`."""

    span_us: int
    text: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """From the first instant of the local day, week or month to the first of the next."""

    unit: Literal["day", "week", "month"]
    zone: str = RECIPIENT_ZONE

    @property
    def text(self) -> str:
        """As a decision shows it."""
        return f"calendar {self.unit}"


@dataclass(frozen=True, slots=True)
class Lifetime:
    """For ever."""

    text: str = "lifetime"


Window: TypeAlias = Rolling | Calendar | Lifetime


@dataclass(frozen=True, slots=True)
class KeepFor:
    """The last `slots` of a cap are kept for requests of `min_priority` and above."""

    slots: int
    min_priority: int


@dataclass(frozen=True, slots=True)
class RateRule:
    """A cap or a gap: at most `limit` counted sends in the window.

    A gap is a cap of one over a rolling window: a send at s permits the next at exactly s + window.
    """

    reach: Reach
    kind: Literal["cap", "gap"]
    limit: int
    window: Window
    counts: Selector
    per_brand: bool = False
    per_campaign: bool = False
    """Of the recipient and this campaign; without a campaign the rule does not apply."""
    keep_for: KeepFor | None = None

    @property
    def reads_clock(self) -> bool:
        """Whether its answer rests on the rules of time zones."""
        return isinstance(self.window, Calendar)


@dataclass(frozen=True, slots=True)
class BudgetRule:
    """At most `limit` granted sends to all people together: per campaign, brand or the whole portfolio.

    Served from slices that each process leases; never more than `limit`, perhaps a little less. A calendar
    window is of the policy's own zone.
    """

    reach: Reach
    limit: int
    per: Literal["campaign", "brand", "portfolio"]
    window: Calendar | Lifetime = Lifetime()

    @property
    def reads_clock(self) -> bool:
        """Whether its answer rests on the rules of time zones."""
        return isinstance(self.window, Calendar)


Rule: TypeAlias = BlockRule | ConsentRule | WindowRule | QuietRule | HoldRule | RateRule | BudgetRule


@dataclass(frozen=True, slots=True)
class ClassRule:
    """The class of requests with this purpose and category; the first that matches decides."""

    message_class: MessageClass
    purposes: frozenset[str] | None
    categories: frozenset[str] | None

    def matches(self, purpose: str, category: str) -> bool:
        """Say whether purpose and category (`none` for free-form) are both listed."""
        return (self.purposes is None or purpose in self.purposes) and (
            self.categories is None or category in self.categories
        )


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
    """A later failure with one of `Policy.refund_codes` (`failed_definitive`)."""
    parts: Literal["each", "once"] = "each"
    """What a request of several messages counts as; decided whole either way."""


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy file, read and checked."""

    name: str
    version: str
    """`sha256:` and the hash of the file's bytes."""
    classes: tuple[ClassRule, ...]
    rules: tuple[Rule, ...]
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
    rules_by_class: Mapping[str, tuple[Rule, ...]] = field(init=False, compare=False, repr=False)
    """Message class -> the rules that can touch it, in file order."""

    def __post_init__(self) -> None:
        by_class = {
            name: tuple(rule for rule in self.rules if name in rule.reach.applies_to.classes)
            for name in get_args(MessageClass)
        }
        object.__setattr__(self, "rules_by_class", by_class)
