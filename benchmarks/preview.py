"""preview: "may I, and when?" of one request over HTTP, beside a call that asks nothing."""

import asyncio
import time
from collections.abc import Callable
from functools import partial

import httpx

from benchmarks.figures import Delay
from benchmarks.people import phone_of, write_people
from benchmarks.servers import API_KEY, Bench, process
from tests.support.ports import free_ports

CALLS = 500
CALLS_OF_MANY = 100
PEOPLE = 1_000
AIM_MS = 50.0
AIM_OF_MANY_MS = 1_000.0


def measure(bench: Bench) -> Delay:
    """Ask about one person after another, one call at a time."""
    return _measured(bench, "preview", calls=CALLS, ask=_ask, aim_ms=AIM_MS)


def measure_many(bench: Bench) -> Delay:
    """Ask one request about a thousand people, one call at a time."""
    name = f"preview of {PEOPLE:,} people"
    return _measured(bench, name, calls=CALLS_OF_MANY, ask=_ask_of_all, aim_ms=AIM_OF_MANY_MS)


def _measured(
    bench: Bench, name: str, *, calls: int, ask: Callable[[int], dict[str, object]], aim_ms: float
) -> Delay:
    hash_key = bench.env["GARBO_HASH_KEY"].encode()
    asyncio.run(write_people(bench.dsn, hash_key, rows=10_000, asked=PEOPLE))
    (port,) = free_ports(1)
    with (
        process(bench, "garbo.router", ready_port=port, GARBO_ROUTER_PORT=str(port)),
        httpx.Client(
            base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {API_KEY}"}
        ) as client,
    ):
        asked = [_took_ms(partial(client.post, "/v1/decisions:preview", json=ask(n))) for n in range(calls)]
        nothing = [_took_ms(partial(client.get, "/livez")) for _ in range(CALLS)]
    return Delay(name, _p99(asked), "GET /livez", _p99(nothing), aim_ms)


def _took_ms(call: Callable[[], httpx.Response]) -> float:
    began = time.perf_counter()
    call().raise_for_status()
    return (time.perf_counter() - began) * 1000


def _ask(number: int) -> dict[str, object]:
    return {
        "brand": "acme",
        "to": {"phone": phone_of(number % PEOPLE)},
        "purpose": "promo",
        "content": {"type": "template", "template": {"name": "summer_sale", "language": {"code": "it"}}},
    }


def _ask_of_all(number: int) -> dict[str, object]:
    return _ask(number) | {"to": [{"phone": phone_of(n)} for n in range(PEOPLE)]}


def _p99(took_ms: list[float]) -> float:
    return sorted(took_ms)[int(len(took_ms) * 0.99) - 1]
