"""A platform that is slow, wrong, or somebody else: nothing is kept that should not be, nobody else waits."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from garbo.common.business import KeptFiles
from garbo.sender.domain import incoming_files
from garbo.sender.flow import file_work
from garbo.sender.outbound.folder_store import FolderStore
from garbo.sender.outbound.s3_store import S3Store
from libs.common.tests.support.waiting import until
from services.sender.tests.support.file_platform import FilePlatform, Give, a_file_platform
from services.sender.tests.support.file_stand import PNG, FileStand, a_message
from services.sender.tests.support.media_stores import (
    MemoryMediaStore,
    bucket_of,
    content_of,
    started,
)
from services.sender.tests.support.postgres import SenderDatabase
from tests.support.own_s3 import OwnS3

pytestmark = pytest.mark.integration
OK = b"HTTP/1.1 200 OK\r\nconnection: close\r\n"
BREAKS_OFF = OK + b"content-length: 9999\r\n\r\n" + PNG


@pytest.fixture
async def platform() -> AsyncIterator[FilePlatform]:
    async with a_file_platform() as platform:
        yield platform


@pytest.fixture
def stand(sender_database: SenderDatabase, platform: FilePlatform) -> FileStand:
    return FileStand(sender_database, platform.url)


def gives(answer: bytes) -> Give:
    async def give(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    return give


async def endless(writer: asyncio.StreamWriter) -> None:
    """Give a picture that never ends, without saying so."""
    writer.write(OK + b"\r\n" + PNG)
    while True:
        writer.write(bytes(65536))
        await writer.drain()


@pytest.mark.parametrize(
    ("says", "give", "expected"),
    [
        pytest.param({}, endless, ("refused", "wrong_size"), id="endless"),
        pytest.param({"file_size": 100}, None, ("refused", "wrong_size"), id="declared small, sends more"),
        pytest.param({"file_size": None}, endless, ("refused", "too_large"), id="no size, endless"),
        pytest.param({"file_size": 10**12}, None, ("refused", "too_large"), id="declared huge"),
        pytest.param({"mime_type": "image/svg+xml"}, None, ("refused", "type_not_kept"), id="another type"),
        pytest.param({}, gives(OK + b"\r\n<!DOCTYPE html>"), ("refused", "not_its_type"), id="a page"),
        pytest.param({}, gives(OK + b"\r\n"), ("refused", "not_its_type"), id="nothing"),
        pytest.param({"sha256": hashlib.sha256(b"").hexdigest()}, None, ("refused", "wrong_hash"), id="hash"),
    ],
)
async def test_what_is_not_what_it_should_be_is_refused_and_leaves_nothing(
    stand: FileStand, platform: FilePlatform, tmp_path: Path, says: dict[str, Any], give: Give | None,
    expected: tuple[str, str],
) -> None:  # fmt: skip
    platform.says, platform.give = says, give or platform.give
    message = a_message("1")
    async with started(FolderStore(tmp_path / "media")) as stand.store, stand.working():
        await stand.come(message)
        told = await stand.ended(message)
    assert (told.outcome, told.reason) == expected
    assert [path for path in (tmp_path / "media").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("says", "give", "why"),
    [
        pytest.param({"url": "https://files.example.com/1"}, None, "host_not_allowed", id="another host"),
        pytest.param({"url": "http://lookaside.fbsbx.com/1"}, None, "not_https", id="without TLS"),
        pytest.param({"url": "file:///etc/passwd"}, None, "not_a_web_address", id="no web address"),
        pytest.param({"url": 7}, None, "http_200", id="no address"),
        pytest.param({}, gives(b"HTTP/1.1 302 X\r\nlocation: /1\r\n\r\n"), "redirected", id="redirect"),
        pytest.param({}, gives(b"HTTP/1.1 503 X\r\ncontent-length: 0\r\n\r\n"), "http_503", id="busy"),
        pytest.param({"file_size": 9999}, gives(BREAKS_OFF), "unreachable", id="breaks off"),
        pytest.param({"error": {"code": 4, "message": "x"}}, None, "code_4", id="throttled"),
    ],
)  # fmt: skip
async def test_what_may_pass_is_tried_again_and_stored_when_it_has(
    stand: FileStand, platform: FilePlatform, says: dict[str, Any], give: Give | None, why: str
) -> None:
    store = stand.store = MemoryMediaStore()
    right = platform.give
    platform.says, platform.give = says, give or right
    message = a_message("1")
    async with stand.working():
        await stand.come(message)
        await until(lambda: ("later", why) in stand.figures.tries)
        assert store.files == {}
        platform.says, platform.give = {}, right
        told = await stand.ended(message)
    assert told.outcome == "stored"
    assert all("authorization: bearer token-1" in head.lower() for head in platform.fetched)


async def test_a_token_is_shown_to_no_other_host(stand: FileStand, platform: FilePlatform) -> None:
    async with a_file_platform() as stranger:
        platform.says = {"url": f"{stranger.url}/content/1"}
        message = a_message("1")
        async with stand.working():
            await stand.come(message)
            await until(lambda: ("later", "not_https") in stand.figures.tries)
        assert stranger.asked == stranger.fetched == []


async def test_slow_and_large_ones_delay_nobody_else(
    stand: FileStand, platform: FilePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large ones never take all seats; a slow one is cut off."""
    monkeypatch.setattr(incoming_files, "LEAST_PER_S", 10 * 1024 * 1024)
    monkeypatch.setattr(incoming_files, "SLACK_S", 0.5)
    stand.rules = KeptFiles(keep_incoming=True, most_bytes=100 * 1024 * 1024)
    hangs, quick = asyncio.Event(), platform.give

    async def hang(writer: asyncio.StreamWriter) -> None:
        writer.write(OK + b"\r\n" + PNG)
        await hangs.wait()

    platform.says, platform.give = {"file_size": 11 * 1024 * 1024}, hang
    large = [a_message(f"1{n}") for n in range(3 * file_work.SEATS)]
    await stand.come(*large)
    async with stand.working():
        await until(lambda: stand.figures.tries.count(("later", "busy")) >= file_work.SEATS)
        assert len(platform.fetched) <= 2
        platform.says, platform.give = {}, quick
        small = [a_message(f"2{n}") for n in range(20)]
        await stand.come(*small)
        for message in small:
            assert (await stand.ended(message, hurry=False)).outcome == "stored"
        await until(lambda: ("later", "timeout") in stand.figures.tries)
        hangs.set()


