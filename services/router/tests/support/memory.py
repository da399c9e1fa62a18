"""Fakes of the ports, in memory; one conformance suite proves them against PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from garbo.common.errors import RetryLater
from garbo.common.events.base import Event
from garbo.common.events.ids import ContactId, MessageId
from garbo.common.events.template_registry import TemplateRegistry
from garbo.common.events.topics import Topic
from garbo.common.events.wire import decode
from garbo.router.domain.grant import Grant
from garbo.router.domain.instants import to_us
from garbo.router.domain.state import RecipientState, Send
from garbo.router.domain.suppression import with_suppressions
from garbo.router.domain.templates import Observed, TemplateCategory, Templates
from garbo.router.domain.values import replace
from garbo.router.ports.budgets import BudgetLease
from garbo.router.ports.contacts import Address, ConsentKey, Contact
from garbo.router.ports.publisher import OutgoingRecord
from garbo.router.ports.store import Changes, Deferred, Scope, Snapshot, StoredDecision
from services.router.tests.support.memory_contacts import InMemoryContacts
from services.router.tests.support.tables import Tables

E = TypeVar("E", bound=Event)


class InMemoryStore:
    """A `Store` in which transactions run one after the other and time moves only when told."""

    def __init__(self, now: datetime = datetime(2026, 6, 1, 10, tzinfo=UTC)) -> None:
        self.now = now
        self.tables = Tables()
        self._one_at_a_time = asyncio.Lock()

    def advance(self, by: timedelta) -> None:
        """Move the clock."""
        self.now += by

    def know(self, templates: Sequence[TemplateCategory]) -> None:
        """Make templates known."""
        self.tables.templates = _merged(self.tables.templates, templates)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["InMemoryTransaction"]:
        """Open a transaction: kept at the end, forgotten on any exception."""
        async with self._one_at_a_time:
            tables = self.tables.copied()
            yield InMemoryTransaction(tables, to_us(self.now))
            self.tables = tables

    async def get_or_create_contacts(
        self, addresses: Iterable[Address], *, named_at_us: Mapping[str, int] | None = None
    ) -> Mapping[str, Contact]:
        """Find or make the contacts of addresses, by hash, in a transaction of its own."""
        async with self.transaction() as transaction:
            erased = await transaction.erased_at(named_at_us or {})
            gone = {key for key, at_us in erased.items() if (named_at_us or {})[key] <= at_us}
            return transaction.get_or_create(a for a in addresses if a.hash not in gone)

    async def decision(self, message_id: MessageId) -> StoredDecision | None:
        """Find a decision outside any transaction."""
        return self.tables.decisions.get(message_id)


class InMemoryTransaction(InMemoryContacts):
    """A `Transaction` over a copy of the tables."""

    def __init__(self, tables: Tables, now_us: int) -> None:
        super().__init__(tables)
        self._now_us = now_us

    async def find_grants(
        self, *, message_ids: Iterable[MessageId] = (), wamids: Iterable[str] = ()
    ) -> Sequence[Grant]:
        """Find grants, not locked, by message or by the reference of a wamid."""
        messages, known = set(message_ids), set(wamids)
        return [g for g in self._tables.grants.values() if g.message_id in messages or g.wamid in known]

    async def load(self, scope: Scope) -> Snapshot:
        """Read all that is asked for: nobody else is there to lock out."""
        tables = self._tables
        states = {c: tables.states[c] for c in scope.contacts if c in tables.states}
        listed = self._newly_suppressed(scope, states)
        deferred, version = tables.deferred.values(), scope.policy_version
        asked_of = [d for d in deferred if d.contact_id in scope.ready_of]
        ready = [d for d in asked_of if d.is_ready(self._now_us, policy_version=version)]
        waiting = [*ready, *(d for d in deferred if d.contact_id in scope.deferred_of)]
        opened = {
            s.message_id for c in scope.open_grants_of if c in states for s in states[c].sends if s.open
        }
        locked = {m: tables.grants[m] for m in scope.grants | opened if m in tables.grants}
        known = scope.messages | {d.message_id for d in waiting} | (opened & locked.keys())
        homes = {d.home_id for d in waiting if d.home_id}
        homes |= {home_id for m in opened & locked.keys() if (home_id := locked[m].home_id)}
        asked = {(one.brand, one.campaign or "") for one in waiting}
        asked |= {(locked[m].brand, locked[m].campaign or "") for m in opened & locked.keys()}
        return Snapshot(
            now_us=self._now_us,
            templates=tables.templates,
            states={**states, **listed},
            newly_suppressed=frozenset(listed),
            contacts=await self.contacts_of(scope.reachable | {d.contact_id for d in ready} | homes),
            addresses=self.addresses_of(scope.addresses_of),
            locked_grants=locked,
            decisions={m: replace(tables.decisions[m], inputs=None) for m in known if m in tables.decisions},
            grants={m: tables.grants[m] for m in known if m in tables.grants and m in tables.decisions},
            deferred={
                d.message_id: d
                for d in (*waiting, *(d for m, d in tables.deferred.items() if m in scope.messages))
            },
            cancelled=frozenset((asked | scope.campaigns) & tables.cancelled.keys()),
            campaign_sends=self._campaign_sends(scope, (*locked.values(), *waiting)),
            told={ref: tables.told[ref] for ref in scope.told & tables.told.keys()},
        )

    async def lock_leases(self, lease_ids: Iterable[int]) -> Sequence[BudgetLease]:
        """Read what is left in leases of budgets."""
        return [self._tables.leases[lease_id] for lease_id in lease_ids]

    def _newly_suppressed(
        self, scope: Scope, states: Mapping[ContactId, RecipientState]
    ) -> dict[ContactId, RecipientState]:
        new = [link for link in scope.new_addresses.values() if link.contact_id in states]
        for link in new:
            if link.address.hash not in self._tables.aliases:
                self._alias(link.address, link.contact_id, home_id=link.home_id)
        asked = {c for c, state in states.items() if state.version == 0 or c in scope.suppressions_of}
        found = self.suppressions_of(asked | {link.contact_id for link in new})
        listed = {c: with_suppressions(states[c], said) for c, said in found.items()}
        return {c: state for c, state in listed.items() if state != states[c]}

    def _campaign_sends(
        self, scope: Scope, held: Iterable[Grant | Deferred]
    ) -> Mapping[tuple[ContactId, str], Sequence[Send]]:
        if scope.campaign_sends is None:
            return {}
        wanted = scope.campaign_sends | {(one.contact_id, one.campaign or "") for one in held}
        return {key: self._tables.counted[key] for key in wanted if self._tables.counted.get(key)}

    async def save(self, changes: Changes) -> None:
        """Write. Raises `RetryLater` when one of the decisions is there already."""
        tables = self._tables
        for decision in changes.decisions:
            if decision.message_id in tables.decisions:
                raise RetryLater("decided_meanwhile")
            tables.decisions[decision.message_id] = decision
        for contact_id, state in changes.states.items():
            tables.states[contact_id] = replace(
                state, version=tables.states[contact_id].version + 1, campaign_sends=()
            )
            if state.merged_into is not None:
                self._merge(contact_id, state.merged_into)
        for message_id, record in changes.decision_updates.items():
            if stored := tables.decisions.get(message_id):
                tables.decisions[message_id] = replace(stored, records=(*stored.records, record))
        for grant in (*changes.updated_grants, *changes.grants):
            tables.grants[grant.message_id] = grant
        if changes.templates:
            tables.templates = _merged(tables.templates, changes.templates)
        if changes.observed:
            tables.templates = _observed(tables.templates, changes.observed)
        self._save_rest(changes)

    def _save_rest(self, changes: Changes) -> None:
        tables = self._tables
        self._recheck(changes.contacts_to_recheck)
        for lease_id, count in changes.budgets_spent.items():
            held = tables.leases[lease_id]
            tables.leases[lease_id] = replace(held, left=held.left - count)
        for message_id in changes.no_longer_deferred:
            tables.deferred.pop(message_id, None)
        for waiting in changes.deferred:
            tables.deferred[waiting.message_id] = waiting
        for evidence in changes.evidence:
            proof = ConsentKey(evidence.actor, evidence.consent_id)
            if proof not in tables.erased_consents:
                tables.evidence.setdefault(proof, evidence)
                tables.recorded_for.setdefault(proof, evidence.contact_id)
        for told in changes.suppressions:
            known = tables.suppressions.get((told.address_hash, told.brand))
            if known is None or told.since_us > known.since_us:
                tables.suppressions[told.address_hash, told.brand] = told
        for brand, campaign, at_us in changes.cancelled:
            tables.cancelled.setdefault((brand, campaign), at_us)
        self._count(changes)
        tables.outbox = (*tables.outbox, *changes.outbox)
        self.save_merges(changes)
        tables.told = {**changes.told, **tables.told}
        self.erase_contacts(changes.erased, now_us=self._now_us)

    def _count(self, changes: Changes) -> None:
        tables = self._tables
        for key, sends in changes.campaign_sends.items():
            tables.counted[key] = tuple(sorted(sends, key=lambda send: send.message_id))
        for (contact_id, message_id), (campaign, recounted) in changes.campaign_send_updates.items():
            others = (s for s in tables.counted.get((contact_id, campaign), ()) if s.message_id != message_id)
            now = [*others, *([] if recounted is None else [recounted])]
            tables.counted[contact_id, campaign] = tuple(sorted(now, key=lambda send: send.message_id))

    def _recheck(self, contact_ids: Sequence[ContactId]) -> None:
        for message_id, waiting in self._tables.deferred.items():
            hastened = waiting.reason not in ("not_before", "gathering")
            if waiting.contact_id in contact_ids and hastened and waiting.due_at_us > self._now_us:
                free_at_us = min(waiting.free_at_us, self._now_us)
                at_once = replace(waiting, due_at_us=self._now_us, free_at_us=free_at_us)
                self._tables.deferred[message_id] = at_once

    def _merge(self, old: ContactId, into: ContactId) -> None:
        tables = self._tables
        for key, contact in tables.aliases.items():
            if contact.contact_id == old:
                tables.aliases[key] = replace(contact, contact_id=into)
        for message_id, waiting in tables.deferred.items():
            if waiting.contact_id == old:
                home_id = waiting.home_id or old
                tables.deferred[message_id] = replace(waiting, contact_id=into, home_id=home_id)
        for proof, evidence in tables.evidence.items():
            if evidence.contact_id == old:
                tables.evidence[proof] = replace(evidence, contact_id=into)
        tables.counted = {(into if c == old else c, name): s for (c, name), s in tables.counted.items()}


class RecordingPublisher:
    """A `Publisher` that keeps what it is told; it can be made to fail a number of times."""

    def __init__(self) -> None:
        self.told: list[OutgoingRecord] = []
        self.failures_left = 0

    async def publish(self, records_to_publish: Sequence[OutgoingRecord]) -> None:
        """Keep them, or fail as a broker does."""
        if self.failures_left:
            self.failures_left -= 1
            raise RetryLater("kafka_publish:test")
        self.told.extend(records_to_publish)

    def of(self, *topics: Topic[E], after: int = 0) -> list[E]:
        """Give the events told on these topics, oldest first, from place `after` of all that was told."""
        told = ((one.content, topic) for one in self.told[after:] for topic in topics if one.topic == topic)
        return [decode(topic, content) for content, topic in told]

    def bytes_of(self, topic: Topic[Event]) -> list[bytes]:
        """Give the bytes told on a topic, oldest first."""
        return [told.content for told in self.told if told.topic == topic]


def _merged(known: Templates, told: Sequence[TemplateCategory]) -> Templates:
    """Take in templates as the registry does."""
    merged = dict(known.known)
    for template in told:
        key = (template.waba, template.name, template.language)
        old = merged.get(key)
        merged[key] = template if old is None else _updated(old, template)
    return Templates(version=known.version + 1, known=merged, observed=known.observed)


def _observed(known: Templates, read: Sequence[Observed]) -> Templates:
    """Take in what was read; an older reading changes nothing."""
    records = dict(known.observed.known)
    for one in read:
        if one.key not in records or one.observed_at >= records[one.key].observed_at:
            records[one.key] = one
    return Templates(version=known.version + 1, known=known.known, observed=TemplateRegistry(records))


def _updated(known: TemplateCategory, told: TemplateCategory) -> TemplateCategory:
    """Take in a further word about a template, whatever the order: category and status each stand alone."""
    if told.categorised_at_us is not None and told.categorised_at_us >= (known.categorised_at_us or 0):
        stands = told.was_read and (known.next_at_us or 0) > told.categorised_at_us
        known = replace(
            known,
            category=told.category or known.category,
            next_category=known.next_category if stands else told.next_category,
            next_at_us=known.next_at_us if stands else told.next_at_us,
            categorised_at_us=told.categorised_at_us,
        )
    if told.changed_at_us >= known.changed_at_us:
        known = replace(known, status=told.status or known.status, changed_at_us=told.changed_at_us)
    return known
