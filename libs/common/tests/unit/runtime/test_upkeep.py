"""Work beside the traffic goes on for ever, faster while there is more of it, and after a failure."""

import asyncio
from itertools import count

import pytest

from garbo.common.errors import RetryLater
from garbo.common.runtime.upkeep import Upkeep


async def test_it_goes_on_at_once_while_there_is_more_and_after_what_could_not_be_done() -> None:
    rounds, done = count(1), asyncio.Event()

    async def once() -> bool:
        match next(rounds):
            case 1:
                return True
            case 2:
                raise RetryLater("database")
            case 3:
                return True
            case _:
                done.set()
                return False

    async with asyncio.timeout(5):
        going = asyncio.create_task(Upkeep("tidy", once, every_s=0.001, more_s=0.001).run())
        await done.wait()
    going.cancel()


async def test_a_bug_ends_it() -> None:
    async def once() -> bool:
        raise KeyError("bug")

    with pytest.raises(KeyError):
        await Upkeep("tidy", once).run()
