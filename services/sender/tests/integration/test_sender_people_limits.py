"""The limit is read from the accounts of a portfolio, with whichever token may see it."""

from datetime import UTC, datetime, timedelta

import pytest

from garbo.sender.domain.portfolios import ListedPortfolios, PeopleLimit
from garbo.sender.flow.portfolio_limits import FollowLimits
from garbo.sender.outbound.postgres_portfolios import PostgresPeople
from libs.common.tests.support.clock import FixedClock
from services.sender.tests.support.postgres import SenderDatabase

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
LISTED = ListedPortfolios(of_account={"100": "acme", "200": "acme", "300": "other"})


class Shown:
    """What each number's token may see."""

    def __init__(self, **limits: PeopleLimit) -> None:
        self.limits = limits
        self.asked: list[str] = []

    async def of_account(self, waba: str, *, number: str) -> PeopleLimit | None:
        """See `AccountLimits`."""
        self.asked.append(f"{waba} by {number}")
        return self.limits.get(f"n{number}")


def following(database: SenderDatabase, shown: Shown, *, at: datetime = NOW) -> FollowLimits:
    return FollowLimits(
        accounts=lambda: {"100": ("1", "2"), "300": ("3",)},
        listed=lambda: LISTED,
        platform=shown,
        people=PostgresPeople(database.database),
        clock=FixedClock(at),
        every=timedelta(hours=1),
    )


async def test_a_token_that_may_not_see_it_leaves_it_to_the_next(sender_database: SenderDatabase) -> None:
    shown = Shown(n2=PeopleLimit(2_000), n3=PeopleLimit(None))
    assert await following(sender_database, shown).read_once()
    assert shown.asked == ["100 by 1", "100 by 2", "300 by 3"]
    told = await PostgresPeople(sender_database.database).told()
    assert told == {"acme": PeopleLimit(2_000), "other": PeopleLimit(None)}


async def test_what_was_told_meanwhile_stays_and_what_is_not_shown_changes_nothing(
    sender_database: SenderDatabase,
) -> None:
    people = PostgresPeople(sender_database.database)
    await people.tell("acme", PeopleLimit(10_000), told_at=NOW + timedelta(seconds=1))
    assert not await following(sender_database, Shown(n1=PeopleLimit(2_000))).read_once()
    assert await people.told() == {"acme": PeopleLimit(10_000)}
    later = NOW + timedelta(hours=1)
    await following(sender_database, Shown(n1=PeopleLimit(2_000)), at=later).read_once()
    assert await people.told() == {"acme": PeopleLimit(2_000)}
