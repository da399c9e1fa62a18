"""sender: grants claimed, called, recorded, told, beside a bare aiohttp client posting the same bodies.

The platform is the benchmark's own (`benchmarks.graph`): it answers at once, after 100 ms or after 500 ms.
`python -m benchmarks.sender` measures all three and says what a message costs each process;
`python -m benchmarks.sender memory` sends 200,000 and follows the sender's memory.
"""

import asyncio
import itertools
import sys
import time
from dataclasses import dataclass
from uuid import uuid4

import aiohttp
import asyncpg
import orjson

from benchmarks.figures import Figure
from benchmarks.grants import give, grant
from benchmarks.processor import memory_mb, used
from benchmarks.progress import rate
from benchmarks.servers import NUMBERS, Bench, process, servers
from garbo.sender.outbound.whatsapp_body import body_of, draft_of
from libs.common.tests.support.waiting import until
from tests.support.ports import free_ports

GRANTS = 12_000
MANY = 200_000
AT_ONCE = {0: 64, 100: 400, 500: 1500}
"""Calls of the bare client at once, by the platform's latency in ms: as many as it takes to be the limit."""
CALM = (
    '{"rate_limits": false, "undeliverable_ratio": 0, "webhooks": {"on": false}, "population": {"on": false}}'
)
AIM = 0.5
_people = (f"+39333{n:07d}" for n in itertools.count(1))


@dataclass(frozen=True, slots=True)
class Measured:
    """One run."""

    figure: Figure
    cost: str
    memory_mb: float


def measure(bench: Bench) -> Figure:
    """Measure against a platform that answers at once."""
    return run(bench, latency_ms=0).figure


def run(bench: Bench, *, latency_ms: int, grants: int = GRANTS) -> Measured:
    """Let all grants wait in Kafka; then the sender sends them; then the bare client posts as many."""
    port, sender_port = free_ports(2)
    url = f"http://127.0.0.1:{port}"
    made = [grant("promo", NUMBERS[n % len(NUMBERS)], next(_people)) for n in range(grants)]
    asyncio.run(give(bench.dsn, bench.kafka, made))
    env = {"GARBO_SENDER_PORT": str(sender_port), "GARBO_GRAPH_URL": url}
    with process(bench, "benchmarks.graph", str(port), str(latency_ms)):
        with process(bench, "garbo.sender", ready_port=sender_port, **env) as sender:
            before = used(sender.pid, bench.folder)
            done, _ = asyncio.run(accepted(url))
            measured = asyncio.run(rate(lambda: _count(url), total=grants))
            asyncio.run(_settled(bench))
            after, memory = used(sender.pid, bench.folder), memory_mb(sender.pid)
        bodies = [body_of(draft_of(one).body, attempt_id=f"{uuid4()}.1") for one in made[:1000]]
        reference = asyncio.run(bare(url, bodies, total=grants, at_once=AT_ONCE.get(latency_ms, 64)))
    name = f"sender, {latency_ms} ms" if latency_ms else "sender"
    figure = Figure(name, "sends/s", [measured], "a bare aiohttp client, same bodies", [reference], AIM)
    return Measured(figure, after.since(before, messages=grants - done), memory)


async def accepted(url: str) -> tuple[int, int]:
    """Ask the platform how much it has accepted, and refused."""
    async with aiohttp.ClientSession() as client, client.get(f"{url}/count") as answer:
        counts = orjson.loads(await answer.read())
        return counts[0], counts[1]


async def _count(url: str) -> int:
    return (await accepted(url))[0]


async def _settled(bench: Bench) -> None:
    """Wait until all is recorded, told and forgotten."""
    connection = await asyncpg.connect(bench.dsn)
    try:
        await until(lambda: connection.fetchval("SELECT NOT EXISTS (SELECT 1 FROM sender.waiting)"))
    finally:
        await connection.close()


async def bare(url: str, bodies: list[bytes], *, total: int, at_once: int) -> float:
    """Post as many of the same bodies, so many at once; gives posts a second."""
    headers = {"authorization": "Bearer bench-token", "content-type": "application/json"}
    left = iter(range(total))
    connector = aiohttp.TCPConnector(limit=at_once)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as client:

        async def post() -> None:
            for n in left:
                path = f"{url}/v25.0/{NUMBERS[n % len(NUMBERS)]}/messages"
                async with client.post(path, data=bodies[n % len(bodies)]) as answer:
                    await answer.read()
                    answer.raise_for_status()

        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(post())
        return total / (time.perf_counter() - began)


def memory() -> None:
    """Send `MANY` and print the sender's memory on the way."""
    with servers() as bench:
        port, sender_port = free_ports(2)
        url = f"http://127.0.0.1:{port}"
        env = {"GARBO_SENDER_PORT": str(sender_port), "GARBO_GRAPH_URL": url}
        with (
            process(bench, "benchmarks.graph", str(port), "0"),
            process(bench, "garbo.sender", ready_port=sender_port, **env) as sender,
        ):
            asyncio.run(_follow(bench, url, sender.pid))


async def _follow(bench: Bench, url: str, pid: int) -> None:
    async def provide() -> None:
        for start in range(0, MANY, 10_000):
            made = [grant("promo", NUMBERS[n % len(NUMBERS)], next(_people)) for n in range(10_000)]
            await give(bench.dsn, bench.kafka, made)
            await until(lambda: _count(url), start.__le__, within_s=240)

    providing = asyncio.create_task(provide())
    shown = 0
    while shown < MANY:
        count = await _count(url)
        if count >= shown + MANY // 10:
            shown = count // (MANY // 10) * (MANY // 10)
            print(f"{shown:>8} sent, {memory_mb(pid):.0f} MB", flush=True)
        await asyncio.sleep(0.2)
    await providing


def main(arguments: list[str]) -> int:
    """Measure the three latencies, or the memory."""
    if arguments == ["memory"]:
        memory()
        return 0
    for latency_ms in AT_ONCE:
        with servers() as bench:
            measured = run(bench, latency_ms=latency_ms)
        print(measured.figure.line(), flush=True)
        print(f"  ms of processor a message: {measured.cost}; memory {measured.memory_mb:.0f} MB", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
