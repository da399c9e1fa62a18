"""What the platform tells of accounts, numbers and templates is obeyed: it pauses, resumes, refuses."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from garbo.common.events.platform import PlatformChange
from garbo.sender.domain.platform_words import Numbers, orders_of, recategorised
from garbo.sender.flow.pauses import Pauses
from garbo.sender.flow.portfolios import Portfolios


@dataclass(frozen=True, slots=True)
class ObeyPlatform:
    """Takes all changes and uses those that are about sending."""

    pauses: Pauses
    portfolios: Portfolios
    numbers: Callable[[], Numbers]

    async def obey(self, changes: Sequence[PlatformChange]) -> None:
        """Obey a batch, in its order; the same again changes nothing. Raises `RetryLater`."""
        numbers = self.numbers()
        orders = [order for change in changes for order in orders_of(change, numbers)]
        if orders:
            await self.pauses.order(orders)
        for change in changes:
            if found := recategorised(change):
                template, sells = found
                await self.pauses.recategorise(template, sells=sells, told_at=change.happened_at)
        await self.portfolios.take_limits(changes)
