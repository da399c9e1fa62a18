"""What an allow permits, and until when: a grant is a lease."""

from collections.abc import Iterable

from garbo.common.events.decisions import Lane
from garbo.router.domain.evaluation_context import EvaluationContext
from garbo.router.domain.instants import NEVER_US
from garbo.router.domain.rules.rule import Rule
from garbo.router.domain.values import Value


class GrantTerms(Value, frozen=True):
    """What an allow permits: one send, by one number, until an instant."""

    lane: Lane
    number: str
    not_before_us: int
    """The instant of the decision."""
    valid_until_us: int
    """The sender may claim it before this instant."""
    window_until_us: int | None
    """For free-form: the instant the customer service window closes."""
    latest_accept_us: int
    """Until it is settled, the send counts at this instant."""


def terms_of(context: EvaluationContext, rules: Iterable[Rule], *, deadline_us: int | None) -> GrantTerms:
    """Write the lease: it ends with its time to live, the deadline, the window, or a rule that closes."""
    policy, now_us = context.policy, context.now_us
    window_us = _window_until_us(context)
    until_us = min(now_us + policy.lease_us, deadline_us or NEVER_US, window_us or NEVER_US)
    for rule in rules:
        closes_us = rule.closes_at_us(context, after_us=now_us, until_us=until_us + policy.clock_skew_us)
        if closes_us is not None:
            ends_us = closes_us if rule.closes_to_the_instant else _before(closes_us, context)
            until_us = min(until_us, ends_us)
    return GrantTerms(
        lane=context.subject.lane,
        number=context.subject.number,
        not_before_us=now_us,
        valid_until_us=until_us,
        window_until_us=window_us,
        latest_accept_us=until_us + policy.send_budget_us,
    )


def _window_until_us(context: EvaluationContext) -> int | None:
    """Tell when the platform closes its window to free-form; None where there is none that is open."""
    if context.subject.form != "free" or context.subject.channel == "sms":
        return None
    until_us = context.state.window_until_us(context.subject.number)
    return until_us if until_us is not None and until_us > context.now_us else None


def _before(closing_us: int, context: EvaluationContext) -> int:
    """Leave the clocks' difference before a rule closes, where there is so much time; else end with it."""
    early_us = closing_us - context.policy.clock_skew_us
    return early_us if early_us > context.now_us else closing_us
