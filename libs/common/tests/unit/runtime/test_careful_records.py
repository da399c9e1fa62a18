"""Whatever a fetch holds, its records come in order, each once, and nothing raises."""

import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cramjam
import pytest
from aiokafka.consumer.fetcher import READ_UNCOMMITTED
from aiokafka.structs import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from garbo.common.runtime import unpacking
from garbo.common.runtime.batches import HEADER, Frames
from garbo.common.runtime.careful_records import LARGE_BYTES, CarefulRecords
from garbo.common.runtime.salvage import MAX_HEADERS, Unreadable
from garbo.common.runtime.unpacking import MAX_UNPACKED_BYTES
from libs.common.tests.support.built_batches import CODECS, at_offset, built, checked, packed

TP = TopicPartition("garbo.some.v1", 3)
MIB = 1024 * 1024
of_each_codec = pytest.mark.parametrize("codec", CODECS)


def read(fetched: bytes, *, at: int = 0) -> list[Any]:
    records = CarefulRecords(TP, Frames(fetched), None, at, None, None, True, READ_UNCOMMITTED)
    return list(records)


def seen(records: Sequence[Any]) -> list[tuple[int, bytes | str | None]]:
    """Of each record its value, of what is unreadable why."""
    return [(r.offset, r.error if isinstance(r, Unreadable) else r.value) for r in records]


@of_each_codec
def test_batches_of_every_codec_are_read(codec: str | None) -> None:
    batches = built([b"a", None, b"c"], codec=codec, headers=[("h", b"x"), ("n", None)])
    records = read(bytes(batches + at_offset(built([b"d"], codec=codec), 3)))
    assert seen(records) == [(0, b"a"), (1, None), (2, b"c"), (3, b"d")]
    assert (records[0].key, records[0].timestamp) == (b"k", 1_700_000_000_000)
    assert records[0].headers == (("h", b"x"), ("n", None))


@of_each_codec
def test_large_batch_is_read_the_same(codec: str | None) -> None:
    values = [bytes([n]) * 9000 for n in range(100)]
    assert sum(map(len, values)) > LARGE_BYTES
    records = read(bytes(built(values, codec=codec, headers=[("h", b"x"), ("n", None)])), at=98)
    assert seen(records) == [(98, values[98]), (99, values[99])]
    assert (records[0].timestamp, records[0].headers) == (1_700_000_000_098, (("h", b"x"), ("n", None)))


@of_each_codec
def test_reading_begins_amid_a_batch(codec: str | None) -> None:
    assert seen(read(bytes(built([b"a", b"b", b"c"], codec=codec)), at=2)) == [(2, b"c")]


@of_each_codec
def test_name_of_a_header_that_is_not_utf8_costs_that_record_alone_and_keeps_what_it_says(
    codec: str | None,
) -> None:
    plain = built([b"a", b"b", b"c"], headers=[("first", b"1"), ("other", b"2")])
    second = plain.index(b"other", plain.index(b"other") + 1)
    bad = bytearray(plain[:second] + b"\xff" * 5 + plain[second + 5 :])
    batch = checked(bad) if codec is None else packed(bad, CODECS[codec], PACK[codec])
    records = read(bytes(batch))
    assert seen(records) == [(0, b"a"), (1, "UnicodeDecodeError"), (2, b"c")]
    assert (records[1].key, records[1].value, records[1].timestamp) == (b"k", b"b", 1_700_000_000_001)
    assert records[1].headers == [("first", b"1"), ("\ufffd" * 5, b"2")]


PACK = {
    "gzip": lambda plain: bytes(cramjam.gzip.compress(plain)),
    "snappy": lambda plain: bytes(cramjam.snappy.compress_raw(plain)),
    "lz4": lambda plain: bytes(cramjam.lz4.compress(plain)),
    "zstd": lambda plain: bytes(cramjam.zstd.compress(plain)),
}


