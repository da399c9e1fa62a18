"""Use case: apply a batch of events to the contacts they are about, in one transaction, then publish."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from garbo.common.errors import RetryLater
from garbo.common.events.ids import ContactId, MessageId
from garbo.router.domain.policy import Policy
from garbo.router.domain.state import RecipientState
from garbo.router.domain.values import replace
from garbo.router.flow.commands.import_suppressions import with_suppressions
from garbo.router.flow.dependencies import Dependencies
from garbo.router.flow.events.handler import EventContext, EventHandler, FoundTargets, ReceivedEvent
from garbo.router.flow.events.registry import handler_of
from garbo.router.flow.events.targets import BatchTargets, find_targets
from garbo.router.flow.identity import ContactIndex, ContactsChanged, check_unchanged, resolve_contacts
from garbo.router.flow.merge_contacts import merge_contacts
from garbo.router.flow.unit_of_work import UnitOfWork
from garbo.router.ports.store import Transaction

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

    async def take(self, received: Sequence[ReceivedEvent]) -> None:
        """Apply and publish a batch."""
        dependencies = self._means
        context = EventContext(dependencies.directory, dependencies.policies.current, dependencies.hash_key)
        events = [handler_of(one, context) for one in received]
        for event in events:
            event.check()
        merged: dict[ContactId, ContactId] = {}
        for _ in range(TRIES):
            try:
                uow = await self._apply(events, context.policy, merged)
            except ContactsChanged as changed:
                merged |= changed.merged
                await dependencies.store.get_or_create_contacts(changed.unknown)
            else:
                await dependencies.publisher.publish(uow.records_to_publish)
                return
        raise RetryLater("people_changing")

    async def _apply(
        self, events: Sequence[EventHandler], policy: Policy, merged: Mapping[ContactId, ContactId]
    ) -> UnitOfWork:
        """Do a batch in one transaction. Raises `ContactsChanged` when who is who must be looked at again."""
        directory = self._means.directory
        async with self._means.store.batch() as batch:
            events = await _not_erased(batch, events)
            identities = [contact for event in events if (contact := event.targets.contact)]
            contacts_index = await resolve_contacts(batch, identities, merged=merged)
            found = await find_targets(batch, events, contacts_index)
            opened = await self._lock(batch, found, contacts_index)
            uow = await self._ledger(batch, policy, found, opened, contacts_index)
            merge_contacts(uow, directory, contacts_index)
            for event in events:
                event.apply(uow, _found_targets(event, found, contacts_index, uow))
            if not uow.empty:
                await batch.write(uow.changes())
        return uow

    async def _lock(self, batch: Transaction, found: BatchTargets, contacts_index: ContactIndex) -> _Open:
        """Lock all people at once, in sorted order, and give them the addresses they were shown by."""
        states = dict(await batch.lock(found.contacts))
        check_unchanged(states)
        links = {
            h: (a, contacts_index.current_id(c))
            for h, (a, c) in contacts_index.links.items()
            if contacts_index.current_id(c) in states
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
        found: BatchTargets,
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
        grants = {
            m: replace(g, contact_id=contacts_index.current_id(g.contact_id)) for m, g in locked.items()
        }
        campaigns = {(g.brand, g.campaign) for g in grants.values() if g.campaign}
        told = {m for m, g in grants.items() if g.contact_id in found.may_revoke}
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


def _found_targets(
    event: EventHandler, found: BatchTargets, contacts_index: ContactIndex, uow: UnitOfWork
) -> FoundTargets:
    """Give what an event named. Raises `ContactsChanged` when its contact was erased meanwhile."""
    identity = event.targets.contact
    contact_id = contacts_index.contact_of(identity) if identity else None
    if contact_id is not None:
        state = uow.states.get(contact_id)
        if state is None or state.erased:
            raise ContactsChanged
    return FoundTargets(contact_id, found.grant_of(event.targets))


async def _not_erased(batch: Transaction, events: Sequence[EventHandler]) -> Sequence[EventHandler]:
    """Leave out records of consent whose person was erased since: they come back to nobody."""
    consent_ids = [consent_id for event in events if (consent_id := event.targets.consent_id)]
    erased = await batch.erased_consents(consent_ids) if consent_ids else ()
    return [event for event in events if event.targets.consent_id not in erased]
