"""Which of a person's sends a cap counts for one request."""

from typing import NamedTuple

from garbo.router.domain.evaluation_context import EvaluationContext
from garbo.router.domain.selectors import Selector
from garbo.router.domain.state import RecipientState, Send


class CountedSend(NamedTuple):
    """One send that stands in a cap's window, and the first instant whose window no longer holds it."""

    send: Send
    leaves_at_us: int | None


def counted(
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
