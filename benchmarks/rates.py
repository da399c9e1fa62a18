"""The rate of one number, on the platform's own ledger: never above its ceiling, and used.

    python -m benchmarks.rates [ceiling processes]

So many sender processes share one number while promo waits for it all the time. Then the platform answers
130429 for 10 s: the rate falls and comes back, and no message fails.
"""

import asyncio
import sys
import time
from contextlib import ExitStack

import asyncpg
import httpx

from benchmarks.grants import give, grant
from benchmarks.neighbours import HERS, most_in_a_second, people
from benchmarks.servers import HERE, Bench, process, servers
from libs.common.tests.support.waiting import until
from tests.support.ports import free_ports

CASES = ((80, 1), (80, 3), (80, 10), (1000, 1), (1000, 3), (1000, 10))
SETTLE_S, MEASURE_S, THROTTLE_S = 5.0, 20.0, 10.0
START_S = 6.0
"""Of one process beside others, who send meanwhile."""
LATENCY_MS = 30


def main(arguments: list[str]) -> int:
    """Measure all cases, or the one that is named."""
    cases = [(int(arguments[0]), int(arguments[1]))] if arguments else CASES
    print("| ceiling | processes | most in a second | used | 30 s, 60 s after 130429 | failed |")
    print("|---|---|---|---|---|---|")
    for ceiling, processes in cases:
        with servers() as bench:
            print(_case(bench, ceiling, processes), flush=True)
    return 0


def _case(bench: Bench, ceiling: int, processes: int) -> str:
    port, *sender_ports = free_ports(processes + 1)
    config = bench.folder / "business.yaml"
    config.write_text(
        (HERE / "business.yaml").read_text().replace("rate_per_s: 1000", f"rate_per_s: {ceiling}")
    )
    seconds = SETTLE_S + MEASURE_S + THROTTLE_S + 75
    promos = [
        grant("promo", HERS, next(people))
        for _ in range(int(ceiling * min(seconds, 45 + START_S * processes if ceiling > 100 else 999)))
    ]
    asyncio.run(give(bench.dsn, bench.kafka, promos))
    with ExitStack() as running:
        running.enter_context(process(bench, "benchmarks.graph", str(port), str(LATENCY_MS)))
        for sender_port in sender_ports:
            env = {"GARBO_SENDER_PORT": str(sender_port), "GARBO_GRAPH_URL": f"http://127.0.0.1:{port}"}
            env |= {"GARBO_CONFIG": str(config), "GARBO_SENDER_CONNECTIONS": "4"}
            running.enter_context(process(bench, "garbo.sender", ready_port=sender_port, **env))
        return asyncio.run(_watch(bench, port, ceiling, processes))


async def _watch(bench: Bench, port: int, ceiling: int, processes: int) -> str:
    async with httpx.AsyncClient(timeout=30, base_url=f"http://127.0.0.1:{port}") as client:

        async def instants() -> list[float]:
            return sorted(at for at, number, *_ in (await client.get("/ledger")).json() if number == HERS)

        async def count() -> int:
            return int((await client.get("/count")).json()[0])

        await until(count, lambda sent: sent > ceiling, within_s=60)
        await asyncio.sleep(SETTLE_S)
        begun = time.monotonic()
        await asyncio.sleep(MEASURE_S)
        ended = time.monotonic()
        seen = await instants()
        used = sum(begun <= at <= ended for at in seen) / (ended - begun) / ceiling
        cells = [str(ceiling), str(processes), str(most_in_a_second(seen)), f"{used:.3f}"]
        if ceiling <= 100:
            cells += [await _throttle(client, instants, ceiling), str(await _failed(bench))]
        else:
            cells += ["-", str(await _failed(bench))]
    return f"| {' | '.join(cells)} |"


async def _throttle(client: httpx.AsyncClient, instants, ceiling: int) -> str:  # type: ignore[no-untyped-def] # noqa: ANN001
    await client.get(f"/throttle/{THROTTLE_S}")
    await asyncio.sleep(THROTTLE_S)
    over = time.monotonic()
    await asyncio.sleep(62)
    seen = await instants()
    rates = [sum(over + s <= at < over + s + 2 for at in seen) / 2 / ceiling for s in (28, 60)]
    return ", ".join(f"{rate:.2f}" for rate in rates)


async def _failed(bench: Bench) -> int:
    connection = await asyncpg.connect(bench.dsn)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM sender.message WHERE state = 'failed'"))
    finally:
        await connection.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
