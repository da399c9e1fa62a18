"""Use case: apply a batch of events to the people they are about, in one transaction, then tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from garbo.common.errors import Reject, RetryLater
from garbo.common.events.contacts import CampaignChanged, CaseChanged, ConsentRecorded, ContactUpdated
from garbo.common.events.ids import ContactId, MessageId
from garbo.common.events.inbound import InboundMessage
from garbo.router.domain.policy import Policy
from garbo.router.domain.state import RecipientState
from garbo.router.domain.values import replace
from garbo.router.flow.commands.import_suppressions import with_suppressions
from garbo.router.flow.dependencies import Dependencies
from garbo.router.flow.events.application import EventApplication
from garbo.router.flow.events.targets import EventReader, EventTargets, ReceivedEvent, RouterEvent
from garbo.router.flow.identity import ContactIndex, ContactsChanged, check_unchanged, resolve_contacts
from garbo.router.flow.jobs.cancel_campaigns import note_cancelled
from garbo.router.flow.unit_of_work import UnitOfWork
from garbo.router.ports.store import Transaction

__all__ = ["ApplyEvents", "ReceivedEvent", "RouterEvent"]

TRIES: Final = 8
"""A batch looks at most this often who somebody is; then it comes again."""


@dataclass(frozen=True, slots=True)
class _Open:
    """What is locked for a batch."""

    states: dict[ContactId, RecipientState]
    listed: frozenset[ContactId]
    """Of whom a suppression list said something new."""


class ApplyEvents:
    """Windows, keywords, consents, preferences, cases, contact data, campaigns, results, statuses, templates.

    Any order and any repetition of the same events ends in the same state. Commit comes before publishing,
    publishing before the offsets; what an event changed is told through the outbox. Raises `RetryLater`, and
    `Reject` for an event about a number or a brand that is not in the business file, or not its client's, or
    about nobody.
    """

    def __init__(self, dependencies: Dependencies) -> None:
        self._means = dependencies

    async def take(self, heard: Sequence[ReceivedEvent]) -> None:
        """Apply and tell a batch."""
        for item in heard:
            self._check(item.event)
        campaigns = [item.event for item in heard if isinstance(item.event, CampaignChanged)]
        if campaigns:
            await note_cancelled(self._means.store, campaigns)
        moved: dict[ContactId, ContactId] = {}
        for _ in range(TRIES):
            try:
                uow = await self._apply(heard, moved)
            except ContactsChanged as unsettled:
                moved |= unsettled.moved
                await self._means.store.get_or_create_contacts(unsettled.strangers)
            else:
                await self._means.publisher.publish(uow.records_to_publish)
                return
        raise RetryLater("people_changing")

    def _check(self, event: RouterEvent) -> None:
        directory = self._means.directory
        match event:
            case ConsentRecorded():
                refusal = directory.consent_refusal(event)
            case CaseChanged() | CampaignChanged():
                refusal = directory.brand_refusal(event)
            case ContactUpdated():
                refusal = directory.update_refusal(event)
            case InboundMessage() if event.kind != "system":
                if directory.brand_of(event.number) is None:
                    # or one forgotten number stops everybody's STOP
                    raise Reject("unknown_number", alarming=False)
                refusal = None if event.sender.address or event.group_id else "no_sender"
            case _:
                return
        if refusal:
            raise Reject(refusal)

    async def _apply(
        self, heard: Sequence[ReceivedEvent], moved: Mapping[ContactId, ContactId]
    ) -> UnitOfWork:
        """Do a batch in one transaction. Raises `ContactsChanged` when who is who must be looked at again."""
        sight = EventReader(self._means.directory, self._means.hash_key, self._means.policies.current)
        async with self._means.store.batch() as batch:
            heard = await _of_people_who_are_there(batch, heard)
            events = [item.event for item in heard]
            contacts_index = await resolve_contacts(batch, sight.people(events), moved=moved)
            found = await sight.find(batch, events, contacts_index)
            opened = await self._lock(batch, found, contacts_index)
            uow = await self._ledger(batch, sight.policy, found, opened, contacts_index)
            applying = EventApplication(uow, self._means.directory, sight, found, contacts_index)
            applying.merge_contacts()
            for item in heard:
                applying.apply(item)
            if not uow.empty:
                await batch.write(uow.changes())
        return uow

    async def _lock(self, batch: Transaction, found: EventTargets, contacts_index: ContactIndex) -> _Open:
        """Lock all people at once, in sorted order, and give them the addresses they were shown by."""
        states = dict(await batch.lock(found.people))
        check_unchanged(states)
        links = {
            h: (a, contacts_index.now(c))
            for h, (a, c) in contacts_index.links.items()
            if contacts_index.now(c) in states
        }
        if links:
            await batch.link(links)
        linked = {contact_id for _, contact_id in links.values()}
        listed = await with_suppressions(batch, states, linked=linked)
        changed = frozenset(c for c, state in listed.items() if state != states[c])
        return _Open({**states, **listed}, changed)

    async def _ledger(
        self,
        batch: Transaction,
        policy: Policy,
        found: EventTargets,
        opened: _Open,
        contacts_index: ContactIndex,
    ) -> UnitOfWork:
        """Lock the grants, then read the clock and what is stored. A grant is of who its person is now."""
        contacts = await batch.contacts_of(found.may_revoke) if found.may_revoke else {}
        waiting = await batch.waiting(found.may_revoke) if found.may_revoke else ()
        named: set[MessageId] = set(found.settling)
        for contact_id in found.may_revoke & opened.states.keys():
            named |= {send.message_id for send in opened.states[contact_id].sends if send.open}
        locked = await batch.lock_grants(named) if named else {}
        grants = {m: replace(g, contact_id=contacts_index.now(g.contact_id)) for m, g in locked.items()}
        campaigns = {(g.brand, g.campaign) for g in grants.values() if g.campaign}
        told = {m for m, g in grants.items() if g.contact_id in found.may_revoke or m in found.closing}
        snapshot = await batch.load_snapshot(told | {w.message_id for w in waiting}, campaigns=campaigns)
        uow = UnitOfWork(
            policy,
            self._means.meter,
            snapshot,
            opened.states,
            grants,
            contacts=contacts,
            waiting={w.message_id: w for w in waiting},
        )
        uow.touched |= opened.listed
        return uow


async def _of_people_who_are_there(
    batch: Transaction, heard: Sequence[ReceivedEvent]
) -> Sequence[ReceivedEvent]:
    """Leave out records of consent whose person was erased since: they come back to nobody."""
    consents = [item.event.consent_id for item in heard if isinstance(item.event, ConsentRecorded)]
    gone = await batch.erased_consents(consents) if consents else ()
    return [h for h in heard if not (isinstance(h.event, ConsentRecorded) and h.event.consent_id in gone)]
