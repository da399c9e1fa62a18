"""The limits of portfolios follow the platform: its word may get lost, so it is asked, again and again."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

import structlog

from garbo.common.clock import Clock
from garbo.common.errors import RetryLater
from garbo.sender.domain.portfolios import ListedPortfolios, PeopleLimit
from garbo.sender.ports.portfolios import PeopleReached

TRY_AGAIN: Final = timedelta(minutes=5)

log = structlog.get_logger()


class AccountLimits(Protocol):
    """What the platform shows of an account's portfolio."""

    async def of_account(self, waba: str, *, number: str) -> PeopleLimit | None:
        """Give the limit, asked with this number's token; None: it was not shown, or is not understood."""
        ...


@dataclass(slots=True)
class FollowLimits:
    """Reads the limit of each account. Several processes that read the same do no harm."""

    accounts: Callable[[], Mapping[str, Sequence[str]]]
    """The accounts there are now, each with the numbers whose tokens may read it."""
    listed: Callable[[], ListedPortfolios]
    platform: AccountLimits
    people: PeopleReached
    clock: Clock
    every: timedelta

    async def run(self) -> None:
        """Read, for ever."""
        while True:
            whole = await self.read_once()
            await asyncio.sleep((self.every if whole else min(self.every, TRY_AGAIN)).total_seconds())

    async def read_once(self) -> bool:
        """Read all accounts; False where one did not show its limit."""
        read = [await self._read(waba, numbers) for waba, numbers in self.accounts().items()]
        return all(read)

    async def _read(self, waba: str, numbers: Sequence[str]) -> bool:
        portfolio, asked_at = self.listed().of_account.get(waba), self.clock.now()
        for number in numbers:
            limit = await self.platform.of_account(waba, number=number)
            if limit is not None and portfolio is not None:
                try:
                    await self.people.tell(portfolio, limit, told_at=asked_at)
                except RetryLater:
                    return False
                return True
        log.warning("limit of people not read", waba=waba)
        return False
