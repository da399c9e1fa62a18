"""Room for bodies: what is counted comes back, whoever has the most pays, and a share is a share."""

import asyncio
from collections.abc import Sequence
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import Message

from garbo.common.runtime.door.bodies import NoBody, Pace, read_body
from garbo.common.runtime.door.metrics import BYTES_IN_HAND
from garbo.common.runtime.door.seats import Seat, Seats

SLOW: Final = Pace(whole_s=0.6, grace_s=0.1, bytes_per_s=1000)


def in_hand(whose: str) -> float:
    (metric,) = BYTES_IN_HAND.labels(whose).collect()
    return float(metric.samples[0].value)


def seated(seats: Seats, holder: str, size_bytes: int = 0) -> Seat:
    seat = seats.take(holder, size_bytes)
    assert seat is not None
    return seat


def test_share_of_one_caller_leaves_the_rest_to_others() -> None:
    seats = Seats("t", count=4, max_bytes=400, holder_ratio=0.5)
    first, second = seated(seats, "a", 100), seated(seats, "a", 100)
    assert seats.take("a") is None
    assert not first.grow(1)
    seated(seats, "b", 200)
    assert seats.take("b", 1) is None
    second.leave()
    assert first.grow(100)


def test_all_room_taken_by_many_is_taken() -> None:
    seats = Seats("t", count=2, max_bytes=100)
    seated(seats, "a", 60)
    assert seats.take("b", 41) is None
    seated(seats, "b", 40)
    assert seats.take("c") is None


def test_longest_seated_of_the_heaviest_caller_makes_way() -> None:
    seats = Seats("t", count=4, displacing=True)
    lone, old, *newer = (seated(seats, holder) for holder in ("lone", "many", "many", "many"))
    seated(seats, "lone")
    assert (lone.displaced, old.displaced) == (False, True)
    assert not any(seat.displaced for seat in newer)


def test_newcomer_that_would_be_the_heaviest_displaces_its_own() -> None:
    seats = Seats("t", count=2, max_bytes=100, displacing=True)
    own, other = seated(seats, "a", 40), seated(seats, "b", 40)
    seated(seats, "a", 50)
    assert (own.displaced, other.displaced) == (True, False)


def test_body_larger_than_all_room_displaces_itself_at_last() -> None:
    seats = Seats("t", count=3, max_bytes=100, displacing=True)
    other, greedy = seated(seats, "b", 10), seated(seats, "a")
    assert not greedy.grow(101)
    assert greedy.displaced
    assert not greedy.grow(1), "who has no seat takes no bytes"
    assert not other.displaced


@settings(deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["take", "grow", "leave"]), st.integers(0, 9), st.integers(0, 60))
    )
)
@pytest.mark.parametrize("displacing", [True, False])
def test_counts_never_pass_the_room_and_come_back_to_none(
    steps: Sequence[tuple[str, int, int]], displacing: bool
) -> None:
    seats = Seats("counted", count=4, max_bytes=100, holder_ratio=0.75, displacing=displacing)
    taken: list[Seat] = []
    for step, which, size_bytes in steps:
        if step == "take":
            seat = seats.take(f"caller {which % 3}", size_bytes)
            taken += [seat] if seat else []
        elif taken and step == "grow":
            taken[which % len(taken)].grow(size_bytes)
        elif taken:
            taken[which % len(taken)].leave()
        assert 0 <= in_hand("counted") <= 100
    for seat in taken:
        seat.leave()
        seat.leave()
    assert in_hand("counted") == 0
    assert seats.take("again", 75) is not None


async def read(pieces: Sequence[bytes], *, pace: Pace = Pace(), wait_s: float = 0) -> bytes | NoBody:  # noqa: B008 - frozen
    incoming: list[Message] = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]

    async def receive() -> Message:
        if not incoming:
            await asyncio.Event().wait()
        await asyncio.sleep(wait_s)
        return incoming.pop(0)

    with seated(Seats("t", count=1, max_bytes=10_000), "a") as seat:
        return await read_body([], receive, seat=seat, max_bytes=5_000, pace=pace)


@pytest.mark.parametrize(
    ("pieces", "wait_s", "least_s", "most_s"),
    [
        pytest.param([], 0, 0.08, 0.4, id="nothing comes"),
        pytest.param([b"x" * 10] * 100, 0.02, 0.1, 0.45, id="less than the pace"),
        pytest.param([b"x" * 100] * 20, 0.02, 0.5, 1.5, id="at the pace, and never ends"),
    ],
)
async def test_body_must_come_at_a_pace(
    pieces: Sequence[bytes], wait_s: float, least_s: float, most_s: float
) -> None:
    began_s = asyncio.get_running_loop().time()
    assert await read(pieces, pace=SLOW, wait_s=wait_s) is NoBody.TOO_SLOW
    assert least_s <= asyncio.get_running_loop().time() - began_s < most_s


async def test_too_large_body_is_read_on_a_while_and_kept_no_more() -> None:
    assert await read([b"x" * 1000] * 21) is NoBody.TOO_LARGE
