"""A Graph server on real sockets that does what tests tell it, such as accepting and never answering."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from services.sender.tests.support.builders import NUMBER

Manner = Literal["answer", "hang", "hang_up"]


@dataclass(frozen=True, slots=True)
class Reply:
    """How to treat one POST. `hang` and `hang_up` accept it first, silently."""

    manner: Manner = "answer"
    status: int = 200
    body: bytes | None = None


@dataclass(slots=True)
class FakeGraph:
    """What it was asked, and what it will say next; without a script it accepts."""

    url: str = ""
    script: list[Reply] = field(default_factory=list)
    posts: list[dict[str, Any]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    delay_s: float = 0.0
    at: list[float] = field(default_factory=list)

    def asked(self, attempt_id: str) -> int:
        """Count the POSTs of an attempt."""
        return sum(post["biz_opaque_callback_data"] == attempt_id for post in self.posts)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head[1:] if line)}
        body = orjson.loads(await reader.readexactly(int(headers["content-length"])))
        self.at.append(asyncio.get_running_loop().time())
        self.posts.append(body)
        self.tokens.append(headers["authorization"])
        self.paths.append(head[0].split(" ")[1])
        reply = self.script.pop(0) if self.script else Reply()
        if reply.manner == "hang_up":
            return False
        if reply.manner == "hang":
            await reader.read()
            return False
        await asyncio.sleep(self.delay_s)
        answer = reply.body or orjson.dumps(
            {"messages": [{"id": f"wamid.{body['biz_opaque_callback_data']}"}]}
        )
        writer.write(b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\n" % reply.status)
        writer.write(b"content-length: %d\r\n\r\n%s" % (len(answer), answer))
        await writer.drain()
        return True


def error_reply(code: int, *, status: int = 400) -> Reply:
    """Refuse with an error object."""
    error = {"error": {"message": f"(#{code}) refused", "type": "OAuthException", "code": code}}
    return Reply(status=status, body=orjson.dumps(error))


@asynccontextmanager
async def fake_graph(*, port: int = 0) -> AsyncIterator[FakeGraph]:
    """Listen on a free port (or a given one) until left."""
    graph = FakeGraph()
    server = await asyncio.start_server(graph.serve, "127.0.0.1", port, backlog=1000)
    graph.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield graph
    finally:
        server.close()
        if hasattr(server, "close_clients"):  # 3.13
            server.close_clients()


TOKENS = {NUMBER: "token-one"}
