"""Strangers at ingest's door, all at once: a process of its own, so that its work is not the good caller's.

    python attack.py PORT SECONDS ADDRESS...

Prints one JSON object of what each attack achieved.
"""

import asyncio
import json
import os
import random
import resource
import socket
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from itertools import cycle
from typing import Final

SILENT: Final = 510
STALLED: Final = 510
ENDLESS: Final = 10
HELD_BACK: Final = 100
FLOODS: Final = 20
AGAIN_S: Final = 2.0
"""Who is thrown out comes back after this, or half of it more or less."""
LINE: Final = b"X: " + b"a" * (1024 * 1024)
HEAD: Final = b"POST /webhooks/whatsapp HTTP/1.1\r\nHost: localhost\r\n"
FORM: Final = b"X-Hub-Signature-256: sha256=" + b"0" * 64 + b"\r\n"
BODY: Final = b" " * (3 * 1024 * 1024)
SHORT: Final = b"Content-Length: 2\r\n\r\n{}"


class Attackers:
    """Opens sockets from several addresses of this machine, one after the other."""

    def __init__(self, port: int, addresses: Sequence[str]) -> None:
        self._port, self._addresses = port, cycle(addresses)
        self._loop = asyncio.get_running_loop()
        self.counts: Counter[str] = Counter()

    async def run(self, seconds: float) -> None:
        """Attack for so many seconds; whatever is thrown out comes back."""
        attacks: dict[Callable[[socket.socket], Awaitable[None]], int] = {
            self.silent: SILENT,
            self.stalled: STALLED,
            self.endless: ENDLESS,
            self.held_back: HELD_BACK,
            self.flood: FLOODS,
        }
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
                for attack, count in attacks.items():
                    for _ in range(count):
                        group.create_task(self._again(attack))

    async def _again(self, attack: Callable[[socket.socket], Awaitable[None]]) -> None:
        while True:
            with socket.socket() as one, suppress(OSError):
                one.setblocking(False)
                one.bind((next(self._addresses), 0))
                await self._loop.sock_connect(one, ("127.0.0.1", self._port))
                self.counts[attack.__name__] += 1
                await attack(one)
            await asyncio.sleep(AGAIN_S * (0.5 + random.random()))  # as people are: not all at once

    async def silent(self, one: socket.socket) -> None:
        """Say nothing."""
        await self._until_closed(one)

    async def stalled(self, one: socket.socket) -> None:
        """Announce a body that does not come."""
        await self._loop.sock_sendall(one, HEAD + FORM + b"Content-Length: 100\r\n\r\n")
        await self._until_closed(one)

    async def endless(self, one: socket.socket) -> None:
        """Send header lines of 1 MB, 100 of them."""
        await self._loop.sock_sendall(one, HEAD)
        for _ in range(100):
            await self._loop.sock_sendall(one, LINE + b"\r\n")
            self.counts["endless_mb"] += 1

    async def held_back(self, one: socket.socket) -> None:
        """Send all of a large body but its last byte."""
        await self._loop.sock_sendall(one, HEAD + FORM + b"Content-Length: %d\r\n\r\n" % len(BODY))
        await self._loop.sock_sendall(one, BODY[:-1])
        await self._until_closed(one)

    async def flood(self, one: socket.socket) -> None:
        """Post without a signature, or a wrong one, again and again on one connection."""
        while True:
            for head in (HEAD, HEAD + FORM):
                await self._loop.sock_sendall(one, head + SHORT)
                answer = await self._loop.sock_recv(one, 4096)
                if not answer:
                    return
                self.counts[f"flood_{answer[9:12].decode()}"] += 1

    async def _until_closed(self, one: socket.socket) -> None:
        while await self._loop.sock_recv(one, 4096):
            pass


async def main(port: int, seconds: float, addresses: Sequence[str]) -> None:
    """Attack, then say what was done."""
    os.nice(19)  # they would be elsewhere: the processor is not what they are to take
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    attackers = Attackers(port, addresses)
    await attackers.run(seconds)
    print(json.dumps(attackers.counts))  # noqa: T201 - the answer


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]))
