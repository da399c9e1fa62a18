"""Use case: forget a person, and keep only that they must not be promoted to, if they had opted out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from garbo.common.errors import RetryLater
from garbo.common.events.erasure import ContactErased
from garbo.common.events.ids import ContactId
from garbo.common.events.topics import CONTACT_ERASED
from garbo.router.domain.grant import revoke
from garbo.router.domain.instants import to_datetime
from garbo.router.domain.state import RecipientState, with_brands
from garbo.router.domain.values import replace
from garbo.router.flow.commands.remains import Remainder, remains
from garbo.router.flow.dependencies import Dependencies
from garbo.router.flow.jobs.retention import SHORTEST_KEEP_DAYS, days_kept
from garbo.router.flow.unit_of_work import UnitOfWork
from garbo.router.flow.visibility import Viewer
from garbo.router.ports.contacts import Address, Suppression
from garbo.router.ports.publisher import OutgoingRecord
from garbo.router.ports.store import Scope


@dataclass(frozen=True, slots=True)
class ErasedContact:
    """What was erased."""

    contact_id: ContactId
    addresses: int
    suppressed: bool
    """Whether an entry stays that keeps promos away from their addresses."""
    remains: Sequence[Remainder]
    """What is left, the soonest gone first."""


class NotTheirsAlone(Exception):  # noqa: N818 - an answer, not an error
    """Other brands have dealt with the person, too."""


class EraseContact:
    """One transaction under the person's row lock; idempotent.

    Grants nobody has claimed are taken back, waiting requests denied `erased`, addresses deleted, the state
    emptied, requests' bytes forgotten, proofs of consent kept without the person. What is on the wire stands.
    The other services are told by the outbox; a second erasure tells them again.
    Raises `RetryLater`.
    """

    def __init__(self, dependencies: Dependencies, *, keep_days: int = SHORTEST_KEEP_DAYS) -> None:
        self._dependencies = dependencies
        self._keep_days = keep_days

    async def erase(self, contact_id: ContactId, viewer: Viewer) -> ErasedContact | None:
        """Erase a person; None when nobody of this id is known. Who was merged is erased as who they are.

        Raises `NotTheirsAlone` where other brands have dealt with the person as well.
        """
        dependencies = self._dependencies
        async with dependencies.store.transaction() as transaction:
            known = (await transaction.contacts_of([contact_id])).get(contact_id)
            contact_id = known.contact_id if known else contact_id
            whose = frozenset({contact_id})
            scope = Scope(contacts=whose, deferred_of=whose, open_grants_of=whose, addresses_of=whose)
            snapshot = await transaction.load(scope)
            state = snapshot.states.get(contact_id)
            if state is None or (known is None and not state.erased) or not viewer.sees(state):
                return None
            if not viewer.is_alone_with(state):
                raise NotTheirsAlone
            if state.merged_into is not None:
                raise RetryLater("contact_moved")
            uow = UnitOfWork(
                dependencies.policies.current, dependencies.directory, dependencies.meter, snapshot
            )
            addresses = snapshot.addresses.get(contact_id, ())
            kept = _suppressions(state, addresses)
            uow.suppressions.extend(kept)
            _take_back(uow)
            uow.put(contact_id, _emptied(state))
            uow.erased.add(contact_id)
            erased_at = to_datetime(snapshot.now_us)
            former = tuple(await transaction.former_ids(contact_id))
            told = ContactErased(contact_id=contact_id, former_ids=former, erased_at=erased_at)
            uow.outbox.append(OutgoingRecord(CONTACT_ERASED, told, contact_id, None))
            await transaction.save(uow.changes())
        keep = timedelta(days=days_kept(dependencies.policies, self._keep_days))
        left = remains(erased_at=erased_at, keep=keep, suppressed=bool(kept))
        return ErasedContact(contact_id, len(addresses), suppressed=bool(kept), remains=left)


def _emptied(state: RecipientState) -> RecipientState:
    """Leave that somebody was here, and whose brands may hear so."""
    return with_brands(RecipientState(version=state.version, erased=True), state.claims)


def _take_back(uow: UnitOfWork) -> None:
    for message_id in list(uow.deferred):
        uow.dismiss(message_id, reason="erased")
    for grant in list(uow.grants.values()):
        uow.settle(revoke(grant, reason="erased"), trace=None)
        uow.update_grant(replace(uow.grants[grant.message_id], request=None))


def _suppressions(state: RecipientState, addresses: Sequence[Address]) -> list[Suppression]:
    """Keep, for each address, which brands had been stopped: by a word, by the platform, or by a list."""
    since_us = dict(state.suppressed)
    sources = dict.fromkeys(since_us, "list")
    stops = [(brand, stop.stopped_at_us) for brand, stop in state.stops.items() if stop.active]
    switched = [(p.brand, p.stopped_at_us) for p in state.preferences.values() if p.stopped]
    for brand, stopped_at_us in (*stops, *switched):
        if (stopped_at_us or 0) >= since_us.get(brand, 0):
            since_us[brand], sources[brand] = stopped_at_us or 0, "opted_out"
    for brand, withdrawn_at_us in _withdrawn(state).items():
        if withdrawn_at_us >= since_us.get(brand, 0):
            since_us[brand], sources[brand] = withdrawn_at_us, "withdrawn"
    return [
        Suppression(address.hash, brand, at_us, sources[brand])
        for address in addresses
        for brand, at_us in since_us.items()
    ]


def _withdrawn(state: RecipientState) -> dict[str, int]:
    """Give the brands (or `*`) whose marketing was consented to and then taken back."""
    found: dict[str, int] = {}
    for key, consent in state.consents.items():
        brand, _, rest = key.partition("/")
        withdrawn_us = consent.withdrawn_at_us or 0
        if rest.endswith("/marketing") and withdrawn_us and withdrawn_us >= consent.granted_at_us:
            found[brand] = max(withdrawn_us, found.get(brand, 0))
    return found
