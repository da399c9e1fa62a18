"""One transaction over contacts, states, decisions and grants."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import asyncpg

from garbo.common.errors import RetryLater
from garbo.common.events.ids import ContactId, MessageId
from garbo.router.domain.grant import Grant
from garbo.router.outbound.postgres.budgets import lock_leases
from garbo.router.outbound.postgres.contacts import (
    erased_at,
    find_at,
    find_by_id,
    former_ids_of,
    recorded_consents,
)
from garbo.router.outbound.postgres.load import Loader
from garbo.router.outbound.postgres.merges import claimed_merge
from garbo.router.outbound.postgres.save import Writer
from garbo.router.outbound.postgres.templates import PostgresTemplates
from garbo.router.ports.budgets import BudgetLease
from garbo.router.ports.contacts import Address, ClaimedMerge, ConsentEvidence, ConsentKey, Contact
from garbo.router.ports.store import Changes, Scope, Snapshot

if TYPE_CHECKING:
    from garbo.common.runtime.postgres import Connection


class PostgresTransaction:
    """A `Transaction` on one connection inside a transaction of PostgreSQL."""

    def __init__(self, connection: "Connection", templates: PostgresTemplates) -> None:
        self._connection, self._templates = connection, templates
        self._loader = Loader(connection, templates)

    async def contacts_at(self, addresses: Iterable[Address]) -> Mapping[str, Contact]:
        """Find the contacts of addresses, by hash; unknown ones are left out."""
        return await find_at(self._connection, addresses)

    async def former_ids(self, contact_id: ContactId) -> Collection[ContactId]:
        """Name the contacts that turned out to be this person."""
        return await former_ids_of(self._connection, contact_id)

    async def contacts_of(self, contact_ids: Iterable[ContactId]) -> Mapping[ContactId, Contact]:
        """Find contacts by their own id, or one they had before a merge; unknown ones are left out."""
        return await find_by_id(self._connection, contact_ids)

    async def recorded_consents(
        self, keys: Collection[ConsentKey]
    ) -> Mapping[ConsentKey, ConsentEvidence | None]:
        """Find records of consent that are kept already; None for those whose person was erased since."""
        return await recorded_consents(self._connection, keys)

    async def erased_at(self, hashes: Collection[str]) -> Mapping[str, int]:
        """Find when people were erased, by the hash of an address they had."""
        return await erased_at(self._connection, hashes)

    async def claimed_merge(self, contact_id: ContactId) -> ClaimedMerge | None:
        """Find how a client made a contact lead on to another one; `into_id` is who that is now."""
        return await claimed_merge(self._connection, contact_id)

    async def find_grants(
        self, *, message_ids: Iterable[MessageId] = (), wamids: Iterable[str] = ()
    ) -> Sequence[Grant]:
        """Find grants, not locked, by message or by the reference of a wamid."""
        found = await self._loader.grants(await self._loader.seen(message_ids))
        for grant in await self._loader.grants_of_wamids(list(wamids)):
            found.setdefault(grant.message_id, grant)
        return list(found.values())

    async def load(self, scope: Scope) -> Snapshot:
        """Lock people, then grants, each in sorted order; then read the clock, and what is stored."""
        return await self._loader.load(scope)

    async def lock_leases(self, lease_ids: Iterable[int]) -> Sequence[BudgetLease]:
        """Lock this process's leases of budgets, after people and grants, and read what is left in them."""
        return await lock_leases(self._connection, lease_ids)

    async def save(self, changes: Changes) -> None:
        """Write. Raises `RetryLater` when another process has just stored one of the decisions."""
        days = self._loader.days
        await self._loader.seen(m for m in changes.decision_updates if m not in days)
        writer = Writer(self._connection, decided_on={m: decided_on for m, (decided_on, _) in days.items()})
        try:
            await writer.write(changes)
            if changes.templates or changes.observed:
                await self._templates.write(self._connection, changes.templates, changes.observed)
        except asyncpg.UniqueViolationError as error:
            raise RetryLater("decided_meanwhile") from error
