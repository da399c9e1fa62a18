"""What a simulation says: the past under two policies, side by side."""

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime

from garbo.router.flow.shown import Shown

ChangeKind = Literal["more", "fewer", "later", "earlier"]


class PolicyNamed(Shown):
    """A policy, as its file names it."""

    name: str
    version: str


class Ends(Shown):
    """What became of requests under one policy."""

    sent: int = 0
    """Allowed at once or after a wait."""
    waited: int = 0
    """Those of `sent` that waited first."""
    denied: int = 0
    waiting: int = 0
    """Still deferred when the replay ends."""


class Shift(Shown):
    """What the other policy changes, in messages or in people."""

    more: int = 0
    """Messaged only under the other policy."""
    fewer: int = 0
    """Messaged only under the current one."""
    later: int = 0
    earlier: int = 0
    same: int = 0


class Group(Shown):
    """The requests of one class, of one campaign, or all of them."""

    name: str
    requests: int
    current: Ends
    other: Ends
    messages: Shift


class RuleHits(Shown):
    """How often a rule had the say under one policy."""

    denied: int = 0
    deferred: int = 0


class RuleEffect(Shown):
    """One rule under both policies; one that a policy does not have has no hits there."""

    rule: str
    current: RuleHits
    other: RuleHits


class DelayStep(Shown):
    """How many messages waited up to so long (and longer than the step before)."""

    up_to_s: int | None
    """None: longer than all steps."""
    messages: int


class Delays(Shown):
    """How long messages that were sent after a wait had waited."""

    messages: int
    p50_s: int | None = None
    p90_s: int | None = None
    p99_s: int | None = None
    longest_s: int | None = None
    steps: tuple[DelayStep, ...] = ()


class Ended(Shown):
    """The end of one request under one policy."""

    verdict: Literal["allow", "defer", "deny"]
    reason: str
    rule: str | None = None
    sent_at: AwareDatetime | None = None


class Example(Shown):
    """One request whose end differs."""

    change: ChangeKind
    contact_id: UUID
    message_id: UUID
    client: str
    request_id: UUID
    message_class: str | None
    campaign: str | None = None
    asked_at: AwareDatetime
    current: Ended
    other: Ended


class Agreement(Shown):
    """How well the replay of the current policy meets what was really decided, by first answers."""

    same: int
    of: int
    share: float | None
    """None when nothing was replayed."""


class SimulationReport(Shown):
    """The past under the current policy and under the other one, replayed the same way."""

    kind: Literal["report"] = "report"
    since: AwareDatetime
    until: AwareDatetime
    brand: str | None
    current_policy: PolicyNamed
    other_policy: PolicyNamed
    requests: int
    contacts: int
    skipped: int
    """Stored decisions without what they were made from: refused at the door, or older than this version."""
    messages: Group
    people: Shift
    """People with at least one such message; one person may be in several."""
    by_class: tuple[Group, ...]
    by_campaign: tuple[Group, ...]
    """The 200 with the most changes."""
    by_rule: tuple[RuleEffect, ...]
    current_delays: Delays
    other_delays: Delays
    agreement: Agreement
    examples: tuple[Example, ...]
    """Up to 100."""
    notes: tuple[str, ...]
    """What the replay cannot know."""
    took_s: float = 0.0
