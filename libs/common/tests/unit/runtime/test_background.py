"""What a process knows of its endless parts."""

import asyncio

from garbo.common.runtime.background import Background


async def test_it_runs_from_start_to_stop() -> None:
    told: list[str] = []

    async def run() -> None:
        told.append("begun")
        try:
            await asyncio.Event().wait()
        finally:
            told.append("gone")

    part = Background("example", run)
    await part.start()
    await asyncio.sleep(0)
    await part.stop()
    assert told == ["begun", "gone"]


async def test_a_bug_is_what_failed() -> None:
    bug = ValueError("a bug")

    async def run() -> None:
        raise bug

    part = Background("example", run)
    await part.start()
    assert await part.wait_failed() is bug
    await part.stop()


async def test_an_end_without_a_word_is_a_failure_as_well() -> None:
    async def run() -> None:
        return

    part = Background("example", run)
    await part.start()
    assert str(await part.wait_failed()) == "example: ended"


async def test_what_was_never_started_can_be_stopped() -> None:
    await Background("example", _never).stop()


async def _never() -> None:
    raise AssertionError("it was started")
