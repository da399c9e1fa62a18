"""`garbo lane` on a real broker."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import pytest
import pytest_asyncio
from aiokafka.structs import TopicPartition
from typer.testing import CliRunner

from garbo.cli.lane import bury, progress_of, skip
from garbo.cli.main import app
from garbo.common.errors import StartRefused
from garbo.common.runtime.deliver import Delivered
from libs.common.tests.support.delivery import Noted, Stand, note
from libs.common.tests.support.raw_batches import write_batch
from libs.common.tests.support.waiting import until
from tests.support.servers import SharedKafka

pytestmark = pytest.mark.integration
BOTH = pytest.mark.parametrize("move", [skip, bury], ids=["skip", "bury"])
Move = Callable[..., Awaitable[Any]]


@pytest_asyncio.fixture(loop_scope="session")
async def stand(kafka: SharedKafka) -> AsyncIterator[Stand]:
    stand = Stand(kafka.bootstrap_servers)
    try:
        await stand.start()
        yield stand
    finally:
        await stand.stop()


async def seen_after(stand: Stand, *, at: dict[int, int]) -> list[int]:
    """Let the service run again; give what it is handed until it is where it should be."""
    seen: list[int] = []

    async def handle(batch: Sequence[Delivered[Noted]]) -> None:
        seen.extend(record.event.number for record in batch)

    async def there() -> bool:
        return await stand.committed() == at

    async with stand.delivering(stand.lane(handle)):
        await until(there)
    return seen


async def test_a_group_goes_on_where_it_is_told_and_nothing_is_buried(stand: Stand) -> None:
    await stand.write_to(2, *(note(n) for n in range(10)))
    partition = TopicPartition(stand.topic.name, 2)
    assert await skip(stand.kafka, stand.group, partition, to=7) == 7
    (progress,) = await progress_of(stand.kafka, stand.group)
    assert (progress.partition, progress.next_offset, progress.end) == (partition, 7, 10)
    assert await seen_after(stand, at={2: 10}) == [7, 8, 9]
    assert await stand.read(stand.dead.name) == []


async def test_what_lies_before_an_offset_is_buried_readable_or_not(stand: Stand) -> None:
    await stand.write_to(1, *(note(n) for n in range(250)))
    await write_batch(stand.kafka, stand.topic.name, 1, [(note(250), True)])
    await stand.write_to(1, note(251), note(252))
    partition = TopicPartition(stand.topic.name, 1)
    assert await bury(stand.kafka, stand.group, partition, to=252) == 252
    letters = await stand.read(stand.dead.name)
    headers = [dict(letter.headers) for letter in letters]
    assert sorted(int(letter["garbo-origin-offset"] or b"-1") for letter in headers) == list(range(252))
    assert {letter["garbo-reason"] for letter in headers} == {b"buried_by_operator"}
    assert await seen_after(stand, at={1: 253}) == [252]


@BOTH
async def test_offset_that_is_behind_or_was_never_written_is_refused(stand: Stand, move: Move) -> None:
    await stand.write_to(0, *(note(n) for n in range(5)))
    partition = TopicPartition(stand.topic.name, 0)
    await skip(stand.kafka, stand.group, partition, to=3)
    for to in (2, 6):
        with pytest.raises(StartRefused, match=r"between 3 .* and 5"):
            await move(stand.kafka, stand.group, partition, to=to)
    assert await stand.committed() == {0: 3}


@BOTH
async def test_group_that_is_being_read_is_left_alone(stand: Stand, move: Move) -> None:
    await stand.write_to(0, note(0))
    release = asyncio.Event()

    async def wait(batch: Sequence[Delivered[Noted]]) -> None:
        await release.wait()

    async with stand.delivering(stand.lane(wait)):
        with pytest.raises(StartRefused, match="is being read: stop every"):
            await move(stand.kafka, stand.group, TopicPartition(stand.topic.name, 0), to=1)
        release.set()
    assert await stand.read(stand.dead.name) == []


async def test_command_shows_moves_and_says_what_it_did(stand: Stand) -> None:
    await stand.write_to(3, *(note(n) for n in range(4)))
    where = ["--group", stand.group, "--topic", f"{stand.service}.noted", "--partition", "3"]
    env = {"GARBO_KAFKA_BOOTSTRAP_SERVERS": stand.kafka.bootstrap_servers}

    async def typed(*words: str) -> str:
        result = await asyncio.to_thread(CliRunner().invoke, app, ["lane", *words], env=env)
        assert result.exit_code == 0, result.output
        return result.output

    assert "goes on at 1: 1 offsets passed over" in await typed("skip", *where, "--to", "1")
    assert "next 1  waiting 3" in await typed("list", stand.group)
    assert "goes on at 4: 3 records are dead letters" in await typed("bury", *where, "--to", "4")
    assert await typed("list", stand.group) == ""
    assert "next 4  waiting 0" in await typed("list", stand.group, "--all")
