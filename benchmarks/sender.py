"""sender: grants accepted by the simulator, beside a bare client posting the same bodies."""

import asyncio
import time
from uuid import uuid4

import httpx
from httpx_aiohttp import HttpxAiohttpClient

from benchmarks.figures import Figure
from benchmarks.progress import rate
from benchmarks.requests import promo, publish
from benchmarks.servers import NUMBERS, Bench, process
from garbo.common.events.topics import SEND_PROMO
from libs.common.tests.support.waiting import until
from tests.support.ports import free_ports

GRANTS = 6_000
AT_ONCE = 64
CALM = (
    '{"rate_limits": false, "undeliverable_ratio": 0, "webhooks": {"on": false}, "population": {"on": false}}'
)


def measure(bench: Bench) -> Figure:
    """Let the router grant everything first; then the sender alone sends; then a bare client."""
    port, router_port, sender_port = free_ports(3)
    graph = f"http://127.0.0.1:{port}"
    simulator = {"GARBO_SIMULATOR_PORT": str(port), "GARBO_SIMULATOR_CONTROL": CALM}
    with process(bench, "garbo.simulator", ready_port=port, **simulator):
        with process(bench, "garbo.router", ready_port=router_port, GARBO_ROUTER_PORT=str(router_port)):
            asyncio.run(_grant(bench))
        with process(
            bench,
            "garbo.sender",
            ready_port=sender_port,
            GARBO_SENDER_PORT=str(sender_port),
            GARBO_GRAPH_URL=graph,
        ):
            measured = asyncio.run(rate(lambda: accepted(graph), total=GRANTS))
        reference = asyncio.run(bare(graph))
    return Figure("sender", "sends/s", [measured], "a bare client posting the same bodies", [reference])


async def accepted(graph: str) -> int:
    async with httpx.AsyncClient() as client:
        summary = (await client.get(f"{graph}/ledger/summary")).json()
    return int(summary["accepted"])


async def _grant(bench: Bench) -> None:
    await publish(bench.kafka, [promo(n) for n in range(GRANTS)])
    await until(lambda: bench.end_offset(SEND_PROMO), lambda granted: granted >= GRANTS, within_s=120)


async def bare(graph: str) -> float:
    """Post as many of the same bodies, as many at once, through the same transport."""
    places = asyncio.Semaphore(AT_ONCE)

    async def post(client: httpx.AsyncClient, n: int) -> None:
        body = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": f"+39333{n:07d}",
            "type": "template",
            "template": {"name": "summer_sale", "language": {"code": "it"}},
            "biz_opaque_callback_data": f"{uuid4()}.1",
        }
        async with places:
            answer = await client.post(f"{graph}/v25.0/{NUMBERS[n % len(NUMBERS)]}/messages", json=body)
        answer.raise_for_status()

    async with HttpxAiohttpClient(headers={"Authorization": "Bearer bench-token"}, timeout=30) as client:
        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for n in range(GRANTS):
                group.create_task(post(client, n))
        return GRANTS / (time.perf_counter() - began)
