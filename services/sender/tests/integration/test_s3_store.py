"""What a bucket does that other stores need not."""

import os
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from garbo.common.errors import RetryLater, StartRefused
from garbo.sender.outbound import s3_store
from garbo.sender.outbound.s3_store import PART_BYTES, S3Store
from services.sender.tests.support.media_stores import (
    KEY,
    LARGE,
    OTHER,
    bucket_of,
    content_of,
    parts_of,
    started,
)
from tests.support.own_s3 import ACCESS_KEY, OwnS3

pytestmark = pytest.mark.integration


async def test_a_bucket_that_hangs_is_given_up_in_time(
    own_s3: OwnS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_s3.make_bucket(tmp_path.name)
    async with started(S3Store(bucket_of(own_s3, tmp_path.name))) as store:
        monkeypatch.setattr(s3_store, "CALL_S", 0.2)
        own_s3.freeze()
        try:
            with pytest.raises(RetryLater, match="the media store does not answer"):
                await store.put(KEY, parts_of(b"content"), most_bytes=LARGE)
        finally:
            own_s3.thaw()
            monkeypatch.undo()
        await store.put(KEY, parts_of(b"again"), most_bytes=LARGE)
        assert await content_of(store, KEY) == b"again"


async def test_what_a_killed_writer_left_in_the_bucket_is_swept(own_s3: OwnS3, tmp_path: Path) -> None:
    own_s3.make_bucket(tmp_path.name)
    store = S3Store(bucket_of(own_s3, tmp_path.name))
    async with started(store):
        for prefix in ("garbo/media", "garbo/media2"):
            await store._client.create_multipart_upload(Bucket=tmp_path.name, Key=f"{prefix}/{KEY}")
        assert await store.sweep(older_than=timedelta(hours=1)) == 0
        assert await store.sweep(older_than=timedelta(seconds=-2)) == 1
        left = await store._client.list_multipart_uploads(Bucket=tmp_path.name)
        assert [one["Key"] for one in left["Uploads"]] == [f"garbo/media2/{KEY}"], "what is not ours stays"


async def test_keys_stand_below_the_prefix(own_s3: OwnS3, tmp_path: Path) -> None:
    own_s3.make_bucket(tmp_path.name)
    for prefix in ("", "a/b"):
        async with started(S3Store(bucket_of(own_s3, tmp_path.name, prefix=prefix))) as store:
            await store.put(KEY, parts_of(prefix.encode()), most_bytes=LARGE)
    assert (own_s3.data / tmp_path.name / KEY).read_bytes() == b""
    assert (own_s3.data / tmp_path.name / "a/b" / KEY).read_bytes() == b"a/b"


async def test_a_bucket_that_is_not_there_refuses_the_start(own_s3: OwnS3) -> None:
    store = S3Store(bucket_of(own_s3, "nowhere"))
    with pytest.raises(StartRefused, match="there is no bucket nowhere"):
        await store.start()
    await store.stop()


async def test_a_wrong_key_is_tried_again_and_not_told(
    own_s3: OwnS3, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own_s3.make_bucket(tmp_path.name)
    async with started(S3Store(bucket_of(own_s3, tmp_path.name, secret="not-the-secret"))) as store:
        with pytest.raises(RetryLater, match="the media store refused"):
            await store.put(KEY, parts_of(b"content"), most_bytes=LARGE)
    said = capsys.readouterr()
    assert "not-the-secret" not in said.out + said.err
    assert ACCESS_KEY not in said.out + said.err


async def test_a_store_that_goes_away_is_used_again_when_it_is_back(own_s3: OwnS3, tmp_path: Path) -> None:
    own_s3.make_bucket(tmp_path.name)
    async with started(S3Store(bucket_of(own_s3, tmp_path.name))) as store:
        await store.put(KEY, parts_of(b"content"), most_bytes=LARGE)
        own_s3.stop()
        uses: list[Callable[[], object]] = [
            lambda: store.put(OTHER, parts_of(b"other"), most_bytes=LARGE),
            lambda: content_of(store, KEY),
            lambda: store.exists(KEY),
            lambda: store.delete([KEY]),
            lambda: store.sweep(older_than=timedelta(0)),
        ]
        try:
            for use in uses:
                with pytest.raises(RetryLater):
                    await use()  # type: ignore[misc]  # each is a coroutine
        finally:
            own_s3.start()
        assert await content_of(store, KEY) == b"content"


async def test_a_store_that_dies_amid_an_upload_keeps_nothing_of_it(own_s3: OwnS3, tmp_path: Path) -> None:
    own_s3.make_bucket(tmp_path.name)

    async def parts() -> AsyncIterator[bytes]:
        yield bytes(2 * PART_BYTES)
        own_s3.kill()
        yield bytes(2 * PART_BYTES)

    store = S3Store(bucket_of(own_s3, tmp_path.name))
    async with started(store):
        try:
            with pytest.raises(RetryLater):
                await store.put(KEY, parts(), most_bytes=LARGE)
        finally:
            own_s3.start()
        assert not await store.exists(KEY)
        await store.put(KEY, parts_of(b"whole"), most_bytes=LARGE)
        await store.sweep(older_than=timedelta(seconds=-2))
        left = await store._client.list_multipart_uploads(Bucket=tmp_path.name)
        assert left.get("Uploads") in (None, [])
        assert await content_of(store, KEY) == b"whole"


async def test_a_store_that_dies_amid_a_file_is_tried_again(own_s3: OwnS3, tmp_path: Path) -> None:
    own_s3.make_bucket(tmp_path.name)
    async with started(S3Store(bucket_of(own_s3, tmp_path.name))) as store:
        await store.put(KEY, parts_of(*[os.urandom(PART_BYTES)] * 12), most_bytes=LARGE)
        parts = store.open(KEY)
        assert await anext(parts)
        own_s3.kill()
        try:
            with pytest.raises(RetryLater):
                async for _ in parts:
                    pass
        finally:
            own_s3.start()
