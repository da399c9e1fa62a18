"""Each rule's own answer about one request: total, pure, explained."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from garbo.common.events.ids import MessageId
from garbo.router.domain.consent import consent_fault
from garbo.router.domain.policy import (
    BlockRule,
    BudgetRule,
    ConsentRule,
    HoldRule,
    QuietRule,
    RateRule,
    Rolling,
    Rule,
    WindowRule,
)
from garbo.router.domain.request import Subject
from garbo.router.domain.state import RecipientState, Send

NAMED_SENDS: Final = 10
"""How many of the sends that fill a cap are named."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a rule says now."""

    rule: Rule
    ok: bool
    reason: str = "allowed"
    used: int | None = None
    limit: int | None = None
    window: str | None = None
    free_at_us: int | None = None
    by: tuple[MessageId, ...] = ()
    provisional: bool = False

    @property
    def type(self) -> str:
        """The rule's type, as the policy file names it."""
        match self.rule:
            case BlockRule():
                return "block"
            case ConsentRule():
                return "consent"
            case WindowRule():
                return "window"
            case RateRule():
                return self.rule.kind
            case QuietRule():
                return "quiet"
            case HoldRule():
                return "hold"
            case BudgetRule():
                return "budget"
        assert_never(self.rule)

    @property
    def timed(self) -> bool:
        """Whether waiting alone can change the answer."""
        return isinstance(self.rule, RateRule)


def ask(rule: Rule, state: RecipientState, subject: Subject, *, now_us: int) -> Answer:
    """Let one rule answer for one instant."""
    match rule:
        case BlockRule():
            return _ask_block(rule, state, subject)
        case ConsentRule():
            fault = consent_fault(rule, state, brand=subject.brand, now_us=now_us)
            return Answer(rule, ok=fault is None, reason=fault or "allowed")
        case WindowRule():
            is_open = window_end_us(rule, state, subject) > now_us
            return Answer(rule, ok=is_open, reason="allowed" if is_open else "window_closed")
        case RateRule():
            return _ask_rate(rule, counted_sends(rule, state, subject), now_us=now_us)
        case QuietRule() | HoldRule() | BudgetRule():
            raise NotImplementedError
    assert_never(rule)


def counted_sends(rule: RateRule, state: RecipientState, subject: Subject) -> list[Send]:
    """Give the sends a rule counts for this request, oldest first."""
    counted = [
        send
        for send in state.sends
        if (not rule.per_brand or send.brand == subject.brand) and rule.counts.matches(send)
    ]
    counted.sort(key=_by_instant)
    return counted


def earliest_us(rule: RateRule, counted: Sequence[Send], *, from_us: int) -> int | None:
    """Give the least instant, `from_us` or later, at which the rule permits; None when it never does.

    With limit n the n-th newest send is what must leave the window, also when a cap was lowered and
    more than n stand in it. An open send stands at its latest possible instant, which may lie ahead.
    """
    if rule.limit == 0:
        return None
    if len(counted) < rule.limit:
        return from_us
    return max(from_us, counted[-rule.limit].at_us + _span_us(rule))


def window_end_us(rule: WindowRule, state: RecipientState, subject: Subject) -> int:
    """Give the first instant at which free-form is no longer permitted; 0 when the person never wrote."""
    opened_at_us = state.inbound_at_us.get(subject.number)
    return 0 if opened_at_us is None else opened_at_us + rule.open_us


def _ask_block(rule: BlockRule, state: RecipientState, subject: Subject) -> Answer:
    hit = state.erased if rule.state == "erased" else state.stopped(subject.brand)
    return Answer(rule, ok=not hit, reason=rule.state if hit else "allowed")


def _ask_rate(rule: RateRule, counted: Sequence[Send], *, now_us: int) -> Answer:
    inside = [send for send in counted if send.at_us > now_us - _span_us(rule)]
    free_at_us = earliest_us(rule, counted, from_us=now_us)
    if free_at_us == now_us:
        return Answer(rule, ok=True, used=len(inside), limit=rule.limit, window=rule.window.text)
    return Answer(
        rule,
        ok=False,
        reason="cap_reached" if rule.kind == "cap" else "gap",
        used=len(inside),
        limit=rule.limit,
        window=rule.window.text,
        free_at_us=free_at_us,
        by=tuple(send.message_id for send in inside[-NAMED_SENDS:]),
        provisional=any(send.open for send in inside),
    )


def _span_us(rule: RateRule) -> int:
    match rule.window:
        case Rolling(span_us=span_us):
            return span_us
        case _:
            raise NotImplementedError


def _by_instant(send: Send) -> int:
    return send.at_us
