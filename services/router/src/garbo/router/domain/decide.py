"""The decision: a pure, total function of policy, state, request and instant."""

from uuid import uuid5

from garbo.common.events.ids import MessageId
from garbo.router.domain.decision import Decision
from garbo.router.domain.policy import Policy
from garbo.router.domain.prepared_request import PreparedRequest, classified_body, prepare
from garbo.router.domain.request import Request
from garbo.router.domain.send_history import pruned
from garbo.router.domain.state import RecipientState, Send, with_send
from garbo.router.domain.values import replace
from garbo.router.domain.verdict import decide_body


def decide(policy: Policy, state: RecipientState, request: Request, now_us: int) -> Decision:
    """Decide one request. Same arguments, same decision; nothing is read or written elsewhere."""
    return decide_prepared(prepare(policy, state, request, now_us), state)


def decide_prepared(prepared: PreparedRequest, state: RecipientState) -> Decision:
    """Decide a request that was prepared for this person, whatever was granted to them since."""
    decision = decide_body(prepared, prepared.first, state)
    policy, request, now_us = prepared.policy, prepared.request, prepared.now_us
    if request.fallback is None or not decision.window_closed:
        return decision
    fallback = prepared.fallback or classified_body(
        policy, state, request, body=request.fallback, now_us=now_us
    )
    return replace(decide_body(prepared, fallback, state), by_fallback=True)


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
