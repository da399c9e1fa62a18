"""Files given over a real connection: large ones, and ones that break off."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from garbo.common.runtime.http import HttpServer
from garbo.sender.flow.media_library import MediaLibrary
from garbo.sender.inbound.http import http_app
from garbo.sender.inbound.media import GivenFiles
from garbo.sender.inbound.pauses import PausesByHand
from garbo.sender.outbound.folder_store import FolderStore
from libs.common.tests.support.waiting import until
from libs.simulator.tests.support.world import free_port
from services.sender.tests.support.media_files import MemoryMediaFiles
from services.sender.tests.support.media_stores import started
from services.sender.tests.support.switches import BUSINESS, MemorySwitches

pytestmark = pytest.mark.integration

KEY = {"authorization": "Bearer a-key-of-shop", "content-type": "application/pdf"}
LARGE_BYTES = 90 * 1024 * 1024


@asynccontextmanager
async def a_server(folder: Path) -> AsyncIterator[int]:
    async with started(FolderStore(folder)) as store:
        library, switches = MediaLibrary(MemoryMediaFiles(), store), MemorySwitches()
        given = GivenFiles(library, keep=timedelta(days=1))
        app, port = http_app(BUSINESS, PausesByHand(switches, switches), given, health=()), free_port()
        server = HttpServer(app, host="127.0.0.1", port=port)
        await server.start()
        try:
            yield port
        finally:
            await server.stop()


async def large() -> AsyncIterator[bytes]:
    yield b"%PDF-1.7 "
    for _ in range(90):
        yield bytes(1024 * 1024)


def kept(folder: Path) -> list[int]:
    return [path.stat().st_size for path in folder.rglob("*") if path.is_file()]


async def test_a_large_file_is_taken_as_it_comes(tmp_path: Path) -> None:
    async with a_server(tmp_path) as port, httpx.AsyncClient(timeout=60) as client:
        address = f"http://127.0.0.1:{port}/v1/media?brand=acme"
        answer = await client.post(address, content=large(), headers=KEY)
        assert (answer.status_code, answer.json().get("size_bytes")) == (201, LARGE_BYTES + 9)
        assert kept(tmp_path) == [LARGE_BYTES + 9]


async def test_a_file_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    async with a_server(tmp_path) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        head = "".join(f"{name}: {value}\r\n" for name, value in KEY.items())
        writer.write(f"POST /v1/media?brand=acme HTTP/1.1\r\nhost: localhost\r\n{head}".encode())
        writer.write(b"content-length: 5000000\r\n\r\n%PDF-1.7 " + bytes(2_000_000))
        await writer.drain()
        await until(lambda: kept(tmp_path), lambda sizes: sizes != [])
        writer.close()
        await until(lambda: kept(tmp_path), lambda sizes: sizes == [])
