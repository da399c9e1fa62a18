"""Where contacts, states, decisions and grants live, and one transaction over them."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol
from uuid import UUID

from garbo.common.events.ids import ContactId, MessageId
from garbo.router.domain.grant import Grant
from garbo.router.domain.prepared_request import DecisionInputs
from garbo.router.domain.state import RecipientState, Send
from garbo.router.domain.templates import Observed, TemplateCategory, Templates
from garbo.router.domain.values import Value, field
from garbo.router.ports.budgets import BudgetLease
from garbo.router.ports.contacts import (
    Address,
    ClaimedMerge,
    ConsentEvidence,
    Contact,
    ContactTransaction,
    Link,
    Suppression,
)
from garbo.router.ports.publisher import OutgoingRecord


class StoredDecision(Value, frozen=True):
    """What was decided about a message, as published: one element of `records` per sequence."""

    message_id: MessageId
    client: str
    request_id: UUID
    body_hash: bytes
    contact_id: ContactId | None
    records: tuple[bytes, ...]
    inputs: DecisionInputs | None = None
    """What the first decision was made from; written with it, and left out where decisions are read."""


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
    policy_version: str | None = None
    """Under which policy it was last decided that it waits; None where nobody noted it."""
    home_id: ContactId | None = None
    """By which id its address stands: another one than the contact's where a client joined two people."""

    def is_ready(self, now_us: int, *, policy_version: str) -> bool:
        """Say whether it may be free by now: it is due, only its jitter puts it off, or another policy did.

        What waits for others to the same person waits for that alone.
        """
        by_time = min(self.free_at_us, self.due_at_us) <= now_us
        return by_time or (self.policy_version != policy_version and self.reason != "gathering")


class Scope(Value, frozen=True):
    """What a transaction is about: all it must lock and read, named before anything is locked."""

    contacts: frozenset[ContactId] = frozenset()
    """Whose states are locked, in sorted order."""
    lock: bool = True
    """False: states are read as they are, for a look that changes nothing."""
    new_addresses: Mapping[str, Link] = field(default_factory=dict)
    """Further addresses of theirs, by hash, added once they are locked; one that is somebody's stays so."""
    suppressions_of: frozenset[ContactId] = frozenset()
    """Of whom suppression lists are asked anew; of people never written before they are asked always."""
    reachable: frozenset[ContactId] = frozenset()
    """Of whom messages may be decided again: their `Contact` is read. So is that of each home that an open
    grant or a deferred request is to be sent at."""
    deferred_of: frozenset[ContactId] = frozenset()
    """All of whose deferred requests are read, with their decisions."""
    ready_of: frozenset[ContactId] = frozenset()
    """Of whom the deferred requests that may be free by now under `policy_version` are read, with their
    decisions; who has any is reachable."""
    policy_version: str = ""
    open_grants_of: frozenset[ContactId] = frozenset()
    """Whose open grants are locked, and their decisions read."""
    grants: frozenset[MessageId] = frozenset()
    """Messages whose newest grant is locked."""
    messages: frozenset[MessageId] = frozenset()
    """Messages of which everything is read: decision, newest grant (not locked), deferral."""
    campaigns: frozenset[tuple[str, str]] = frozenset()
    """Brand and name: were they called off? Those of open grants and of what waits are asked, too."""
    campaign_sends: frozenset[tuple[ContactId, str]] | None = None
    """Contact and campaign whose sends count for life; None where no rule asks for it. Those of locked grants
    and deferred requests are read as well."""
    addresses_of: frozenset[ContactId] = frozenset()
    """Of whom all addresses are read."""
    told: frozenset[str] = frozenset()
    """References of inbound messages: was any of them told of?"""


class Snapshot(Value, frozen=True):
    """What was stored at one instant of the database's clock, read after the locks."""

    now_us: int
    templates: Templates
    states: Mapping[ContactId, RecipientState] = field(default_factory=dict)
    """Of those who exist, with what suppression lists say of them."""
    newly_suppressed: frozenset[ContactId] = frozenset()
    """Whose state says more of lists than what is stored."""
    contacts: Mapping[ContactId, Contact] = field(default_factory=dict)
    """Of those asked to be reachable, by the id that was asked; whoever was erased is left out."""
    addresses: Mapping[ContactId, Sequence[Address]] = field(default_factory=dict)
    locked_grants: Mapping[MessageId, Grant] = field(default_factory=dict)
    decisions: Mapping[MessageId, StoredDecision] = field(default_factory=dict)
    grants: Mapping[MessageId, Grant] = field(default_factory=dict)
    """The newest grant of each message with a decision here, whatever became of it."""
    deferred: Mapping[MessageId, Deferred] = field(default_factory=dict)
    cancelled: frozenset[tuple[str, str]] = frozenset()
    """Brand and name of the campaigns that were called off."""
    campaign_sends: Mapping[tuple[ContactId, str], Sequence[Send]] = field(default_factory=dict)
    told: Mapping[str, str] = field(default_factory=dict)
    """Of those asked, which were told of, and for which Kafka record."""

    @property
    def merged(self) -> dict[ContactId, ContactId]:
        """Who turned out to be somebody else since they were found."""
        return {c: state.merged_into for c, state in self.states.items() if state.merged_into is not None}


