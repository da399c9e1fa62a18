"""Each rule's own answer about one request: total, pure, explained."""

from typing import Final, NamedTuple, TypeAlias, assert_never

from garbo.common.events.ids import MessageId
from garbo.router.domain import budgets, caps
from garbo.router.domain.blocks import promo_forbidden
from garbo.router.domain.consent import consent_fault, consent_until_us
from garbo.router.domain.hold import held_until_us
from garbo.router.domain.instants import NEVER_US
from garbo.router.domain.matter import Matter
from garbo.router.domain.pauses import PauseRule
from garbo.router.domain.policy import (
    BlockRule,
    BudgetRule,
    ConsentRule,
    HoldRule,
    QuietRule,
    RateRule,
    Rule,
    WindowRule,
)
from garbo.router.domain.quiet import closes_us, opens_us
from garbo.router.domain.state import Send

NAMED_SENDS: Final = 10
"""How many of the sends that fill a cap are named."""

TimeRule: TypeAlias = RateRule | QuietRule | HoldRule | BudgetRule | PauseRule
"""Rules that waiting alone can satisfy."""
StandingRule: TypeAlias = BlockRule | ConsentRule | WindowRule
"""Rules that waiting never satisfies; some of them refuse from an instant on."""
AnyRule: TypeAlias = Rule | PauseRule


class Answer(NamedTuple):
    """What a rule says about one instant."""

    rule: AnyRule
    ok: bool
    reason: str = "allowed"
    used: int | None = None
    limit: int | None = None
    window: str | None = None
    free_at_us: int | None = None
    """The least instant this rule alone permits, when it refuses and time helps."""
    by: tuple[MessageId, ...] = ()
    """The newest of the sends that stand in the window."""
    provisional: bool = False
    """One of them is open: `free_at_us` is an upper bound."""

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
            case HoldRule() | PauseRule():
                return "hold"
            case BudgetRule():
                return "budget"
        assert_never(self.rule)

    @property
    def id(self) -> str:
        """The rule's name."""
        return self.rule.reach.id


def ask(rule: AnyRule, matter: Matter, at_us: int) -> Answer:
    """Let one rule answer for one instant."""
    match rule:
        case RateRule():
            return _ask_rate(rule, matter, at_us)
        case BlockRule() | ConsentRule() | WindowRule():
            fault = fault_of(rule, matter, at_us)
            return Answer(rule, ok=fault is None, reason=fault or "allowed")
        case QuietRule() | HoldRule() | BudgetRule() | PauseRule():
            free_at_us = free_us(rule, matter, at_us)
            if free_at_us == at_us:
                return Answer(rule, ok=True)
            return Answer(rule, ok=False, reason=refusal(rule), free_at_us=free_at_us)
    assert_never(rule)


def fault_of(rule: StandingRule, matter: Matter, at_us: int) -> str | None:
    """Say why a rule without time refuses at an instant; None when it permits."""
    subject, state = matter.subject, matter.state
    match rule:
        case BlockRule(state="erased"):
            return "erased" if state.erased else None
        case BlockRule(state="stopped"):
            return promo_forbidden(matter.policy, state, brand=subject.brand, number=subject.number)
        case BlockRule():
            return "blocked"
        case ConsentRule():
            return consent_fault(rule, state, brand=subject.brand, zones=subject.zones, now_us=at_us)
        case WindowRule():
            return "window_closed" if window_end_us(rule, matter) <= at_us else None
    assert_never(rule)


def free_us(rule: TimeRule, matter: Matter, from_us: int) -> int | None:
    """Give the least instant, `from_us` or later, at which a rule permits; None when it never does.

    Monotone in `from_us`: what the least fixpoint over all rules rests on.
    """
    match rule:
        case RateRule():
            return caps.free_us(rule, matter, from_us)
        case QuietRule():
            return opens_us(rule, matter.subject.zones, from_us)
        case HoldRule():
            return max(from_us, held_until_us(rule, matter.state, brand=matter.subject.brand))
        case BudgetRule():
            return budgets.free_us(rule, matter, from_us)
        case PauseRule():
            return max(from_us, rule.until_us)
    assert_never(rule)


def refusal(rule: TimeRule) -> str:
    """Name the reason of a time rule that refuses."""
    match rule:
        case RateRule():
            return "cap_reached" if rule.kind == "cap" else "gap"
        case QuietRule():
            return "quiet"
        case HoldRule():
            return "case_open"
        case BudgetRule():
            return "budget_spent"
        case PauseRule():
            return rule.reach.id
    assert_never(rule)


def closing_us(rule: QuietRule | ConsentRule, matter: Matter, *, after_us: int, until_us: int) -> int | None:
    """Give the first instant between two at which a rule that permits begins to refuse, by time alone."""
    subject = matter.subject
    match rule:
        case QuietRule():
            return closes_us(rule, subject.zones, after_us=after_us, until_us=until_us)
        case ConsentRule():
            ends_us = consent_until_us(rule, matter.state, brand=subject.brand, zones=subject.zones)
            return ends_us if ends_us is not None and after_us < ends_us < until_us else None
    assert_never(rule)


def window_end_us(rule: WindowRule, matter: Matter) -> int:
    """Give the first instant at which free-form is no longer permitted; 0 when the person never wrote.

    The customer service window is the platform's alone: by SMS there is none to close.
    """
    if matter.subject.channel == "sms":
        return NEVER_US
    opened_at_us = matter.state.inbound_at_us.get(matter.subject.number)
    return 0 if opened_at_us is None else opened_at_us + rule.open_us


def _ask_rate(rule: RateRule, matter: Matter, at_us: int) -> Answer:
    used, free_at_us = caps.used_and_free_us(rule, matter, at_us)
    if free_at_us == at_us:
        return Answer(rule, True, "allowed", used, rule.limit, rule.window.text)  # noqa: FBT003 - the hot path
    first_us = caps.first_inside_us(rule, matter, at_us)
    inside = sorted((s for s in caps.counted(rule, matter) if s.at_us >= first_us), key=_by_instant)
    return Answer(
        rule,
        ok=False,
        reason=refusal(rule),
        used=used,
        limit=rule.limit,
        window=rule.window.text,
        free_at_us=free_at_us,
        by=tuple(send.message_id for send in inside[-NAMED_SENDS:]),
        provisional=any(send.open for send in inside),
    )


def _by_instant(send: Send) -> int:
    return send.at_us
