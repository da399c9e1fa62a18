"""How fast what is refused is buried (ADR 0017)."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garbo.common.runtime.deliver import Delivered, RefusalPace
from garbo.common.runtime.deliver.decoder import BatchItem, Decoded, Refused, Skipped
from garbo.common.runtime.deliver.refusals import PUBLISHERS_COUNT, Refusals, publisher_of
from libs.common.tests.support.delivery import Noted, Raw

PACE = RefusalPace(free_count=5, proven_s=60, slow_per_s=10, burst_count=10)


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def bad(offset: int, *, client: str = "shop", partition: int = 0, topic: str = Raw.topic) -> Refused:
    value = b'{"client": "%s"}' % client.encode()
    return Refused(Raw(offset, value, topic=topic, partition=partition), "not_json", "decoding")


def good(offset: int, *, client: str = "shop", partition: int = 0, topic: str = Raw.topic) -> Decoded:
    record = Raw(offset, b'{"client": "%s"}' % client.encode(), topic=topic, partition=partition)
    event = Noted(number=offset)
    return Decoded(record, Delivered(event, topic, partition, offset, None, record.value or b"", {}))


def done(refusals: Refusals, items: Sequence[BatchItem]) -> int:
    """Take a batch; tell how many are finished."""
    finished, held = refusals.part(items)
    refusals.count(finished)
    assert len(finished) + len(held) == len(items)
    return len(finished)


def test_where_nothing_is_good_refusals_are_buried_slowly() -> None:
    clock = Clock()
    refusals = Refusals(PACE, clock)
    flood = [bad(n) for n in range(1000)]
    assert done(refusals, flood) == 5 + 10
    assert done(refusals, flood[15:]) == 0
    clock.now_s += 0.5
    assert done(refusals, flood[15:]) == 5
    clock.now_s += 100
    assert done(refusals, flood[20:]) == 10, "no more than the burst, however long it rested"


def test_good_record_of_anybody_proves_that_the_fault_is_not_ours() -> None:
    refusals = Refusals(PACE, Clock())
    assert done(refusals, [good(0, client="other", partition=1)]) == 1
    assert done(refusals, [bad(n) for n in range(1000)]) == 1000


def test_good_record_behind_a_flood_in_the_same_batch_is_proof_enough() -> None:
    refusals = Refusals(PACE, Clock())
    assert done(refusals, [*(bad(n) for n in range(400)), good(400, client="other")]) == 401


def test_proof_wears_off_and_is_one_of_its_own_topic_alone() -> None:
    clock = Clock()
    refusals = Refusals(PACE, clock)
    done(refusals, [good(0), good(0, topic="another")])
    clock.now_s += 59
    done(refusals, [good(1, topic="another")])
    assert done(refusals, [bad(n) for n in range(30)]) == 30
    clock.now_s += 2
    assert done(refusals, [bad(n) for n in range(30)]) == 10
    assert done(refusals, [bad(n, topic="another") for n in range(30)]) == 30


def test_flood_of_one_publisher_uses_up_nobody_elses_allowance() -> None:
    refusals = Refusals(PACE, Clock())
    done(refusals, [bad(n) for n in range(1000)])
    assert done(refusals, [bad(n, client="other", partition=1) for n in range(5)]) == 5


def test_held_record_holds_its_partition_and_no_other() -> None:
    refusals = Refusals(PACE, Clock())
    done(refusals, [bad(n) for n in range(15)])
    items: list[BatchItem] = [bad(15), Skipped(Raw(16, b"")), Skipped(Raw(0, b"", partition=1)), bad(17)]
    finished, held = refusals.part(items)
    assert finished == [items[2]]
    assert held == [items[0], items[1], items[3]]


def test_looking_counts_nothing() -> None:
    refusals = Refusals(PACE, Clock())
    for _ in range(50):
        finished, _ = refusals.part([bad(n) for n in range(5)])
        assert len(finished) == 5


def test_invented_names_do_not_grow_without_bound() -> None:
    refusals = Refusals(RefusalPace(free_count=1, burst_count=1, slow_per_s=0), Clock())
    taken = sum(done(refusals, [bad(n, client=f"c{n}")]) for n in range(5 * PUBLISHERS_COUNT))
    assert taken <= PUBLISHERS_COUNT + 2
    assert len(refusals._rows) <= PUBLISHERS_COUNT + 1


@pytest.mark.parametrize(
    ("value", "source", "publisher"),
    [
        (b'{"client" : "shop", "x": {"client": "y"}}', None, b"shop"),
        (b"\xff{{", b"/garbo/ingest", b"/garbo/ingest"),
        (b"", None, b""),
        (b'{"client": "' + b"x" * 100 + b'"}', b"s" * 100, b"s" * 64),
    ],
    ids=["client", "source", "neither", "long"],
)
def test_publisher_is_guessed_from_bytes_nobody_can_read(
    value: bytes, source: bytes | None, publisher: bytes
) -> None:
    record = Raw(0, value, headers=[("ce_source", source)] if source else [])
    assert publisher_of(record) == (Raw.topic, publisher)


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["shop", "crm"]), st.booleans()), max_size=200))
def test_each_partition_is_finished_from_its_beginning(told: list[tuple[int, str, bool]]) -> None:
    refusals = Refusals(RefusalPace(free_count=2, burst_count=3), Clock())
    items: list[BatchItem] = [
        bad(n, client=client, partition=p) if is_bad else Skipped(Raw(n, b"", partition=p))
        for n, (p, client, is_bad) in enumerate(told)
    ]
    finished, held = refusals.part(items)
    assert sorted(i.record.offset for i in (*finished, *held)) == list(range(len(items)))
    for item in held:
        later = [i for i in items if i.record.partition == item.record.partition]
        later = [i for i in later if i.record.offset > item.record.offset]
        assert all(i in held for i in later)
