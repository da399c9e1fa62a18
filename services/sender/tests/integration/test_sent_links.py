"""Links of listed hosts are fetched once for many, and sent as files; all others go to the platform."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from garbo.common.events.grants import SendGranted
from libs.simulator.tests.support.world import NUMBER, SLOW
from services.sender.tests.support.lying_hosts import OPEN_HERE, Host, Serve, a_host, says
from services.sender.tests.support.media_stand import PNG, MediaStand, a_simulated_stand, showing
from services.sender.tests.support.postgres import SenderDatabase

pytestmark = pytest.mark.integration

GOOD = "200 OK\r\ncontent-type: image/png"


@asynccontextmanager
async def a_stand(
    database: SenderDatabase, folder: Path, serve: Serve
) -> AsyncIterator[tuple[MediaStand, Host, str]]:
    async with a_host(serve, None) as host:
        origin = f"http://{OPEN_HERE}:{host.port}"
        async with a_simulated_stand(database, folder, origins=frozenset({origin})) as stand:
            yield stand, host, f"{origin}/a.png?sale=1"


def linked(link: str, *, number: str = NUMBER.id) -> SendGranted:
    return showing({"type": "image", "image": {"link": link}}, number=number)


async def test_a_link_is_fetched_once_for_many_and_uploaded_once_a_number(
    sender_database: SenderDatabase, tmp_path: Path
) -> None:
    async with a_stand(sender_database, tmp_path, says(GOOD, PNG)) as (stand, host, link):
        many = [linked(link, number=number) for number in (NUMBER.id, SLOW.id) for _ in range(30)]
        assert await stand.send(*many) == [("accepted", None)] * 60
        assert await stand.send(linked(link)) == [("accepted", None)]
        assert len(host.heads) == 1
        assert sorted(number for number, _ in stand.platform.uploads) == [NUMBER.id, SLOW.id]
        assert {one for entry in stand.ledger() for one in entry["files"]} == set(stand.ids())


async def test_the_same_content_at_another_link_is_not_uploaded_again(
    sender_database: SenderDatabase, tmp_path: Path
) -> None:
    async with a_stand(sender_database, tmp_path, says(GOOD, PNG)) as (stand, host, link):
        assert await stand.send(linked(link), linked(f"{link}&v=2")) == [("accepted", None)] * 2
        assert (len(host.heads), len(stand.platform.uploads)) == (2, 1)


async def test_a_link_that_is_over_is_fetched_again(sender_database: SenderDatabase, tmp_path: Path) -> None:
    async with a_stand(sender_database, tmp_path, says(GOOD, PNG)) as (stand, host, link):
        assert await stand.send(linked(link)) == [("accepted", None)]
        async with sender_database.database.connection() as connection:
            await connection.execute("UPDATE sender.media_link SET expires_at = clock_timestamp()")
        assert await stand.send(linked(link)) == [("accepted", None)]
        assert (len(host.heads), len(stand.platform.uploads)) == (2, 1)


async def test_any_other_link_goes_to_the_platform_as_it_is(
    sender_database: SenderDatabase, tmp_path: Path
) -> None:
    async with a_stand(sender_database, tmp_path, says(GOOD, PNG)) as (stand, host, _):
        there = "https://elsewhere.example/a.png"
        assert await stand.send(linked(there)) == [("accepted", None)]
        assert (stand.ledger()[0]["files"], host.heads, stand.platform.uploads) == ([there], [], [])


BAD = {
    "gone": (says("404 Not Found"), "media_unreachable", 1),
    "elsewhere": (says("302 Found\r\nlocation: http://127.0.0.1/"), "media_unreachable", 1),
    "ill": (says("503 Later\r\nretry-after: 0"), "media_unreachable", 2),
    "not what it says": (says(GOOD, b"<html>"), "media_refused", 1),
    "empty": (says(GOOD), "media_refused", 1),
    "of no type": (says("200 OK", PNG), "media_refused", 1),
    "not to be shown": (says("200 OK\r\ncontent-type: text/html", b"<html>"), "media_refused", 1),
    "too large by its own word": (says(f"{GOOD}\r\ncontent-length: 104857601"), "media_refused", 1),
}


@pytest.mark.parametrize(("serve", "reason", "asked"), BAD.values(), ids=BAD)
async def test_a_link_that_leads_to_nothing_to_show_ends_its_messages(
    sender_database: SenderDatabase, tmp_path: Path, serve: Serve, reason: str, asked: int
) -> None:
    async with a_stand(sender_database, tmp_path, serve) as (stand, host, link):
        assert await stand.send(linked(link), linked(link)) == [("not_sent", reason)] * 2
        assert len(host.heads) == asked
        assert stand.ledger() == []


async def test_a_slow_link_delays_nobody_else(sender_database: SenderDatabase, tmp_path: Path) -> None:
    goes_on = asyncio.Event()

    async def slow(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await goes_on.wait()
        await says(GOOD, PNG)(_, writer)

    async with a_stand(sender_database, tmp_path, slow) as (stand, _, link):
        waits, other = linked(link), linked("https://elsewhere.example/a.png")
        await stand.take(waits)
        assert await stand.send(other) == [("accepted", None)]
        assert stand.sender.published(waits) == []
        goes_on.set()
        assert await stand.ended(waits) == [("accepted", None)]
