import asyncio
from collections.abc import Sequence

import pytest

from garbo.common.errors import Reject, RetryLater
from garbo.common.runtime import deadletter
from garbo.common.runtime.deliver import Delivered, RefusalPace
from garbo.common.runtime.deliver.backoff import delay
from libs.common.tests.support.delivery import Noted, Raw, note
from libs.common.tests.support.processing import REDRIVE, TOPIC, Letters, finish, offsets, processor_of


def numbers(batch: Sequence[Delivered[Noted]]) -> list[int]:
    return [record.event.number for record in batch]


async def test_retry_later_dead_letters_nothing_and_finishes_nothing() -> None:
    async def handle(batch: Sequence[Delivered[Noted]]) -> None:
        raise RetryLater("not_ready")

    letters = Letters()
    end = await finish(handle, [Raw(0, b"poison"), Raw(1, note(1))], letters)
    assert offsets(end) == ([], [0, 1])
    assert end.later is not None
    assert letters.values == []


async def test_batch_taken_apart_for_long_lets_the_lane_poll_and_its_rest_comes_again() -> None:
    at = 0.0

    async def handle(batch: Sequence[Delivered[Noted]]) -> None:
        nonlocal at
        at += 7.0
        if 3 in numbers(batch):
            raise Reject("bad")

    letters = Letters()
    processor = processor_of(handle, letters, now=lambda: at)
    records, rounds = [Raw(n, note(n)) for n in range(10)], []
    while records:
        end = await processor.process_batch(records, still_ours=lambda: True)
        rounds.append(len(end.finished))
        assert end.later is None or (end.later.why, end.later.after.total_seconds()) == ("taken_apart", 0)
        records = [Raw(item.record.offset, item.record.value) for item in end.left]
    assert rounds == [3, 3, 4], "the last has nothing bad in it"
    assert letters.values == [note(3)]


async def test_retry_later_in_the_middle_keeps_what_is_done_before_it() -> None:
    async def handle(batch: Sequence[Delivered[Noted]]) -> None:
        if len(batch) > 1:
            raise Reject("one_of_them")
        if numbers(batch) == [1]:
            raise Reject("bad")
        if numbers(batch) == [3]:
            raise RetryLater("not_ready")

    letters = Letters()
    end = await finish(handle, [Raw(n, note(n)) for n in range(5)], letters)
    assert offsets(end) == ([0, 1, 2], [3, 4])
    assert letters.values == [note(1)]


async def test_records_that_are_no_longer_ours_are_left_alone() -> None:
    seen: list[int] = []

    async def handle(batch: Sequence[Delivered[Noted]]) -> None:
        if len(batch) > 1:
            raise Reject("one_of_them")
        seen.extend(numbers(batch))

    end = await finish(
        handle, [Raw(n, note(n)) for n in range(5)], Letters(), still_ours=lambda: len(seen) < 2
    )
    assert offsets(end) == ([0, 1], [2, 3, 4])
    assert end.later is None
    assert seen == [0, 1]


async def test_nothing_is_finished_while_dead_letters_cannot_be_written() -> None:
    async def handle(batch: Sequence[Delivered[Noted]]) -> None: ...

    end = await finish(handle, [Raw(0, b"poison"), Raw(1, note(1))], Letters(reachable=False))
    assert offsets(end) == ([], [0, 1])
    assert end.later is not None


@pytest.mark.parametrize(
    ("alarming", "buried"), [(True, 10), (False, 20)], ids=["refused", "not known here yet"]
)
async def test_where_nothing_is_good_the_rest_of_what_is_refused_is_held_back(
    alarming: bool, buried: int
) -> None:
    async def handle(batch: Sequence[Delivered[Noted]]) -> None:
        raise Reject("all_of_them", alarming=alarming)

    letters = Letters()
    pace = RefusalPace(free_count=6, burst_count=4)
    end = await finish(handle, [Raw(n, note(n)) for n in range(20)], letters, pace=pace)
    assert offsets(end) == (list(range(buried)), list(range(buried, 20)))
    assert (end.later.why if end.later else None) == ("many_refused" if buried < 20 else None)
    assert len(letters.values) == buried


async def test_redriven_record_of_another_lane_is_passed_over() -> None:
    async def handle(batch: Sequence[Delivered[Noted]]) -> None:
        raise AssertionError("not ours")

    theirs = Raw(0, note(1), topic=REDRIVE, headers=[("garbo-origin-topic", b"theirs")])
    letters = Letters()
    assert offsets(await finish(handle, [theirs], letters)) == ([0], [])
    assert letters.values == []


async def test_a_bug_is_not_caught_here() -> None:
    async def handle(batch: Sequence[Delivered[Noted]]) -> None:
        raise asyncio.InvalidStateError

    with pytest.raises(asyncio.InvalidStateError):
        await finish(handle, [Raw(0, note(1))], Letters())


@pytest.mark.parametrize(
    ("first_s", "attempt", "dice", "expected"),
    [
        pytest.param(1, 1, 0, 1, id="first"),
        pytest.param(1, 4, 0, 8, id="doubled"),
        pytest.param(1, 4, 1, 10, id="spread"),
        pytest.param(1, 500, 0, 60, id="bounded"),
        pytest.param(300, 1, 0, 300, id="never-earlier-than-asked"),
    ],
)
def test_delay(first_s: float, attempt: int, dice: float, expected: float) -> None:
    assert delay(first_s, attempt=attempt, max_s=60, dice=dice) == expected


async def test_records_another_lane_wants_are_finished_without_a_look_inside() -> None:
    seen: list[int] = []
    letters = Letters()

    async def handle(batch: Sequence[Delivered[Noted]]) -> None:
        seen.extend(numbers(batch))

    records = [Raw(0, note(0)), Raw(1, b"poison of theirs"), Raw(2, note(2)), Raw(3, b"poison of ours")]
    end = await finish(handle, records, letters, wants=lambda value: b"theirs" not in value)
    assert offsets(end) == ([0, 1, 2, 3], [])
    assert seen == [0, 2]
    assert letters.values == [b"poison of ours"]


async def test_each_redriven_record_is_wanted_by_one_of_two_lanes_of_a_topic() -> None:
    seen: list[int] = []

    async def handle(batch: Sequence[Delivered[Noted]]) -> None:
        seen.extend(numbers(batch))

    origin: list[tuple[str, bytes | None]] = [(deadletter.TOPIC, TOPIC.name.encode())]
    records = [Raw(n, note(n), topic=REDRIVE, headers=origin) for n in range(4)]

    def wants(value: bytes) -> bool:
        return value in (note(1), note(2))

    await finish(handle, records, Letters(), wants=wants)
    await finish(handle, records, Letters(), wants=lambda value: not wants(value))
    assert seen == [1, 2, 0, 3]
