"""Who people are and what they consented to, as the flow needs it of the outside."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal, Protocol
from uuid import UUID

from garbo.common.events.ids import AddressKind, ContactId
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
    """What leads from addresses to people, in one transaction."""

    async def suppressions_of(
        self, contact_ids: Iterable[ContactId]
    ) -> Mapping[ContactId, Mapping[str, int]]:
        """Read what suppression lists say of people, by any of their addresses: brand or `*` -> since."""
        ...

    async def erased_consents(self, consent_ids: Iterable[UUID]) -> Collection[UUID]:
        """Name those records of consent whose person was erased since."""
        ...

    async def addresses_of(self, contact_ids: Iterable[ContactId]) -> Mapping[ContactId, Sequence[Address]]:
        """Read all addresses of people."""
        ...

    async def erase_contacts(self, contact_ids: Iterable[ContactId]) -> None:
        """Delete the addresses of people, unlink their proofs of consent, and forget old sends."""
        ...
