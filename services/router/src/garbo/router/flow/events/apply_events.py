"""Use case: apply a batch of events to the contacts they are about, in one transaction, then publish."""

from collections.abc import Mapping, Sequence
from typing import Final

from garbo.common.errors import RetryLater
from garbo.common.events.ids import ContactId
from garbo.router.domain.policy import Policy
from garbo.router.domain.values import replace
from garbo.router.flow.dependencies import Dependencies
from garbo.router.flow.events.erased import RecordedConsents, without_the_erased
from garbo.router.flow.events.handler import (
    EventContext,
    EventHandler,
    FoundTargets,
    ReadEvent,
    ReceivedEvent,
)
from garbo.router.flow.events.registry import handler_of
from garbo.router.flow.events.targets import BatchTargets, find_targets
from garbo.router.flow.identity import (
    ContactIndex,
    ContactsChanged,
    Identity,
    check_unchanged,
    resolve_contacts,
)
from garbo.router.flow.merge_contacts import merge_contacts
from garbo.router.flow.unit_of_work import UnitOfWork
from garbo.router.ports.contacts import ConsentEvidence, ConsentKey
from garbo.router.ports.store import Scope, Transaction

TRIES: Final = 8
"""A batch looks at most this often who somebody is; then it comes again."""


class ApplyEvents:
    """Windows, keywords, consents, preferences, cases, contact data, campaigns, results, statuses, templates.

    Any order and any repetition of the same events ends in the same state. Commit comes before publishing,
    publishing before the offsets; what an event changed is told through the outbox. Raises `RetryLater`, and
    `Reject` for an event about a number or a brand that is not in the business file, or not its client's, or
    about nobody.
    """

    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies = dependencies

    async def take(self, received: Sequence[ReceivedEvent]) -> None:
        """Apply and publish a batch."""
        dependencies = self._dependencies
        context = EventContext(dependencies.directory, dependencies.policies.current, dependencies.hash_key)
        events = [ReadEvent(one, handler_of(one, context)) for one in received]
        for event in events:
            event.handler.check()
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
        self, events: Sequence[ReadEvent], policy: Policy, merged: Mapping[ContactId, ContactId]
    ) -> UnitOfWork:
        """Do a batch in one transaction. Raises `ContactsChanged` when who is who must be looked at again."""
        dependencies = self._dependencies
        async with dependencies.store.transaction() as transaction:
            recorded = await _recorded_consents(transaction, events)
            left = await without_the_erased(transaction, events, recorded)
            handlers = [event.handler for event in left]
            contacts = await resolve_contacts(transaction, _identities(handlers), merged=merged)
            found = await find_targets(transaction, handlers, contacts)
            told = frozenset(ref for handler in handlers if (ref := handler.targets.tells_of))
            snapshot = await transaction.load(_scope(found, contacts, told))
            check_unchanged(snapshot.states)
            uow = UnitOfWork(policy, dependencies.directory, dependencies.meter, snapshot)
            for message_id, grant in uow.grants.items():  # a grant is of who its person is now
                uow.grants[message_id] = replace(grant, contact_id=contacts.current_id(grant.contact_id))
            merge_contacts(uow, contacts)
            for event in left:
                event.handler.apply(uow, _found_targets(event, found, contacts, uow, recorded))
            if uow.has_changes:
                await transaction.save(uow.changes())
        if len(left) < len(events):
            dependencies.meter.said_before_erasure(len(events) - len(left))
        return uow


def _scope(found: BatchTargets, contacts: ContactIndex, told: frozenset[str]) -> Scope:
    """Lock all contacts at once, and of those whose promos may be revoked also these."""
    may_revoke = frozenset(found.may_revoke)
    new_addresses = {
        h: link._replace(contact_id=contacts.current_id(link.contact_id))
        for h, link in contacts.links.items()
    }
    settled = [found.by_message[message_id] for message_id in found.settling]
    return Scope(
        contacts=frozenset(found.contacts),
        new_addresses=new_addresses,
        reachable=may_revoke,
        addresses_of=frozenset(link.contact_id for link in new_addresses.values() if link.claimed_by)
        | frozenset(who for merge in contacts.merges if merge.said_by for who in (merge.into, merge.other)),
        deferred_of=may_revoke,
        open_grants_of=may_revoke,
        grants=frozenset(found.settling),
        messages=frozenset(g.message_id for g in settled if contacts.current_id(g.contact_id) in may_revoke),
        campaigns=frozenset((g.brand, g.campaign) for g in settled if g.campaign),
        told=told,
    )


def _found_targets(
    event: ReadEvent,
    found: BatchTargets,
    contacts: ContactIndex,
    uow: UnitOfWork,
    recorded: RecordedConsents,
) -> FoundTargets:
    """Give what an event named. Raises `ContactsChanged` when its contact was erased meanwhile."""
    targets = event.handler.targets
    identity, tells_of = targets.contact, targets.tells_of
    contact_id = contacts.contact_of(identity) if identity else None
    if contact_id is not None:
        state = uow.states.get(contact_id)
        if state is None or state.erased:
            raise ContactsChanged
    return FoundTargets(
        contact_id,
        contacts.home_of(identity) if identity else None,
        found.grant_of(targets),
        _recorded(targets.consent, recorded, contacts),
        is_told=bool(tells_of and not uow.tell_once(tells_of, record=event.received.record)),
    )


def _identities(handlers: Sequence[EventHandler]) -> list[Identity]:
    """Give everybody the events name or show."""
    named = (who for handler in handlers for who in (handler.targets.contact, handler.targets.shown))
    return [identity for identity in named if identity is not None]


async def _recorded_consents(transaction: Transaction, events: Sequence[ReadEvent]) -> RecordedConsents:
    keys = {key for event in events if (key := event.handler.targets.consent)}
    return await transaction.recorded_consents(keys) if keys else {}


def _recorded(
    key: ConsentKey | None, recorded: RecordedConsents, contacts: ContactIndex
) -> ConsentEvidence | None:
    """Give the record that is kept under an event's name, as of who its person is now."""
    kept = recorded.get(key) if key else None
    return kept and replace(kept, contact_id=contacts.current_id(kept.contact_id))
