"""The platform as a benchmark needs it: answers at once (or late), and writes down what came when. No limits.

`python -m benchmarks.graph PORT LATENCY_MS`. What it does to a message, its recipient and number
say: see `fate`.
`GET /ledger` gives what was accepted, `GET /throttle/SECONDS` lets it answer 130429 for so long.
"""

import asyncio
import sys
import time
from typing import Final

import orjson
import uvloop

HANGING: Final = "+3900"
"""Who is written to here is never answered."""
PAIR_LIMITED: Final = "+3901"
"""Their first two messages are refused with 131056."""
REFUSED_NUMBER: Final = "106540352242929"
"""Its token is refused: 190."""
HANG_S: Final = 45.0
ACCEPTED: Final = b'{"messaging_product":"whatsapp","messages":[{"id":"wamid.%s"}]}'
ERROR: Final = b'{"error":{"message":"refused","type":"OAuthException","code":%d}}'


class Ledger:
    def __init__(self, latency_s: float) -> None:
        self.latency_s = latency_s
        self.accepted: list[tuple[float, str, str, str]] = []
        self.refused = 0
        self.throttled_until = 0.0
        self.seen: dict[str, int] = {}

    def fate(self, number: str, to: str) -> int | None:
        """Give the code a message is refused with; 0: accepted; None: never answered."""
        if number == REFUSED_NUMBER:
            return 190
        if time.monotonic() < self.throttled_until:
            return 130429
        if to.startswith(HANGING):
            return None
        if to.startswith(PAIR_LIMITED):
            self.seen[to] = self.seen.get(to, 0) + 1
            return 131056 if self.seen[to] <= 2 else 0
        return 0


class Connection(asyncio.Protocol):
    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment] # TCP transports are both

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while True:
            head, found, rest = self.buffer.partition(b"\r\n\r\n")
            if not found:
                return
            lower = head.lower()
            at = lower.find(b"content-length:")
            length = int(lower[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(rest) < length:
                return
            self.buffer = rest[length:]
            self.asked(head.split(b" ", 2), rest[:length])

    def asked(self, line: list[bytes], body: bytes) -> None:
        method, path = line[0], line[1].decode()
        if method == b"GET" and path == "/ledger":
            self.answer(200, orjson.dumps(self.ledger.accepted))
        elif method == b"GET" and path == "/count":
            self.answer(200, orjson.dumps([len(self.ledger.accepted), self.ledger.refused]))
        elif method == b"GET" and path.startswith("/throttle/"):
            self.ledger.throttled_until = time.monotonic() + float(path.rsplit("/", 1)[1])
            self.answer(200, b"{}")
        else:
            self.message(path.split("/")[2], orjson.loads(body))

    def message(self, number: str, message: dict[str, str]) -> None:
        to, attempt = message.get("to", ""), message["biz_opaque_callback_data"]
        code = self.ledger.fate(number, to)
        if code is None:
            asyncio.get_running_loop().call_later(HANG_S, self.transport.close)
        elif code:
            self.ledger.refused += 1
            self.late(401 if code == 190 else 400, ERROR % code)
        else:
            self.ledger.accepted.append((time.monotonic(), number, to, attempt))
            self.late(200, ACCEPTED % attempt.encode())

    def late(self, status: int, body: bytes) -> None:
        if self.ledger.latency_s:
            asyncio.get_running_loop().call_later(self.ledger.latency_s, self.answer, status, body)
        else:
            self.answer(status, body)

    def answer(self, status: int, body: bytes) -> None:
        head = b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (
            status,
            len(body),
        )
        self.transport.write(head + body)


async def serve(port: int, latency_s: float) -> None:
    ledger = Ledger(latency_s)
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(ledger), "127.0.0.1", port, backlog=2000
    )
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), float(sys.argv[2]) / 1000))
