"""A router's background jobs without their scheduler: each one round at a time, when a test says so."""

from collections.abc import Awaitable
from dataclasses import dataclass, field

from garbo.common.events.contacts import CampaignChanged
from garbo.router.domain.policy import Policy
from garbo.router.flow.directory import Directory
from garbo.router.flow.jobs.cancel_campaigns import CancelCampaigns
from garbo.router.flow.jobs.expire_grants import ExpireGrants
from garbo.router.flow.jobs.lock_contacts import JobDependencies
from garbo.router.flow.jobs.reevaluate_grants import ReevaluateGrants
from garbo.router.flow.jobs.relay_outbox import RelayOutbox
from garbo.router.flow.jobs.retry_deferred import RetryDeferred
from garbo.router.flow.policy_in_force import PolicyInForce
from garbo.router.ports.budgets import BudgetLeases
from garbo.router.ports.jobs import JobStore, Outbox
from services.router.tests.support.memory_jobs import CountingJobMeter
from services.router.tests.support.router import Router


@dataclass
class Jobs:
    """The background jobs beside a router's flows, over the same store; all it does is told at once."""

    router: Router
    store: JobStore
    budget_leases: BudgetLeases
    outbox: Outbox
    meter: CountingJobMeter = field(default_factory=CountingJobMeter)

    async def retry(self) -> bool:
        """Decide a batch of those that are due."""
        return await self._told(self.retry_deferred.once())

    async def expire(self) -> bool:
        """End some leases."""
        return await self._told(ExpireGrants(self.dependencies).once())

    async def reevaluate(self, policy: Policy) -> bool:
        """Put another policy in force and decide some unclaimed grants again."""
        self.router.policy = policy
        return await self._told(ReevaluateGrants(self.dependencies).once())

    async def cancel(self, *events: CampaignChanged) -> bool:
        """Call campaigns off and take back a part of what is left of one."""
        await self.router.hear(*events)
        return await self._told(CancelCampaigns(self.dependencies).once())

    async def publish(self) -> bool:
        """Publish what is to be told."""
        return await RelayOutbox(self.outbox, self.router.publisher, self.meter).once()

    @property
    def retry_deferred(self) -> RetryDeferred:
        """Give the job."""
        return RetryDeferred(self.dependencies, self.budget_leases)

    @property
    def dependencies(self) -> JobDependencies:
        """Give what every job works with."""
        policies, directory = PolicyInForce(self.router.policy), Directory(self.router.business)
        return JobDependencies(self.store, self.router.meter, self.meter, policies, directory)

    async def _told(self, did: Awaitable[bool]) -> bool:
        more = await did
        while await self.publish():
            pass
        return more