async def test_a_file_goes_into_a_bucket_and_out_of_it(
    stand: FileStand, own_s3: OwnS3, tmp_path: Path
) -> None:
    own_s3.make_bucket(tmp_path.name)
    message = a_message("1", content=PNG)
    async with started(S3Store(bucket_of(own_s3, tmp_path.name))) as stand.store, stand.working():
        await stand.come(message)
        told = await stand.ended(message)
        assert told.outcome == "stored"
        key = await stand.key_of(message)
        assert await content_of(stand.store, key) == PNG
        await stand.execute("UPDATE sender.incoming_file SET keep_until = clock_timestamp()")
        await stand.files.expire(limit=10)
        await until(stand.states, lambda states: states == {message.event_id: "deleted"})
        assert not await stand.store.exists(key)


async def test_nothing_of_it_stands_in_logs(
    stand: FileStand, platform: FilePlatform, capsys: pytest.CaptureFixture[str]
) -> None:
    message = a_message("424242", content=b"other")
    async with stand.working():
        await stand.come(message)
        await stand.ended(message)
    said = capsys.readouterr()
    assert "file tried" in said.out + said.err
    for secret in ("token-1", "424242", platform.url, "/content/", message.wamid, str(message.contact_id)):
        assert secret not in said.out + said.err, secret
