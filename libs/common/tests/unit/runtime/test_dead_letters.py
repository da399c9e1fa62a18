from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garbo.common.runtime.deadletter import DEAD_LETTER_BYTES, KEPT_BYTES, Failure, dead_letter_of
from garbo.common.runtime.deliver import Delivered
from garbo.common.runtime.raw_producer import Outgoing, encoded_bytes
from libs.common.tests.support.delivery import Noted
from libs.common.tests.support.delivery import Raw as Read
from libs.common.tests.support.processing import REDRIVE, Letters, finish, offsets

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
WHY = Failure("not_json", "e", NOW)
AGAIN = Failure("r2", "e", NOW)
TO = "garbo.unit.dlq.v1"
MIB = 1024 * 1024


@dataclass
class Raw:
    headers: Sequence[tuple[str, bytes | None]] = ()
    topic: str = "garbo.some.v1"
    partition: int = 3
    offset: int = 41
    key: bytes | None = b"key"
    value: bytes | None = b"\xff"
    timestamp: int = 0


def own(letter: Outgoing) -> dict[str, bytes]:
    return {name: value for name, value in letter.headers if name.startswith("garbo-")}


def test_letter_keeps_the_bytes_and_says_where_it_came_from() -> None:
    made = dead_letter_of(Raw([("a", b"\xff"), ("n", None)]), to=TO, failure=WHY)
    assert (made.topic, made.key, made.value) == (TO, b"key", b"\xff")
    assert made.headers == (
        ("a", b"\xff"),
        ("n", b""),
        ("garbo-origin-topic", b"garbo.some.v1"),
        ("garbo-origin-partition", b"3"),
        ("garbo-origin-offset", b"41"),
        ("garbo-reason", b"not_json"),
        ("garbo-error", b"e"),
        ("garbo-attempt", b"1"),
        ("garbo-failed-at", b"2026-01-02T03:04:05+00:00"),
    )


def test_letter_of_a_letter_keeps_its_first_origin_and_counts_on() -> None:
    first = dead_letter_of(Raw([]), to=TO, failure=WHY)
    again = Raw(list(first.headers), topic="garbo.t.redrive.v1", partition=0, offset=0)
    headers = dead_letter_of(again, to=TO, failure=AGAIN, redriven=True).headers
    assert dict(headers)["garbo-origin-topic"] == b"garbo.some.v1"
    assert dict(headers)["garbo-origin-offset"] == b"41"
    assert dict(headers)["garbo-attempt"] == b"2"
    assert dict(headers)["garbo-reason"] == b"r2"
    assert len(headers) == len(dict(headers))


def test_tombstone_becomes_an_empty_dead_letter() -> None:
    made = dead_letter_of(Raw([], key=None, value=None), to=TO, failure=WHY)
    assert (made.key, made.value) == (None, b"")


def test_what_a_stranger_says_of_the_origin_is_not_believed() -> None:
    forged: list[tuple[str, bytes | None]] = [
        ("garbo-origin-topic", b"elsewhere"),
        ("garbo-origin-offset", b"1"),
        ("garbo-attempt", b"7"),
        ("garbo-whole-bytes", b"1"),
    ]
    headers = own(dead_letter_of(Raw(forged), to=TO, failure=WHY))
    assert headers["garbo-origin-topic"] == b"garbo.some.v1"
    assert headers["garbo-origin-offset"] == b"41"
    assert headers["garbo-attempt"] == b"1"
    assert "garbo-whole-bytes" not in headers


@pytest.mark.parametrize(
    "attempt",
    [b"9" * 5000, b"", b"-1", b"1e3", b"\xff", b" 1", "\u0661".encode(), b"1_0"],
    ids=["huge", "none", "negative", "float", "not-utf8", "blank", "arabic", "underscore"],
)
def test_whatever_a_redriven_record_says_of_its_attempts_it_is_buried(attempt: bytes) -> None:
    made = dead_letter_of(Raw([("garbo-attempt", attempt)]), to=TO, failure=WHY, redriven=True)
    assert own(made)["garbo-attempt"] == b"1"


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(Raw(value=b" " * 6 * MIB), id="value"),
        pytest.param(Raw(key=b"k" * 6 * MIB), id="key"),
        pytest.param(Raw([("h", b"h" * 6 * MIB)]), id="header"),
        pytest.param(Raw([("h" * 6 * MIB, b"h")]), id="header-name"),
        pytest.param(Raw([("h", b"x")] * 2 * MIB), id="many-headers"),
        pytest.param(Raw([("h", b"h" * 3 * MIB)], key=b"k" * MIB, value=b"v" * MIB), id="all-together"),
        pytest.param(Raw(value=b"v" * (DEAD_LETTER_BYTES - 200)), id="just-too-large"),
    ],
)
def test_letter_that_is_too_large_is_cut_and_says_so(record: Raw) -> None:
    made = dead_letter_of(record, to=TO, failure=WHY)
    assert encoded_bytes(made) < 4 * KEPT_BYTES
    assert made.value == (record.value or b"")[:KEPT_BYTES]
    assert own(made)["garbo-origin-offset"] == b"41"
    assert own(made)["garbo-reason"] == b"not_json"
    assert own(made)["garbo-whole-bytes"] == str(len(record.value or b"")).encode()


