"""What events are about: which people, which of our messages, and whose promos they may shake."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from garbo.common.errors import Reject
from garbo.common.events.addresses import Person, Recipient
from garbo.common.events.contacts import CampaignChanged, CaseChanged, ConsentRecorded, ContactUpdated
from garbo.common.events.ids import ContactId, MessageId, message_of_attempt, platform_message_ref
from garbo.common.events.inbound import InboundMessage
from garbo.common.events.platform import PlatformChange
from garbo.common.events.results import SendResult
from garbo.common.events.statuses import MessageStatus
from garbo.router.domain.consent import TAKES_BACK
from garbo.router.domain.grant import Grant
from garbo.router.domain.keywords import keyword_of
from garbo.router.domain.policy import Policy
from garbo.router.flow.directory import Directory
from garbo.router.flow.events.delivery import HELD_BACK, SWITCHED_OFF
from garbo.router.flow.events.preference import preference_of
from garbo.router.flow.identity import ContactIndex, Identity, addresses_of, group_address
from garbo.router.ports.contacts import Address
from garbo.router.ports.store import Transaction

RouterEvent: TypeAlias = (
    InboundMessage
    | MessageStatus
    | SendResult
    | ConsentRecorded
    | CaseChanged
    | ContactUpdated
    | CampaignChanged
    | PlatformChange
)
USER_ID_UPDATE: Final = "user_id_update"


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """One event as it arrived."""

    event: RouterEvent
    trace: str | None = None


@dataclass(slots=True)
class EventTargets:
    """Who and what the events of a batch are about."""

    by_wamid: dict[str, Grant] = field(default_factory=dict)
    """By the reference of the wamid: the wamid itself holds a number."""
    by_message: dict[MessageId, Grant] = field(default_factory=dict)
    people: set[ContactId] = field(default_factory=set)
    """To be locked."""
    may_revoke: set[ContactId] = field(default_factory=set)
    """Whose promos, granted or waiting, may be taken back."""
    settling: set[MessageId] = field(default_factory=set)
    closing: set[MessageId] = field(default_factory=set)
    """Whose decisions may get a further record."""

    def grant_of(self, event: MessageStatus | SendResult) -> Grant | None:
        """Give the grant an event is about, as it was before the locks."""
        message_id = message_of(event)
        if message_id is not None:
            return self.by_message.get(message_id)
        return self.by_wamid.get(wamid_of(event) or "")


@dataclass(frozen=True, slots=True)
class EventReader:
    """Reads events."""

    directory: Directory
    hash_key: bytes
    policy: Policy

    def shown(self, event: RouterEvent) -> Identity | None:
        """Name the person an event is about, by all the addresses it shows."""
        match event:
            case InboundMessage() if event.group_id is not None:
                return Identity((group_address(event.group_id, hash_key=self.hash_key),))
            case InboundMessage() if event.kind == "system":
                return self._changed(event.sender, event.changed_to)
            case InboundMessage():
                return Identity(self._addresses(event.sender))
            case ConsentRecorded() | CaseChanged():
                return self._named(event.to)
            case ContactUpdated():
                own, same = self._addresses(event.to), self._addresses(event.same_as)
                return Identity((*own, *same)) if own and same else self._named(event.to)
            case PlatformChange() if preference_of(event) and event.person:
                return Identity(self._addresses(event.person))
            case PlatformChange() if event.field == USER_ID_UPDATE and event.person:
                return self._changed(event.person, event.changed_to)
            case _:
                return None

    def people(self, events: Iterable[RouterEvent]) -> list[Identity]:
        """Name all people of a batch."""
        people = [shown for event in events if (shown := self.shown(event)) is not None]
        others = [e.same_as for e in events if isinstance(e, ContactUpdated) and e.same_as]
        return [*people, *(self._named(other, create=False) for other in others)]

    def same_as(self, event: ContactUpdated) -> Identity | None:
        """Name the other contact of the same person."""
        return self._named(event.same_as, create=False) if event.same_as else None

    async def find(
        self, batch: Transaction, events: Sequence[RouterEvent], contacts_index: ContactIndex
    ) -> EventTargets:
        """Find messages by id and wamid, and whose promos may be taken back."""
        found = EventTargets()
        await self._find_grants(batch, events, found)
        for event in events:
            self._see(event, found, contacts_index)
        for pair in contacts_index.merges:
            found.people |= set(pair)
            found.may_revoke |= set(pair)
        return found

    async def _find_grants(
        self, batch: Transaction, events: Sequence[RouterEvent], found: EventTargets
    ) -> None:
        message_ids = {named for event in events if (named := message_of(event))}
        wamids = {wamid for event in events if (wamid := wamid_of(event))}
        if message_ids or wamids:
            for grant in await batch.grants_named(message_ids=message_ids, wamids=wamids):
                found.by_message[grant.message_id] = grant
                if grant.wamid:
                    found.by_wamid[grant.wamid] = grant

    def _see(self, event: RouterEvent, found: EventTargets, contacts_index: ContactIndex) -> None:
        if isinstance(event, SendResult | MessageStatus):
            self._see_sent(event, found, contacts_index)
            return
        shown = self.shown(event)
        contact_id = contacts_index.contact_of(shown) if shown else None
        if isinstance(event, ContactUpdated):
            self._see_same(event, contact_id, contacts_index)
        if contact_id is not None:
            found.people.add(contact_id)
            if self._may_revoke(event):
                found.may_revoke.add(contact_id)

    def _see_sent(
        self, event: SendResult | MessageStatus, found: EventTargets, contacts_index: ContactIndex
    ) -> None:
        grant = found.grant_of(event)
        if grant is None:
            return
        contact_id = contacts_index.now(grant.contact_id)
        found.people.add(contact_id)
        found.settling.add(grant.message_id)
        if isinstance(event, SendResult) and event.outcome == "not_sent":
            found.closing.add(grant.message_id)
        if _may_revoke_others(event):
            found.may_revoke.add(contact_id)

    def _see_same(
        self, event: ContactUpdated, contact_id: ContactId | None, contacts_index: ContactIndex
    ) -> None:
        """Find out whether two names of a person lead to two contacts, or to one that has a new address."""
        shown = self.same_as(event)
        if contact_id is None or shown is None:
            return
        if contacts_index.is_group(shown) != contacts_index.is_group(self._named(event.to)):
            raise Reject("group_and_person")
        other = contacts_index.contact_of(shown)
        if other is None:
            for address in shown.addresses:
                contacts_index.links.setdefault(address.hash, (address, contact_id))
        elif other != contact_id and (contact_id, other) not in contacts_index.merges:
            contacts_index.merges.append((contact_id, other))

    def _may_revoke(self, event: RouterEvent) -> bool:
        match event:
            case InboundMessage() if event.kind == "system":
                return True
            case InboundMessage():
                said = keyword_of(text=event.text, payload=event.payload, more=self.policy.stop_words)
                return said is not None and said.meaning in ("stop", "unsure")
            case ConsentRecorded():
                return event.action in TAKES_BACK
            case CaseChanged():
                return event.action == "opened"
            case ContactUpdated():
                return event.timezone is not None or event.same_as is not None
            case PlatformChange():
                return preference_of(event) == "stop"
            case _:
                return False

    def _changed(self, before: Person, now: Person | None) -> Identity | None:
        """Name who has another user id now. Another number is another contact: see `left_number`."""
        if now is None or left_number(before, now):
            return Identity(self._addresses(Person(phone=before.phone)), create=False) if now else None
        if now.phone is not None and before.phone is None:
            return Identity(self._addresses(now), create=False)
        both = {a.hash: a for a in (*self._addresses(before), *self._addresses(now))}
        return Identity(tuple(both.values()), create=False)

    def _named(self, to: Recipient, *, create: bool = True) -> Identity:
        contact_id = ContactId(to.contact_id) if to.contact_id else None
        return Identity(self._addresses(to), contact_id, create=create)

    def _addresses(self, who: Person | Recipient | None) -> tuple[Address, ...]:
        return addresses_of(who, hash_key=self.hash_key) if who else ()


def _may_revoke_others(event: SendResult | MessageStatus) -> bool:
    """Say whether what became of one message may take back others, or give it another form."""
    if isinstance(event, SendResult):
        return event.outcome == "not_sent" or event.code in (HELD_BACK, SWITCHED_OFF)
    return any(error.code in (HELD_BACK, SWITCHED_OFF) for error in event.errors)


def left_number(before: Person, now: Person | None) -> bool:
    """Say whether the person has left a number for another one."""
    return bool(now and before.phone and now.phone and before.phone != now.phone)


def message_of(event: RouterEvent) -> MessageId | None:
    """Name the message an event is about, where it says so."""
    if isinstance(event, SendResult):
        return MessageId(event.message_id)
    if isinstance(event, MessageStatus) and event.attempt_id:
        return message_of_attempt(event.attempt_id)
    return None


def wamid_of(event: RouterEvent) -> str | None:
    """Name the message an event is about, or answers, by the reference of its wamid."""
    wamid = None
    if isinstance(event, MessageStatus):
        wamid = None if message_of(event) else event.wamid
    elif isinstance(event, InboundMessage):
        wamid = event.reply_to
    return platform_message_ref(wamid) if wamid else None
