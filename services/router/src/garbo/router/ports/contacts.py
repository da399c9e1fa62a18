"""Who people are and what they consented to, as the flow needs it of the outside."""

from collections.abc import Collection, Iterable, Mapping
from typing import Literal, NamedTuple, Protocol
from uuid import UUID

from garbo.common.events.ids import AddressKind, ContactId
from garbo.router.domain.state import RecipientState
from garbo.router.domain.values import Value


class Address(Value, frozen=True):
    """One address of the platform and its keyed hash."""

    kind: AddressKind
    value: str
    hash: str


class Contact(Value, frozen=True):
    """A person or group, and the address to reach it by."""

    contact_id: ContactId
    kind: Literal["person", "group"]
    address: Address
    home_id: ContactId | None = None
    """The contact it is of by the platform's word, or from the first; None: only a client says so."""


class Link(NamedTuple):
    """A further address of a contact, and on whose word."""

    address: Address
    contact_id: ContactId
    home_id: ContactId | None = None
    """Of the address that the platform showed with it; None where only a client says so."""
    claimed_by: str | None = None
    """That client."""


class ClaimedMerge(Value, frozen=True):
    """Two contacts that are one because a client says so, as both were before."""

    contact_id: ContactId
    """It leads on to the other one since."""
    into_id: ContactId
    said_by: str
    merged_at_us: int
    state: RecipientState
    into_state: RecipientState


class ConsentKey(NamedTuple):
    """Names a record of consent: the ids that clients choose are each client's own."""

    actor: str
    consent_id: UUID


class ConsentEvidence(Value, frozen=True):
    """One act of consent, as it can be shown to a judge."""

    consent_id: UUID
    contact_id: ContactId
    brand: str
    channel: str
    purpose: str
    action: str
    source: str
    actor: str
    """The client that recorded it; `garbo` for what a person wrote or the platform told."""
    occurred_at_us: int
    received_at_us: int
    number: str | None = None
    text_version: str | None = None
    text_hash: str | None = None
    locale: str | None = None
    evidence: str | None = None


class Suppression(Value, frozen=True):
    """An address that must not be promoted to, known by its hash alone."""

    address_hash: str
    brand: str
    """Or `*`."""
    since_us: int
    source: str


class ContactTransaction(Protocol):
    """What leads from addresses to people, in one transaction. Nothing is locked by it."""

    async def contacts_at(self, addresses: Iterable[Address]) -> Mapping[str, Contact]:
        """Find the contacts of addresses, by hash; unknown ones are left out."""
        ...

    async def former_ids(self, contact_id: ContactId) -> Collection[ContactId]:
        """Name the contacts that turned out to be this person."""
        ...

    async def contacts_of(self, contact_ids: Iterable[ContactId]) -> Mapping[ContactId, Contact]:
        """Find contacts by their own id, or one they had before a merge; unknown ones are left out."""
        ...

    async def recorded_consents(
        self, keys: Collection[ConsentKey]
    ) -> Mapping[ConsentKey, ConsentEvidence | None]:
        """Find records of consent that are kept already; None for those whose person was erased since."""
        ...

    async def erased_at(self, hashes: Collection[str]) -> Mapping[str, int]:
        """Find when people were erased, by the hash of an address they had.

        It is known for as long as something said before may still come.
        """
        ...

    async def claimed_merge(self, contact_id: ContactId) -> ClaimedMerge | None:
        """Find how a client made a contact lead on to another one; `into_id` is who that is now."""
        ...
