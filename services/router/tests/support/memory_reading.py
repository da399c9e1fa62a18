"""A `ContactReader` over the store in memory."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from garbo.common.events.ids import ContactId
from garbo.router.domain.instants import to_us
from garbo.router.domain.values import replace
from garbo.router.outbound.postgres.codecs import state_bytes
from garbo.router.ports.budgets import BudgetRequest
from garbo.router.ports.queries import HeldContact
from services.router.tests.support.memory import InMemoryStore


class InMemoryContactReader:
    """Reads what transactions have kept."""

    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    async def contact_at(self, address_hash: str) -> ContactId | None:
        """Find whose address it is."""
        contact = self._store.tables.aliases.get(address_hash)
        return contact.contact_id if contact else None

    async def contact(self, contact_id: ContactId) -> HeldContact | None:
        """Read a person; who turned out to be somebody else is read there."""
        tables = self._store.tables
        state = tables.states.get(contact_id)
        if state is None:
            return None
        if state.merged_into is not None:
            return await self.contact(state.merged_into)
        mine = [contact for contact in tables.aliases.values() if contact.contact_id == contact_id]
        lasting = [sends for (who, _), sends in tables.counted.items() if who == contact_id]
        return HeldContact(
            contact_id=contact_id,
            kind=mine[0].kind if mine else "person",
            now_us=to_us(self._store.now),
            state=replace(state, campaign_sends=tuple(send for sends in lasting for send in sends)),
            addresses=tuple(sorted((c.address for c in mine), key=lambda a: (a.kind, a.value))),
            waiting=tuple(d for d in tables.deferred.values() if d.contact_id == contact_id),
            merges=tuple(
                m for c, m in tables.claimed_merges.items() if tables.states[c].merged_into == contact_id
            ),
            evidence=tuple(e for e in tables.evidence.values() if e.contact_id == contact_id),
        )

    async def export(self, contact_id: ContactId) -> Mapping[str, Sequence[Mapping[str, Any]]] | None:
        """Give what PostgreSQL would hold about a person, by table."""
        held = await self.contact(contact_id)
        if held is None:
            return None
        decisions = [d for d in self._store.tables.decisions.values() if d.contact_id == held.contact_id]
        return {
            "contact": [{"contact_id": str(held.contact_id), "kind": held.kind}],
            "alias": [{"kind": a.kind, "value": a.value} for a in held.addresses],
            "recipient_state": [{"state": orjson.loads(state_bytes(held.state))}],
            "decision": [{"records": [orjson.loads(record) for record in d.records]} for d in decisions],
        }


class InMemoryPreviewReader:
    """A `PreviewReader` over the store in memory; nobody has drawn on budgets, but for what a test says."""

    def __init__(self, store: InMemoryStore, used: Mapping[str, int] | None = None) -> None:
        self._store, self._used = store, used or {}

    async def left(self, budgets: Sequence[BudgetRequest]) -> Mapping[BudgetRequest, int]:
        """Tell what is left of each budget."""
        return {want: want.limit - self._used.get(want.rule, 0) for want in budgets}

    async def lists_at(self, address_hashes: Sequence[str]) -> Mapping[str, Mapping[str, int]]:
        """Tell what suppression lists say of addresses."""
        lists: dict[str, dict[str, int]] = {}
        for (address_hash, brand), told in self._store.tables.suppressions.items():
            if address_hash in address_hashes:
                lists.setdefault(address_hash, {})[brand] = told.since_us
        return lists
