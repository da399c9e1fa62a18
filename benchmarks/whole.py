"""The whole way: published through ingest, accepted by the simulator, beside a bare client."""

import asyncio
from contextlib import ExitStack
from uuid import uuid4

import httpx

from benchmarks import sender
from benchmarks.figures import Figure
from benchmarks.grants import grant
from benchmarks.load import drive, post
from benchmarks.progress import rate
from benchmarks.requests import promo
from benchmarks.servers import API_KEY, NUMBERS, Bench, process
from garbo.sender.outbound.whatsapp_body import body_of, draft_of
from tests.support.ports import free_ports

MESSAGES = 6_000
IN_AN_ARRAY = 100


def measure(bench: Bench) -> Figure:
    """Four services, one process each; every request is for another person, so every one is sent."""
    names = ("ingest", "router", "sender", "analytics", "simulator")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    graph = f"http://127.0.0.1:{ports['simulator']}"
    more = {"GARBO_GRAPH_URL": graph, "GARBO_SIMULATOR_CONTROL": sender.CALM}
    more |= {f"GARBO_{name.upper()}_PORT": str(port) for name, port in ports.items()}
    with ExitStack() as running:
        for name, port in ports.items():
            running.enter_context(process(bench, f"garbo.{name}", ready_port=port, **more))
        measured = asyncio.run(_published(ports["ingest"], graph))
        bodies = [
            body_of(draft_of(grant("promo", n, f"+39333{i:07d}")).body, attempt_id=f"{uuid4()}.1")
            for i, n in enumerate(NUMBERS)
        ]
        reference = asyncio.run(sender.bare(graph, bodies, total=MESSAGES, at_once=64))
    return Figure(
        "end to end", "messages/s", [measured], "a bare client posting the same bodies", [reference]
    )


async def _published(port: int, graph: str) -> float:
    bodies = [
        b"["
        + b",".join(promo(n).model_dump_json(exclude_none=True).encode() for n in range(s, s + IN_AN_ARRAY))
        + b"]"
        for s in range(0, MESSAGES, IN_AN_ARRAY)
    ]
    requests = [post("/v1/messages", body, Authorization=f"Bearer {API_KEY}") for body in bodies]
    async with asyncio.TaskGroup() as group:
        group.create_task(drive(port=port, requests=requests, total=len(requests), connections=4))
        measuring = group.create_task(rate(lambda: _accepted(graph), total=MESSAGES))
    return measuring.result()


async def _accepted(graph: str) -> int:
    async with httpx.AsyncClient() as client:
        summary = (await client.get(f"{graph}/ledger/summary")).json()
    return int(summary["accepted"])