class Changes(Value, frozen=True):
    """Everything one transaction writes, at once."""

    states: Mapping[ContactId, RecipientState] = field(default_factory=dict)
    decisions: Sequence[StoredDecision] = ()
    """New ones."""
    decision_updates: Mapping[MessageId, bytes] = field(default_factory=dict)
    """A further record of decisions that are there."""
    grants: Sequence[Grant] = ()
    """New ones; one of the same id that is there (given again on the same day) becomes this one."""
    updated_grants: Sequence[Grant] = ()
    """Grants that are there, as they are now: state, wamid, lease, policy version, budget leases, request."""
    contacts_to_recheck: Sequence[ContactId] = ()
    """A slot of theirs came back, or a case was closed: their deferred requests are due at once."""
    budgets_spent: Mapping[int, int] = field(default_factory=dict)
    """Budget lease -> how many more of it are used; less than 0 gives back."""
    templates: Sequence[TemplateCategory] = ()
    observed: Sequence[Observed] = ()
    """What was read at the platform; an older reading does not replace a newer one."""
    deferred: Sequence[Deferred] = ()
    """New ones, and those there in their new terms."""
    no_longer_deferred: Sequence[MessageId] = ()
    evidence: Sequence[ConsentEvidence] = ()
    """One that is there already is left as it is."""
    suppressions: Sequence[Suppression] = ()
    cancelled: Sequence[tuple[str, str, int]] = ()
    """Brand, campaign, instant."""
    campaign_sends: Mapping[tuple[ContactId, str], Sequence[Send]] = field(default_factory=dict)
    """Contact and campaign -> its sends under a lifetime cap, as they are now."""
    campaign_send_updates: Mapping[tuple[ContactId, MessageId], tuple[str, Send | None]] = field(
        default_factory=dict
    )
    """One such send of a campaign as it is now; None when its slot came back. After `campaign_sends`."""
    claimed_merges: Sequence[ClaimedMerge] = ()
    """Kept, so that they can be undone."""
    homes: Mapping[ContactId, ContactId] = field(default_factory=dict)
    """Home -> the home it turned out to be, by the platform's word; after all merges."""
    shown_addresses: Mapping[str, ContactId] = field(default_factory=dict)
    """Hash of an address that only a client had linked -> the home the platform showed it to be of."""
    split: Sequence[ContactId] = ()
    """Who is a contact of their own again: their home's addresses, and their own proofs, come back."""
    told: Mapping[str, str] = field(default_factory=dict)
    """Inbound message, by its reference -> the Kafka record it is told for."""
    erased: Sequence[ContactId] = ()
    """Whose addresses are deleted, proofs of consent unlinked, and old sends forgotten: after all else."""
    outbox: Sequence[OutgoingRecord] = ()
    """To be told after the commit by whoever comes first, where no Kafka record asks for it again."""


class Transaction(ContactTransaction, Protocol):
    """One transaction: find who it is about, load that once, save once."""

    async def find_grants(
        self, *, message_ids: Iterable[MessageId] = (), wamids: Iterable[str] = ()
    ) -> Sequence[Grant]:
        """Find grants, not locked, by message or by the reference of a wamid."""
        ...

    async def load(self, scope: Scope) -> Snapshot:
        """Lock people, then grants, each in sorted order; then read the clock, and what is stored.

        The locks last until the transaction ends.
        """
        ...

    async def lock_leases(self, lease_ids: Iterable[int]) -> Sequence[BudgetLease]:
        """Lock this process's leases of budgets, after people and grants, and read what is left in them."""
        ...

    async def save(self, changes: Changes) -> None:
        """Write. Raises `RetryLater` when another process has just stored one of the decisions."""
        ...


class Store(Protocol):
    """Where contacts, states, decisions and grants live."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction: committed at the end, rolled back on any exception."""
        ...

    async def get_or_create_contacts(
        self, addresses: Iterable[Address], *, named_at_us: Mapping[str, int] | None = None
    ) -> Mapping[str, Contact]:
        """Find or make the contacts of addresses, by hash, in a short transaction of its own.

        `named_at_us` says when an address was named: whose person was erased since is left out.

        A transaction that locks people must not make them: two that make the same strangers while they hold
        other locks wait for each other.
        """
        ...

    async def decision(self, message_id: MessageId) -> StoredDecision | None:
        """Find a decision outside any transaction."""
        ...
