"""The brands' files, in memory as in PostgreSQL: kept once, ended in time, and never a byte left for ever."""

from datetime import UTC, datetime, timedelta

import pytest

from garbo.common.errors import RetryLater
from garbo.sender.domain.media_keys import MediaKey, media_key
from garbo.sender.flow.media_library import MediaLibrary
from garbo.sender.outbound.postgres_media import PostgresMediaFiles
from garbo.sender.ports.media import MediaFile, MediaFiles
from services.sender.tests.support.media_files import MemoryMediaFiles
from services.sender.tests.support.media_stand import an_image
from services.sender.tests.support.media_stores import MemoryMediaStore, parts_of
from services.sender.tests.support.postgres import SenderDatabase
from services.sender.tests.support.stand import Stand

pytestmark = pytest.mark.integration

DAY, NOW, HOUR = timedelta(days=1), timedelta(0), timedelta(hours=1)
PDF = b"%PDF-1.7 " + bytes(2000)


@pytest.fixture(params=["memory", "postgres"])
def files(request: pytest.FixtureRequest, sender_database: SenderDatabase) -> MediaFiles:
    in_memory = request.param == "memory"
    return MemoryMediaFiles() if in_memory else PostgresMediaFiles(sender_database.database)


def a_file(key: str, *, brand: str = "acme", sha256: str = "a" * 64) -> MediaFile:
    return MediaFile(
        brand, sha256, media_key(key), "image/png", 7, animated=True, kept_until=datetime.now(UTC)
    )


async def left(files: MediaFiles) -> list[MediaKey]:
    return list(await files.leftovers(limit=9))


async def test_a_file_is_kept_and_found_by_its_brand_alone(files: MediaFiles) -> None:
    await files.begin(media_key("k1"), within=NOW)
    kept = await files.keep(a_file("k1"), keep=DAY)
    assert await files.find("acme", "a" * 64) == kept
    assert await files.find("other", "a" * 64) is None
    assert (kept.key, kept.mime_type, kept.size_bytes, kept.animated) == ("k1", "image/png", 7, True)
    assert kept.kept_until - datetime.now(UTC) > timedelta(hours=23)
    assert await left(files) == []


async def test_the_same_content_again_is_the_first_kept_longer(files: MediaFiles) -> None:
    first = await files.keep(a_file("k1"), keep=HOUR)
    await files.begin(media_key("k2"), within=HOUR)
    again = await files.keep(a_file("k2"), keep=DAY)
    assert again.key == first.key
    assert again.kept_until > first.kept_until
    assert await left(files) == ["k2"], "what was stored in vain"
    shorter = await files.keep(a_file("k2"), keep=HOUR)
    assert shorter.kept_until == again.kept_until
    other = await files.keep(a_file("k3", brand="other"), keep=HOUR)
    assert other.key == "k3"


async def test_what_was_begun_and_never_kept_is_left_over_after_a_while(files: MediaFiles) -> None:
    await files.begin(media_key("now"), within=NOW)
    await files.begin(media_key("soon"), within=HOUR)
    assert await left(files) == ["now"]
    await files.cleared([media_key("now")])
    assert await left(files) == []


async def test_what_is_over_ends_and_its_bytes_are_left_over(files: MediaFiles) -> None:
    await files.keep(a_file("old"), keep=-HOUR)
    await files.keep(a_file("young", sha256="b" * 64), keep=HOUR)
    assert await files.end_old(limit=9) == 1
    assert await files.end_old(limit=9) == 0
    assert await files.find("acme", "a" * 64) is None
    assert await files.find("acme", "b" * 64) is not None
    assert await left(files) == ["old"]


async def test_bytes_go_before_what_is_known_of_them(files: MediaFiles) -> None:
    store = MemoryMediaStore()
    library = MediaLibrary(files, store)
    file = await library.take("acme", "application/pdf", parts_of(PDF[:5], PDF[5:]), keep=-HOUR)
    assert store.files[file.key] == PDF
    store.away = True
    with pytest.raises(RetryLater):
        await library.tidy()
    assert await left(files) == [file.key]
    store.away = False
    assert await library.tidy() is False
    assert (store.files, await left(files)) == ({}, [])


async def test_no_file_ends_for_which_a_message_waits(stand: Stand) -> None:
    files = PostgresMediaFiles(stand.door.database)
    kept = await files.keep(a_file("old"), keep=-HOUR)
    grant = an_image(kept.name)
    assert await stand.come(grant) == "waiting"
    assert await files.end_old(limit=9) == 0
    await stand.refused(grant, "lease_expired")
    result = await stand.result(grant)
    assert result is not None
    await stand.queue.forget([result])
    assert await files.end_old(limit=9) == 1
