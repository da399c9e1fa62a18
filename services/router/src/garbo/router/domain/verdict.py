"""From what the rules say of one body to its verdict: allow, defer or deny."""

from functools import partial
from typing import Final, TypeAlias

from garbo.router.domain.classify import Classified, deadline_us
from garbo.router.domain.decision import Decision
from garbo.router.domain.earliest import Wait
from garbo.router.domain.evaluation import Evaluation, evaluate
from garbo.router.domain.instants import DAY_US, NEVER_US
from garbo.router.domain.jitter import jitter_us
from garbo.router.domain.prepared_request import ClassifiedBody, PreparedRequest
from garbo.router.domain.request import Request
from garbo.router.domain.rules.rule import RuleResult, TimedRule
from garbo.router.domain.state import RecipientState
from garbo.router.domain.terms import terms_of
from garbo.router.domain.zones import TZDATA

SHORTEST_KEEP_US: Final = 30 * DAY_US
"""Decisions are kept at least this long, and as long as the history."""
Tell: TypeAlias = partial[Decision]
"""A decision with all but its verdict, reason and instants."""


def decide_body(prepared: PreparedRequest, classified: ClassifiedBody, state: RecipientState) -> Decision:
    """Decide a request as if it were sent as this body."""
    request, now_us = prepared.request, prepared.now_us
    kind, body = classified.kind, classified.body
    tell = partial(
        Decision,
        message_class=kind.message_class,
        category=None if body.category == "none" else body.category,
        demoted=kind.demoted,
        reclassified=kind.reclassified,
        template_unknown=body.template_unknown,
    )
    until_us = deadline_us(request, message_class=kind.message_class)
    if request.cancelled:
        return tell("deny", "campaign_cancelled")
    if until_us is not None and until_us <= now_us:
        return tell("deny", "expired", expires_at_us=until_us)
    asked = evaluate(prepared, classified, state)
    tell = partial(
        tell,
        results=asked.results,
        overridden=asked.overridden,
        tzdata=TZDATA if any(result.rule.reads_clock for result in asked.results) else None,
        provisional=any(result.provisional for result in asked.failing),
    )
    if not asked.failing and asked.start_us == now_us:
        return _permit(tell, asked, request, kind=kind, until_us=until_us)
    return _refuse(tell, asked, request, until_us=until_us)


def _permit(
    tell: Tell, asked: Evaluation, request: Request, *, kind: Classified, until_us: int | None
) -> Decision:
    """Allow; but a promo that has not waited for others to the same person yet waits for them, if it may."""
    gathered_us = asked.context.now_us + asked.context.policy.gather_us
    gathers = kind.message_class == "promo" and not request.gathered and gathered_us > asked.context.now_us
    if gathers and gathered_us < (until_us or NEVER_US):
        return tell("defer", "gathering", next_allowed_at_us=gathered_us, due_at_us=gathered_us)
    terms = terms_of(asked.context, asked.rules, lane=kind.lane, deadline_us=until_us)
    return tell("allow", "allowed", terms=terms)


def _refuse(tell: Tell, asked: Evaluation, request: Request, *, until_us: int | None) -> Decision:
    """Deny what no waiting helps; defer the rest."""
    wait = asked.wait()
    closing = None if wait.until_us is None else asked.closed_by(wait.until_us)
    closed = (closing is not None and closing.template_passes) or any(
        r.rule.template_passes for r in asked.failing
    )
    denying = asked.forbidden or asked.hard_denial
    if denying is not None:
        timed = any(result.allowed_from_us is not None for result in asked.failing)
        reason = "override_not_allowed" if asked.forbidden else denying.reason
        next_us = wait.until_us if timed and closing is None else None
        return tell("deny", reason, deciding=denying, next_allowed_at_us=next_us, window_closed=closed)
    if closing is not None or wait.until_us is None:
        mover = wait.moved[-1]
        then_rule = closing.reach.id if closing else _next_rule(asked, wait)
        deciding = _result_of(asked, mover)
        return tell("deny", mover.reason, deciding=deciding, then_rule=then_rule, window_closed=closed)
    return _defer(tell, asked, request, wait=wait, until_us=until_us)


def _defer(tell: Tell, asked: Evaluation, request: Request, *, wait: Wait, until_us: int | None) -> Decision:
    """Let it wait until all rules permit, unless that is later than the request or a rule has patience."""
    at_us = asked.start_us if wait.until_us is None else wait.until_us
    mover = wait.moved[-1] if wait.moved else None
    tell = partial(
        tell,
        deciding=_result_of(asked, mover),
        then_rule=_next_rule(asked, wait),
        next_allowed_at_us=at_us,
    )
    patience_us = _patience_us(asked, request, wait)
    latest_us = min(patience_us, (until_us or NEVER_US) - 1)
    if at_us > latest_us:
        return tell("deny", "would_expire", expires_at_us=min(patience_us, until_us or NEVER_US))
    place = 0
    if asked.context.subject.message_class == "promo":
        place = jitter_us(request, asked.context.policy.spread_us)
    if place and (at_us + place > latest_us or not _permitted(asked, at_us + place)):
        place = 0
    return tell("defer", mover.reason if mover else "not_before", due_at_us=at_us + place)


def _permitted(asked: Evaluation, at_us: int) -> bool:
    return asked.wait(at_us).until_us == at_us and asked.closed_by(at_us) is None


def _patience_us(asked: Evaluation, request: Request, wait: Wait) -> int:
    """Give the latest instant the rules that moved it wait for, counted from the first decision.

    Nothing waits for longer than the history: its first decision must still be there at the end.
    """
    first_us = request.first_decided_at_us or asked.context.now_us
    longest = [rule.reach.max_defer_us for rule in wait.moved if rule.reach.max_defer_us is not None]
    return first_us + min((*longest, max(asked.context.policy.history_us, SHORTEST_KEEP_US)))


def _result_of(asked: Evaluation, rule: TimedRule | None) -> RuleResult | None:
    return next((result for result in asked.results if result.rule is rule), None)


def _next_rule(asked: Evaluation, wait: Wait) -> str | None:
    """Name the rule that moved the instant before the deciding one, else the other that frees last."""
    if not wait.moved:
        return None
    mover = wait.moved[-1]
    before = [rule.reach.id for rule in wait.moved if rule is not mover]
    if before:
        return before[-1]
    others = [(r.allowed_from_us, r.id) for r in asked.failing if r.rule is not mover and r.may_wait]
    return max(others, key=lambda allowed: allowed[0] or 0, default=(None, None))[1]
