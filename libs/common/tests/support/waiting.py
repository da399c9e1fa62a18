"""Waiting in tests: for a condition, with a deadline, never for a while."""

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from time import monotonic
from typing import TypeVar, overload

T = TypeVar("T")
WITHIN_S = 60.0
LOOK_AGAIN_S, LONGEST_LOOK_AGAIN_S, SLOWER = 0.05, 0.5, 1.2
"""What takes long is looked at less often: to look costs processor time, which what is waited for needs."""


@overload
async def until(
    look: Callable[[], Awaitable[T]], holds: Callable[[T], object] = bool, *, within_s: float = WITHIN_S
) -> T: ...
@overload
async def until(
    look: Callable[[], T], holds: Callable[[T], object] = bool, *, within_s: float = WITHIN_S
) -> T: ...
async def until(
    look: Callable[[], Awaitable[T] | T], holds: Callable[[T], object] = bool, *, within_s: float = WITHIN_S
) -> T:
    """Look again and again until what is seen holds, and return it.

    Raises AssertionError with what was seen last when it does not hold within so many seconds.
    """
    deadline, look_again_s = monotonic() + within_s, LOOK_AGAIN_S
    while True:
        answer = look()
        seen = await answer if isawaitable(answer) else answer
        if holds(seen):
            return seen
        if monotonic() > deadline:
            raise AssertionError(f"did not come true within {within_s:.0f} s; last: {seen!r:.600}")
        await asyncio.sleep(look_again_s)
        look_again_s = min(look_again_s * SLOWER, LONGEST_LOOK_AGAIN_S)
