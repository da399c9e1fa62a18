"""Waiting in tests: for a condition, with a deadline, never for a while."""

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from time import monotonic
from typing import TypeVar, overload

T = TypeVar("T")
WITHIN_S = 60.0
LOOK_AGAIN_S = 0.05


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
    deadline = monotonic() + within_s
    while True:
        answer = look()
        seen = await answer if isawaitable(answer) else answer
        if holds(seen):
            return seen
        if monotonic() > deadline:
            raise AssertionError(f"did not come true within {within_s:.0f} s; last: {seen!r:.600}")
        await asyncio.sleep(LOOK_AGAIN_S)
