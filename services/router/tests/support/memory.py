"""Fakes of the ports, in memory; one conformance suite proves them against PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeVar
from uuid import uuid4

from garbo.common.errors import RetryLater
from garbo.common.events.base import Event
from garbo.common.events.ids import ContactId, MessageId
from garbo.common.events.topics import Topic
from garbo.common.events.wire import decode
from garbo.router.domain.grant import Grant
from garbo.router.domain.instants import to_us
from garbo.router.domain.state import RecipientState, Send
from garbo.router.domain.templates import TemplateCategory, Templates, updated
from garbo.router.domain.values import replace
from garbo.router.ports.budgets import BudgetLease
from garbo.router.ports.contacts import Address, Contact
from garbo.router.ports.publisher import OutgoingRecord
from garbo.router.ports.store import Changes, Deferred, Snapshot, StoredDecision
from services.router.tests.support.memory_people import InMemoryPeople
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
    async def batch(self) -> AsyncIterator["InMemoryTransaction"]:
        """Open a transaction: kept at the end, forgotten on any exception."""
        async with self._one_at_a_time:
            tables = self.tables.copied()
            yield InMemoryTransaction(tables, to_us(self.now))
            self.tables = tables

    async def get_or_create_contacts(self, addresses: Iterable[Address]) -> Mapping[str, Contact]:
        """Find or make the contacts of addresses, by hash, in a transaction of its own."""
        async with self.batch() as batch:
            return await batch.contacts_at(addresses, create=True)

    async def make_partitions(self, *, ahead_days: int) -> int:  # noqa: ARG002 - the port's
        """Make nothing: memory has room for every day."""
        return 0

    async def drop_partitions(self, *, keep_days: int) -> Sequence[str]:  # noqa: ARG002 - the port's
        """Forget nothing: a test is over before."""
        return ()

    async def decision(self, message_id: MessageId) -> StoredDecision | None:
        """Find a decision outside any batch."""
        return self.tables.decisions.get(message_id)


class InMemoryTransaction(InMemoryPeople):
    """A `Batch` over a copy of the tables."""

    def __init__(self, tables: Tables, now_us: int) -> None:
        super().__init__(tables)
        self._now_us = now_us

    async def contacts_at(self, addresses: Iterable[Address], *, create: bool) -> Mapping[str, Contact]:
        """Find the contacts of addresses, by hash; with `create`, make those that are not known."""
        asked = {address.hash: address for address in addresses}
        for address in asked.values() if create else ():
            if address.hash not in self._tables.aliases:
                contact_id = ContactId(uuid4())
                self._tables.states[contact_id] = RecipientState()
                self._alias(address, contact_id)
        return {key: self._tables.aliases[key] for key in asked if key in self._tables.aliases}

    async def contacts_of(self, contact_ids: Iterable[ContactId]) -> Mapping[ContactId, Contact]:
        """Find contacts by their own id, or by one they had before; unknown ones are left out."""
        states = self._tables.states
        wanted = {c: (states[c].merged_into if c in states else None) or c for c in contact_ids}
        aliases = self._tables.aliases.values()
        best = sorted(aliases, key=lambda c: (c.address.kind, ".ENT." in c.address.value), reverse=True)
        by_id = {contact.contact_id: contact for contact in best}
        return {asked: by_id[found] for asked, found in wanted.items() if found in by_id}

    async def link(self, aliases: Mapping[str, tuple[Address, ContactId]]) -> None:
        """Add further addresses (by hash) to contacts; one that is somebody's already stays theirs."""
        for key, (address, contact_id) in aliases.items():
            if key not in self._tables.aliases:
                self._alias(address, contact_id)

    async def grants_named(
        self, *, message_ids: Iterable[MessageId] = (), wamids: Iterable[str] = ()
    ) -> Sequence[Grant]:
        """Find grants, not locked, by message or by wamid."""
        messages, known = set(message_ids), set(wamids)
        return [g for g in self._tables.grants.values() if g.message_id in messages or g.wamid in known]

    async def lock(self, contact_ids: Iterable[ContactId]) -> Mapping[ContactId, RecipientState]:
        """Read the states of contacts that exist."""
        return await self.read_states(contact_ids)

    async def read_states(self, contact_ids: Iterable[ContactId]) -> Mapping[ContactId, RecipientState]:
        """Read the states of contacts that exist."""
        return {c: self._tables.states[c] for c in contact_ids if c in self._tables.states}

    async def lock_grants(self, message_ids: Iterable[MessageId]) -> Mapping[MessageId, Grant]:
        """Read the grants of messages."""
        return {m: self._tables.grants[m] for m in message_ids if m in self._tables.grants}

    async def load_snapshot(
        self, message_ids: Iterable[MessageId], *, campaigns: Iterable[tuple[str, str]] = ()
    ) -> Snapshot:
        """Read the clock, the templates, and what is stored of these messages and campaigns."""
        tables, known = self._tables, [m for m in message_ids if m in self._tables.decisions]
        return Snapshot(
            now_us=self._now_us,
            templates=tables.templates,
            decisions={m: tables.decisions[m] for m in known},
            grants={m: tables.grants[m] for m in known if m in tables.grants},
            deferred={m: tables.deferred[m] for m in known if m in tables.deferred},
            cancelled=frozenset(set(campaigns) & tables.cancelled.keys()),
        )

    async def waiting(self, contact_ids: Iterable[ContactId]) -> Sequence[Deferred]:
        """Read all requests of these recipients that wait."""
        wanted = set(contact_ids)
        return [waiting for waiting in self._tables.deferred.values() if waiting.contact_id in wanted]

    async def campaign_sends(
        self, wanted: Iterable[tuple[ContactId, str]]
    ) -> Mapping[tuple[ContactId, str], Sequence[Send]]:
        """Read the sends under a lifetime cap; recipients and campaigns without any are left out."""
        return {key: self._tables.counted[key] for key in wanted if self._tables.counted.get(key)}

    async def lock_leases(self, lease_ids: Iterable[int]) -> Sequence[BudgetLease]:
        """Read what is left in slices of budgets."""
        return [self._tables.leases[lease_id] for lease_id in lease_ids]

    async def write(self, changes: Changes) -> None:
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
        for message_id, record in changes.further.items():
            if stored := tables.decisions.get(message_id):
                tables.decisions[message_id] = replace(stored, records=(*stored.records, record))
        for grant in (*changes.settled, *changes.grants):
            tables.grants[grant.message_id] = grant
        if changes.templates:
            tables.templates = _merged(tables.templates, changes.templates)
        self._write_books(changes)

    def _write_books(self, changes: Changes) -> None:
        tables = self._tables
        self._free(changes.freed)
        for lease_id, count in changes.spent.items():
            held = tables.leases[lease_id]
            tables.leases[lease_id] = replace(held, left=held.left - count)
        for message_id in changes.woken:
            tables.deferred.pop(message_id, None)
        for waiting in changes.deferred:
            tables.deferred[waiting.message_id] = waiting
        for evidence in changes.evidence:
            if evidence.consent_id not in tables.erased_consents:
                tables.evidence.setdefault(evidence.consent_id, evidence)
        for told in changes.suppressions:
            known = tables.suppressions.get((told.address_hash, told.brand))
            if known is None or told.since_us > known.since_us:
                tables.suppressions[told.address_hash, told.brand] = told
        for brand, campaign, at_us in changes.cancelled:
            tables.cancelled.setdefault((brand, campaign), at_us)
        self._count(changes)
        tables.outbox = (*tables.outbox, *changes.outbox)

    def _count(self, changes: Changes) -> None:
        tables = self._tables
        for key, sends in changes.counted.items():
            tables.counted[key] = tuple(sorted(sends, key=lambda send: send.message_id))
        for (contact_id, message_id), (campaign, recounted) in changes.recounted.items():
            others = (s for s in tables.counted.get((contact_id, campaign), ()) if s.message_id != message_id)
            now = [*others, *([] if recounted is None else [recounted])]
            tables.counted[contact_id, campaign] = tuple(sorted(now, key=lambda send: send.message_id))

    def _free(self, contact_ids: Sequence[ContactId]) -> None:
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
                tables.deferred[message_id] = replace(waiting, contact_id=into)
        for consent_id, evidence in tables.evidence.items():
            if evidence.contact_id == old:
                tables.evidence[consent_id] = replace(evidence, contact_id=into)
        tables.counted = {(into if c == old else c, name): s for (c, name), s in tables.counted.items()}

    def _alias(self, address: Address, contact_id: ContactId) -> None:
        kind: Literal["person", "group"] = "group" if address.kind == "group_id" else "person"
        self._tables.aliases[address.hash] = Contact(contact_id, kind, address)