@pytest.mark.parametrize("codec", PACK)
def test_bomb_costs_its_batch_alone_however_many_records_it_has(codec: str) -> None:
    bomb = built([b" " * 1024] * (MAX_UNPACKED_BYTES // 1024), codec=codec)
    records = read(bytes(built([b"a"]) + at_offset(bomb, 1) + at_offset(built([b"z"]), 16385)))
    assert seen(records) == [(0, b"a"), (16384, "TooLargeUnpacked"), (16385, b"z")]
    assert records[1].count == 16384


@pytest.mark.parametrize("codec", PACK)
def test_bombs_take_little_memory(codec: str, tmp_path: Path) -> None:
    bombs = tmp_path / "bombs"
    one = packed(built([b" " * 100 * MIB]), CODECS[codec], PACK[codec])
    almost = packed(built([b" " * 15 * MIB]), CODECS[codec], PACK[codec])
    bombs.write_bytes(bytes(one + at_offset(almost, 1) + at_offset(one, 2)))
    told = subprocess.run(
        [sys.executable, "-c", READ_AND_MEASURE, str(bombs)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert [int(word) for word in told.stdout.split()][:3] == [0, 15 * MIB, 0]
    grown_mib = int(told.stdout.split()[3])
    assert grown_mib < 100, (
        "three bombs, of which one is read: its batch unpacked, framed anew, and its value"
    )


READ_AND_MEASURE = """
import resource, sys
from pathlib import Path
from aiokafka.consumer.fetcher import READ_UNCOMMITTED
from aiokafka.structs import TopicPartition
from garbo.common.runtime.batches import Frames
from garbo.common.runtime.careful_records import CarefulRecords

fetched = Path(sys.argv[1]).read_bytes()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
tp = TopicPartition("garbo.some.v1", 0)
for record in CarefulRecords(tp, Frames(fetched), None, 0, None, None, True, READ_UNCOMMITTED):
    print(len(record.value or b""))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_codec_without_its_library_costs_its_batch_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    batches = built([b"a", b"b"], codec="zstd") + at_offset(built([b"c"], codec="gzip"), 2)
    monkeypatch.setattr(unpacking, "cramjam", None)
    assert seen(read(bytes(batches))) == [(1, "UnknownCompression"), (2, b"c")]


def test_wrong_checksum_costs_its_batch_alone() -> None:
    wrong = built([b"aaa", b"bbb"])
    wrong[-4] ^= 1
    assert seen(read(bytes(wrong + at_offset(built([b"c"]), 2)))) == [(1, "WrongChecksum"), (2, b"c")]


def test_header_that_contradicts_itself_is_not_believed() -> None:
    wrong = built([b"aaa"])
    struct.pack_into(">i", wrong, 23, 2**31 - 1)  # its last offset
    assert seen(read(bytes(wrong + at_offset(built([b"c"]), 1)))) == [(0, "WrongChecksum"), (1, b"c")]


@pytest.mark.parametrize("delta", [2**31, 500, 0, -1])
def test_offset_a_record_claims_leads_nowhere(delta: int) -> None:
    batch = built([b"a", b"b", b"c"])
    second = bytes(built([b"a", b"b"])[len(built([b"a"])) :])
    forged = _record(delta, b"b")
    batch = bytearray(batch.replace(second, forged))
    struct.pack_into(">i", batch, 8, len(batch) - 12)
    assert seen(read(bytes(checked(batch)))) == [(0, b"a"), (1, "WrongOffset"), (2, b"c")]


def _record(delta: int, value: bytes) -> bytes:
    body = b"\0" + _varint(1) + _varint(delta) + _varint(1) + b"k" + _varint(len(value)) + value + _varint(0)
    return _varint(len(body)) + body


def _varint(number: int) -> bytes:
    raw, out = (number << 1) ^ (number >> 63), bytearray()
    while raw > 0x7F:
        out.append(raw & 0x7F | 0x80)
        raw >>= 7
    return bytes([*out, raw])


def test_record_with_millions_of_headers_is_refused_before_they_are_in_memory() -> None:
    count = 4 * MIB
    body = b"\0\0\0" + _varint(1) + b"k" + _varint(1) + b"v" + _varint(count) + b"\0\1" * count
    plain = built([b""])[: HEADER.size] + _varint(len(body)) + body
    batch = packed(plain, CODECS["zstd"], PACK["zstd"])
    assert len(batch) < 10_000
    (record,) = read(bytes(batch + at_offset(built([]), 1)))
    assert (record.error, record.key, record.value) == ("TooManyHeaders", b"k", b"v")


def test_thousand_headers_are_read() -> None:
    (record,) = read(bytes(built([b"v" * LARGE_BYTES], headers=[("h", b"x")] * MAX_HEADERS)))
    assert len(record.headers) == MAX_HEADERS


def test_message_of_old_brokers_is_stepped_over() -> None:
    old = built([b"a" * 50])
    old[16] = 1
    assert seen(read(bytes(old + at_offset(built([b"b"]), 1)))) == [(0, "OldFormat"), (1, b"b")]


def test_end_of_a_transaction_is_no_record() -> None:
    marker = built([b"\0\0\0\0\0\0"])
    struct.pack_into(">h", marker, 21, 0x30)
    records = CarefulRecords(TP, Frames(bytes(checked(marker))), None, 0, None, None, True, READ_UNCOMMITTED)
    assert list(records) == []
    assert records.next_fetch_offset == 1


def test_batch_broken_off_at_the_end_of_a_fetch_waits_for_the_next() -> None:
    assert seen(read(bytes(built([b"a"]) + at_offset(built([b"b"]), 1))[:-1])) == [(0, b"a")]
    assert read(b"") == read(b"\0" * 11) == []


places = st.integers(0, 400)
mutations = st.lists(st.tuples(places, st.integers(0, 255)), max_size=6)


@given(
    mutations=mutations,
    inside=mutations,
    codec=st.sampled_from(list(CODECS)),
    right=st.booleans(),
    dropped=st.integers(0, 30),
)
def test_no_batch_raises_and_offsets_only_grow(
    mutations: list[tuple[int, int]],
    inside: list[tuple[int, int]],
    codec: str | None,
    right: bool,
    dropped: int,
) -> None:
    plain = built([b"abc" * 20, None, b"", b"z"], headers=[("name", b"value")])
    for place, byte in inside:
        plain[HEADER.size + place % (len(plain) - HEADER.size)] = byte
    batch = plain if codec is None else packed(plain, CODECS[codec], PACK[codec])
    for place, byte in mutations:
        batch[place % len(batch)] = byte
    batch = checked(batch) if right and len(batch) > 21 else batch
    batch = batch[: len(batch) - dropped]
    if len(batch) >= 12 and not dropped:
        struct.pack_into(">i", batch, 8, len(batch) - 12)
    records = read(bytes(batch + at_offset(built([b"last"]), 4)))
    offsets = [record.offset for record in records]
    assert offsets == sorted(set(offsets))
    if not dropped and not mutations and right:
        assert offsets[-1] == 4
