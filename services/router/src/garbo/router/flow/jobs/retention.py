"""Use case: room for the days ahead, nothing kept past its time, and a look at what waits."""

from dataclasses import dataclass
from typing import Final

from garbo.router.domain.instants import DAY_US
from garbo.router.flow.policy_in_force import PolicyInForce
from garbo.router.ports.jobs import Retention
from garbo.router.ports.telemetry import JobMeter

AHEAD_DAYS: Final = 7
"""A router may be down for this long, and finds its tables made."""
SHORTEST_KEEP_DAYS: Final = 31
"""A repeat of a request gets the stored decision for at least 30 days."""


@dataclass(frozen=True, slots=True)
class EnforceRetention:
    """Keeps decisions, grants and seen ids for `keep_days`, and never less than a cap or a repeat needs."""

    upkeep: Retention
    meter: JobMeter
    policies: PolicyInForce
    keep_days: int

    async def once(self) -> bool:
        """Make and drop tables, and count claimed grants that nothing was heard of. Raises `RetryLater`."""
        remembered_days = -(-self.policies.current.history_us // DAY_US) + 1
        keep_days = max(self.keep_days, remembered_days, SHORTEST_KEEP_DAYS)
        await self.upkeep.tidy(keep_days=keep_days, ahead_days=AHEAD_DAYS)
        self.meter.silent(await self.upkeep.silent())
        return False

    async def look(self) -> bool:
        """Show what waits. Raises `RetryLater`."""
        self.meter.show(await self.upkeep.backlog())
        return False
