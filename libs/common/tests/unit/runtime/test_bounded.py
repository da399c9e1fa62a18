import asyncio

from garbo.common.runtime.bounded import bounded


async def test_step_that_ends_is_told_so() -> None:
    assert await bounded("step", asyncio.sleep(0), within_s=1)


async def test_step_that_hangs_is_cancelled() -> None:
    assert not await bounded("step", asyncio.Event().wait(), within_s=0.01)


async def test_step_that_raises_does_not_raise_here() -> None:
    async def fail() -> None:
        raise OSError

    assert not await bounded("step", fail(), within_s=1)


async def test_step_that_cancels_itself_does_not_cancel_us() -> None:
    async def cancel() -> None:
        raise asyncio.CancelledError

    assert not await bounded("step", cancel(), within_s=1)
    await asyncio.sleep(0)
