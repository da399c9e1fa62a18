"""Use case: apply a batch of events to the people they are about, in one transaction, then tell."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from garbo.common.errors import Reject
from garbo.common.events.addresses import Person, Recipient
from garbo.common.events.contacts import ConsentRecorded
from garbo.common.events.ids import ContactId, MessageId, message_of_attempt
from garbo.common.events.inbound import InboundMessage
from garbo.common.events.platform import PlatformChange
from garbo.common.events.results import SendResult
from garbo.common.events.statuses import MessageStatus
from garbo.router.domain.consent import consent_key, with_consent
from garbo.router.domain.grant import Grant, settle_by_result, settle_by_status
from garbo.router.domain.instants import to_us
from garbo.router.domain.keywords import keyword_of
from garbo.router.domain.state import RecipientState
from garbo.router.domain.templates import template_change
from garbo.router.flow.directory import Directory
from garbo.router.flow.hearing import hear
from garbo.router.flow.ledger import Ledger
from garbo.router.flow.persons import addresses_of, meet
from garbo.router.flow.policies import Policies
from garbo.router.ports import Announcer, Batch, Contact, Meter, Store

RouterEvent: TypeAlias = InboundMessage | MessageStatus | SendResult | ConsentRecorded | PlatformChange


@dataclass(frozen=True, slots=True)
class Heard:
    """One event as it arrived."""

    event: RouterEvent
    trace: str | None = None


@dataclass(slots=True)
class _Found:
    """Who and what the events of a batch are about."""

    contacts: dict[str, Contact] = field(default_factory=dict)
    by_id: dict[ContactId, Contact] = field(default_factory=dict)
    by_wamid: dict[str, Grant] = field(default_factory=dict)
    by_message: dict[MessageId, Grant] = field(default_factory=dict)


class TakeEvents:
    """Windows, STOP and START, consents, results, statuses, templates.

    Any order and any repetition of the same events ends in the same state. Commit comes before publishing,
    publishing before the offsets. Raises `RetryLater`, and `Reject` for an event about a number or a brand
    that is not in the business file, and for a consent that is not its client's to record or of nobody.
    """

    def __init__(
        self,
        *,
        store: Store,
        announcer: Announcer,
        meter: Meter,
        policies: Policies,
        directory: Directory,
        hash_key: bytes,
    ) -> None:
        self._store, self._announcer, self._meter = store, announcer, meter
        self._policies, self._directory, self._hash_key = policies, directory, hash_key

    async def take(self, heard: Sequence[Heard]) -> None:
        """Apply and tell a batch."""
        for item in heard:
            self._check(item.event)
        async with self._store.batch() as batch:
            found = await self._find(batch, [item.event for item in heard])
            ledger = await self._open(batch, found, [item.event for item in heard])
            for item in heard:
                self._apply(ledger, found, item)
            if not ledger.empty:
                await batch.write(ledger.changes())
        await self._announcer.announce(ledger.announcements)

    def _check(self, event: RouterEvent) -> None:
        if isinstance(event, ConsentRecorded) and (refusal := self._directory.consent_refusal(event)):
            raise Reject(refusal)
        if not isinstance(event, InboundMessage) or event.kind == "system":
            return
        if self._directory.brand_of(event.number) is None:
            raise Reject("unknown_number", alarming=False)  # or one forgotten number stops everybody's STOP
        if event.sender.address is None:
            raise Reject("no_sender")

    async def _find(self, batch: Batch, events: Sequence[RouterEvent]) -> _Found:
        people = [addresses_of(who, hash_key=self._hash_key) for who in _people(events)]
        wanted = [
            ContactId(e.to.contact_id) for e in events if isinstance(e, ConsentRecorded) and e.to.contact_id
        ]
        message_ids = {named for event in events if (named := _message_of(event))}
        wamids = {wamid for event in events if (wamid := _wamid_of(event))}
        found = _Found(contacts=await meet(batch, people) if people else {})
        if wanted:
            found.by_id.update(await batch.contacts_of(wanted))
        if message_ids or wamids:
            for grant in await batch.grants_named(message_ids=message_ids, wamids=wamids):
                found.by_message[grant.message_id] = grant
                if grant.wamid:
                    found.by_wamid[grant.wamid] = grant
        return found

    async def _open(self, batch: Batch, found: _Found, events: Sequence[RouterEvent]) -> Ledger:
        contact_ids = {c.contact_id for c in (*found.contacts.values(), *found.by_id.values())}
        settling = {g for e in events if (g := self._grant_of(e, found)) is not None}
        contact_ids |= {grant.contact_id for grant in settling}
        states = dict(await batch.lock(contact_ids))
        stopping = self._called_back(found, events, states)
        locked = {grant.message_id for grant in settling} | stopping
        grants = dict(await batch.lock_grants(locked)) if locked else {}
        unsent = {e.message_id for e in events if isinstance(e, SendResult) and e.outcome == "not_sent"}
        moment = await batch.look_up({MessageId(m) for m in unsent} | stopping)
        return Ledger(self._policies.current, self._meter, moment, states, grants)

    def _called_back(
        self, found: _Found, events: Sequence[RouterEvent], states: dict[ContactId, RecipientState]
    ) -> set[MessageId]:
        """Name the messages a STOP of this batch may call back, or has called back before."""
        messages: set[MessageId] = set()
        for event in events:
            if not isinstance(event, InboundMessage):
                continue
            if keyword_of(text=event.text, payload=event.payload) != "stop":
                continue
            contact = self._sender(event, found)
            state = states.get(contact.contact_id) if contact else None
            stop = state.stops.get(self._directory.brand_of(event.number) or "") if state else None
            messages |= {s.message_id for s in (state.sends if state else ()) if s.open}
            messages |= set(stop.revoked) if stop else set()
        return messages

    def _apply(self, ledger: Ledger, found: _Found, item: Heard) -> None:
        match item.event:
            case InboundMessage() as message:
                self._hear(ledger, found, message, trace=item.trace)
            case ConsentRecorded() as consent:
                self._note(ledger, found, consent)
            case SendResult() as result:
                self._settle_result(ledger, result, trace=item.trace)
            case MessageStatus() as status:
                self._settle_status(ledger, found, status, trace=item.trace)
            case PlatformChange() as change:
                template = template_change(change)
                if template:
                    ledger.templates.append(template)

    def _hear(self, ledger: Ledger, found: _Found, message: InboundMessage, *, trace: str | None) -> None:
        contact = self._sender(message, found)
        brand = self._directory.brand_of(message.number)
        if contact is None or brand is None:
            return
        answered = found.by_wamid.get(message.reply_to or "")
        hear(ledger, message, contact_id=contact.contact_id, brand=brand, answered=answered, trace=trace)

    def _note(self, ledger: Ledger, found: _Found, consent: ConsentRecorded) -> None:
        addresses = addresses_of(consent.to, hash_key=self._hash_key)
        contact = next((found.contacts.get(a.hash) for a in addresses), None)
        if contact is None and consent.to.contact_id:
            contact = found.by_id.get(ContactId(consent.to.contact_id))
        if contact is None:
            raise Reject("unknown_contact")
        key = consent_key(brand=consent.brand, channel=consent.channel, purpose=consent.purpose)
        state = ledger.states[contact.contact_id]
        at_us = min(to_us(consent.occurred_at), ledger.moment.now_us)
        ledger.put(contact.contact_id, with_consent(state, key=key, action=consent.action, at_us=at_us))

    def _settle_result(self, ledger: Ledger, result: SendResult, *, trace: str | None) -> None:
        grant = ledger.grants.get(MessageId(result.message_id))
        if grant is None:
            return
        at_us = to_us(result.recorded_at)
        if result.outcome == "unknown":
            at_us = to_us(result.started_at or result.recorded_at) + self._policies.current.send_budget_us
        settled = settle_by_result(
            grant, outcome=result.outcome, wamid=result.wamid, reason=result.reason, at_us=at_us
        )
        ledger.settle(settled, trace=trace)
        if result.outcome == "not_sent" and grant.state in ("released", "revoked"):
            ledger.tell_again(grant.message_id, trace=trace)

    def _settle_status(
        self, ledger: Ledger, found: _Found, status: MessageStatus, *, trace: str | None
    ) -> None:
        named = self._grant_of(status, found)
        grant = ledger.grants.get(named.message_id) if named else None
        if grant is None:
            return
        settled = settle_by_status(
            grant,
            status=status.status,
            refundable=status.participant is None
            and any(error.code in self._policies.current.refund_codes for error in status.errors),
            wamid=status.wamid,
            at_us=to_us(status.occurred_at),
            send_budget_us=self._policies.current.send_budget_us,
        )
        ledger.settle(settled, trace=trace)

    def _sender(self, message: InboundMessage, found: _Found) -> Contact | None:
        addresses = addresses_of(message.sender, hash_key=self._hash_key)
        return next((found.contacts[a.hash] for a in addresses if a.hash in found.contacts), None)

    def _grant_of(self, event: RouterEvent, found: _Found) -> Grant | None:
        if isinstance(event, InboundMessage):
            return None
        message_id = _message_of(event)
        if message_id:
            return found.by_message.get(message_id)
        return found.by_wamid.get(_wamid_of(event) or "")


def _people(events: Iterable[RouterEvent]) -> list[Person | Recipient]:
    return [
        event.sender if isinstance(event, InboundMessage) else event.to
        for event in events
        if isinstance(event, InboundMessage | ConsentRecorded)
    ]


def _message_of(event: RouterEvent) -> MessageId | None:
    if isinstance(event, SendResult):
        return MessageId(event.message_id)
    if isinstance(event, MessageStatus) and event.attempt_id:
        return message_of_attempt(event.attempt_id)
    return None


def _wamid_of(event: RouterEvent) -> str | None:
    if isinstance(event, MessageStatus):
        return None if _message_of(event) else event.wamid
    return event.reply_to if isinstance(event, InboundMessage) else None
