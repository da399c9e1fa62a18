import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.deliver import Delivered, DeliveryTimes
from garbo.common.runtime.deliver.member import BatchLost, GroupMember
from libs.common.tests.support.delivery import Noted, Raw, note
from libs.common.tests.support.processing import TOPIC, Letters, processor_of


class Lives:
    """A member that has not joined anything: its consumer is absent, its decisions are not."""

    def __init__(self, handle: Callable[[Sequence[Delivered[Noted]]], Awaitable[None]]) -> None:
        self.failures: list[BaseException] = []
        processor = processor_of(handle, Letters())
        self.member = GroupMember(
            group="unit.lane",
            topics=[TOPIC.name],
            max_records=10,
            kafka=KafkaSettings("localhost:1"),
            processor=processor,
            times=DeliveryTimes(drain_s=0.01),
            fail=self.failures.append,
        )


async def test_batch_that_was_polled_and_never_handed_over_is_a_failure() -> None:
    async def handle(batch: Sequence[Delivered[Noted]]) -> None: ...

    lives = Lives(handle)
    lives.member.polled(3)
    lives.member.polled(0)
    assert [type(failure) for failure in lives.failures] == [BatchLost]


async def test_batch_polled_before_a_revocation_is_never_begun() -> None:
    begun: list[int] = []

    async def handle(batch: Sequence[Delivered[Noted]]) -> None:
        begun.extend(record.offset for record in batch)

    lives = Lives(handle)
    lives.member.polled(1)
    await lives.member.revoked()
    await lives.member.take([Raw(0, note(0))])
    lives.member.polled(1)
    await lives.member.take([Raw(1, note(1))])
    assert begun == [1]
    assert lives.failures == []


async def test_revocation_cancels_what_outlives_the_drain_and_that_is_no_failure() -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def handle(batch: Sequence[Delivered[Noted]]) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    lives = Lives(handle)
    lives.member.polled(1)
    async with asyncio.TaskGroup() as both:
        both.create_task(lives.member.take([Raw(0, note(0))]))
        await begun.wait()
        await lives.member.revoked()
        assert cancelled.is_set()
    assert lives.failures == []
    assert not lives.member.busy


@pytest.mark.parametrize("bug", [KeyError, TimeoutError, SystemExit], ids=lambda bug: str(bug.__name__))
async def test_any_other_end_of_a_flow_is_a_failure_and_nothing_is_taken_after_it(
    bug: type[BaseException],
) -> None:
    calls = 0

    async def handle(batch: Sequence[Delivered[Noted]]) -> None:
        nonlocal calls
        calls += 1
        raise bug

    lives = Lives(handle)
    for offset in range(2):
        lives.member.polled(1)
        await lives.member.take([Raw(offset, note(offset))])
    assert [type(failure) for failure in lives.failures] == [bug]
    assert calls == 1


async def test_cancellation_out_of_the_flow_itself_is_a_failure() -> None:
    async def handle(batch: Sequence[Delivered[Noted]]) -> None:
        raise asyncio.CancelledError

    lives = Lives(handle)
    lives.member.polled(1)
    with pytest.raises(asyncio.CancelledError):
        await lives.member.take([Raw(0, note(0))])
    assert [type(failure) for failure in lives.failures] == [asyncio.CancelledError]
