"""Who people are, in memory: a part of the fake batch."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

from garbo.common.events.ids import ContactId
from garbo.router.ports.contacts import Address
from services.router.tests.support.tables import Tables


class InMemoryPeople:
    """A `PeopleBatch` over a copy of the tables."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def suppressions_of(
        self, contact_ids: Iterable[ContactId]
    ) -> Mapping[ContactId, Mapping[str, int]]:
        """Read what suppression lists say of people, by any of their addresses: brand or `*` -> since."""
        found: dict[ContactId, dict[str, int]] = {}
        for contact_id, addresses in (await self.addresses_of(contact_ids)).items():
            for (listed, brand), told in self._tables.suppressions.items():
                if listed in {address.hash for address in addresses}:
                    said = found.setdefault(contact_id, {})
                    said[brand] = max(told.since_us, said.get(brand, told.since_us))
        return found

    async def erased_consents(self, consent_ids: Iterable[UUID]) -> Collection[UUID]:
        """Name those records of consent whose person was erased since."""
        return {consent_id for consent_id in consent_ids if consent_id in self._tables.erased_consents}

    async def addresses_of(self, contact_ids: Iterable[ContactId]) -> Mapping[ContactId, Sequence[Address]]:
        """Read all addresses of people."""
        wanted, found = set(contact_ids), dict[ContactId, list[Address]]()
        for contact in self._tables.aliases.values():
            if contact.contact_id in wanted:
                found.setdefault(contact.contact_id, []).append(contact.address)
        return found

    async def erase_contacts(self, contact_ids: Iterable[ContactId]) -> None:
        """Delete the addresses of people, unlink their proofs of consent, and forget old sends."""
        tables, gone = self._tables, set(contact_ids)
        gone |= {c for c, state in tables.states.items() if state.merged_into in gone}
        tables.aliases = {k: c for k, c in tables.aliases.items() if c.contact_id not in gone}
        tables.erased_consents |= {i for i, proof in tables.evidence.items() if proof.contact_id in gone}
        tables.evidence = {i: proof for i, proof in tables.evidence.items() if proof.contact_id not in gone}
        tables.deferred = {m: w for m, w in tables.deferred.items() if w.contact_id not in gone}
        tables.counted = {key: sends for key, sends in tables.counted.items() if key[0] not in gone}
