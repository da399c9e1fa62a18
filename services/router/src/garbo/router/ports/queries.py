"""What people look at: a person, everything that is held about one, and what is left of a budget."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from garbo.common.events.ids import ContactId
from garbo.router.domain.state import RecipientState
from garbo.router.ports.budgets import BudgetRequest
from garbo.router.ports.contacts import Address, ConsentEvidence
from garbo.router.ports.store import Deferred


@dataclass(frozen=True, slots=True)
class HeldContact:
    """One person as they are held, read at one instant."""

    contact_id: ContactId
    kind: Literal["person", "group"]
    now_us: int
    state: RecipientState
    """With the sends of all campaigns that have a lifetime cap."""
    addresses: tuple[Address, ...] = ()
    waiting: tuple[Deferred, ...] = ()
    evidence: tuple[ConsentEvidence, ...] = ()


class ContactReader(Protocol):
    """Reads people for people: without locks, from one snapshot."""

    async def contact_at(self, address_hash: str) -> ContactId | None:
        """Find whose address it is."""
        ...

    async def contact(self, contact_id: ContactId) -> HeldContact | None:
        """Read a person; who turned out to be somebody else is read there."""
        ...

    async def export(self, contact_id: ContactId) -> Mapping[str, Sequence[Mapping[str, Any]]] | None:
        """Give everything that is held about a person: table -> rows of JSON values."""
        ...


class PreviewReader(Protocol):
    """Reads what only a preview needs to look at: a decision would lease or make it."""

    async def left(self, budgets: Sequence[BudgetRequest]) -> Mapping[BudgetRequest, int]:
        """Tell what is left of each budget, leased to somebody or not."""
        ...

    async def lists_at(self, address_hashes: Sequence[str]) -> Mapping[str, Mapping[str, int]]:
        """Tell what suppression lists say of addresses nobody has written to yet: hash -> brand -> since."""
        ...
