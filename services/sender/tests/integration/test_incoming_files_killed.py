"""A replica is killed amid a file, as `kill -9` does: another one has it whole, and nothing else is left."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from garbo.sender.outbound.folder_store import INCOMING, WRITE_BYTES, FolderStore
from libs.common.tests.support.waiting import until
from services.sender.tests.support.file_platform import a_file_platform
from services.sender.tests.support.file_stand import LOSE_CLAIMS, PNG, FileStand, a_message
from services.sender.tests.support.media_stores import started
from services.sender.tests.support.postgres import SenderDatabase

pytestmark = pytest.mark.integration
WORKER = (sys.executable, "-m", "services.sender.tests.support.file_worker")


def half_written(folder: Path) -> list[int]:
    return [path.stat().st_size for path in (folder / INCOMING).glob("*.part")]


async def test_a_replica_that_is_killed_amid_a_file_leaves_it_to_another_one(
    sender_database: SenderDatabase, tmp_path: Path
) -> None:
    whole = PNG + bytes(3 * WRITE_BYTES)
    never = asyncio.Event()

    async def half(writer: asyncio.StreamWriter) -> None:
        head = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
        writer.write(head % len(whole) + whole[: 2 * WRITE_BYTES])
        await writer.drain()
        await never.wait()

    async def all_of_it(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" + whole)
        await writer.drain()

    message = a_message("1", content=whole)
    async with a_file_platform() as platform, started(FolderStore(tmp_path)) as store:
        platform.says, platform.give = {"file_size": len(whole)}, half
        stand = FileStand(sender_database, platform.url, store=store)
        stand.rules = stand.rules.model_copy(update={"most_bytes": 2 * len(whole)})
        await stand.come(message)
        killed = await asyncio.create_subprocess_exec(
            *WORKER, sender_database.dsn, platform.url, str(tmp_path), str(2 * len(whole))
        )
        await until(lambda: half_written(tmp_path), lambda sizes: sizes and sizes[0] >= WRITE_BYTES)
        killed.kill()
        await killed.wait()
        assert not await store.exists(await stand.key_of(message)), "no part of it is shown as the file"
        platform.give = all_of_it
        async with stand.working():
            await until(lambda: stand.figures.counts.get("wanted") == 1)
            assert stand.figures.tries == [], "its claim holds"
            await stand.execute(LOSE_CLAIMS)
            told = await stand.ended(message)
        never.set()
        assert (told.outcome, told.size_bytes) == ("stored", len(whole))
        assert (tmp_path / str(told.key)).read_bytes() == whole
        assert len(half_written(tmp_path)) == 1
        assert await store.sweep(older_than=timedelta(0)) == 1
        assert half_written(tmp_path) == []
