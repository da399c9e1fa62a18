"""Background job: take back what has not left of a campaign that was called off."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from garbo.router.domain.grant import Grant, revoke
from garbo.router.flow.jobs.lock_contacts import JobDependencies, lock_contacts
from garbo.router.flow.jobs.schedule import Schedule
from garbo.router.flow.unit_of_work import UnitOfWork
from garbo.router.ports.jobs import CampaignRef, GrantRef
from garbo.router.ports.store import Deferred

FOUND_AT_ONCE: Final = 2_000
AT_ONCE: Final = 200
REASON: Final = "campaign_cancelled"


@dataclass(frozen=True, slots=True)
class CancelCampaigns:
    """Takes back grants nobody has claimed, with their slots, and denies what is deferred: chunk by chunk."""

    dependencies: JobDependencies
    name: ClassVar[str] = "cancel_campaigns"
    schedule: ClassVar[Schedule] = Schedule(interval_s=1.0)

    async def once(self) -> bool:
        """Take back a part of one campaign; tells whether there may be more. Raises `RetryLater`."""
        async with self.dependencies.store.transaction() as transaction:
            campaign = await transaction.next_cancelled_campaign()
            refs = await transaction.remaining_of(campaign, FOUND_AT_ONCE) if campaign else ()
            if campaign and not refs:
                await transaction.mark_cancelled(campaign)
        taken_back = 0
        for start in range(0, len(refs), AT_ONCE):
            if campaign:
                taken_back += await self._take_back(campaign, refs[start : start + AT_ONCE])
        return taken_back > 0

    async def _take_back(self, campaign: CampaignRef, refs: Sequence[GrantRef]) -> int:
        async with self.dependencies.store.transaction() as transaction:
            uow = await lock_contacts(transaction, self.dependencies, refs)
            taken_back = _take_back(uow, campaign)
            if taken_back:
                await transaction.save(uow.changes())
        for _ in range(taken_back):
            self.dependencies.job_meter.released(REASON)
        return taken_back


def _take_back(uow: UnitOfWork, campaign: CampaignRef) -> int:
    grants = [g for g in uow.grants.values() if g.state == "reserved" and _is_of(campaign, g)]
    for grant in grants:
        uow.settle(revoke(grant, reason=REASON), trace=None)
    deferred = [d for d in uow.deferred.values() if _is_of(campaign, d)]
    for one in deferred:
        uow.dismiss(one.message_id, reason=REASON)
    return len(grants) + len(deferred)


def _is_of(campaign: CampaignRef, one: Grant | Deferred) -> bool:
    return (one.brand, one.campaign) == (campaign.brand, campaign.name)
