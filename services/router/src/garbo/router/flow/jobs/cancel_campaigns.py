"""Use case: take back what has not left of a campaign that was called off."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from garbo.router.domain.grant import Grant, revoke
from garbo.router.flow.jobs.claimed import claimed_unit_of_work
from garbo.router.flow.policy_in_force import PolicyInForce
from garbo.router.flow.unit_of_work import UnitOfWork
from garbo.router.ports.jobs import CampaignRef, GrantRef, JobStore
from garbo.router.ports.store import Deferred
from garbo.router.ports.telemetry import JobMeter, Meter

FOUND_AT_ONCE: Final = 2_000
AT_ONCE: Final = 200
REASON: Final = "campaign_cancelled"


@dataclass(frozen=True, slots=True)
class CancelCampaigns:
    """Takes back grants nobody has claimed, with their slots, and denies what waits: chunk by chunk."""

    store: JobStore
    meter: Meter
    work: JobMeter
    policies: PolicyInForce

    async def once(self) -> bool:
        """Sweep a part of one campaign; tells whether there may be more. Raises `RetryLater`."""
        async with self.store.batch() as batch:
            campaign = await batch.next_cancelled_campaign()
            held = await batch.remaining_of(campaign, FOUND_AT_ONCE) if campaign else ()
            if campaign and not held:
                await batch.mark_cancelled(campaign)
        swept = 0
        for start in range(0, len(held), AT_ONCE):
            if campaign:
                swept += await self._sweep(campaign, held[start : start + AT_ONCE])
        return swept > 0

    async def _sweep(self, campaign: CampaignRef, held: Sequence[GrantRef]) -> int:
        async with self.store.batch() as batch:
            uow = await claimed_unit_of_work(batch, self.policies, self.meter, held)
            swept = _take_back(uow, campaign)
            if swept:
                await batch.write(uow.changes())
        for _ in range(swept):
            self.work.released(REASON)
        return swept


def _take_back(uow: UnitOfWork, campaign: CampaignRef) -> int:
    grants = [g for g in uow.grants.values() if g.state == "reserved" and _is_of(campaign, g)]
    for grant in grants:
        uow.settle(revoke(grant, reason=REASON), trace=None)
    waiting = [w for w in uow.waiting.values() if _is_of(campaign, w)]
    for one in waiting:
        uow.dismiss(one.message_id, reason=REASON)
    return len(grants) + len(waiting)


def _is_of(campaign: CampaignRef, one: Grant | Deferred) -> bool:
    return (one.brand, one.campaign) == (campaign.brand, campaign.name)
