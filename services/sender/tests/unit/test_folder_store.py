"""What a folder does that other stores need not."""

import os
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest

from garbo.common.errors import RetryLater, StartRefused
from garbo.sender.outbound import folder_store
from garbo.sender.outbound.folder_store import INCOMING, FolderStore
from services.sender.tests.support.media_stores import (
    KEY,
    LARGE,
    parts_of,
    started,
)


async def test_files_of_the_folder_are_read_by_nobody_else(tmp_path: Path) -> None:
    async with started(FolderStore(tmp_path / "made")) as store:
        await store.put(KEY, parts_of(b"private"), most_bytes=LARGE)
    assert (tmp_path / "made" / KEY).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o700


async def test_what_a_killed_writer_left_in_the_folder_is_swept_when_it_is_old(tmp_path: Path) -> None:
    async with started(FolderStore(tmp_path)) as store:
        left = tmp_path / INCOMING / "left.part"
        left.write_bytes(b"half a file")
        assert await store.sweep(older_than=timedelta(hours=1)) == 0
        os.utime(left, (1, 1))
        assert await store.sweep(older_than=timedelta(hours=1)) == 1
        assert not left.exists()


@pytest.mark.parametrize("where", ["file", "file/below"])
async def test_a_folder_that_cannot_be_one_refuses_the_start(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = FolderStore(tmp_path / where)
    with pytest.raises(StartRefused, match="cannot be written"):
        await store.start()
    await store.stop()


async def test_a_full_disk_is_tried_again_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(fd: int, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    async with started(FolderStore(tmp_path)) as store:
        with monkeypatch.context() as patched:
            patched.setattr(os, "write", full)
            with pytest.raises(RetryLater, match="the media folder cannot be used"):
                await store.put(KEY, parts_of(b"content"), most_bytes=LARGE)
        assert not await store.exists(KEY)
        assert list((tmp_path / INCOMING).iterdir()) == []


async def test_a_folder_that_hangs_is_given_up_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    comes_back = Event()
    monkeypatch.setattr(folder_store, "STEP_S", 0.1)
    async with started(FolderStore(tmp_path)) as store:
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", lambda _: comes_back.wait())
            try:
                with pytest.raises(RetryLater, match="the media folder does not answer"):
                    await store.put(KEY, parts_of(b"content"), most_bytes=LARGE)
                assert not await store.exists(KEY), "others have threads left"
            finally:
                comes_back.set()
