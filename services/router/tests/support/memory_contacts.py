"""Who people are, in memory: a part of the fake transaction."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal
from uuid import uuid4

from garbo.common.events.ids import ContactId
from garbo.router.domain.state import RecipientState
from garbo.router.ports.contacts import Address, ConsentEvidence, ConsentKey, Contact
from services.router.tests.support.tables import Tables


class InMemoryContacts:
    """A `ContactTransaction` over a copy of the tables."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def contacts_at(self, addresses: Iterable[Address]) -> Mapping[str, Contact]:
        """Find the contacts of addresses, by hash; unknown ones are left out."""
        aliases = self._tables.aliases
        return {address.hash: aliases[address.hash] for address in addresses if address.hash in aliases}

    async def contacts_of(self, contact_ids: Iterable[ContactId]) -> Mapping[ContactId, Contact]:
        """Find contacts by their own id, or by one they had before; unknown ones are left out."""
        states = self._tables.states
        wanted = {c: (states[c].merged_into if c in states else None) or c for c in contact_ids}
        aliases = self._tables.aliases.values()
        best = sorted(aliases, key=lambda c: (c.address.kind, ".ENT." in c.address.value), reverse=True)
        by_id = {contact.contact_id: contact for contact in best}
        return {asked: by_id[found] for asked, found in wanted.items() if found in by_id}

    def get_or_create(self, addresses: Iterable[Address]) -> Mapping[str, Contact]:
        """Find the contacts of addresses, by hash, and make those that are not known."""
        asked = {address.hash: address for address in addresses}
        for address in asked.values():
            if address.hash not in self._tables.aliases:
                contact_id = ContactId(uuid4())
                self._tables.states[contact_id] = RecipientState()
                self._alias(address, contact_id)
        return {key: self._tables.aliases[key] for key in asked}

    def suppressions_of(self, contact_ids: Iterable[ContactId]) -> Mapping[ContactId, Mapping[str, int]]:
        """Read what suppression lists say of people, by any of their addresses: brand or `*` -> since."""
        found: dict[ContactId, dict[str, int]] = {}
        for contact_id, addresses in self.addresses_of(contact_ids).items():
            for (listed, brand), told in self._tables.suppressions.items():
                if listed in {address.hash for address in addresses}:
                    said = found.setdefault(contact_id, {})
                    said[brand] = max(told.since_us, said.get(brand, told.since_us))
        return found

    async def recorded_consents(
        self, keys: Collection[ConsentKey]
    ) -> Mapping[ConsentKey, ConsentEvidence | None]:
        """Find records of consent that are kept already; None for those whose person was erased since."""
        erased = dict.fromkeys(self._tables.erased_consents & set(keys))
        return {**erased, **{key: self._tables.evidence[key] for key in keys if key in self._tables.evidence}}

    def addresses_of(self, contact_ids: Iterable[ContactId]) -> Mapping[ContactId, Sequence[Address]]:
        """Read all addresses of people."""
        wanted, found = set(contact_ids), dict[ContactId, list[Address]]()
        for contact in self._tables.aliases.values():
            if contact.contact_id in wanted:
                found.setdefault(contact.contact_id, []).append(contact.address)
        return found

    def erase_contacts(self, contact_ids: Iterable[ContactId]) -> None:
        """Delete the addresses of people, unlink their proofs of consent, and forget old sends."""
        tables, gone = self._tables, set(contact_ids)
        gone |= {c for c, state in tables.states.items() if state.merged_into in gone}
        tables.aliases = {k: c for k, c in tables.aliases.items() if c.contact_id not in gone}
        tables.erased_consents |= {i for i, proof in tables.evidence.items() if proof.contact_id in gone}
        tables.evidence = {i: proof for i, proof in tables.evidence.items() if proof.contact_id not in gone}
        tables.deferred = {m: w for m, w in tables.deferred.items() if w.contact_id not in gone}
        tables.counted = {key: sends for key, sends in tables.counted.items() if key[0] not in gone}

    def _alias(self, address: Address, contact_id: ContactId) -> None:
        kind: Literal["person", "group"] = "group" if address.kind == "group_id" else "person"
        self._tables.aliases[address.hash] = Contact(contact_id, kind, address)
