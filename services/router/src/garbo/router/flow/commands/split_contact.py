"""Use case: make two of a contact again, whom a client had joined by mistake."""

from garbo.common.errors import RetryLater
from garbo.common.events.ids import ContactId
from garbo.router.domain.split_states import split_states
from garbo.router.domain.values import replace
from garbo.router.flow.dependencies import Dependencies
from garbo.router.flow.unit_of_work import UnitOfWork
from garbo.router.flow.visibility import Viewer
from garbo.router.ports.contacts import ClaimedMerge
from garbo.router.ports.store import Scope


class NotTheirsToSplit(Exception):  # noqa: N818 - an answer, not an error
    """Other brands have dealt with the person, too."""


class SplitContact:
    """One transaction under both rows' locks. What the platform itself showed to be one stays one.

    Addresses, proofs, waiting requests and grants that were of the parted contact are its own again. Raises
    `RetryLater`.
    """

    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies = dependencies

    async def split(self, contact_id: ContactId, viewer: Viewer) -> ClaimedMerge | None:
        """Part a contact from the one a client joined it to; None where no client did, as far as one sees.

        Raises `NotTheirsToSplit`.
        """
        dependencies = self._dependencies
        async with dependencies.store.transaction() as transaction:
            merge = await transaction.claimed_merge(contact_id)
            if merge is None:
                return None
            whole = frozenset({merge.into_id})
            scope = Scope(
                contacts=whole | {contact_id}, deferred_of=whole, open_grants_of=whole, reachable=whole
            )
            snapshot = await transaction.load(scope)
            now, pointer = snapshot.states[merge.into_id], snapshot.states[contact_id]
            if pointer.merged_into != merge.into_id:
                raise RetryLater("contact_moved")
            if not viewer.sees(now):
                return None
            if not viewer.is_alone_with(now):
                raise NotTheirsToSplit
            uow = UnitOfWork(
                dependencies.policies.current, dependencies.directory, dependencies.meter, snapshot
            )
            kept, parted = split_states(now, merge.into_state, merge.state)
            uow.put(merge.into_id, kept)
            uow.put(contact_id, replace(parted, version=pointer.version, merged_into=None))
            _hand_back(uow, contact_id)
            uow.split.add(contact_id)
            uow.contacts_to_recheck.update((merge.into_id, contact_id))
            await transaction.save(uow.changes())
        return merge


def _hand_back(uow: UnitOfWork, contact_id: ContactId) -> None:
    """Give back what was asked of the parted contact: its decisions name it still."""
    for message_id, decision in uow.snapshot.decisions.items():
        if decision.contact_id != contact_id:
            continue
        if (grant := uow.grants.get(message_id)) is not None:
            uow.update_grant(replace(grant, contact_id=contact_id))
        if (deferred := uow.deferred.get(message_id)) is not None:
            uow.defer(replace(deferred, contact_id=contact_id))
