import gzip
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import cramjam
import pytest
from aiokafka import codec as aiokafka_codec
from hypothesis import given
from hypothesis import strategies as st

from garbo.common.runtime import unpacking
from garbo.common.runtime.unpacking import (
    MAX_UNPACKED_BYTES,
    NotUnpackable,
    TooLargeUnpacked,
    UnknownCompression,
    unpack,
)

GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4
PACK: dict[str, tuple[int, Callable[[bytes], bytes]]] = {
    "gzip": (GZIP, gzip.compress),
    "snappy": (SNAPPY, aiokafka_codec.snappy_encode),
    "snappy-raw": (SNAPPY, lambda plain: bytes(cramjam.snappy.compress_raw(plain))),
    "lz4": (LZ4, aiokafka_codec.lz4_encode),
    "lz4-linked": (LZ4, lambda plain: bytes(cramjam.lz4.compress(plain))),
    "zstd": (ZSTD, aiokafka_codec.zstd_encode),
}
of_each_codec = pytest.mark.parametrize(("codec", "pack"), PACK.values(), ids=PACK)


@of_each_codec
def test_what_any_producer_packs_is_unpacked(codec: int, pack: Callable[[bytes], bytes]) -> None:
    for plain in (b"a", b"{}" * 70_000, bytes(range(256)) * 300, b"\0" * MAX_UNPACKED_BYTES):
        assert unpack(codec, memoryview(pack(plain))) == plain


@of_each_codec
def test_bomb_is_refused_at_the_bound(codec: int, pack: Callable[[bytes], bytes]) -> None:
    for size in (MAX_UNPACKED_BYTES + 1, 7 * MAX_UNPACKED_BYTES):
        with pytest.raises(TooLargeUnpacked):
            unpack(codec, pack(b" " * size))


@pytest.mark.parametrize(
    ("codec", "packed"),
    [
        pytest.param(
            GZIP, gzip.compress(b"a") + gzip.compress(b"\0" * MAX_UNPACKED_BYTES), id="gzip-in-parts"
        ),
        pytest.param(GZIP, gzip.compress(b"") * 50_000, id="gzip-in-50,000-empty-parts"),
        pytest.param(
            LZ4,
            bytes(cramjam.lz4.compress(b"a")) + bytes(cramjam.lz4.compress(b"\0" * MAX_UNPACKED_BYTES)),
            id="lz4-in-frames",
        ),
        pytest.param(
            ZSTD,
            bytes(cramjam.zstd.compress(b"a")) + bytes(cramjam.zstd.compress(b"\0" * MAX_UNPACKED_BYTES)),
            id="zstd-in-frames",
        ),
        pytest.param(SNAPPY, b"\xff\xff\xff\xff\x0f" + b"a" * 50, id="snappy-that-says-4-GiB"),
    ],
)
def test_bomb_in_parts_is_refused_as_well(codec: int, packed: bytes) -> None:
    with pytest.raises(TooLargeUnpacked):
        unpack(codec, packed)


@of_each_codec
def test_what_is_broken_is_said_to_be(codec: int, pack: Callable[[bytes], bytes]) -> None:
    packed = pack(bytes(range(256)) * 300)
    for broken in (packed[:-9], packed[: len(packed) // 2], b"\xff" * 60, packed[:20] + b"\xff" * 200):
        with pytest.raises((NotUnpackable, TooLargeUnpacked)):
            unpack(codec, broken)


@pytest.mark.parametrize("codec", [5, 6, 7, -1, 100])
def test_codec_nobody_knows_is_refused(codec: int) -> None:
    with pytest.raises(UnknownCompression):
        unpack(codec, b"x")


@pytest.mark.parametrize("codec", [SNAPPY, LZ4, ZSTD])
def test_without_the_library_only_gzip_is_read(codec: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "cramjam", None)
    with pytest.raises(UnknownCompression):
        unpack(codec, b"x")
    assert unpack(GZIP, gzip.compress(b"x")) == b"x"


@given(
    codec=st.integers(0, 7),
    packed=st.binary(max_size=200),
    name=st.sampled_from([*PACK, None]),
    data=st.data(),
)
def test_arbitrary_bytes_raise_nothing_else(codec: int, packed: bytes, name: str | None, data: Any) -> None:  # noqa: ANN401
    if name is not None:
        codec, pack = PACK[name]
        changed = bytearray(pack(packed * 3))
        changed[data.draw(st.integers(0, len(changed) - 1))] ^= data.draw(st.integers(1, 255))
        packed = bytes(changed)
    with suppress(NotUnpackable, TooLargeUnpacked, UnknownCompression):
        assert len(unpack(codec, packed)) <= MAX_UNPACKED_BYTES