def test_letter_that_just_fits_is_whole() -> None:
    record = Raw(value=b"v" * (DEAD_LETTER_BYTES - 450))
    made = dead_letter_of(record, to=TO, failure=WHY)
    assert made.value == record.value
    assert "garbo-whole-bytes" not in own(made)


def test_letter_that_was_cut_once_stays_marked_with_its_first_size() -> None:
    first = dead_letter_of(Raw(value=b" " * 6 * MIB), to=TO, failure=WHY)
    again = Raw([*first.headers], value=first.value)
    assert own(dead_letter_of(again, to=TO, failure=AGAIN, redriven=True))["garbo-whole-bytes"] == b"6291456"


async def nothing(batch: Sequence[Delivered[Noted]]) -> None: ...


async def test_letters_the_broker_finds_too_large_are_cut_further_and_the_rest_is_whole() -> None:
    letters = Letters(limit_bytes=100_000)
    records = [Read(0, b"x" * 200_000), Read(1, b"short"), Read(2, b"x" * 200_000, key=b"k" * 99_000)]
    assert offsets(await finish(nothing, records, letters)) == ([0, 1, 2], [])
    assert [len(value) for value in letters.values] == [KEPT_BYTES, 5, 0]
    assert [own(letter).get("garbo-whole-bytes") for letter in letters.records] == [
        b"200000",
        None,
        b"200000",
    ]


async def test_letter_no_broker_takes_is_passed_over_and_the_lane_goes_on() -> None:
    letters = Letters(limit_bytes=10)
    assert offsets(await finish(nothing, [Read(0, b"x"), Read(1, b"y")], letters)) == ([0, 1], [])


names = st.one_of(
    st.sampled_from(
        ["garbo-attempt", "garbo-origin-topic", "garbo-origin-offset", "garbo-whole-bytes", "traceparent"]
    ),
    st.text(st.characters(codec="utf-8"), max_size=20),
)
values = st.one_of(st.none(), st.binary(max_size=40), st.integers(1, 5000).map(lambda n: b"9" * n))
records = st.builds(
    Read,
    offset=st.integers(0, 2**63 - 1),
    value=st.one_of(
        st.none(), st.binary(max_size=200), st.sampled_from([b"{", b'{"number": 1}', b"[" * 9999])
    ),
    topic=st.sampled_from([Read.topic, REDRIVE]),
    partition=st.integers(0, 2**31 - 1),
    timestamp=st.integers(-1, 2**63 - 1),
    key=st.one_of(st.none(), st.binary(max_size=40)),
    headers=st.lists(st.tuples(names, values), max_size=8),
)


@given(batch=st.lists(records, max_size=20, unique_by=lambda record: record.offset))
async def test_any_record_is_handled_or_buried_with_its_origin(batch: list[Read]) -> None:
    letters = Letters(limit_bytes=DEAD_LETTER_BYTES)
    handled: list[int] = []

    async def handle(delivered: Sequence[Delivered[Noted]]) -> None:
        assert all(one.trace is None or len(one.trace) <= 55 for one in delivered)
        handled.extend(one.offset for one in delivered)

    end = await finish(handle, batch, letters, takes_strays=True)
    assert offsets(end) == ([record.offset for record in batch], [])
    skipped = [r for r in batch if dict(r.headers).get("garbo-origin-topic") == b"theirs"]
    assert len(handled) + len(letters.records) + len(skipped) >= len(batch)
    for letter in letters.records:
        assert own(letter)["garbo-reason"]
        assert own(letter)["garbo-attempt"].isdigit()


async def test_record_that_breaks_the_look_at_whose_it_is_is_buried_by_one_lane() -> None:
    def wants(value: bytes) -> bool:
        raise OverflowError

    first, second = Letters(), Letters()
    assert offsets(await finish(nothing, [Read(0, b"x")], first, wants=wants, takes_strays=True)) == ([0], [])
    assert offsets(await finish(nothing, [Read(0, b"x")], second, wants=wants)) == ([0], [])
    assert (first.values, second.values) == ([b"x"], [])
