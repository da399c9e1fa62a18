"""What the flow needs of the outside, in the flow's words."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from uuid import UUID

from garbo.common.events.base import Event
from garbo.common.events.ids import AddressKind, ContactId, MessageId
from garbo.common.events.topics import Topic
from garbo.router.domain.grant import Grant
from garbo.router.domain.state import RecipientState
from garbo.router.domain.templates import TemplateCategory, Templates


@dataclass(frozen=True, slots=True)
class Address:
    """One address of the platform and its keyed hash."""

    kind: AddressKind
    value: str
    hash: str


@dataclass(frozen=True, slots=True)
class Contact:
    """A person or group, and the address to reach it by."""

    contact_id: ContactId
    kind: Literal["person", "group"]
    address: Address


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """What was decided about a message, as published: one element of `records` per sequence."""

    message_id: MessageId
    client: str
    request_id: UUID
    body_hash: bytes
    contact_id: ContactId | None
    records: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant of the database's clock, read after the locks, and what was stored by then."""

    now_us: int
    templates: Templates
    decisions: Mapping[MessageId, StoredDecision]
    grants: Mapping[MessageId, Grant]
    """The grants of those messages, whatever became of them."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Everything one batch writes, at once."""

    states: Mapping[ContactId, RecipientState]
    decisions: Sequence[StoredDecision] = ()
    """New ones."""
    further: Mapping[MessageId, bytes] = field(default_factory=dict)
    """A further record of decisions that are there."""
    grants: Sequence[Grant] = ()
    """New ones."""
    settled: Sequence[Grant] = ()
    """Grants that are there, in their new state."""
    templates: Sequence[TemplateCategory] = ()


class Batch(Protocol):
    """One transaction. Call in this order: contacts, lock, look up, write."""

    async def contacts_at(self, addresses: Iterable[Address], *, mint: bool) -> Mapping[str, Contact]:
        """Find the contacts of addresses, by hash; with `mint`, make those that are not known."""
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

    async def peek(self, contact_ids: Iterable[ContactId]) -> Mapping[ContactId, RecipientState]:
        """Read states without locking them."""
        ...

    async def lock_grants(self, message_ids: Iterable[MessageId]) -> Mapping[MessageId, Grant]:
        """Lock the grants of messages, in sorted order, until the transaction ends."""
        ...

    async def look_up(self, message_ids: Iterable[MessageId]) -> Moment:
        """Read the clock, the templates, and what is stored of these messages (grants not locked)."""
        ...

    async def write(self, changes: Changes) -> None:
        """Write. Raises `RetryLater` when another process has just stored one of the decisions."""
        ...


class Store(Protocol):
    """Where contacts, states, decisions and grants live."""

    def batch(self) -> AbstractAsyncContextManager[Batch]:
        """Open a transaction: committed at the end, rolled back on any exception."""
        ...

    async def decision(self, message_id: MessageId) -> StoredDecision | None:
        """Find a decision outside any batch."""
        ...


@dataclass(frozen=True, slots=True)
class Announcement:
    """One record to publish."""

    topic: Topic[Any]
    event: Event
    contact_id: ContactId | None
    """Decides the partition; None where nobody is known: then the event's own id does."""
    trace: str | None
    value: bytes | None = None
    """The exact bytes, where they were published before."""


class Announcer(Protocol):
    """Tells the other services."""

    async def announce(self, announcements: Sequence[Announcement]) -> None:
        """Return when all are acknowledged; raises `RetryLater` when that is not known."""
        ...


class Meter(Protocol):
    """Counts what happens, for dashboards."""

    def decided(self, *, message_class: str, verdict: str, reason: str) -> None:
        """Count a new decision."""
        ...

    def repeated(self) -> None:
        """Count a request that had been decided before."""
        ...

    def resurrected(self) -> None:
        """Count a message that arrived after its slot had been given back: somebody should look."""
        ...
