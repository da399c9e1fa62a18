"""Where contacts, states, decisions and grants live, and one transaction over them."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol
from uuid import UUID

from garbo.common.events.ids import ContactId, MessageId
from garbo.router.domain.grant import Grant
from garbo.router.domain.state import RecipientState, Send
from garbo.router.domain.templates import TemplateCategory, Templates
from garbo.router.domain.values import Value, field
from garbo.router.ports.budgets import BudgetLease
from garbo.router.ports.contacts import Address, ConsentEvidence, Contact, ContactTransaction, Suppression
from garbo.router.ports.publisher import OutgoingRecord


class StoredDecision(Value, frozen=True):
    """What was decided about a message, as published: one element of `records` per sequence."""

    message_id: MessageId
    client: str
    request_id: UUID
    body_hash: bytes
    contact_id: ContactId | None
    records: tuple[bytes, ...]
    facts: bytes | None = None
    """What the first decision was made from, without address and content (see `flow.facts`)."""


class Deferred(Value, frozen=True):
    """A request that waits. There or gone by the recipient's row lock, as everything of a recipient."""

    message_id: MessageId
    contact_id: ContactId
    due_at_us: int
    """When it is decided again."""
    free_at_us: int
    """The least instant every rule permits, as far as one knew."""
    first_decided_at_us: int
    expires_at_us: int | None
    brand: str
    campaign: str | None
    priority: int
    reason: str
    request: bytes
    """The request as it came."""
    trace: str | None = None


class Snapshot(Value, frozen=True):
    """One instant of the database's clock, read after the locks, and what was stored by then."""

    now_us: int
    templates: Templates
    decisions: Mapping[MessageId, StoredDecision]
    grants: Mapping[MessageId, Grant]
    """The newest grant of each of those messages, whatever became of it."""
    deferred: Mapping[MessageId, Deferred] = field(default_factory=dict)
    """Which of those messages wait."""
    cancelled: frozenset[tuple[str, str]] = frozenset()
    """Brand and campaign of what was called off."""


class Changes(Value, frozen=True):
    """Everything one batch writes, at once."""

    states: Mapping[ContactId, RecipientState]
    decisions: Sequence[StoredDecision] = ()
    """New ones."""
    further: Mapping[MessageId, bytes] = field(default_factory=dict)
    """A further record of decisions that are there."""
    grants: Sequence[Grant] = ()
    """New ones; one of the same id that is there (given again on the same day) becomes this one."""
    settled: Sequence[Grant] = ()
    """Grants that are there, in their new state: state, wamid, lease, policy version, slices and request."""
    freed: Sequence[ContactId] = ()
    """A slot of theirs came back, or a case was closed: their waiting requests are due at once."""
    spent: Mapping[int, int] = field(default_factory=dict)
    """Budget slice -> how many more of it are used; less than 0 gives back."""
    templates: Sequence[TemplateCategory] = ()
    deferred: Sequence[Deferred] = ()
    """New ones, and those there in their new terms."""
    woken: Sequence[MessageId] = ()
    """No longer deferred."""
    evidence: Sequence[ConsentEvidence] = ()
    """One that is there already is left as it is."""
    suppressions: Sequence[Suppression] = ()
    cancelled: Sequence[tuple[str, str, int]] = ()
    """Brand, campaign, instant."""
    counted: Mapping[tuple[ContactId, str], Sequence[Send]] = field(default_factory=dict)
    """Contact and campaign -> its sends under a lifetime cap, as they are now."""
    recounted: Mapping[tuple[ContactId, MessageId], tuple[str, Send | None]] = field(default_factory=dict)
    """One such send of a campaign as it is now; None when its slot came back. After `counted`."""
    outbox: Sequence[OutgoingRecord] = ()
    """To be told after the commit by whoever comes first, where no Kafka record asks for it again."""


class Transaction(ContactTransaction, Protocol):
    """One transaction. Call in this order: contacts, lock, grants, look up, write."""

    async def contacts_at(self, addresses: Iterable[Address], *, create: bool) -> Mapping[str, Contact]:
        """Find the contacts of addresses, by hash; with `create`, make those that are not known."""
        ...

    async def contacts_of(self, contact_ids: Iterable[ContactId]) -> Mapping[ContactId, Contact]:
        """Find contacts by their own id; unknown ones are left out."""
        ...

    async def link(self, aliases: Mapping[str, tuple[Address, ContactId]]) -> None:
        """Add further addresses (by hash) to contacts; one that is somebody's already stays theirs."""
        ...

    async def grants_named(
        self, *, message_ids: Iterable[MessageId] = (), wamids: Iterable[str] = ()
    ) -> Sequence[Grant]:
        """Find grants, not locked, by message or by wamid."""
        ...

    async def lock(self, contact_ids: Iterable[ContactId]) -> Mapping[ContactId, RecipientState]:
        """Lock the states of contacts that exist, in sorted order, until the transaction ends."""
        ...

    async def read_states(self, contact_ids: Iterable[ContactId]) -> Mapping[ContactId, RecipientState]:
        """Read states without locking them."""
        ...

    async def lock_grants(self, message_ids: Iterable[MessageId]) -> Mapping[MessageId, Grant]:
        """Lock the grants of messages, in sorted order, until the transaction ends."""
        ...

    async def load_snapshot(
        self, message_ids: Iterable[MessageId], *, campaigns: Iterable[tuple[str, str]] = ()
    ) -> Snapshot:
        """Read the clock, the templates, and what is stored of these messages (grants not locked).

        And which of the campaigns (brand and name) were called off.
        """
        ...

    async def waiting(self, contact_ids: Iterable[ContactId]) -> Sequence[Deferred]:
        """Read all requests of these recipients that wait."""
        ...

    async def campaign_sends(
        self, wanted: Iterable[tuple[ContactId, str]]
    ) -> Mapping[tuple[ContactId, str], Sequence[Send]]:
        """Read the sends under a lifetime cap of recipients and campaigns; those without any are left out."""
        ...

    async def lock_leases(self, lease_ids: Iterable[int]) -> Sequence[BudgetLease]:
        """Lock this process's slices of budgets, after people and grants, and read what is left in them."""
        ...

    async def write(self, changes: Changes) -> None:
        """Write. Raises `RetryLater` when another process has just stored one of the decisions."""
        ...


class Store(Protocol):
    """Where contacts, states, decisions and grants live."""

    def batch(self) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction: committed at the end, rolled back on any exception."""
        ...

    async def get_or_create_contacts(self, addresses: Iterable[Address]) -> Mapping[str, Contact]:
        """Find or make the contacts of addresses, by hash, in a short transaction of its own.

        A batch that locks people must not make them: two batches that make the same strangers while they
        hold other locks wait for each other.
        """
        ...

    async def decision(self, message_id: MessageId) -> StoredDecision | None:
        """Find a decision outside any batch."""
        ...

    async def make_partitions(self, *, ahead_days: int) -> int:
        """Make room for the days ahead; returns how many tables were made. Idempotent."""
        ...

    async def drop_partitions(self, *, keep_days: int) -> Sequence[str]:
        """Forget decisions, grants and seen ids older than this; returns the names of what was dropped."""
        ...
