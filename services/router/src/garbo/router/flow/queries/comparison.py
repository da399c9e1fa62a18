"""What a simulation found: the past under two policies, side by side."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from garbo.common.events.ids import ContactId
from garbo.router.domain.policy import Policy
from garbo.router.domain.replay import PastRequest, ReplayOutcome
from garbo.router.flow.queries.waits import Waits

Difference = Literal["more", "fewer", "later", "earlier"]
Change = Difference | Literal["same"]
"""What the other policy changes for one message."""
End = Literal["sent", "waited", "denied", "waiting"]
"""How a request ends; one that waited and was sent has two."""

Say = Literal["denied", "deferred"]


@dataclass(frozen=True, slots=True)
class Period:
    """Which requests are compared. Others of the same people are replayed with them, for the caps' sake."""

    since_us: int
    """What was asked before only fills caps."""
    until_us: int
    brands: tuple[str, ...] | None = None
    """None for all there are."""

    def holds(self, asked: PastRequest) -> bool:
        """Say whether a request is one of those compared."""
        return asked.at_us >= self.since_us and (self.brands is None or asked.request.brand in self.brands)


@dataclass(slots=True)
class Tally:
    """Counts of one group of requests: how they end under each policy, and what that changes."""

    requests: int = 0
    current: Counter[End] = field(default_factory=Counter)
    other: Counter[End] = field(default_factory=Counter)
    changes: Counter[Change] = field(default_factory=Counter)

    def add(self, current: ReplayOutcome, other: ReplayOutcome, change: Change) -> None:
        """Count one request."""
        self.requests += 1
        _count_end(self.current, current)
        _count_end(self.other, other)
        self.changes[change] += 1


@dataclass(frozen=True, slots=True)
class ChangedRequest:
    """One request whose end differs."""

    change: Difference
    contact_id: ContactId
    asked: PastRequest
    current: ReplayOutcome
    other: ReplayOutcome


@dataclass(frozen=True, slots=True)
class UnderPolicy:
    """What one of the two policies did."""

    policy: Policy
    says: Counter[tuple[str, Say]] = field(default_factory=Counter)
    """How often each rule denied at the end, or made a request wait first."""
    waits: Waits = field(default_factory=Waits)

    def add(self, outcome: ReplayOutcome, *, at_us: int) -> None:
        """Count one request, asked at that instant."""
        if outcome.rule:
            self.says[outcome.rule, "denied" if outcome.last == "deny" else "deferred"] += 1
        if outcome.sent_at_us is not None and outcome.first == "defer":
            self.waits.add(outcome.sent_at_us - at_us)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The past under the current policy and under the other one, replayed the same way."""

    period: Period
    current: UnderPolicy
    other: UnderPolicy
    contacts: int
    agreed: int
    """Requests whose first answer in the replay of the current policy is the one really given."""
    total: Tally
    people: Mapping[Change, int]
    """People with at least one such message; one person may be in several."""
    by_class: Mapping[str, Tally]
    by_campaign: Mapping[str, Tally]
    """The most changed first."""
    rules: Sequence[str]
    """Of both policies in file order, those without a say too."""
    examples: Sequence[ChangedRequest]
    notes: Sequence[str]
    """What the replay cannot know."""


def change_of(current: ReplayOutcome, other: ReplayOutcome) -> Change:
    """Say what the other policy changes for one message."""
    before_us, after_us = current.sent_at_us, other.sent_at_us
    if before_us == after_us:
        return "same"
    if before_us is None:
        return "more"
    if after_us is None:
        return "fewer"
    return "later" if after_us > before_us else "earlier"


def _count_end(counter: Counter[End], outcome: ReplayOutcome) -> None:
    match outcome.last:
        case "allow":
            counter["sent"] += 1
            counter["waited"] += outcome.first == "defer"
        case "deny":
            counter["denied"] += 1
        case "defer":
            counter["waiting"] += 1
