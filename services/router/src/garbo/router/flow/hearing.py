"""What an inbound message means: a window opened, a STOP, a START, care to be read, a promo answered."""

from dataclasses import replace
from typing import Final, Literal

from garbo.common.events.engagement import CareMessage, PromoEngaged
from garbo.common.events.ids import ContactId, platform_message_ref
from garbo.common.events.inbound import InboundMessage
from garbo.common.events.topics import CONVERSATION_CARE, ENGAGEMENT_PROMO
from garbo.router.domain.grant import Grant, revoke
from garbo.router.domain.instants import SECOND_US, to_datetime, to_us
from garbo.router.domain.keywords import keyword_of
from garbo.router.domain.state import WINDOW_US, Stop, with_inbound
from garbo.router.flow.ledger import Ledger
from garbo.router.ports import Announcement

AHEAD_US: Final = 2 * SECOND_US
"""A platform's clock may run this far ahead of ours; further, and it would hold a window open for free."""
OPENS_NO_WINDOW: Final = frozenset({"system", "edit", "revoke"})
"""System notices are not the customer's words; changes of an old message are not new ones."""
REMEMBERED_REVOKED: Final = 20

Action = Literal["replied", "opted_out", "opted_in"]


def hear(
    ledger: Ledger,
    message: InboundMessage,
    *,
    contact_id: ContactId,
    brand: str,
    answered: Grant | None,
    trace: str | None,
) -> None:
    """Apply one inbound message. Repeats and late ones change nothing, and are told again."""
    if message.kind == "system":
        return
    at_us = min(to_us(message.occurred_at), ledger.moment.now_us + AHEAD_US)
    state = ledger.states[contact_id]
    if message.kind not in OPENS_NO_WINDOW and message.group_id is None:
        state = with_inbound(state, wamid=message.wamid, number=message.number, at_us=at_us)
        ledger.put(contact_id, state)
    match keyword_of(text=message.text, payload=message.payload):
        case "stop":
            _stop(ledger, contact_id, brand=brand, wamid=message.wamid, at_us=at_us, trace=trace)
            actions: tuple[Action, ...] = ("opted_out",)
        case "start":
            _start(ledger, contact_id, brand=brand, at_us=at_us)
            actions = ("opted_in",)
        case _:
            actions = ("replied",) if answered and answered.message_class == "promo" else ()
    for action in actions:
        engaged = _engaged(message, action, contact_id=contact_id, brand=brand, answered=answered)
        ledger.announcements.append(Announcement(ENGAGEMENT_PROMO, engaged, contact_id, trace))
    if not actions or (actions == ("replied",) and message.kind != "reaction"):
        until_us = state.window_until_us(message.number) or at_us + WINDOW_US
        care = _care(message, contact_id=contact_id, brand=brand, answered=answered, until_us=until_us)
        ledger.announcements.append(Announcement(CONVERSATION_CARE, care, contact_id, trace))


def _stop(
    ledger: Ledger, contact_id: ContactId, *, brand: str, wamid: str, at_us: int, trace: str | None
) -> None:
    """Stop promos of a brand and call back those nobody has claimed; a repeat tells of them again."""
    state = ledger.states[contact_id]
    known = state.stops.get(brand, Stop())
    if known.stopped_at_us is not None and (at_us <= known.stopped_at_us or known.by == wamid):
        for message_id in known.revoked:
            ledger.tell_again(message_id, trace=trace)
        return
    stop = replace(known, stopped_at_us=at_us, by=wamid)
    if stop.active:
        revoked = known.revoked if known.active else ()
        for send in state.sends:
            grant = ledger.grants.get(send.message_id)
            if grant and send.open and send.message_class == "promo" and send.brand == brand:
                settled = revoke(grant)
                ledger.settle(settled, trace=trace)
                if settled.closed_reason:
                    revoked = (*revoked, grant.message_id)
        stop = replace(stop, revoked=revoked[-REMEMBERED_REVOKED:])
    state = ledger.states[contact_id]
    ledger.put(contact_id, replace(state, stops={**state.stops, brand: stop}))


def _start(ledger: Ledger, contact_id: ContactId, *, brand: str, at_us: int) -> None:
    """Lift an earlier STOP. It gives no consent that was not there."""
    state = ledger.states[contact_id]
    known = state.stops.get(brand, Stop())
    newest_us = max(at_us, known.started_at_us or 0)
    stops = {**state.stops, brand: replace(known, started_at_us=newest_us)}
    ledger.put(contact_id, replace(state, stops=stops))


def _engaged(
    message: InboundMessage, action: Action, *, contact_id: ContactId, brand: str, answered: Grant | None
) -> PromoEngaged:
    promo = answered if answered and answered.message_class == "promo" else None
    return PromoEngaged(
        engagement_id=platform_message_ref(message.wamid),
        contact_id=contact_id,
        brand=brand,
        number=message.number,
        action=action,
        message_id=promo.message_id if promo else None,
        campaign=promo.campaign if promo else None,
        occurred_at=message.occurred_at,
    )


def _care(
    message: InboundMessage, *, contact_id: ContactId, brand: str, answered: Grant | None, until_us: int
) -> CareMessage:
    return CareMessage(
        wamid=message.wamid,
        contact_id=contact_id,
        brand=brand,
        number=message.number,
        kind=message.kind,
        text=message.text,
        payload=message.payload,
        name=message.name,
        reply_to=message.reply_to,
        answers=answered.message_id if answered else None,
        window_until=to_datetime(until_us),
        occurred_at=message.occurred_at,
    )
