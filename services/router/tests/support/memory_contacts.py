"""Who people are, in memory: a part of the fake transaction."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal
from uuid import uuid4

from garbo.common.events.ids import ContactId
from garbo.router.domain.state import RecipientState
from garbo.router.domain.values import replace
from garbo.router.ports.contacts import Address, ClaimedMerge, ConsentEvidence, ConsentKey, Contact
from garbo.router.ports.store import Changes
from services.router.tests.support.tables import Tables


class InMemoryContacts:
    """A `ContactTransaction` over a copy of the tables."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def contacts_at(self, addresses: Iterable[Address]) -> Mapping[str, Contact]:
        """Find the contacts of addresses, by hash; unknown ones are left out."""
        aliases = self._tables.aliases
        return {address.hash: aliases[address.hash] for address in addresses if address.hash in aliases}

    async def former_ids(self, contact_id: ContactId) -> Collection[ContactId]:
        """Name the contacts that turned out to be this person."""
        found: set[ContactId] = set()
        while (
            more := {c for c, s in self._tables.states.items() if s.merged_into in {contact_id, *found}}
            - found
        ):
            found |= more
        return sorted(found)

    async def contacts_of(self, contact_ids: Iterable[ContactId]) -> Mapping[ContactId, Contact]:
        """Find contacts by their own id, or by one they had before; unknown ones are left out."""
        states = self._tables.states
        wanted = {c: (states[c].merged_into if c in states else None) or c for c in contact_ids}
        aliases, homes = self._tables.aliases.values(), self._tables.homes
        best = sorted(aliases, key=lambda c: (c.address.kind, ".ENT." in c.address.value), reverse=True)
        by_home = {(contact.contact_id, contact.home_id): contact for contact in best}
        found = {asked: by_home.get((into, homes.get(asked, asked))) for asked, into in wanted.items()}
        return {asked: contact for asked, contact in found.items() if contact}

    def get_or_create(self, addresses: Iterable[Address]) -> Mapping[str, Contact]:
        """Find the contacts of addresses, by hash, and make those that are not known."""
        asked = {address.hash: address for address in addresses}
        for address in asked.values():
            if address.hash not in self._tables.aliases:
                contact_id = ContactId(uuid4())
                self._tables.states[contact_id] = RecipientState()
                self._alias(address, contact_id, home_id=contact_id)
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

    async def erased_at(self, hashes: Collection[str]) -> Mapping[str, int]:
        """Find when people were erased, by the hash of an address they had."""
        return {key: at_us for key, at_us in self._tables.erased_addresses.items() if key in hashes}

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

    def erase_contacts(self, contact_ids: Iterable[ContactId], *, now_us: int) -> None:
        """Delete the addresses of people, unlink their proofs of consent, and forget old sends."""
        tables, gone = self._tables, set(contact_ids)
        gone |= {c for c, state in tables.states.items() if state.merged_into in gone}
        hashes = (key for key, contact in tables.aliases.items() if contact.contact_id in gone)
        tables.erased_addresses = {**tables.erased_addresses, **dict.fromkeys(hashes, now_us)}
        tables.aliases = {k: c for k, c in tables.aliases.items() if c.contact_id not in gone}
        tables.erased_consents |= {i for i, proof in tables.evidence.items() if proof.contact_id in gone}
        tables.evidence = {i: proof for i, proof in tables.evidence.items() if proof.contact_id not in gone}
        tables.deferred = {m: w for m, w in tables.deferred.items() if w.contact_id not in gone}
        tables.counted = {key: sends for key, sends in tables.counted.items() if key[0] not in gone}

    async def claimed_merge(self, contact_id: ContactId) -> ClaimedMerge | None:
        """Find how a contact came to lead on to another one, where a client said so."""
        merge, into_id = self._tables.claimed_merges.get(contact_id), self._tables.states.get(contact_id)
        if merge is None or into_id is None or into_id.merged_into is None:
            return None
        return replace(merge, into_id=into_id.merged_into)

    def save_merges(self, changes: Changes) -> None:
        """Keep what clients joined, whose homes are one, and who is two again."""
        tables = self._tables
        tables.claimed_merges |= {merge.contact_id: merge for merge in changes.claimed_merges}
        for home_id, into_id in changes.homes.items():
            tables.homes |= {c: into_id for c, home in tables.homes.items() if home == home_id}
            tables.homes[home_id] = into_id
            for key, contact in tables.aliases.items():
                if contact.home_id == home_id:
                    tables.aliases[key] = replace(contact, home_id=into_id)
        for key, home_id in changes.shown_addresses.items():
            if tables.aliases[key].home_id is None:
                tables.aliases[key] = replace(tables.aliases[key], home_id=home_id)
        for contact_id in changes.split:
            self._split(contact_id)

    def _split(self, contact_id: ContactId) -> None:
        tables = self._tables
        into_id = tables.claimed_merges.pop(contact_id).into_id
        for key, contact in tables.aliases.items():
            if contact.home_id == contact_id:
                tables.aliases[key] = replace(contact, contact_id=contact_id)
        for proof, evidence in tables.evidence.items():
            if tables.recorded_for[proof] == contact_id:
                tables.evidence[proof] = replace(evidence, contact_id=contact_id)
        counted = {
            (contact_id, name): sends for (who, name), sends in tables.counted.items() if who == into_id
        }
        tables.counted |= counted
        for other, state in tables.states.items():
            if state.merged_into == into_id and tables.homes.get(other) == contact_id:
                tables.states[other] = replace(state, merged_into=contact_id)

    def _alias(self, address: Address, contact_id: ContactId, *, home_id: ContactId | None) -> None:
        kind: Literal["person", "group"] = "group" if address.kind == "group_id" else "person"
        self._tables.aliases[address.hash] = Contact(contact_id, kind, address, home_id)
