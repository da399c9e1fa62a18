"""What was decided of one request, and why."""

from typing import Literal

from garbo.common.events.decisions import MessageClass
from garbo.router.domain.grant import GrantTerms
from garbo.router.domain.rules.rule import RuleResult
from garbo.router.domain.values import Value


class Decision(Value, frozen=True):
    """The verdict, and why."""

    verdict: Literal["allow", "defer", "deny"]
    reason: str
    message_class: MessageClass | None = None
    category: str | None = None
    """The template's category of this instant; None for free-form."""
    demoted: bool = False
    """Asked as care without a conversation, and treated as something stricter."""
    reclassified: bool = False
    """The template's category made it another class than its purpose says."""
    template_unknown: bool = False
    by_fallback: bool = False
    """It was decided as the fallback template, because free-form may not be sent."""
    deciding: RuleResult | None = None
    """Of the rule that decided: the first that denies, else the one that moved the instant last."""
    results: tuple[RuleResult, ...] = ()
    """Of every rule that matches, for the instant asked about: now, or `not_before` where that is later."""
    next_allowed_at_us: int | None = None
    """The least instant all rules permit, if nothing else is sent first; None when no time rule refuses
    or waiting never helps."""
    due_at_us: int | None = None
    """For a defer: when to decide again; `next_allowed_at_us` and its place in the spread."""
    then_rule: str | None = None
    """The rule that would refuse next, were the deciding one gone."""
    expires_at_us: int | None = None
    """For `expired` and `would_expire`: the deadline it cannot keep."""
    overridden: tuple[str, ...] = ()
    """Rules that refuse and were passed over; the send counts all the same."""
    window_closed: bool = False
    """Free-form: the window is closed now, or closes before the other rules permit it."""
    tzdata: str | None = None
    """The release of the time zone rules, where a rule read a wall clock."""
    provisional: bool = False
    """A send that is still open had a say: `next_allowed_at_us` is an upper bound."""
    terms: GrantTerms | None = None
    """For an allow: what it permits."""
