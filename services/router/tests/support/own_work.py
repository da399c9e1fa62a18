"""A router's own work without its clockwork: each kind one round at a time, when a test says so."""

from collections.abc import Awaitable
from dataclasses import dataclass, field

from garbo.common.events.contacts import CampaignChanged
from garbo.router.domain.policy import Policy
from garbo.router.flow.directory import Directory
from garbo.router.flow.jobs.cancel_campaigns import CancelCampaigns
from garbo.router.flow.jobs.expire_grants import ExpireGrants
from garbo.router.flow.jobs.reevaluate_grants import ReevaluateGrants
from garbo.router.flow.jobs.relay_outbox import RelayOutbox
from garbo.router.flow.jobs.retry_deferred import RetryDeferred
from garbo.router.flow.policy_in_force import PolicyInForce
from garbo.router.ports.budgets import BudgetLeases
from garbo.router.ports.jobs import JobStore, Outbox
from services.router.tests.support.memory_work import CountingJobMeter
from services.router.tests.support.router import Router


@dataclass
class Jobs:
    """The router's own work beside its flows, over the same store; all it does is told at once."""

    router: Router
    store: JobStore
    stock: BudgetLeases
    outbox: Outbox
    meter: CountingJobMeter = field(default_factory=CountingJobMeter)

    async def wake(self) -> bool:
        """Wake a batch of those that are due."""
        return await self._told(self.waking.once())

    async def reap(self) -> bool:
        """End some leases."""
        return await self._told(ExpireGrants(self.store, self.router.meter, self.meter, self.policies).once())

    async def recheck(self, policy: Policy) -> bool:
        """Put another policy in force and decide some undispatched grants again."""
        self.router.policy = policy
        recheck = ReevaluateGrants(self.store, self.router.meter, self.meter, self.policies, self.directory)
        return await self._told(recheck.once())

    async def call_off(self, *events: CampaignChanged) -> bool:
        """Call campaigns off and sweep a part of what is left of one."""
        await self.router.hear(*events)
        return await self._told(
            CancelCampaigns(self.store, self.router.meter, self.meter, self.policies).once()
        )

    async def publish(self) -> bool:
        """Publish what is to be told."""
        return await RelayOutbox(self.outbox, self.router.publisher, self.meter).once()

    @property
    def waking(self) -> RetryDeferred:
        """Give the use case."""
        return RetryDeferred(
            self.store, self.stock, self.router.meter, self.meter, self.policies, self.directory
        )

    @property
    def policies(self) -> PolicyInForce:
        """Give the policy in force."""
        return PolicyInForce(self.router.policy)

    @property
    def directory(self) -> Directory:
        """Give the business."""
        return Directory(self.router.business)

    async def _told(self, did: Awaitable[bool]) -> bool:
        more = await did
        while await self.publish():
            pass
        return more
