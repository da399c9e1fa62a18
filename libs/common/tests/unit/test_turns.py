"""Long work gives way: to all others every few milliseconds, to what is urgent until it is done."""

import asyncio
from collections.abc import Iterator
from time import perf_counter

from garbo.common.turns import LOOK_EVERY, PATIENCE_S, TURN_S, Courtesy, in_turns


def slow_items(count: int) -> Iterator[int]:
    """Give items of which each look's worth takes longer than a turn."""
    for number in range(count):
        until_s = perf_counter() + 1.2 * TURN_S / LOOK_EVERY
        while perf_counter() < until_s:
            pass
        yield number


async def test_all_items_come_in_order_and_others_have_turns() -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(other())
    assert [item async for item in in_turns(slow_items(4 * LOOK_EVERY))] == list(range(4 * LOOK_EVERY))
    beside.cancel()
    assert turns >= 3


async def test_patient_work_rests_until_what_is_urgent_is_done() -> None:
    courtesy, done, told = Courtesy(), asyncio.Event(), asyncio.Event()
    finished: list[str] = []

    async def patient() -> None:
        with courtesy.patient():
            async for item in in_turns(slow_items(2 * LOOK_EVERY)):
                if item == 0:
                    told.set()
        finished.append("patient")

    async def urgent() -> None:
        with courtesy.urgent():
            await done.wait()
        finished.append("urgent")

    both = [asyncio.create_task(urgent()), asyncio.create_task(patient())]
    asyncio.get_running_loop().call_later(PATIENCE_S / 3, done.set)
    await asyncio.gather(*both)
    assert finished == ["urgent", "patient"]


async def test_patient_work_keeps_a_floor_while_something_urgent_never_ends() -> None:
    courtesy = Courtesy()
    began_s = perf_counter()
    with courtesy.urgent(), courtesy.patient():
        assert len([item async for item in in_turns(slow_items(3 * LOOK_EVERY))]) == 3 * LOOK_EVERY
    assert perf_counter() - began_s >= 2 * PATIENCE_S


async def test_work_that_is_not_patient_does_not_rest() -> None:
    courtesy = Courtesy()
    with courtesy.urgent():
        async with asyncio.timeout(PATIENCE_S):
            assert [item async for item in in_turns(slow_items(LOOK_EVERY + 1))]
