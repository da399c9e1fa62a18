"""A load generator that costs little: raw HTTP/1.1 over kept connections, one request in flight on each."""

import asyncio
import time
from collections.abc import Sequence
from itertools import count

LENGTH = b"content-length: "


def post(path: str, body: bytes, **headers: str) -> bytes:
    """Write one POST as it goes over the wire."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


class _Connection(asyncio.Protocol):
    def __init__(self, requests: Sequence[bytes], turns: "count[int]", total: int) -> None:
        self.requests, self.turns, self.total = requests, turns, total
        self.answered = self.wrong = 0
        self.buffer = b""
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment] # TCP transports are both
        self._next()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        lower = head.lower()
        start = lower.find(LENGTH)
        length = int(lower[start + len(LENGTH) :].split(b"\r\n", 1)[0]) if start >= 0 else 0
        if len(rest) < length:
            return
        self.buffer = rest[length:]
        self.answered += 1
        self.wrong += not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 202"))
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.finished.done():
            self.finished.set_exception(exc or ConnectionError("the server closed the connection"))

    def _next(self) -> None:
        turn = next(self.turns)
        if turn >= self.total:
            if not self.finished.done():
                self.finished.set_result(None)
            self.transport.close()
            return
        self.transport.write(self.requests[turn % len(self.requests)])


async def drive(*, port: int, requests: Sequence[bytes], total: int, connections: int = 64) -> float:
    """Send `total` requests (taken in turn) over so many connections; returns answers per second.

    Raises AssertionError when an answer was not 200 or 202.
    """
    loop = asyncio.get_running_loop()
    turns = count()
    began = time.perf_counter()
    made = [
        (await loop.create_connection(lambda: _Connection(requests, turns, total), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    async with asyncio.timeout(120):
        await asyncio.gather(*(connection.finished for connection in made))
    took = time.perf_counter() - began
    answered, wrong = sum(c.answered for c in made), sum(c.wrong for c in made)
    if wrong or answered < total:
        raise AssertionError(f"{wrong} of {answered} answers were errors, {total} were asked")
    return answered / took
