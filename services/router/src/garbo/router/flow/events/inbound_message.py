"""What an inbound message means: a window opened, a keyword, care to be read, a promo answered."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, TypeAlias

from garbo.common.errors import Reject
from garbo.common.events.addresses import Recipient
from garbo.common.events.engagement import CareMessage, PromoEngaged
from garbo.common.events.ids import ContactId, platform_message_ref
from garbo.common.events.inbound import InboundMessage
from garbo.common.events.topics import CONVERSATION_CARE, ENGAGEMENT_PROMO
from garbo.router.domain.grant import Grant
from garbo.router.domain.instants import SECOND_US, to_datetime, to_us
from garbo.router.domain.keywords import Keyword, is_platform_opt_out, keyword_of
from garbo.router.domain.state import WINDOW_US, with_brands, with_inbound
from garbo.router.flow.events.contact import changed_identity, leave_number, left_number
from garbo.router.flow.events.handler import EventContext, EventTargets, FoundTargets, refuse
from garbo.router.flow.events.keywords import KeywordEffects
from garbo.router.flow.events.replies import KeywordMessage
from garbo.router.flow.identity import Identity
from garbo.router.flow.unit_of_work import UnitOfWork
from garbo.router.ports.publisher import OutgoingRecord

AHEAD_US: Final = 2 * SECOND_US
"""A platform's clock may run this far ahead of ours; further, and it would hold a window open for free."""
OPENS_NO_WINDOW: Final = frozenset({"system", "edit", "revoke"})
"""System notices are not the customer's words; changes of an old message are not new ones."""
NO_WORDS: Final = frozenset({"system", "revoke"})

Action: TypeAlias = Literal["replied", "opted_out", "opted_in"]


@dataclass(frozen=True, slots=True)
class Sender:
    """Who wrote, to which brand, and which of our messages they answer."""

    contact_id: ContactId
    home_id: ContactId
    """By which id one answers them where they wrote from, should a client have joined them to somebody."""
    brand: str
    answered: Grant | None = None


