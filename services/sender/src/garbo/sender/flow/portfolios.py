"""How many people a portfolio writes to first in 24 h: never more than the platform allows.

    taken from the line -- a place --> begun --> sent
                        `- none: parked until there is one, care first -'

The database counts for all replicas, under the lock of the portfolio's row; a portfolio without a limit is
not counted and costs nothing.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog

from garbo.common.errors import RetryLater
from garbo.common.events.platform import PlatformChange
from garbo.sender.domain.outcomes import Outcome
from garbo.sender.domain.portfolios import (
    ListedPortfolios,
    PeopleLimit,
    begins_conversation,
    is_unsent,
    limit_told,
    parked_for,
)
from garbo.sender.domain.queued_send import QueuedSend
from garbo.sender.ports.portfolios import PeopleFigures, PeopleReached

EVERY_S: Final = 1.0
NO_LIMIT: Final = PeopleLimit(None)

log = structlog.get_logger()


class Portfolios:
    """The limits in force, as this process knows them."""

    def __init__(
        self,
        people: PeopleReached,
        figures: PeopleFigures,
        *,
        listed: Callable[[], ListedPortfolios],
    ) -> None:
        """Make it; `listed` are the business file's portfolios, as they are now."""
        self._people, self._figures, self._listed = people, figures, listed
        self.ready = False
        """Whether it has looked into the database: nothing begins before."""
        self._told: Mapping[str, PeopleLimit] = {}
        self._unsent: list[UUID] = []

    async def without_place(self, sends: Sequence[QueuedSend], *, now: datetime) -> Mapping[UUID, str]:
        """Take places for messages of one number and lane; give those without, and why they are parked.

        No two of one person. Raises `RetryLater`.
        """
        portfolio = self._listed().of_number.get(sends[0].number) if sends else None
        most = None if portfolio is None else self.limit_of(portfolio).most_of(sends[0].lane)
        if portfolio is None or most is None:
            return {}
        counted = [send for send in sends if begins_conversation(send, now=now)]
        if not counted:
            return {}
        who = [(send.contact_id, send.message_id) for send in counted]
        have = await self._people.take_places(portfolio, most=most, people=who)
        why = parked_for(portfolio)
        return {send.message_id: why for send in counted if send.contact_id not in have}

    def limit_of(self, portfolio: str) -> PeopleLimit:
        """Give the limit in force: what the platform told, else what the business file says."""
        return self._told.get(portfolio) or self._listed().limits.get(portfolio, NO_LIMIT)

    def note(self, send: QueuedSend, outcome: Outcome) -> None:
        """Have the place given back of what was not sent after all."""
        if is_unsent(outcome):
            self.not_sent([send])

    def not_sent(self, sends: Sequence[QueuedSend]) -> None:
        """Have the places given back of messages that were not sent."""
        self._unsent += [send.message_id for send in sends if self._is_limited(send)]

    async def take_limits(self, changes: Sequence[PlatformChange]) -> None:
        """Note what the platform tells of limits; the same again changes nothing. Raises `RetryLater`."""
        for change in changes:
            limit, portfolio = limit_told(change), self._listed().of_account.get(change.waba)
            if limit is not None and portfolio is not None:
                await self._people.tell(portfolio, limit, told_at=change.happened_at)
                log.info("limit of people told", portfolio=portfolio, most=limit.most)

    async def run(self) -> None:
        """Go on for ever."""
        while True:
            try:
                await self.look_once()
            except RetryLater as later:
                log.warning("portfolios wait", why=later.why)
            await asyncio.sleep(EVERY_S)

    async def look_once(self) -> None:
        """Read the limits, give back, and let go on what waits for a place."""
        self._told = await self._people.told()
        self.ready = True
        if unsent := list(self._unsent):  # more may come meanwhile
            await self._people.give_back(unsent)
            self._unsent = self._unsent[len(unsent) :]
        limits = {**self._listed().limits, **self._told}
        for portfolio in {*limits, *await self._people.awaited()}:
            limit = limits.get(portfolio, NO_LIMIT)
            count = await self._people.wake(portfolio, most=limit.most, most_of_promo=limit.most_of("promo"))
            self._figures.people(portfolio, count=count, limit=limit)

    def _is_limited(self, send: QueuedSend) -> bool:
        portfolio = self._listed().of_number.get(send.number)
        return portfolio is not None and self.limit_of(portfolio).most is not None
