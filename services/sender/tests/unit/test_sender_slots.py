"""The instants at which a number may send: inside leases, evenly, below its rate, none while it rests."""

import asyncio
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from garbo.sender.flow.slots import Slots
from services.sender.tests.support.fakes import MemoryRates

NUMBER = "1"
SLACK_S = 1e-6


@dataclass
class Clock:
    now_s: float = 1000.0

    def __call__(self) -> float:
        return self.now_s


@settings(max_examples=150, deadline=None)
@given(
    rate=st.sampled_from([1, 5, 20, 80, 400]),
    alone_s=st.sampled_from([0.0, 1.0]),
    steps=st.lists(
        st.tuples(st.sampled_from(["ask", "send", "send", "send", "wait", "rest"]), st.floats(0.001, 0.3)),
        min_size=20,
        max_size=300,
    ),
)
def test_sends_stay_below_the_rate_and_none_leaves_while_the_number_rests(
    rate: int, alone_s: float, steps: list[tuple[str, float]]
) -> None:
    clock, left, rests_until = Clock(), list[float](), 0.0
    slots = Slots(MemoryRates(clock, alone_s=alone_s), NUMBER, ceiling_per_s=lambda: rate, now=clock)
    for step, (what, seconds) in enumerate(steps):
        if what == "ask" and slots.may_ask():
            asyncio.run(slots.acquire(1000, ready=True))
        elif what == "send" and (at := slots.next()) is not None:
            clock.now_s = max(clock.now_s, at) + seconds * (step % 5 == 0)
            if not slots.take():
                continue
            assert clock.now_s >= rests_until - SLACK_S
            left.append(clock.now_s)
        elif what == "wait":
            clock.now_s += seconds
        elif what == "rest":
            slots.rest(seconds)
            rests_until = max(rests_until, clock.now_s + seconds)
            assert slots.left() == 0
            assert not slots.may_ask()
    assert left == sorted(left)
    for first, at in enumerate(left):
        assert sum(other <= at + 1 for other in left[first:]) <= rate


@given(wanted=st.integers(1, 50))
async def test_a_lease_holds_no_more_sends_than_it_says(wanted: int) -> None:
    clock = Clock()
    slots = Slots(MemoryRates(clock), NUMBER, ceiling_per_s=lambda: 100, now=clock)
    assert await slots.acquire(wanted, ready=True)
    most, count = slots.left(), 0
    while (at := slots.next()) is not None:
        clock.now_s = max(clock.now_s, at)
        assert slots.take()
        count += 1
    assert count in (most, most + 1)
    assert slots.left() == 0


async def test_nothing_is_begun_ahead_while_the_number_rests_and_one_is_when_it_may_ask() -> None:
    clock = Clock()
    slots = Slots(MemoryRates(clock), NUMBER, ceiling_per_s=lambda: 80, now=clock)
    assert slots.ahead() == 1
    slots.rest(10.0)
    assert slots.ahead() == 0
    clock.now_s += 10.0
    assert slots.ahead() == 1


async def test_who_is_told_to_wait_does_not_ask_before() -> None:
    clock = Clock()
    rates = MemoryRates(clock, tat={NUMBER: clock() + 2.0})
    slots = Slots(rates, NUMBER, ceiling_per_s=lambda: 80, now=clock)
    assert not await slots.acquire(1, ready=True)
    assert not slots.may_ask()
    clock.now_s += 2.0
    assert slots.may_ask()
