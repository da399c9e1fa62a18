"""Use case: take back what has not left of a campaign that was called off."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from garbo.common.events.contacts import CampaignChanged
from garbo.router.domain.grant import Grant, revoke
from garbo.router.flow.claiming import claimed_ledger
from garbo.router.flow.ledger import Ledger
from garbo.router.flow.policies import Policies
from garbo.router.ports import Changes, Deferred, Meter, Store
from garbo.router.work_ports import Campaign, Held, WorkMeter, WorkStore

FOUND_AT_ONCE: Final = 2_000
AT_ONCE: Final = 200
REASON: Final = "campaign_cancelled"


async def note_cancelled(store: Store, events: Sequence[CampaignChanged]) -> None:
    """Note that campaigns were called off; a repeat changes nothing.

    From this commit on no request of theirs is allowed, and no grant of theirs can be claimed.
    """
    called_off = sorted({(event.brand, event.campaign) for event in events})
    async with store.batch() as batch:
        moment = await batch.look_up(())
        await batch.write(Changes({}, cancelled=[(*name, moment.now_us) for name in called_off]))


@dataclass(frozen=True, slots=True)
class SweepCampaigns:
    """Takes back grants nobody has claimed, with their slots, and denies what waits: chunk by chunk."""

    store: WorkStore
    meter: Meter
    work: WorkMeter
    policies: Policies

    async def once(self) -> bool:
        """Sweep a part of one campaign; tells whether there may be more. Raises `RetryLater`."""
        async with self.store.batch() as batch:
            campaign = await batch.unswept()
            held = await batch.left_of(campaign, FOUND_AT_ONCE) if campaign else ()
            if campaign and not held:
                await batch.note_swept(campaign)
        swept = 0
        for start in range(0, len(held), AT_ONCE):
            if campaign:
                swept += await self._sweep(campaign, held[start : start + AT_ONCE])
        return swept > 0

    async def _sweep(self, campaign: Campaign, held: Sequence[Held]) -> int:
        async with self.store.batch() as batch:
            ledger = await claimed_ledger(batch, self.policies, self.meter, held)
            swept = _take_back(ledger, campaign)
            if swept:
                await batch.write(ledger.changes())
        for _ in range(swept):
            self.work.released(REASON)
        return swept


def _take_back(ledger: Ledger, campaign: Campaign) -> int:
    grants = [g for g in ledger.grants.values() if g.state == "reserved" and _is_of(campaign, g)]
    for grant in grants:
        ledger.settle(revoke(grant, reason=REASON), trace=None)
    waiting = [w for w in ledger.waiting.values() if _is_of(campaign, w)]
    for one in waiting:
        ledger.dismiss(one.message_id, reason=REASON)
    return len(grants) + len(waiting)


def _is_of(campaign: Campaign, one: Grant | Deferred) -> bool:
    return (one.brand, one.campaign) == (campaign.brand, campaign.name)
