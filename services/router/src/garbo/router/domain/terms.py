"""What an allow permits, and until when: a grant is a lease."""

from collections.abc import Iterable
from typing import Final

from garbo.common.events.decisions import Lane
from garbo.router.domain.instants import NEVER_US
from garbo.router.domain.matter import Matter
from garbo.router.domain.policy import ConsentRule, QuietRule, WindowRule
from garbo.router.domain.rules import AnyRule, closing_us, window_end_us
from garbo.router.domain.values import Value

CLOSING: Final = (QuietRule, ConsentRule)
"""Rules that permit now and may refuse later by time alone."""


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


def terms_of(matter: Matter, rules: Iterable[AnyRule], *, lane: Lane, deadline_us: int | None) -> GrantTerms:
    """Write the lease: it ends with its time to live, the deadline, the window, or a rule that closes."""
    policy, now_us = matter.policy, matter.now_us
    window_us = _window_until_us(matter)
    until_us = min(now_us + policy.lease_us, deadline_us or NEVER_US, window_us or NEVER_US)
    for rule in rules:
        if isinstance(rule, WindowRule):
            until_us = min(until_us, window_end_us(rule, matter))
        elif isinstance(rule, CLOSING):
            closing = closing_us(rule, matter, after_us=now_us, until_us=until_us + policy.clock_skew_us)
            if closing is not None:
                until_us = min(until_us, _before(closing, matter))
    return GrantTerms(
        lane=lane,
        number=matter.subject.number,
        not_before_us=now_us,
        valid_until_us=until_us,
        window_until_us=window_us,
        latest_accept_us=until_us + policy.send_budget_us,
    )


def _window_until_us(matter: Matter) -> int | None:
    """Tell when the platform closes its window to free-form; None where there is none that is open."""
    if matter.subject.form != "free" or matter.subject.channel == "sms":
        return None
    until_us = matter.state.window_until_us(matter.subject.number)
    return until_us if until_us is not None and until_us > matter.now_us else None


def _before(closing_us: int, matter: Matter) -> int:
    """Leave the clocks' difference before a rule closes, where there is so much time; else end with it."""
    early_us = closing_us - matter.policy.clock_skew_us
    return early_us if early_us > matter.now_us else closing_us
