"""A Graph server on real sockets that does what tests tell it, such as accepting and never answering."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from garbo.sender.outbound.graph import GraphClient
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
    cookies: list[str] = field(default_factory=list)
    """Of ours that came back: each answer sets one."""
    delay_s: float = 0.0
    refusing: dict[str, Reply] = field(default_factory=dict)
    """What a number is answered for as long as it stands here, before the script."""
    at: list[float] = field(default_factory=list)

    def asked(self, attempt_id: str) -> int:
        """Count the POSTs of an attempt."""
        return sum(post.get("biz_opaque_callback_data") == attempt_id for post in self.posts)

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
        if head[0].startswith("GET"):
            return await _refuse_to_show(writer)
        body = orjson.loads(await reader.readexactly(int(headers["content-length"])))
        self.at.append(asyncio.get_running_loop().time())
        self.posts.append(body)
        self.tokens.append(headers["authorization"])
        self.cookies += [headers["cookie"]] if "cookie" in headers else []
        self.paths.append(head[0].split(" ")[1])
        refused = self.refusing.get(self.paths[-1].split("/")[-2])
        reply = refused or (self.script.pop(0) if self.script else Reply())
        if reply.manner == "hang_up":
            return False
        if reply.manner == "hang":
            await reader.read()
            return False
        await asyncio.sleep(self.delay_s)
        answer = reply.body or orjson.dumps(_accepting(body))
        writer.write(b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\n" % reply.status)
        writer.write(b"set-cookie: seen=%d; path=/\r\n" % len(self.posts))
        writer.write(b"content-length: %d\r\n\r\n%s" % (len(answer), answer))
        await writer.drain()
        return True


def _accepting(body: dict[str, Any]) -> dict[str, Any]:
    if body.get("status") == "read":
        return {"success": True}
    return {"messages": [{"id": f"wamid.{body['biz_opaque_callback_data']}"}]}


async def _refuse_to_show(writer: asyncio.StreamWriter) -> bool:
    """Show no templates: this platform only takes messages."""
    body = b'{"error": {"message": "(#100) not here", "code": 100}}'
    writer.write(b"HTTP/1.1 400 X\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
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


@asynccontextmanager
async def a_graph_client(url: str, tokens: Mapping[str, str | None]) -> AsyncIterator[GraphClient]:
    """Give what asks a platform there, with these numbers' tokens."""
    graph = GraphClient(url=url, version="v25.0", token_of=tokens.get)
    await graph.start()
    try:
        yield graph
    finally:
        await graph.stop()


TOKENS = {NUMBER: "token-one"}
