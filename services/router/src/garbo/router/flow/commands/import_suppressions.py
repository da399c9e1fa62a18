"""Use case: take in a list of addresses that must not be promoted to. It outlives the people it is about."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from garbo.common.errors import RetryLater
from garbo.router.flow.dependencies import Dependencies
from garbo.router.flow.reevaluation import reevaluate_promos
from garbo.router.flow.unit_of_work import UnitOfWork
from garbo.router.ports.contacts import Address, Suppression
from garbo.router.ports.store import Changes, Scope

AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class SuppressionEntry:
    """One address of a list."""

    address: Address
    brand: str
    """Or `*`."""
    since_us: int
    """As of when the list forbids: an opt-in of the person after it outweighs it."""
    source: str


class ImportSuppressions:
    """Writes the list first, then the people who are there already; who comes later meets it at first sight.

    Idempotent: after a failure half-way the same list again does the rest. Raises `RetryLater`.
    """

    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies = dependencies

    async def take(self, entries: Sequence[SuppressionEntry]) -> int:
        """Take in entries; returns how many of them are about people who are known already."""
        async with self._dependencies.store.transaction() as transaction:
            await transaction.save(Changes(suppressions=[_suppression(entry) for entry in entries]))
        known = 0
        for start in range(0, len(entries), AT_ONCE):
            known += await self._apply(entries[start : start + AT_ONCE])
        return known

    async def _apply(self, entries: Sequence[SuppressionEntry]) -> int:
        """Tell people who are known, in a transaction begun after the list was committed."""
        dependencies = self._dependencies
        async with dependencies.store.transaction() as transaction:
            contacts = await transaction.contacts_at([entry.address for entry in entries])
            whose = frozenset(contact.contact_id for contact in contacts.values())
            if not whose:
                return 0
            snapshot = await transaction.load(
                Scope(contacts=whose, suppressions_of=whose, reachable=whose, open_grants_of=whose)
            )
            if snapshot.merged:
                raise RetryLater("contact_moved")  # merged since it was found
            uow = UnitOfWork(
                dependencies.policies.current, dependencies.directory, dependencies.meter, snapshot
            )
            for contact_id in snapshot.newly_suppressed:
                uow.contacts_to_recheck.add(contact_id)
                reevaluate_promos(uow, contact_id, trace=None)
            if snapshot.newly_suppressed:
                await transaction.save(uow.changes())
        return sum(entry.address.hash in contacts for entry in entries)


def _suppression(entry: SuppressionEntry) -> Suppression:
    return Suppression(entry.address.hash, entry.brand, entry.since_us, entry.source)
