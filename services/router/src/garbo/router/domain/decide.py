"""The decision: a pure, total function of policy, state, request and instant."""

from collections.abc import Iterable
from functools import partial
from hashlib import blake2b
from typing import Final, TypeAlias
from uuid import uuid5

from garbo.common.events.ids import MessageId
from garbo.common.events.zones import TZDATA
from garbo.router.domain.decision import Decision
from garbo.router.domain.earliest import Wait
from garbo.router.domain.evaluation import Evaluation, evaluate
from garbo.router.domain.grant import terms_of
from garbo.router.domain.instants import DAY_US, NEVER_US
from garbo.router.domain.policy import Policy
from garbo.router.domain.prepared_request import ClassifiedBody, PreparedRequest, classified_body, prepare
from garbo.router.domain.request import Request
from garbo.router.domain.rules.rule import TimedRule
from garbo.router.domain.send_history import pruned
from garbo.router.domain.state import RecipientState, Send, with_send
from garbo.router.domain.values import replace

SHORTEST_KEEP_US: Final = 30 * DAY_US
"""Decisions are kept at least this long, and as long as the history."""
Decided: TypeAlias = partial[Decision]
"""A decision with all but its verdict, reason and instants."""


def decide(policy: Policy, state: RecipientState, request: Request, now_us: int) -> Decision:
    """Decide one request. Same arguments, same decision; nothing is read or written elsewhere."""
    return decide_prepared(prepare(policy, state, request, now_us), state)


def decide_prepared(prepared: PreparedRequest, state: RecipientState) -> Decision:
    """Decide a request that was prepared for this person, whatever was granted to them since."""
    decision = _decide_body(prepared, prepared.first, state)
    policy, request, now_us = prepared.policy, prepared.request, prepared.now_us
    if request.fallback is None or not decision.window_closed:
        return decision
    fallback = prepared.fallback or classified_body(
        policy, state, request, body=request.fallback, now_us=now_us
    )
    return replace(_decide_body(prepared, fallback, state), by_fallback=True)


def decide_and_count(
    policy: Policy, state: RecipientState, request: Request, now_us: int
) -> tuple[Decision, RecipientState]:
    """Decide, and give the state in which an allow counts."""
    prepared = prepare(policy, state, request, now_us)
    decision = decide_prepared(prepared, state)
    return decision, counted(prepared, state, decision)


def counted(prepared: PreparedRequest, state: RecipientState, decision: Decision) -> RecipientState:
    """Give the state in which an allow counts: once for each part, where parts count each."""
    terms, request = decision.terms, prepared.request
    if terms is None or decision.message_class is None:
        return state
    now_us, at_once = prepared.now_us, prepared.policy.counting.instant == "reserved"
    for part in range(prepared.slots):
        send = Send(
            message_id=message_of_part(request.message_id, part),
            at_us=now_us if at_once else terms.latest_accept_us,
            message_class=decision.message_class,
            brand=request.brand,
            campaign=request.campaign,
            category=decision.category,
            tags=request.tags,
            open=True,
        )
        state = with_send(state, send)
    return pruned(prepared.policy, state, now_us)


def message_of_part(message_id: MessageId, part: int) -> MessageId:
    """Name a part of a message: the first is the message itself."""
    return MessageId(uuid5(message_id, str(part))) if part else message_id


def _decide_body(prepared: PreparedRequest, classified: ClassifiedBody, state: RecipientState) -> Decision:
    """Decide a request as if it were sent as this body."""
    request, now_us = prepared.request, prepared.now_us
    kind, body = classified.kind, classified.body
    decided = partial(
        Decision,
        message_class=kind.message_class,
        category=None if body.category == "none" else body.category,
        demoted=kind.demoted,
        reclassified=kind.reclassified,
        template_unknown=body.template_unknown,
    )
    if request.cancelled:
        return decided("deny", "campaign_cancelled")
    ends_us = kind.deadline_us
    if ends_us is not None and ends_us < now_us:
        return decided("deny", "expired", expires_at_us=ends_us)
    evaluation = evaluate(prepared, classified, state)
    decided = partial(
        decided,
        results=evaluation.results,
        overridden=evaluation.overridden,
        tzdata=TZDATA if any(result.rule.reads_clock for result in evaluation.results) else None,
        provisional=evaluation.is_provisional,
    )
    if not evaluation.failing and evaluation.start_us == now_us:
        return _permit(decided, evaluation)
    return _refuse(decided, evaluation)


def _permit(decided: Decided, evaluation: Evaluation) -> Decision:
    """Allow; but a promo that has not waited for others to the same person yet waits for them, if it may."""
    context = evaluation.context
    gathered_us = context.now_us + context.policy.gather_us
    gathers = context.subject.lane == "promo" and not evaluation.request.gathered
    if gathers and context.now_us < gathered_us < (evaluation.deadline_us or NEVER_US):
        return decided("defer", "gathering", next_allowed_at_us=gathered_us, due_at_us=gathered_us)
    terms = terms_of(context, evaluation.rules, deadline_us=evaluation.deadline_us)
    return decided("allow", "allowed", terms=terms)


