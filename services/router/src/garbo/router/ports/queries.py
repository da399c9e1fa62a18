"""What people look at: a person, everything that is held about one, what is left of a budget, the past."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from garbo.common.events.ids import ContactId
from garbo.router.domain.replay import PastRequest
from garbo.router.domain.state import RecipientState
from garbo.router.ports.budgets import BudgetRequest
from garbo.router.ports.contacts import Address, ClaimedMerge, ConsentEvidence
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
    merges: tuple[ClaimedMerge, ...] = ()
    """Contacts that clients joined to this one."""


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


class SimulationRunning(Exception):  # noqa: N818 - it names what was found
    """Another simulation runs on this database."""


@dataclass(frozen=True, slots=True)
class PastCount:
    """How much past there is."""

    stored: int
    known: int
    """Those with what they were made from; only these can be replayed."""


class PastReader(Protocol):
    """Reads what was asked and decided, for one simulation at a time."""

    async def policy_body(self, version: str) -> str | None:
        """Give a policy that was in force once, as it was written."""
        ...

    async def count(self, since: datetime, until: datetime) -> PastCount:
        """Count what was decided in the period."""
        ...

    def people(self, since: datetime, until: datetime) -> AsyncIterator[tuple[ContactId, list[PastRequest]]]:
        """Give each person's requests in the order of time."""
        ...

    async def close(self) -> None:
        """Let go, also of what was put aside."""
        ...
