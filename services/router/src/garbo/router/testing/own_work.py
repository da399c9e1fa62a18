"""A router's own work without its clockwork: each kind one round at a time, when a test says so."""

from collections.abc import Awaitable
from dataclasses import dataclass, field

from garbo.common.events.contacts import CampaignChanged
from garbo.router.domain.policy import Policy
from garbo.router.flow.cancelling import SweepCampaigns, note_cancelled
from garbo.router.flow.directory import Directory
from garbo.router.flow.outbox import EmptyOutbox
from garbo.router.flow.policies import Policies
from garbo.router.flow.reaping import EndLeases
from garbo.router.flow.rechecking import RecheckGrants
from garbo.router.flow.waking import WakeWaiting
from garbo.router.testing.memory_work import CountingWorkMeter
from garbo.router.testing.router import Router
from garbo.router.work_ports import Outbox, Stock, WorkStore


@dataclass
class OwnWork:
    """The router's own work beside its flows, over the same store; all it does is told at once."""

    router: Router
    store: WorkStore
    stock: Stock
    outbox: Outbox
    meter: CountingWorkMeter = field(default_factory=CountingWorkMeter)

    async def wake(self) -> bool:
        """Wake a batch of those that are due."""
        return await self._told(self.waking.once())

    async def reap(self) -> bool:
        """End some leases."""
        return await self._told(EndLeases(self.store, self.router.meter, self.meter, self.policies).once())

    async def recheck(self, policy: Policy) -> bool:
        """Put another policy in force and decide some undispatched grants again."""
        self.router.policy = policy
        recheck = RecheckGrants(self.store, self.router.meter, self.meter, self.policies, self.directory)
        return await self._told(recheck.once())

    async def call_off(self, *events: CampaignChanged) -> bool:
        """Call campaigns off and sweep a part of what is left of one."""
        await note_cancelled(self.store, events)
        return await self._told(
            SweepCampaigns(self.store, self.router.meter, self.meter, self.policies).once()
        )

    async def publish(self) -> bool:
        """Publish what is to be told."""
        return await EmptyOutbox(self.outbox, self.router.announcer, self.meter).once()

    @property
    def waking(self) -> WakeWaiting:
        """Give the use case."""
        return WakeWaiting(
            self.store, self.stock, self.router.meter, self.meter, self.policies, self.directory
        )

    @property
    def policies(self) -> Policies:
        """Give the policy in force."""
        return Policies(self.router.policy)

    @property
    def directory(self) -> Directory:
        """Give the business."""
        return Directory(self.router.business)

    async def _told(self, did: Awaitable[bool]) -> bool:
        more = await did
        while await self.publish():
            pass
        return more