def _refuse(decided: Decided, evaluation: Evaluation) -> Decision:
    """Deny what no waiting helps; defer the rest."""
    wait = evaluation.wait()
    closing = None if wait.until_us is None else evaluation.closed_by(wait.until_us)
    refusing = [result.rule for result in evaluation.failing]
    window_closed = any(rule.template_passes for rule in (*refusing, closing) if rule)
    denying = evaluation.forbidden or evaluation.hard_denial
    if denying is not None:
        timed = any(result.allowed_from_us is not None for result in evaluation.failing)
        reason = "override_not_allowed" if evaluation.forbidden else denying.reason
        next_us = wait.until_us if timed and closing is None else None
        return decided(
            "deny", reason, deciding=denying, next_allowed_at_us=next_us, window_closed=window_closed
        )
    if wait.until_us is None or (closing is not None and not evaluation.is_provisional):
        mover = wait.moved[-1]
        then_rule = closing.reach.id if closing else _next_rule(evaluation, wait)
        deciding = evaluation.result_of(mover)
        return decided(
            "deny", mover.reason, deciding=deciding, then_rule=then_rule, window_closed=window_closed
        )
    return _defer(decided, evaluation, wait=wait, at_us=wait.until_us)


def _defer(decided: Decided, evaluation: Evaluation, *, wait: Wait, at_us: int) -> Decision:
    """Let it wait until all rules permit, unless that is later than the request or a rule has patience.

    An instant that rests on an open send is an upper bound: on it nothing is denied. The request waits for
    what the bound rests on, or until its time is over. Rules that refuse at the bound alone have no say in
    how long.
    """
    mover = wait.moved[-1] if wait.moved else None
    decided = partial(
        decided,
        deciding=evaluation.result_of(mover),
        then_rule=_next_rule(evaluation, wait),
        next_allowed_at_us=at_us,
    )
    latest_us, reason = _latest_us(evaluation, wait.moved), mover.reason if mover else "not_before"
    if at_us <= latest_us:
        return decided("defer", reason, due_at_us=_spread(evaluation, at_us, latest_us=latest_us))
    if evaluation.is_provisional:
        now_refusing = [rule for rule in wait.moved if evaluation.refuses_now(rule)]
        surely_us = _latest_us(evaluation, now_refusing)
        if surely_us > evaluation.context.now_us:
            return decided("defer", reason, due_at_us=min(at_us, surely_us))
    return decided("deny", "would_expire", expires_at_us=latest_us)


def _spread(evaluation: Evaluation, at_us: int, *, latest_us: int) -> int:
    """Put off a promo by its own jitter, where it may still go then."""
    context = evaluation.context
    spread_us = context.policy.spread_us if context.subject.lane == "promo" else 0
    due_at_us = at_us + _jitter_us(evaluation.request, spread_us)
    fits = at_us < due_at_us <= latest_us and evaluation.permits(due_at_us)
    return due_at_us if fits else at_us


def _jitter_us(request: Request, spread_us: int) -> int:
    """Give the jitter, from 0 to `spread_us`, of a campaign's request to a person.

    The same for each retry; so 09:00 is no stampede.
    """
    if spread_us <= 0:
        return 0
    named = f"{request.campaign or ''}|{request.contact or request.message_id}"
    digest = blake2b(named.encode(), digest_size=8).digest()
    return int.from_bytes(digest) % spread_us


def _latest_us(evaluation: Evaluation, moved: Iterable[TimedRule]) -> int:
    """Give the latest instant a request waits for: its deadline, or the patience of the rules that moved it.

    That is counted from the first decision. Nothing waits for longer than the history: its first decision
    must still be there at the end.
    """
    first_us = evaluation.request.first_decided_at_us or evaluation.context.now_us
    longest = [rule.reach.max_defer_us for rule in moved if rule.reach.max_defer_us is not None]
    kept_us = max(evaluation.context.policy.history_us, SHORTEST_KEEP_US)
    return min(first_us + min((*longest, kept_us)), evaluation.deadline_us or NEVER_US)


def _next_rule(evaluation: Evaluation, wait: Wait) -> str | None:
    """Name the rule that moved the instant before the deciding one, else the other that frees last."""
    if not wait.moved:
        return None
    mover = wait.moved[-1]
    before = [rule.reach.id for rule in wait.moved if rule is not mover]
    if before:
        return before[-1]
    others = [(r.allowed_from_us, r.id) for r in evaluation.failing if r.rule is not mover and r.may_wait]
    return max(others, key=lambda allowed: allowed[0] or 0, default=(None, None))[1]
