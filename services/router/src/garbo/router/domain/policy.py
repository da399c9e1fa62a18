"""The policy as values: what the rules are, not how they are written down."""

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from garbo.common.events.decisions import MessageClass


class Facts(Protocol):
    """What a selector can ask of a request (`applies_to`) or of a send in the past (`counts`)."""

    @property
    def message_class(self) -> str:
        """auth, care, utility, promo."""
        ...

    @property
    def tags(self) -> tuple[str, ...]:
        """The request's tags."""
        ...


@dataclass(frozen=True, slots=True)
class Selector:
    """Keys AND, listed values OR; the empty selector matches everything.

    Each term is an attribute of the facts and the values it may have.
    """

    terms: tuple[tuple[str, frozenset[str]], ...] = ()
    negated: "Selector | None" = None

    def matches(self, facts: Facts) -> bool:
        """Say whether all terms hold and the negated selector does not."""
        for attribute, allowed in self.terms:
            if attribute == "tags":
                if allowed.isdisjoint(facts.tags):
                    return False
            elif (getattr(facts, attribute) or "none") not in allowed:
                return False
        return self.negated is None or not self.negated.matches(facts)


@dataclass(frozen=True, slots=True)
class Reach:
    """The envelope every rule has: its name, whom it touches, what a hit means."""

    id: str
    applies_to: Selector
    exempt: Selector | None = None
    on_hit: Literal["deny", "defer"] = "defer"
    max_defer_us: int | None = None
    """Kept for deferring; today every hit denies, and says when to come back."""
    hard: bool = False

    def touches(self, facts: Facts) -> bool:
        """Say whether the rule has a say about this request."""
        if not self.applies_to.matches(facts):
            return False
        return self.exempt is None or not self.exempt.matches(facts)


@dataclass(frozen=True, slots=True)
class BlockRule:
    """Refuses while the person is in a state: erased, stopped."""

    reach: Reach
    state: Literal["erased", "stopped"]


@dataclass(frozen=True, slots=True)
class ConsentRule:
    """Refuses without a consent that is recorded, strong and young enough."""

    reach: Reach
    purpose: str
    level: Literal["single", "double"]
    max_age_us: int | None


@dataclass(frozen=True, slots=True)
class WindowRule:
    """Refuses outside the customer service window: `open_us` from the person's last message to the number."""

    reach: Reach
    open_us: int


@dataclass(frozen=True, slots=True)
class RateRule:
    """A cap or a gap: at most `limit` counted sends in the half-open `(now - window, now]`.

    A gap is a cap of one: a send at s permits the next at exactly s + window.
    """

    reach: Reach
    kind: Literal["cap", "gap"]
    limit: int
    window_us: int
    window_text: str
    per_brand: bool
    counts: Selector


Rule: TypeAlias = BlockRule | ConsentRule | WindowRule | RateRule


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
