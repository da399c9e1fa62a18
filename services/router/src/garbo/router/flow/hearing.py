"""What an inbound message means: a window opened, a keyword, care to be read, a promo answered."""

from dataclasses import dataclass
from typing import Final, Literal

from garbo.common.events.engagement import CareMessage, PromoEngaged
from garbo.common.events.ids import ContactId, platform_message_ref
from garbo.common.events.inbound import InboundMessage
from garbo.common.events.topics import CONVERSATION_CARE, ENGAGEMENT_PROMO
from garbo.router.domain.grant import Grant
from garbo.router.domain.instants import SECOND_US, to_datetime, to_us
from garbo.router.domain.keywords import Keyword, keyword_of
from garbo.router.domain.state import WINDOW_US, with_inbound
from garbo.router.flow.directory import Directory
from garbo.router.flow.keywording import Keywording
from garbo.router.flow.ledger import Ledger
from garbo.router.flow.replying import Said
from garbo.router.ports import Announcement

AHEAD_US: Final = 2 * SECOND_US
"""A platform's clock may run this far ahead of ours; further, and it would hold a window open for free."""
OPENS_NO_WINDOW: Final = frozenset({"system", "edit", "revoke"})
"""System notices are not the customer's words; changes of an old message are not new ones."""
NO_WORDS: Final = frozenset({"system", "revoke"})

Action = Literal["replied", "opted_out", "opted_in"]


@dataclass(frozen=True, slots=True)
class Writer:
    """Who wrote, to which brand, and which of our messages they answer."""

    contact_id: ContactId
    brand: str
    answered: Grant | None = None


def hear(
    ledger: Ledger, directory: Directory, message: InboundMessage, *, writer: Writer, trace: str | None
) -> None:
    """Apply one inbound message. Repeats and late ones change nothing, and are told again.

    What a group's member writes is the group's: its window opens, its promos stop.
    """
    if message.kind == "system":
        return
    contact_id = writer.contact_id
    at_us = min(to_us(message.occurred_at), ledger.moment.now_us + AHEAD_US)
    state = ledger.states[contact_id]
    if message.kind not in OPENS_NO_WINDOW:
        state = with_inbound(state, wamid=message.wamid, number=message.number, at_us=at_us)
        ledger.put(contact_id, state)
    keyword = keyword_in(ledger, message)
    said = Said(message, keyword, contact_id, writer.brand, at_us, trace) if keyword else None
    actions = _obey(Keywording(ledger, directory), said) if said else ()
    if not actions and writer.answered and writer.answered.message_class == "promo":
        actions = ("replied",)
    for action in actions:
        engaged = _engaged(message, action, writer=writer)
        ledger.announcements.append(Announcement(ENGAGEMENT_PROMO, engaged, contact_id, trace))
    if _is_conversation(message, actions):
        until_us = state.window_until_us(message.number) or at_us + WINDOW_US
        care = _care(message, writer=writer, until_us=until_us)
        ledger.announcements.append(Announcement(CONVERSATION_CARE, care, contact_id, trace))


def keyword_in(ledger: Ledger, message: InboundMessage) -> Keyword | None:
    """Recognise a keyword, with the words the policy adds; a notice and a message taken back have none."""
    if message.kind in NO_WORDS:
        return None
    return keyword_of(text=message.text, payload=message.payload, more=ledger.policy.stop_words)


def _obey(obeying: Keywording, said: Said) -> tuple[Action, ...]:
    match said.keyword.meaning:
        case "stop":
            obeying.stop(said)
            return ("opted_out",)
        case "start":
            obeying.start(said)
            return ("opted_in",)
        case "confirm":
            return ("opted_in",) if obeying.confirm(said) else ()
        case "unsure":
            return ("opted_out",) if obeying.weigh(said) else ()
        case "keep":
            obeying.keep(said)
    return ()


def _is_conversation(message: InboundMessage, actions: tuple[Action, ...]) -> bool:
    return not actions or (actions == ("replied",) and message.kind != "reaction")


def _engaged(message: InboundMessage, action: Action, *, writer: Writer) -> PromoEngaged:
    answered = writer.answered
    promo = answered if answered and answered.message_class == "promo" else None
    return PromoEngaged(
        engagement_id=platform_message_ref(message.wamid),
        contact_id=writer.contact_id,
        brand=writer.brand,
        number=message.number,
        action=action,
        message_id=promo.message_id if promo else None,
        campaign=promo.campaign if promo else None,
        occurred_at=message.occurred_at,
    )


def _care(message: InboundMessage, *, writer: Writer, until_us: int) -> CareMessage:
    return CareMessage(
        wamid=message.wamid,
        contact_id=writer.contact_id,
        brand=writer.brand,
        number=message.number,
        kind=message.kind,
        text=message.text,
        payload=message.payload,
        name=message.name,
        reply_to=message.reply_to,
        answers=writer.answered.message_id if writer.answered else None,
        window_until=to_datetime(until_us),
        occurred_at=message.occurred_at,
    )
