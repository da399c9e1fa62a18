"""Caps and gaps: how many counted sends stand in the window, and when the next may go.

With limit n the n-th newest send is what must leave the window, also when a cap was lowered and more than n
stand in it. An open send stands at its latest possible instant, which may lie ahead of now.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Final, Literal, NamedTuple

from garbo.router.domain.evaluation_context import EvaluationContext
from garbo.router.domain.rules.counting_windows import LONGEST_PERIOD_US, Lifetime, Window
from garbo.router.domain.rules.rule import Rule, RuleResult, TimedRule
from garbo.router.domain.selectors import Selector
from garbo.router.domain.state import RecipientState, Send

NAMED_SENDS: Final = 10
"""How many of the sends that fill a cap are named."""


class CountedSend(NamedTuple):
    """One send that stands in a cap's window, and the first instant whose window no longer holds it."""

    send: Send
    leaves_at_us: int | None


@dataclass(frozen=True, slots=True)
class KeepFor:
    """The last `slots` of a cap are kept for requests of `min_priority` and above."""

    slots: int
    min_priority: int


class RateRule(TimedRule, frozen=True):
    """What caps and gaps are: at most `limit` counted sends in the window."""

    type: ClassVar[Literal["cap", "gap"]]
    parts_count: ClassVar[bool]
    """A message of several parts needs several slots."""
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
        return self.window.reads_clock

    @property
    def wall_clock(self) -> str | None:
        """By whose wall clock its window begins and ends."""
        return self.window.zone

    @property
    def needs_campaign(self) -> bool:
        """Whether it has no say about a request without a campaign."""
        return self.per_campaign

    @property
    def counts_for_life(self) -> bool:
        """Whether it counts sends however old: they are remembered beside the person's row."""
        return isinstance(self.window, Lifetime)

    def evaluate(self, context: EvaluationContext, at_us: int) -> RuleResult:
        """Answer for one instant."""
        used, allowed_us = self._used_and_allowed_from_us(context, at_us)
        if allowed_us == at_us:
            return RuleResult(self, True, "allowed", used, self.limit, self.window.text)  # noqa: FBT003 - the hot path
        inside = self._inside(context, at_us)
        return RuleResult(
            self,
            ok=False,
            reason=self.reason,
            used=used,
            limit=self.limit,
            window=self.window.text,
            allowed_from_us=allowed_us,
            by=tuple(send.message_id for send in inside[-NAMED_SENDS:]),
            provisional=any(send.open for send in inside),
        )

    def allowed_from_us(self, context: EvaluationContext, from_us: int) -> int | None:
        """Give the least instant, `from_us` or later, at which the rule permits; None when it never does."""
        return self._used_and_allowed_from_us(context, from_us)[1]

    def counted_sends(self, context: EvaluationContext) -> tuple[CountedSend, ...]:
        """Give the sends that stand in the window now, oldest first."""
        now_us, window = context.now_us, self.window
        leaves = [(send, window.leaves_at_us(context, send.at_us)) for send in self._inside(context, now_us)]
        return tuple(CountedSend(s, None if us is None else max(now_us, us)) for s, us in leaves)

    def scope_of(self, send: Send) -> tuple[object, ...]:
        """Name what a send is counted together with: all, or those of its brand or campaign."""
        brand, campaign = send.brand if self.per_brand else None, send.campaign if self.per_campaign else None
        return (self.reach.id, brand, campaign, None)

    def remembers_since_us(self, now_us: int) -> int:
        """Give the first instant it can still count; a campaign's own table remembers it for life."""
        if self.counts_for_life and self.per_campaign:
            return now_us - LONGEST_PERIOD_US
        return self.window.counts_since_us(now_us)

    def _used_and_allowed_from_us(self, context: EvaluationContext, at_us: int) -> tuple[int, int | None]:
        """Answer both at once: what stands in the window of an instant, and when it permits from there."""
        counted_us, room = self._instants(context), self._room(context)
        inside = len(counted_us) - bisect_left(counted_us, self.window.first_inside_us(context, at_us))
        if room <= 0:
            return inside, None
        if inside < room:
            return inside, at_us
        leaves_us = self.window.leaves_at_us(context, counted_us[-room])
        return inside, None if leaves_us is None else max(at_us, leaves_us)

    def _room(self, context: EvaluationContext) -> int:
        """Say which of the newest sends must have left: 1 is the newest, the limit the limit-th newest.

        The last slots may be kept for those of higher priority.
        """
        keep = self.keep_for
        kept = keep.slots if keep is not None and context.subject.priority < keep.min_priority else 0
        return self.limit - kept - (context.slots if self.parts_count else 1) + 1

    def _instants(self, context: EvaluationContext) -> list[int]:
        """Give the instants of the counted sends, oldest first."""
        what = self.counts.classes if self.counts.by_class else self.reach.id
        key = (what, self.per_brand, self.per_campaign)
        known = context.instants.get(key)
        if known is None:
            known = context.instants[key] = sorted([send.at_us for send in self._counted(context)])
        return known

    def _inside(self, context: EvaluationContext, at_us: int) -> list[Send]:
        """Give the sends that stand in the window of an instant, and those ahead of it, oldest first."""
        first_us = self.window.first_inside_us(context, at_us)
        return sorted((s for s in self._counted(context) if s.at_us >= first_us), key=_by_instant)

    def _counted(self, context: EvaluationContext) -> list[Send]:
        return _counted_of(context, self.counts, per_brand=self.per_brand, per_campaign=self.per_campaign)


class CapRule(RateRule, frozen=True):
    """So many counted sends in the window."""

    type: ClassVar[Literal["cap", "gap"]] = "cap"
    reason: ClassVar[str] = "cap_reached"
    parts_count: ClassVar[bool] = True


class GapRule(RateRule, frozen=True):
    """A cap of one over a rolling window: a send at s permits the next at exactly s + window.

    A message is one, whatever the number of its parts.
    """

    type: ClassVar[Literal["cap", "gap"]] = "gap"
    reason: ClassVar[str] = "gap"
    parts_count: ClassVar[bool] = False


def caps_of(rules: Iterable[Rule]) -> tuple[RateRule, ...]:
    """Give the caps and gaps among rules, in file order."""
    return tuple(rule for rule in rules if isinstance(rule, RateRule))


def _by_instant(send: Send) -> int:
    return send.at_us


def _counted_of(
    context: EvaluationContext, counts: Selector, *, per_brand: bool, per_campaign: bool
) -> list[Send]:
    """Give the selected sends, of the request's brand or campaign alone where it says so; in no order."""
    state, subject = context.state, context.subject
    sends = _with_campaign_sends(state) if per_campaign and state.campaign_sends else state.sends
    if counts.by_class:
        classes = counts.classes
        chosen = [send for send in sends if send.message_class in classes]
    else:
        chosen = [send for send in sends if counts.matches(send)]
    if per_brand:
        chosen = [send for send in chosen if send.brand == subject.brand]
    if per_campaign:
        chosen = [send for send in chosen if send.campaign == subject.campaign]
    match context.policy.counting.consume:
        case "reserved":
            return chosen
        case "accepted":
            return [send for send in chosen if not send.open]
        case "delivered":
            return [send for send in chosen if send.delivered]


def _with_campaign_sends(state: RecipientState) -> tuple[Send, ...]:
    """Add what the campaign's own table remembers; of one message the row knows better."""
    known = {send.message_id for send in state.sends}
    return (*state.sends, *(send for send in state.campaign_sends if send.message_id not in known))
