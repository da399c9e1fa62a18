"""What one number's, or one person's, trouble costs everybody else: care beside it, from grant to accepted.

    python -m benchmarks.neighbours [scenario ...]

Care is granted 20 times a second to new people on one number of 80/s, for 25 s, and found in the platform's
own ledger. Grants are written straight to Kafka; the router is not part of this.
"""

import asyncio
import itertools
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import uuid4

import httpx

from benchmarks import graph
from benchmarks.grants import book, give, grant, publish
from benchmarks.servers import HERE, NUMBERS, Bench, process, servers
from garbo.common.events.grants import SendGranted
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.producer import Producer
from tests.support.ports import free_ports

CARE_PER_S, CARE_S = 20, 25
CEILING_PER_S = 80
HERS, NEXT = NUMBERS[0], NUMBERS[1]
BACKLOG = 100_000
people = (f"+39333{n:07d}" for n in itertools.count(1))


@dataclass(frozen=True, slots=True)
class Scenario:
    """What stands in the way while care is measured."""

    name: str
    trouble: Callable[[], Sequence[SendGranted]]
    used: bool = False
    """Whether the number's ceiling should be used up meanwhile."""


def _crowd() -> list[SendGranted]:
    contact, phone = uuid4(), next(people)
    return [grant("care", HERS, phone, contact_id=contact) for _ in range(60)]


def _pair_limited() -> list[SendGranted]:
    contact, phone = uuid4(), f"{graph.PAIR_LIMITED}0000000"
    return [grant("care", HERS, phone, contact_id=contact) for _ in range(5)]


SCENARIOS = (
    Scenario("nothing", list),
    Scenario("a call that hangs", lambda: [grant("care", HERS, f"{graph.HANGING}1234567")]),
    Scenario(
        "a number that answers 190",
        lambda: [grant("care", graph.REFUSED_NUMBER, next(people)) for _ in range(500)],
    ),
    Scenario("60 messages to one person", _crowd),
    Scenario("a person whose pair limit is hit", _pair_limited),
    Scenario(
        f"{BACKLOG:,} promos on the number",
        lambda: [grant("promo", HERS, next(people)) for _ in range(BACKLOG)],
        used=True,
    ),
)


def main(names: list[str]) -> int:
    """Measure all, or what is named by its first words."""
    chosen = [s for s in SCENARIOS if not names or any(s.name.startswith(name) for name in names)]
    print("| care beside | p50 ms | p99 ms | longest | accepted | used of the ceiling | most in a second |")
    print("|---|---|---|---|---|---|---|")
    for scenario in chosen:
        with servers() as bench:
            print(asyncio.run(_measure(bench, scenario)), flush=True)
    return 0


async def _measure(bench: Bench, scenario: Scenario) -> str:
    port, sender_port = free_ports(2)
    trouble = list(scenario.trouble())
    config = bench.folder / "business.yaml"
    config.write_text(
        (HERE / "business.yaml").read_text().replace("rate_per_s: 1000", f"rate_per_s: {CEILING_PER_S}")
    )
    env = {
        "GARBO_CONFIG": str(config),
        "GARBO_SENDER_PORT": str(sender_port),
        "GARBO_GRAPH_URL": f"http://127.0.0.1:{port}",
    }
    with (
        process(bench, "benchmarks.graph", str(port), "30"),
        process(bench, "garbo.sender", ready_port=sender_port, **env),
    ):
        await give(bench.dsn, bench.kafka, trouble)
        begun = time.monotonic()
        sent = await _care(bench)
        ended = time.monotonic()
        await asyncio.sleep(1.0)
        ledger = await _ledger(port)
    return _line(scenario, sent, ledger, begun, ended)


async def _care(bench: Bench) -> dict[str, float]:
    """Grant care evenly; give each message's instant."""
    cares = [grant("care", HERS, next(people)) for _ in range(CARE_PER_S * CARE_S)]
    await book(bench.dsn, cares)
    producer = Producer(kafka=KafkaSettings(bench.kafka), service="bench")
    await producer.start()
    sent: dict[str, float] = {}
    try:
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for n, one in enumerate(cares):
                await asyncio.sleep(max(0.0, began + n / CARE_PER_S - time.monotonic()))
                sent[str(one.message_id)] = time.monotonic()
                group.create_task(publish(producer, [one]))
    finally:
        await producer.stop()
    return sent


async def _ledger(port: int) -> list[tuple[float, str, str, str]]:
    async with httpx.AsyncClient(timeout=30) as client:
        return [tuple(one) for one in (await client.get(f"http://127.0.0.1:{port}/ledger")).json()]


def _line(
    scenario: Scenario,
    sent: dict[str, float],
    ledger: list[tuple[float, str, str, str]],
    begun: float,
    ended: float,
) -> str:
    took = sorted(at - sent[m] for at, _, _, attempt in ledger if (m := attempt.partition(".")[0]) in sent)
    instants = sorted(at for at, number, _, _ in ledger if number == HERS)
    within = sum(begun + 2 <= at <= ended for at in instants) / (ended - begun - 2)
    used = f"{within / CEILING_PER_S:.3f}" if scenario.used else "-"
    cells = [
        f"{took[len(took) // 2] * 1000:.0f}",
        f"{took[int(len(took) * 0.99)] * 1000:.0f}",
        f"{took[-1] * 1000:.0f}",
    ]
    cells += [f"{len(took)} of {len(sent)}", used, str(most_in_a_second(instants))]
    return f"| {scenario.name} | {' | '.join(cells)} |"


def most_in_a_second(instants: Sequence[float]) -> int:
    """Count the most of sorted instants that lie in one closed second, wherever it begins."""
    most = first = 0
    for place, at in enumerate(instants):
        while instants[first] < at - 1:
            first += 1
        most = max(most, place - first + 1)
    return most


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
