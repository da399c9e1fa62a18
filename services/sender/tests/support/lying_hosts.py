"""Hosts on real sockets, and name servers, that behave as tests tell them."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp.abc import AbstractResolver, ResolveResult

from garbo.sender.domain.web_addresses import AllowedHosts, is_public
from garbo.sender.outbound.guarded_fetch import GuardedFetch
from tests.support.secure_kafka import Authority

HOST = "cdn.example.com"
LINK = f"https://{HOST}/a.png"
OPEN_HERE, PRIVATE_HERE = "127.0.0.1", "127.0.0.2"
"""Stands for an address of the public Internet; another one of this machine stands for a private one."""
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def permits(address: str) -> bool:
    return address == OPEN_HERE or is_public(address)


@dataclass(slots=True)
class Host:
    """A server, and what it saw."""

    port: int = 0
    heads: list[str] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """Is set when a caller has hung up."""


@dataclass(slots=True)
class Names(AbstractResolver):
    """A name server that says one thing after the other, and its last one for ever."""

    port: int
    answers: list[list[str]]
    asked: int = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        del port, family
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        if not answer:
            raise OSError("no such name")
        return [_result(host, address, self.port) for address in answer]

    async def close(self) -> None:
        pass


def _result(host: str, address: str, port: int) -> ResolveResult:
    kind = socket.AF_INET6 if ":" in address else socket.AF_INET
    return {"hostname": host, "host": address, "port": port, "family": kind, "proto": 0, "flags": 0}


@dataclass(frozen=True, slots=True)
class Certified:
    server: ssl.SSLContext
    client: ssl.SSLContext
    stranger: ssl.SSLContext


def serving(authority: Authority, name: str) -> ssl.SSLContext:
    pair = authority.issue(name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.cert, pair.key)
    return context


@asynccontextmanager
async def a_host(serve: Serve, tls: ssl.SSLContext | None, address: str = OPEN_HERE) -> AsyncIterator[Host]:
    host = Host()

    def noted(_: ssl.SSLObject, name: str | None, __: ssl.SSLContext) -> None:
        host.names.append(name)

    if tls:
        tls.sni_callback = noted

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            host.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
            await serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            host.gone.set()
            writer.close()

    server = await asyncio.start_server(one, address, 0, ssl=tls)
    host.port = server.sockets[0].getsockname()[1]
    async with server:
        yield host


def says(head: str, body: bytes = b"") -> Serve:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = "" if "length:" in head else f"content-length: {len(body)}\r\n"
        writer.write(f"HTTP/1.1 {head}\r\n{length}connection: close\r\n\r\n".encode() + body)
        await writer.drain()

    return serve


@asynccontextmanager
async def a_fetch(names: Names, tls: ssl.SSLContext | bool, **origins: str) -> AsyncIterator[GuardedFetch]:
    allowed = AllowedHosts(frozenset({HOST}), frozenset(origins.values()))
    fetch = GuardedFetch(lambda: allowed, resolver=lambda: names, permits=permits, tls=tls)
    await fetch.start()
    try:
        yield fetch
    finally:
        await fetch.stop()


@asynccontextmanager
async def from_a_host(serve: Serve, certified: Certified) -> AsyncIterator[tuple[Host, GuardedFetch]]:
    async with (
        a_host(serve, certified.server) as host,
        a_fetch(Names(host.port, [[OPEN_HERE]]), certified.client) as fetch,
    ):
        yield host, fetch


async def read(fetch: GuardedFetch, url: str = LINK, *, most: int = 1000, within_s: float = 20.0) -> bytes:
    async with fetch.get(url, most_bytes=most, within_s=within_s) as found:
        return b"".join([part async for part in found.parts()])
