"""A good record behind a flood proves that the fault is not ours (ADR 0017)."""

from collections.abc import Sequence

import pytest
from aiokafka.structs import TopicPartition

from garbo.common.runtime.deliver import RefusalPace
from garbo.common.runtime.deliver.decoder import Decoder, Refused
from garbo.common.runtime.deliver.lookout import PARTITIONS_AT_ONCE, Lookout
from garbo.common.runtime.deliver.refusals import Refusals
from garbo.common.runtime.drivers import Record
from libs.common.tests.support.delivery import Raw, note, noted_topic

TOPIC = noted_topic(Raw.topic)
PACE = RefusalPace(free_count=0, burst_count=1, slow_per_s=0)


class Behind:
    """Partitions of which a few records are read at once."""

    def __init__(self, **values: Sequence[bytes]) -> None:
        self._values = {int(name[1:]): given for name, given in values.items()}
        self.asked: list[tuple[int, int]] = []

    async def __call__(self, tp: TopicPartition, offset: int) -> Sequence[Record]:
        self.asked.append((tp.partition, offset))
        some = self._values.get(tp.partition, ())[offset : offset + 3]
        return [Raw(offset + n, value, partition=tp.partition) for n, value in enumerate(some)]


def lookout() -> tuple[Lookout, Refusals]:
    refusals = Refusals(PACE, lambda: 0.0)
    decoder = Decoder(topics=[TOPIC], redrive="again", others=frozenset(), takes_strays=True)
    return Lookout(decoder, refusals), refusals


def held(*offsets: int, partition: int = 0, where: str = "decoding") -> list[Refused]:
    return [Refused(Raw(n, b"{", partition=partition), "not_json", where) for n in offsets]


async def test_each_look_goes_further_until_a_good_record_is_found() -> None:
    behind, (look, refusals) = Behind(p0=[b"{"] * 8 + [note(1)]), lookout()
    flood = held(0, 1)
    assert [await look.finds_good(flood, behind) for _ in range(3)] == [False, False, True]
    assert behind.asked == [(0, 2), (0, 5), (0, 8)]
    finished, left = refusals.part(held(*range(100)))
    assert (len(finished), left) == (100, [])


async def test_without_a_good_record_nothing_is_proven() -> None:
    behind, (look, refusals) = Behind(p0=[b"{"] * 4), lookout()
    assert not any([await look.finds_good(held(0, 1), behind) for _ in range(5)])
    assert len(refusals.part(held(*range(100)))[0]) == 1


async def test_what_is_refused_in_handling_is_not_proven_by_what_can_be_decoded() -> None:
    behind, (look, _) = Behind(p0=[note(n) for n in range(9)]), lookout()
    assert not await look.finds_good(held(0, 1, where="handling"), behind)
    assert behind.asked == []


@pytest.mark.parametrize("partitions", [1, 5, 12])
async def test_few_partitions_are_looked_at_in_one_go_and_all_in_turn(partitions: int) -> None:
    behind, (look, _) = Behind(**{f"p{n}": [b"{"] * 6 for n in range(partitions)}), lookout()
    flood = [item for n in range(partitions) for item in held(0, partition=n)]
    await look.finds_good(flood, behind)
    assert len(behind.asked) == min(partitions, PARTITIONS_AT_ONCE)
    for _ in range(2 * partitions):
        await look.finds_good(flood, behind)
    assert {partition for partition, _ in behind.asked} == set(range(partitions))
