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
from garbo.router.flow.events.keywords import KeywordEffects
from garbo.router.flow.events.replies import KeywordMessage
from garbo.router.flow.unit_of_work import UnitOfWork
from garbo.router.ports.publisher import OutgoingRecord

AHEAD_US: Final = 2 * SECOND_US
"""A platform's clock may run this far ahead of ours; further, and it would hold a window open for free."""
OPENS_NO_WINDOW: Final = frozenset({"system", "edit", "revoke"})
"""System notices are not the customer's words; changes of an old message are not new ones."""
NO_WORDS: Final = frozenset({"system", "revoke"})

Action = Literal["replied", "opted_out", "opted_in"]


@dataclass(frozen=True, slots=True)
class Sender:
    """Who wrote, to which brand, and which of our messages they answer."""

    contact_id: ContactId
    brand: str
    answered: Grant | None = None


def apply_inbound(
    uow: UnitOfWork, directory: Directory, message: InboundMessage, *, writer: Sender, trace: str | None
) -> None:
    """Apply one inbound message. Repeats and late ones change nothing, and are told again.

    What a group's member writes is the group's: its window opens, its promos stop.
    """
    if message.kind == "system":
        return
    contact_id = writer.contact_id
    at_us = min(to_us(message.occurred_at), uow.snapshot.now_us + AHEAD_US)
    state = uow.states[contact_id]
    if message.kind not in OPENS_NO_WINDOW:
        state = with_inbound(state, wamid=message.wamid, number=message.number, at_us=at_us)
        uow.put(contact_id, state)
    keyword = keyword_in(uow, message)
    said = KeywordMessage(message, keyword, contact_id, writer.brand, at_us, trace) if keyword else None
    actions = _obey(KeywordEffects(uow, directory), said) if said else ()
    if not actions and writer.answered and writer.answered.message_class == "promo":
        actions = ("replied",)
    for action in actions:
        engaged = _engaged(message, action, writer=writer)
        uow.records_to_publish.append(OutgoingRecord(ENGAGEMENT_PROMO, engaged, contact_id, trace))
    if _is_conversation(message, actions):
        until_us = state.window_until_us(message.number) or at_us + WINDOW_US
        care = _care(message, writer=writer, until_us=until_us)
        uow.records_to_publish.append(OutgoingRecord(CONVERSATION_CARE, care, contact_id, trace))


def keyword_in(uow: UnitOfWork, message: InboundMessage) -> Keyword | None:
    """Recognise a keyword, with the words the policy adds; a notice and a message taken back have none."""
    if message.kind in NO_WORDS:
        return None
    return keyword_of(text=message.text, payload=message.payload, more=uow.policy.stop_words)


def _obey(obeying: KeywordEffects, said: KeywordMessage) -> tuple[Action, ...]:
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


def _engaged(message: InboundMessage, action: Action, *, writer: Sender) -> PromoEngaged:
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


def _care(message: InboundMessage, *, writer: Sender, until_us: int) -> CareMessage:
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