@dataclass(frozen=True)
class InboundMessageHandler:
    """A customer wrote, or the platform tells by a notice (kind `system`) of their new address."""

    event: InboundMessage
    trace: str | None
    context: EventContext

    def check(self) -> None:
        """Refuse words to nobody's number, or of nobody."""
        if self.event.kind == "system":
            return
        if self._brand is None:
            # or one forgotten number stops everybody's STOP
            raise Reject("unknown_number", alarming=False)
        if not (self.event.sender.address or self.event.group_id):
            refuse("no_sender")

    @cached_property
    def targets(self) -> EventTargets:
        """Who wrote, and what they answer. What a group's member writes is the group's."""
        reply_to, contact = self.event.reply_to, self._contact()
        wamid = platform_message_ref(reply_to) if reply_to else None
        tells_of = None if self.event.kind == "system" else self.event.event_id
        shown = None if self.event.group_id else contact
        return EventTargets(contact, wamid=wamid, shown=shown, tells_of=tells_of)

    @cached_property
    def keyword(self) -> Keyword | None:
        """What is typed or pressed means to promo; a notice and a message taken back mean nothing."""
        if self.event.kind in NO_WORDS:
            return None
        return keyword_of(
            text=self.event.text,
            payload=self.event.payload,
            kind=self.event.kind,
            more=self.context.policy.stop_words,
            declared=self.context.directory.payloads(self.event.number),
        )

    @property
    def may_revoke(self) -> bool:
        """An opt-out, what may be one, and a number that was left take promos back."""
        if self.event.kind == "system":
            return True
        return self.keyword is not None and self.keyword.meaning in ("stop", "unsure")

    def apply(self, uow: UnitOfWork, found: FoundTargets) -> None:
        """Apply one inbound message. Repeats and late ones change nothing.

        It is told of for one Kafka record, again whenever that is read again; the platform's repeats are not.
        """
        message, contact_id = self.event, found.contact_id
        if contact_id is None:
            return
        if message.kind != "system" and self._brand is not None:
            sender = Sender(contact_id, found.home_id or contact_id, self._brand, found.grant)
            action, window_until_us = self._apply_words(uow, sender)
            if not found.is_told:
                self._tell(uow, sender, action, window_until_us)
        elif message.kind == "system" and left_number(message.sender, message.changed_to):
            at_us = to_us(message.occurred_at)
            leave_number(uow, contact_id, key=message.event_id, at_us=at_us, trace=self.trace)

    @property
    def _brand(self) -> str | None:
        return self.context.directory.brand_of(self.event.number)

    def _contact(self) -> Identity | None:
        message = self.event
        if message.group_id is not None:
            return self.context.identity_of(Recipient(group_id=message.group_id))
        if message.kind == "system":
            return changed_identity(self.context, message.sender, message.changed_to)
        return self.context.identity_of(message.sender)

    def _apply_words(self, uow: UnitOfWork, sender: Sender) -> tuple[Action | None, int]:
        """Take in what they wrote; give what it means to promo, and when the service window ends."""
        message, contact_id = self.event, sender.contact_id
        at_us = min(to_us(message.occurred_at), uow.snapshot.now_us + AHEAD_US)
        ref = message.event_id
        state = with_brands(uow.states[contact_id], (sender.brand,))
        uow.put(contact_id, state)
        if message.kind not in OPENS_NO_WINDOW:
            state = with_inbound(state, ref=ref, number=message.number, at_us=at_us)
            uow.put(contact_id, state)
        action: Action | None = self._apply_keyword(uow, sender, ref=ref, at_us=at_us)
        if action is None and sender.answered and sender.answered.message_class == "promo":
            action = "replied"
        return action, state.window_until_us(message.number) or at_us + WINDOW_US

    def _tell(self, uow: UnitOfWork, sender: Sender, action: Action | None, window_until_us: int) -> None:
        message, contact_id = self.event, sender.contact_id
        if action is not None:
            engaged = _engaged(message, action, sender=sender, ref=message.event_id)
            uow.records_to_publish.append(OutgoingRecord(ENGAGEMENT_PROMO, engaged, contact_id, self.trace))
        if _is_conversation(message, action):
            care = _care(message, sender=sender, until_us=window_until_us)
            uow.records_to_publish.append(OutgoingRecord(CONVERSATION_CARE, care, sender.home_id, self.trace))

    def _apply_keyword(
        self, uow: UnitOfWork, sender: Sender, *, ref: str, at_us: int
    ) -> Literal["opted_out", "opted_in"] | None:
        if self.keyword is None or self._is_of_no_promo(sender.answered):
            return None
        message = KeywordMessage(
            self.event, ref, self.keyword, sender.contact_id, sender.home_id, sender.brand, at_us, self.trace
        )
        return KeywordEffects(uow, self.context.directory, message).apply()

    def _is_of_no_promo(self, answered: Grant | None) -> bool:
        """Say whether the platform's opt-out title stands under what is known to be no promo of ours."""
        event = self.event
        if answered is None or answered.message_class == "promo":
            return False
        if event.payload in self.context.directory.payloads(event.number).stop:
            return False
        return is_platform_opt_out(event.text, event.payload, kind=event.kind)


def _is_conversation(message: InboundMessage, action: Action | None) -> bool:
    return action is None or (action == "replied" and message.kind != "reaction")


def _engaged(message: InboundMessage, action: Action, *, sender: Sender, ref: str) -> PromoEngaged:
    answered = sender.answered
    promo = answered if answered and answered.message_class == "promo" else None
    return PromoEngaged(
        engagement_id=ref,
        contact_id=sender.contact_id,
        brand=sender.brand,
        number=message.number,
        action=action,
        message_id=promo.message_id if promo else None,
        campaign=promo.campaign if promo else None,
        occurred_at=message.occurred_at,
    )


def _care(message: InboundMessage, *, sender: Sender, until_us: int) -> CareMessage:
    return CareMessage(
        wamid=message.wamid,
        contact_id=sender.home_id,
        brand=sender.brand,
        number=message.number,
        kind=message.kind,
        text=message.text,
        payload=message.payload,
        name=message.name,
        media=message.media,
        reply_to=message.reply_to,
        answers=sender.answered.message_id if sender.answered else None,
        window_until=to_datetime(until_us),
        occurred_at=message.occurred_at,
    )
