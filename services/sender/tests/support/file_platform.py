"""A platform that gives files as tests tell it: endless, slow, or in another size than it says."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from services.sender.tests.support.file_stand import PNG

Give = Callable[[asyncio.StreamWriter], Any]


async def _give_picture(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s" % (len(PNG), PNG))
    await writer.drain()


@dataclass
class FilePlatform:
    """What it was asked, and what it will say."""

    url: str = ""
    says: dict[str, Any] = field(default_factory=dict)
    """Instead of what is right, of every file."""
    status: int = 200
    give: Give = _give_picture
    asked: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    """The heads of requests for content."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection, for one request."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            path = head.split(" ")[1]
            if path.startswith("/content/"):
                self.fetched.append(head)
                await self.give(writer)
            else:
                self.asked.append(path.partition("?")[0].rpartition("/")[2])
                await self._say(writer, self.asked[-1])
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _say(self, writer: asyncio.StreamWriter, media_id: str) -> None:
        right = {"url": f"{self.url}/content/{media_id}", "mime_type": "image/png", "file_size": len(PNG)}
        body = orjson.dumps(right | self.says)
        writer.write(b"HTTP/1.1 %d X\r\nconnection: close\r\n" % self.status)
        writer.write(b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()


@asynccontextmanager
async def a_file_platform() -> AsyncIterator[FilePlatform]:
    """Run one on a free port."""
    platform = FilePlatform()
    server = await asyncio.start_server(platform.serve, "127.0.0.1", 0)
    platform.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield platform
