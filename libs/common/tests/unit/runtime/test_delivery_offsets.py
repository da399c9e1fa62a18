import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from aiokafka import errors
from aiokafka.errors import CommitFailedError, RequestTimedOutError
from aiokafka.structs import TopicPartition

from garbo.common.runtime.deliver.offsets import Offsets
from libs.common.tests.support.errors import every_error, made

TP = TopicPartition("t", 0)


@dataclass
class Raw:
    offset: int
    topic: str = "t"
    partition: int = 0
    timestamp: int = 0
    key: bytes | None = None
    value: bytes | None = None
    headers: list[tuple[str, bytes | None]] = field(default_factory=list)


class Broker:
    """A consumer's commits, which may fail or never return."""

    def __init__(self) -> None:
        self.commits: list[dict[TopicPartition, int]] = []
        self.fails_with: Exception | None = None
        self.hangs = False

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.fails_with:
            raise self.fails_with
        self.commits.append(dict(offsets))

    def assignment(self) -> set[TopicPartition]:
        return {TP}

    def pause(self, *partitions: TopicPartition) -> None: ...
    def resume(self, *partitions: TopicPartition) -> None: ...
    def seek(self, partition: TopicPartition, offset: int) -> None: ...

    async def position(self, partition: TopicPartition) -> int:
        return partition.partition

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 0)


async def test_commits_what_comes_after_the_last_done_and_only_once() -> None:
    broker, offsets = Broker(), Offsets("g")
    offsets.done([Raw(4), Raw(5), Raw(9, partition=1)])
    await offsets.commit(broker, within_s=1)
    await offsets.commit(broker, within_s=1)
    assert broker.commits == [{TP: 6, TopicPartition("t", 1): 10}]


async def test_failed_commit_is_told_later() -> None:
    broker, offsets = Broker(), Offsets("g")
    offsets.done([Raw(4)])
    broker.fails_with = RequestTimedOutError()
    await offsets.commit(broker, within_s=1)
    broker.fails_with = None
    await offsets.commit(broker, within_s=1)
    assert broker.commits == [{TP: 5}]


async def test_hanging_commit_ends_in_time_and_is_told_later() -> None:
    broker, offsets = Broker(), Offsets("g")
    offsets.done([Raw(4)])
    broker.hangs = True
    await offsets.commit(broker, within_s=0.01)
    broker.hangs = False
    await offsets.commit(broker, within_s=1)
    assert broker.commits == [{TP: 5}]


async def test_commit_after_a_rebalance_is_given_up() -> None:
    broker, offsets = Broker(), Offsets("g")
    offsets.done([Raw(4)])
    broker.fails_with = CommitFailedError()
    await offsets.commit(broker, within_s=1)
    broker.fails_with = None
    await offsets.commit(broker, within_s=1)
    assert broker.commits == []
    assert offsets.next_of(TP) is None


@pytest.mark.parametrize("error", every_error(errors), ids=lambda error: str(error.__name__))
async def test_no_error_of_aiokafka_comes_out_of_a_commit(error: type[Exception]) -> None:
    broker, offsets = Broker(), Offsets("g")
    broker.fails_with = made(error)
    offsets.done([Raw(4)])
    await offsets.commit(broker, within_s=1)
    broker.fails_with = None
    offsets.done([Raw(4)])
    await offsets.commit(broker, within_s=1)
    assert broker.commits == [{TP: 5}]
