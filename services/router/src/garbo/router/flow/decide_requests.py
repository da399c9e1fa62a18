"""Use case: decide a batch of requests, in one transaction, then tell."""

from collections.abc import Iterable, Sequence

from garbo.common.errors import RetryLater
from garbo.router.domain.policy import Policy
from garbo.router.flow.budgets import reserve_budgets
from garbo.router.flow.commands.import_suppressions import with_suppressions
from garbo.router.flow.dependencies import Dependencies
from garbo.router.flow.desk import Desk
from garbo.router.flow.request import ReceivedRequest, ResolvedRequest
from garbo.router.flow.resolution import addressed, campaign_sends_of, campaigns_of, resolve_requests
from garbo.router.ports.store import Deferred, Transaction


class DecideRequests:
    """Each request is decided once; asking again tells the stored decision again.

    Order: commit, then publish, then (by returning) the offsets. A crash between any two of them leads to
    a redelivery that finds the stored decision. Raises `RetryLater` when database or broker are not there.
    """

    def __init__(self, dependencies: Dependencies) -> None:
        self._means = dependencies

    async def decide(self, asked: Sequence[ReceivedRequest]) -> None:
        """Decide and tell a batch."""
        dependencies, policy = self._means, self._means.policies.current
        doors = [
            addressed(one, directory=dependencies.directory, hash_key=dependencies.hash_key) for one in asked
        ]
        known = await dependencies.store.get_or_create_contacts(
            door.address for door in doors if door.address and not door.refusal
        )
        async with dependencies.store.batch() as batch:
            asks = await resolve_requests(batch, doors, known)
            desk = await self._desk(batch, policy, asks)
            if dependencies.stock and policy.budgets:
                spending, now_us = desk.spending(asks), desk.snapshot.now_us
                desk.allowance = await reserve_budgets(
                    dependencies.stock, batch, policy, spending, now_us=now_us
                )
            await desk.take(asks)
            if desk.fresh:
                await batch.write(desk.changes())
        await dependencies.publisher.publish(desk.records_to_publish)

    async def _desk(self, batch: Transaction, policy: Policy, asks: Sequence[ResolvedRequest]) -> Desk:
        """Lock the people, then read what is stored."""
        contact_ids = {ask.contact.contact_id for ask in asks if ask.contact}
        states = dict(await batch.lock(contact_ids))
        if len(states) < len(contact_ids) or any(s.merged_into or s.erased for s in states.values()):
            raise RetryLater("contact_moved")  # erased or merged since it was found
        listed = await with_suppressions(batch, states)
        states |= listed
        waiting = await _rivals(batch, policy, asks)
        message_ids = [ask.message_id for ask in asks] + [waits.message_id for waits in waiting]
        snapshot = await batch.load_snapshot(message_ids, campaigns=campaigns_of(asks))
        sends = await campaign_sends_of(batch, policy, asks)
        dependencies = self._means
        desk = Desk(policy, dependencies.directory, dependencies.meter, snapshot, states, waiting, sends)
        desk.touched |= listed.keys()
        return desk


async def _rivals(batch: Transaction, policy: Policy, asks: Iterable[ResolvedRequest]) -> Sequence[Deferred]:
    """Find the requests that wait for the same people, of the same campaigns."""
    if policy.same_campaign != "keep_newest":
        return ()
    asked = {(a.contact.contact_id, *a.campaign) for a in asks if a.contact and a.campaign}
    waiting = await batch.waiting({contact_id for contact_id, _, _ in asked}) if asked else ()
    return [w for w in waiting if w.campaign and (w.contact_id, w.brand, w.campaign) in asked]