class RecordingPublisher:
    """An `Announcer` that keeps what it is told; it can be made to fail a number of times."""

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


class CountingMeter:
    """A `Meter` one can look at."""

    def __init__(self) -> None:
        self.decisions: list[tuple[str, str, str]] = []
        self.repeats_count = 0
        self.resurrected_count = 0
        self.care: list[tuple[str, bool, bool]] = []

    def decided(self, *, message_class: str | None, verdict: str, reason: str) -> None:
        """Keep a new decision."""
        self.decisions.append((message_class or "none", verdict, reason))

    def repeated(self) -> None:
        """Count a request that had been decided before."""
        self.repeats_count += 1

    def resurrected(self) -> None:
        """Count a message that arrived after its slot had been given back."""
        self.resurrected_count += 1

    def asked_as_care(self, *, client: str, demoted: bool, unprompted: bool) -> None:
        """Keep a request called care."""
        self.care.append((client, demoted, unprompted))


def _merged(known: Templates, told: Sequence[TemplateCategory]) -> Templates:
    """Take in templates as the registry does."""
    merged = dict(known.known)
    for template in told:
        key = (template.waba, template.name, template.language)
        old = merged.get(key)
        merged[key] = template if old is None else updated(old, template)
    return Templates(version=known.version + 1, known=merged)
