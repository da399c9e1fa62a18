"""Background jobs: room for the days ahead and nothing kept past its time; what waits, for dashboards."""

from dataclasses import dataclass
from typing import ClassVar, Final

from garbo.router.domain.instants import DAY_US
from garbo.router.flow.jobs.schedule import Schedule
from garbo.router.flow.policy_in_force import PolicyInForce
from garbo.router.ports.jobs import Retention
from garbo.router.ports.telemetry import JobMeter

AHEAD_DAYS: Final = 7
"""A router may be down for this long, and finds its tables made."""
SHORTEST_KEEP_DAYS: Final = 31
"""A repeat of a request gets the stored decision for at least 30 days."""


def days_kept(policies: PolicyInForce, keep_days: int) -> int:
    """Give for how many days decisions and grants are kept: as asked, or as long as a cap or repeat needs."""
    remembered_days = -(-policies.current.history_us // DAY_US) + 1
    return max(keep_days, remembered_days, SHORTEST_KEEP_DAYS)


@dataclass(frozen=True, slots=True)
class EnforceRetention:
    """Keeps decisions, grants and seen ids for `keep_days`, and never less than a cap or a repeat needs."""

    retention: Retention
    job_meter: JobMeter
    policies: PolicyInForce
    keep_days: int
    name: ClassVar[str] = "enforce_retention"
    schedule: ClassVar[Schedule] = Schedule(interval_s=3600.0)

    async def once(self) -> bool:
        """Make and drop tables, and count claimed grants that nothing was heard of. Raises `RetryLater`."""
        keep_days = days_kept(self.policies, self.keep_days)
        await self.retention.tidy(keep_days=keep_days, ahead_days=AHEAD_DAYS)
        self.job_meter.silent(await self.retention.silent())
        return False


@dataclass(frozen=True, slots=True)
class ReportBacklog:
    """Shows dashboards what waits."""

    retention: Retention
    job_meter: JobMeter
    name: ClassVar[str] = "report_backlog"
    schedule: ClassVar[Schedule] = Schedule(interval_s=15.0)

    async def once(self) -> bool:
        """Show it. Raises `RetryLater`."""
        self.job_meter.show(await self.retention.backlog())
        return False
