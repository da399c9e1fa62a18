"""Long work gives way: to all others every few milliseconds, to what is urgent until it is done."""

import asyncio
from collections.abc import Iterator
from time import perf_counter

from garbo.common.priority import CHECK_EVERY, LONGEST_YIELD_S, SLICE_S, PriorityGate, yielding


def slow_items(count: int) -> Iterator[int]:
    """Give items of which each look's worth takes longer than a slice."""
    for number in range(count):
        until_s = perf_counter() + 1.2 * SLICE_S / CHECK_EVERY
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
    assert [item async for item in yielding(slow_items(4 * CHECK_EVERY))] == list(range(4 * CHECK_EVERY))
    beside.cancel()
    assert turns >= 3


async def test_patient_work_rests_until_what_is_urgent_is_done() -> None:
    gate, done, told = PriorityGate(), asyncio.Event(), asyncio.Event()
    finished: list[str] = []

    async def patient() -> None:
        with gate.patient():
            async for item in yielding(slow_items(2 * CHECK_EVERY)):
                if item == 0:
                    told.set()
        finished.append("patient")

    async def urgent() -> None:
        with gate.urgent():
            await done.wait()
        finished.append("urgent")

    both = [asyncio.create_task(urgent()), asyncio.create_task(patient())]
    asyncio.get_running_loop().call_later(LONGEST_YIELD_S / 3, done.set)
    await asyncio.gather(*both)
    assert finished == ["urgent", "patient"]


async def test_patient_work_keeps_a_floor_while_something_urgent_never_ends() -> None:
    gate = PriorityGate()
    began_s = perf_counter()
    with gate.urgent(), gate.patient():
        assert len([item async for item in yielding(slow_items(3 * CHECK_EVERY))]) == 3 * CHECK_EVERY
    assert perf_counter() - began_s >= 2 * LONGEST_YIELD_S


async def test_work_that_is_not_patient_does_not_rest() -> None:
    gate = PriorityGate()
    with gate.urgent():
        async with asyncio.timeout(LONGEST_YIELD_S):
            assert [item async for item in yielding(slow_items(CHECK_EVERY + 1))]
