"""What every waiting test rests on."""

import pytest

from libs.common.tests.support.waiting import until


async def test_what_came_true_is_returned() -> None:
    seen = iter([0, 0, 3])
    assert await until(lambda: next(seen)) == 3


async def test_an_answer_that_must_be_awaited_is_judged_by_its_own_measure() -> None:
    seen = iter([1, 5])

    async def look() -> int:
        return next(seen)

    assert await until(look, lambda n: n > 4) == 5


async def test_what_never_comes_true_fails_with_what_was_seen_last() -> None:
    with pytest.raises(AssertionError, match=r"within 0 s; last: \[\]"):
        await until(list[int], within_s=0)
