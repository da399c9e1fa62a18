"""Use case: take in a list of addresses that must not be promoted to. It outlives the people it is about."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from garbo.common.errors import RetryLater
from garbo.common.events.ids import ContactId
from garbo.router.domain.state import RecipientState
from garbo.router.domain.values import replace
from garbo.router.flow.dependencies import Dependencies
from garbo.router.flow.promo_reevaluation import reconsider
from garbo.router.flow.unit_of_work import UnitOfWork
from garbo.router.ports.contacts import Address, Suppression
from garbo.router.ports.store import Changes, Transaction

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
        self._means = dependencies

    async def take(self, entries: Sequence[SuppressionEntry]) -> int:
        """Take in entries; returns how many of them are about people who are known already."""
        async with self._means.store.batch() as batch:
            await batch.write(Changes(states={}, suppressions=[_suppression(e) for e in entries]))
        known = 0
        for start in range(0, len(entries), AT_ONCE):
            known += await self._apply(entries[start : start + AT_ONCE])
        return known

    async def _apply(self, entries: Sequence[SuppressionEntry]) -> int:
        """Tell people who are known, in a transaction begun after the list was committed."""
        dependencies = self._means
        async with dependencies.store.batch() as batch:
            contacts = await batch.contacts_at([entry.address for entry in entries], create=False)
            contact_ids = {contact.contact_id for contact in contacts.values()}
            if not contact_ids:
                return 0
            states = dict(await batch.lock(contact_ids))
            if any(state.merged_into for state in states.values()):
                raise RetryLater("contact_moved")  # merged since it was found
            listed = await with_suppressions(batch, states, linked=contact_ids)
            changed = {c for c, state in listed.items() if state != states[c]}
            if changed:
                uow = await _books(batch, dependencies, {**states, **listed}, changed)
                for contact_id in changed:
                    reconsider(uow, dependencies.directory, contact_id, trace=None)
                await batch.write(uow.changes())
        return sum(entry.address.hash in contacts for entry in entries)


async def with_suppressions(
    batch: Transaction, states: Mapping[ContactId, RecipientState], *, linked: Collection[ContactId] = ()
) -> dict[ContactId, RecipientState]:
    """Give the states of people met for the first time, or by a new address, with what lists say of them.

    To be called under their locks, before anything is decided: a state nobody has written yet is one that no
    list was looked at for.
    """
    met = {c for c, state in states.items() if state.version == 0 or c in linked}
    if not met:
        return {}
    lists = await batch.suppressions_of(met)
    return {c: _listed(states[c], said) for c, said in lists.items() if c in states}


def _listed(state: RecipientState, said: Mapping[str, int]) -> RecipientState:
    newest = {brand: max(since_us, state.suppressed.get(brand, 0)) for brand, since_us in said.items()}
    return replace(state, suppressed={**state.suppressed, **newest})


def _suppression(entry: SuppressionEntry) -> Suppression:
    return Suppression(entry.address.hash, entry.brand, entry.since_us, entry.source)


async def _books(
    batch: Transaction,
    dependencies: Dependencies,
    states: dict[ContactId, RecipientState],
    changed: Collection[ContactId],
) -> UnitOfWork:
    contacts = await batch.contacts_of(changed)
    open_ids = {send.message_id for c in changed for send in states[c].sends if send.open}
    grants = dict(await batch.lock_grants(open_ids)) if open_ids else {}
    campaigns = {(g.brand, g.campaign) for g in grants.values() if g.campaign}
    snapshot = await batch.load_snapshot(grants, campaigns=campaigns)
    uow = UnitOfWork(
        dependencies.policies.current, dependencies.meter, snapshot, states, grants, contacts=contacts
    )
    uow.touched |= set(changed)
    uow.freed |= set(changed)
    return uow
