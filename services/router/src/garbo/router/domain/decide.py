"""The decision: a pure, total function of policy, state, request and instant."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from garbo.common.events.decisions import Lane, MessageClass
from garbo.router.domain.classify import Classified, classify, deadline_us
from garbo.router.domain.policy import Policy, RateRule, WindowRule
from garbo.router.domain.request import Body, Request, Subject
from garbo.router.domain.rules import Answer, ask, counted_sends, earliest_us, window_end_us
from garbo.router.domain.state import RecipientState, Send, pruned, with_send


@dataclass(frozen=True, slots=True)
class Terms:
    """What an allow permits: one send, by one number, until an instant."""

    lane: Lane
    number: str
    not_before_us: int
    valid_until_us: int
    window_until_us: int | None
    """For free-form: the instant the customer service window closes."""
    latest_accept_us: int
    """Until it is settled, the send counts at this instant."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict, and why. A deny by time says when to come back."""

    verdict: Literal["allow", "defer", "deny"]
    reason: str
    message_class: MessageClass | None = None
    category: str | None = None
    demoted: bool = False
    template_unknown: bool = False
    by_fallback: bool = False
    """It was decided as the fallback template, because free-form may not be sent."""
    deciding: Answer | None = None
    answers: tuple[Answer, ...] = ()
    next_allowed_at_us: int | None = None
    due_at_us: int | None = None
    """For a defer: when to decide again; `next_allowed_at_us` and its place in the spread."""
    then_rule: str | None = None
    expires_at_us: int | None = None
    overridden: tuple[str, ...] = ()
    reclassified: bool = False
    tzdata: str | None = None
    provisional: bool = False
    terms: Terms | None = None

    @property
    def window_closed(self) -> bool:
        """Whether free-form is refused for lack of an open window, whatever else refuses it too."""
        return any(isinstance(a.rule, WindowRule) and not a.ok for a in self.answers)


def decide(policy: Policy, state: RecipientState, request: Request, now_us: int) -> Decision:
    """Decide one request. Same arguments, same decision; nothing is read or written elsewhere."""
    decision = _decide_body(policy, state, request, body=request.body, now_us=now_us)
    if request.fallback is not None and decision.window_closed:
        second = _decide_body(policy, state, request, body=request.fallback, now_us=now_us)
        return replace(second, by_fallback=True)
    return decision


def decide_and_count(
    policy: Policy, state: RecipientState, request: Request, now_us: int
) -> tuple[Decision, RecipientState]:
    """Decide, and give the state in which an allow already counts."""
    decision = decide(policy, state, request, now_us)
    if decision.terms is None or decision.message_class is None:
        return decision, state
    send = Send(
        message_id=request.message_id,
        at_us=decision.terms.latest_accept_us,
        message_class=decision.message_class,
        brand=request.brand,
        campaign=request.campaign,
        category=decision.category,
        tags=request.tags,
        open=True,
    )
    return decision, pruned(with_send(state, send), since_us=now_us - policy.history_us)


def _decide_body(
    policy: Policy, state: RecipientState, request: Request, *, body: Body, now_us: int
) -> Decision:
    kind = classify(policy, state, request, body=body, now_us=now_us)
    blank = Decision(
        verdict="deny",
        reason="expired",
        message_class=kind.message_class,
        category=None if body.category == "none" else body.category,
        demoted=kind.demoted,
        template_unknown=body.template_unknown,
    )
    until_us = deadline_us(request, message_class=kind.message_class)
    if until_us is not None and until_us <= now_us:
        return blank
    subject = _subject(request, kind, body)
    answers = tuple(
        ask(rule, state, subject, now_us=now_us) for rule in policy.rules if rule.reach.touches(subject)
    )
    failing = [answer for answer in answers if not answer.ok]
    start_us = max(now_us, request.not_before_us or now_us)
    if failing:
        return _denied(blank, state, subject, answers=answers, failing=failing, start_us=start_us)
    if start_us > now_us:
        return replace(blank, reason="not_before", answers=answers, next_allowed_at_us=start_us)
    terms = _terms(policy, state, subject, lane=kind.lane, until_us=until_us, now_us=now_us)
    return replace(blank, verdict="allow", reason="allowed", answers=answers, terms=terms)


def _denied(
    blank: Decision,
    state: RecipientState,
    subject: Subject,
    *,
    answers: tuple[Answer, ...],
    failing: Sequence[Answer],
    start_us: int,
) -> Decision:
    """Name the rule: the first that is hard or knows no time, else the one that moved the instant last."""
    timed = any(answer.timed for answer in failing)
    next_us, mover = _least_fixpoint(answers, state, subject, from_us=start_us) if timed else (None, None)
    firm = (a for a in failing if a.rule.reach.hard or not a.timed or a.rule.reach.on_hit == "deny")
    named = next(firm, None) or next((a for a in failing if a.rule is mover), failing[0])
    return replace(
        blank,
        reason=named.reason,
        deciding=named,
        answers=answers,
        next_allowed_at_us=next_us,
        provisional=any(answer.provisional for answer in failing),
    )


def _least_fixpoint(
    answers: Sequence[Answer], state: RecipientState, subject: Subject, *, from_us: int
) -> tuple[int | None, RateRule | None]:
    """Find the least instant every time rule permits, and the rule that moved it last.

    Each rule gives the least instant, t or later, that it permits; that is monotone in t, so the first
    instant nobody moves is the least. None when there is none: a limit of 0, or a window shut by then.
    """
    rates = [a.rule for a in answers if isinstance(a.rule, RateRule)]
    histories = [(rule, counted_sends(rule, state, subject)) for rule in rates]
    at_us, mover, moved = from_us, None, True
    while moved:
        moved = False
        for rule, counted in histories:
            free_us = earliest_us(rule, counted, from_us=at_us)
            if free_us is None:
                return None, rule
            if free_us > at_us:
                at_us, mover, moved = free_us, rule, True
    for answer in answers:
        if isinstance(answer.rule, WindowRule) and window_end_us(answer.rule, state, subject) <= at_us:
            return None, mover
    return at_us, mover


def _terms(
    policy: Policy,
    state: RecipientState,
    subject: Subject,
    *,
    lane: Lane,
    until_us: int | None,
    now_us: int,
) -> Terms:
    window_us = state.window_until_us(subject.number) if subject.form == "free" else None
    if window_us is not None and window_us <= now_us:
        window_us = None  # only a policy without a window rule gets here
    ends = [now_us + policy.lease_us, until_us, window_us]
    valid_until_us = min(end for end in ends if end is not None)
    return Terms(
        lane=lane,
        number=subject.number,
        not_before_us=now_us,
        valid_until_us=valid_until_us,
        window_until_us=window_us,
        latest_accept_us=valid_until_us + policy.send_budget_us,
    )


def _subject(request: Request, kind: Classified, body: Body) -> Subject:
    return Subject(
        message_class=kind.message_class,
        purpose=kind.purpose,
        form=body.form,
        category=body.category,
        brand=request.brand,
        client=request.client,
        number=kind.number,
        recipient_kind=request.recipient_kind,
        campaign=request.campaign,
        tags=request.tags,
    )
