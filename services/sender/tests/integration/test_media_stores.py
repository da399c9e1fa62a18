"""One suite for every media store: the fake keeps what the real ones keep."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from garbo.sender.domain.media_keys import MediaKey, media_key
from garbo.sender.outbound.folder_store import FolderStore
from garbo.sender.outbound.s3_store import PART_BYTES, S3Store
from garbo.sender.ports.media_store import MediaStore, NotStored, Stored, TooLarge
from services.sender.tests.support.media_stores import (
    KEY,
    LARGE,
    OTHER,
    MemoryMediaStore,
    bucket_of,
    content_of,
    parts_of,
    started,
)
from tests.support.own_s3 import OwnS3


@pytest.fixture(params=["memory", "folder", pytest.param("s3", marks=pytest.mark.integration)])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[MediaStore]:
    async with AsyncExitStack() as stack:
        match request.param:
            case "memory":
                yield MemoryMediaStore()
            case "folder":
                yield await stack.enter_async_context(started(FolderStore(tmp_path / "media")))
            case _:
                s3: OwnS3 = request.getfixturevalue("own_s3")
                s3.make_bucket(tmp_path.name)
                yield await stack.enter_async_context(started(S3Store(bucket_of(s3, tmp_path.name))))


@pytest.mark.parametrize(
    "sizes",
    [(), (0,), (1,), (3, 0, 5), (PART_BYTES,), (PART_BYTES - 1, 2), (3 * PART_BYTES,), (1024,) * 20000],
    ids=["nothing", "empty", "small", "parts", "one part", "just two", "three parts", "many small"],
)
async def test_what_is_put_is_what_is_read(store: MediaStore, sizes: tuple[int, ...]) -> None:
    parts = [os.urandom(size) for size in sizes]
    stored = await store.put(KEY, parts_of(*parts), most_bytes=LARGE)
    whole = b"".join(parts)
    assert stored == Stored(len(whole), hashlib.sha256(whole).hexdigest())
    assert await store.exists(KEY)
    assert await content_of(store, KEY) == whole


async def test_what_is_put_again_takes_the_place(store: MediaStore) -> None:
    await store.put(KEY, parts_of(b"older and longer"), most_bytes=LARGE)
    await store.put(KEY, parts_of(b"newer"), most_bytes=LARGE)
    assert await content_of(store, KEY) == b"newer"


@pytest.mark.parametrize("size", [101, 3 * PART_BYTES], ids=["by a byte", "by parts"])
async def test_what_is_too_large_leaves_nothing(store: MediaStore, size: int) -> None:
    most = size - 1
    with pytest.raises(TooLarge):
        await store.put(KEY, parts_of(os.urandom(size - 50), os.urandom(50)), most_bytes=most)
    assert not await store.exists(KEY)
    assert await store.sweep(older_than=timedelta(0)) == 0, "nothing half written is left"
    stored = await store.put(KEY, parts_of(b"x" * most), most_bytes=most)
    assert stored.size_bytes == most


async def test_what_is_endless_is_stopped_at_the_limit(store: MediaStore) -> None:
    given = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal given
        while True:
            given += 65536
            yield b"x" * 65536

    with pytest.raises(TooLarge):
        await store.put(KEY, endless(), most_bytes=PART_BYTES + 1)
    assert given <= PART_BYTES + 2 * 65536


@pytest.mark.parametrize("size", [1000, 2 * PART_BYTES], ids=["small", "in parts"])
async def test_a_source_that_breaks_leaves_what_was_there(store: MediaStore, size: int) -> None:
    await store.put(KEY, parts_of(b"before"), most_bytes=LARGE)

    async def breaks() -> AsyncIterator[bytes]:
        yield os.urandom(size)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await store.put(KEY, breaks(), most_bytes=LARGE)
    assert await content_of(store, KEY) == b"before"
    assert await store.sweep(older_than=timedelta(0)) == 0


@pytest.mark.parametrize("size", [1000, 2 * PART_BYTES], ids=["small", "in parts"])
async def test_a_writer_that_is_cancelled_leaves_nothing(store: MediaStore, size: int) -> None:
    hangs = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield os.urandom(size)
        hangs.set()
        await asyncio.Event().wait()

    writing = asyncio.create_task(store.put(KEY, slow(), most_bytes=LARGE))
    await hangs.wait()
    writing.cancel()
    await asyncio.wait([writing])
    assert writing.cancelled()
    assert not await store.exists(KEY)
    assert await store.sweep(older_than=timedelta(0)) == 0


async def test_what_is_deleted_is_gone_and_only_that(store: MediaStore) -> None:
    for key in (KEY, OTHER):
        await store.put(key, parts_of(b"content"), most_bytes=LARGE)
    await store.delete([KEY, media_key("shop/never/there"), media_key(f"{KEY}/below")])
    await store.delete([KEY])
    await store.delete([])
    assert not await store.exists(KEY)
    assert await content_of(store, OTHER) == b"content"
    await store.delete([OTHER])
    await store.put(KEY, parts_of(b"again"), most_bytes=LARGE)
    assert await content_of(store, KEY) == b"again"


async def test_what_is_not_there_is_told_so(store: MediaStore) -> None:
    with pytest.raises(NotStored):
        await content_of(store, KEY)
    await store.put(KEY, parts_of(b"content"), most_bytes=LARGE)
    assert not await store.exists(media_key("shop"))
    with pytest.raises(NotStored):
        await content_of(store, media_key("shop"))


@pytest.mark.parametrize(
    "text",
    ["", "/etc/passwd", "../x", "a/../../x", "a/..", "a//b", "a/", ".incoming/x", "a/.x", "a\\b", "a\0b",
     "a\nb", "ä", "a b", "%2e%2e/x", "a" * 513, "a\n"],
)  # fmt: skip
async def test_a_key_never_leads_elsewhere(store: MediaStore, text: str) -> None:
    with pytest.raises(ValueError, match="a media key holds"):
        await store.put(MediaKey(text), parts_of(b"x"), most_bytes=LARGE)
    with pytest.raises(ValueError, match="a media key holds"):
        await content_of(store, MediaKey(text))
    with pytest.raises(ValueError, match="a media key holds"):
        await store.delete([MediaKey(text)])


async def test_two_who_write_the_same_key_leave_one_whole_file(store: MediaStore) -> None:
    one, other = os.urandom(2 * PART_BYTES), os.urandom(2 * PART_BYTES)
    await asyncio.gather(*(store.put(KEY, parts_of(whole), most_bytes=LARGE) for whole in (one, other)))
    assert await content_of(store, KEY) in (one, other)


async def test_many_come_and_go_side_by_side(store: MediaStore) -> None:
    """Folders are removed when they are empty, while others are written there."""
    keys = [media_key(f"shop/1/{n % 3}/{n:03}") for n in range(60)]

    async def come_and_go(key: MediaKey) -> None:
        for _ in range(3):
            await store.put(key, parts_of(key.encode()), most_bytes=LARGE)
            await store.delete([key])
        await store.put(key, parts_of(key.encode()), most_bytes=LARGE)

    await asyncio.gather(*map(come_and_go, keys))
    assert [await content_of(store, key) for key in keys] == [key.encode() for key in keys]
