"""Use case: decide a batch of requests, in one transaction, then tell."""

from collections.abc import Iterable, Sequence

from garbo.common.errors import RetryLater
from garbo.router.domain.policy import Policy
from garbo.router.flow.ask import Ask, Asked
from garbo.router.flow.desk import Desk
from garbo.router.flow.means import Means
from garbo.router.flow.recognising import campaign_sends_of, campaigns_of, door_of, recognised
from garbo.router.flow.stock import budget_rules, stocked
from garbo.router.flow.suppressing import with_lists
from garbo.router.ports import Batch, Deferred


class DecideRequests:
    """Each request is decided once; asking again tells the stored decision again.

    Order: commit, then publish, then (by returning) the offsets. A crash between any two of them leads to
    a redelivery that finds the stored decision. Raises `RetryLater` when database or broker are not there.
    """

    def __init__(self, means: Means) -> None:
        self._means = means

    async def decide(self, asked: Sequence[Asked]) -> None:
        """Decide and tell a batch."""
        means, policy = self._means, self._means.policies.current
        doors = [door_of(one, directory=means.directory, hash_key=means.hash_key) for one in asked]
        known = await means.store.meet(door.address for door in doors if door.address and not door.refusal)
        async with means.store.batch() as batch:
            asks = await recognised(batch, doors, known)
            desk = await self._desk(batch, policy, asks)
            if means.stock and budget_rules(policy):
                spending, now_us = desk.spending(asks), desk.moment.now_us
                desk.shelf = await stocked(means.stock, batch, policy, spending, now_us=now_us)
            await desk.take(asks)
            if desk.fresh:
                await batch.write(desk.changes())
        await means.announcer.announce(desk.announcements)

    async def _desk(self, batch: Batch, policy: Policy, asks: Sequence[Ask]) -> Desk:
        """Lock the people, then read what is stored."""
        contact_ids = {ask.contact.contact_id for ask in asks if ask.contact}
        states = dict(await batch.lock(contact_ids))
        if len(states) < len(contact_ids) or any(s.merged_into or s.erased for s in states.values()):
            raise RetryLater("contact_moved")  # erased or merged since it was found
        listed = await with_lists(batch, states)
        states |= listed
        waiting = await _rivals(batch, policy, asks)
        message_ids = [ask.message_id for ask in asks] + [waits.message_id for waits in waiting]
        moment = await batch.look_up(message_ids, campaigns=campaigns_of(asks))
        sends = await campaign_sends_of(batch, policy, asks)
        means = self._means
        desk = Desk(policy, means.directory, means.meter, moment, states, waiting, sends)
        desk.touched |= listed.keys()
        return desk


async def _rivals(batch: Batch, policy: Policy, asks: Iterable[Ask]) -> Sequence[Deferred]:
    """Find the requests that wait for the same people, of the same campaigns."""
    if policy.same_campaign != "keep_newest":
        return ()
    asked = {(a.contact.contact_id, *a.campaign) for a in asks if a.contact and a.campaign}
    waiting = await batch.waiting({contact_id for contact_id, _, _ in asked}) if asked else ()
    return [w for w in waiting if w.campaign and (w.contact_id, w.brand, w.campaign) in asked]
