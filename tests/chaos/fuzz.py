"""`python -m tests.chaos.fuzz --records 200000`: arbitrary records into every topic, amid normal traffic."""

import argparse
import asyncio
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

from aiokafka import TopicPartition

from garbo.cli.cluster import consumer_of, ends_of
from garbo.common.runtime.broker import KafkaSettings
from libs.common.tests.support.waiting import until
from tests.chaos.fuzz_writer import WHERE, write_arbitrary
from tests.chaos.installation import Installation, installed
from tests.chaos.outcome import accepted_count, faults, percentile, settled, took_s
from tests.chaos.run import opt_in
from tests.chaos.traffic import FOUR, Asked, Traffic, all_four, pids
from tests.support.lag import all_read
from tests.support.own_servers import both_servers
from tests.support.servers import SharedKafka, SharedPostgres


@dataclass(frozen=True, slots=True)
class Size:
    """How much of it."""

    records: int
    quiet_s: float = 20.0
    """Normal traffic alone, to compare with."""
    rate_per_s: float = 20.0
    people: int = 4_000
    caught_up_s: float = 600.0
    seed: int = 1


@dataclass
class Report:
    """What a run found."""

    written: int
    refused: int
    """What the broker did not take."""
    quiet: list[float]
    """How long decisions took while nothing else was written, in seconds, sorted."""
    fuzzed: list[float]
    taken: int
    accepted: int
    dead_letters: int
    peak_mib: dict[str, int]
    took_s: float
    faults: list[str] = field(default_factory=list)


async def run(installation: Installation, size: Size) -> Report:
    """Let traffic flow alone, then amid arbitrary records, until every lane has read all of it."""
    all_four(installation)
    people = await opt_in(installation, [f"+39339{n:07d}" for n in range(size.people)])
    born = pids(installation)
    traffic, over = Traffic(installation, people, size.rate_per_s), asyncio.Event()
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        flowing = group.create_task(traffic.flow(over))
        enough = size.quiet_s * size.rate_per_s * 0.7
        await until(lambda: flowing.done() or len(traffic.asked) >= enough, within_s=3 * size.quiet_s + 30)
        quiet = list(traffic.asked)
        written = await _written(installation.kafka, size)
        await _caught_up(installation, size, upto=await _ends(installation))
        over.set()
    await _caught_up(installation, size)
    took = time.monotonic() - began
    await settled(installation, traffic.asked)
    return await _report(installation, traffic, written, quiet=quiet, born=born, took=took)


async def _written(kafka: str, size: Size) -> tuple[int, int]:
    """Write in a process of its own: what is measured here must not wait for what is made there."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return await asyncio.get_running_loop().run_in_executor(
            pool, write_arbitrary, kafka, size.records, size.seed
        )


async def _report(
    installation: Installation,
    traffic: Traffic,
    written: tuple[int, int],
    *,
    quiet: Sequence[Asked],
    born: dict[str, int | None],
    took: float,
) -> Report:
    found = await faults(installation, traffic)
    lives = pids(installation)
    return Report(
        written=written[0],
        refused=written[1],
        quiet=await took_s(installation, quiet),
        fuzzed=await took_s(installation, traffic.asked[len(quiet) :]),
        taken=len(traffic.asked),
        accepted=await accepted_count(installation, traffic),
        dead_letters=await installation.dead_letter_count(),
        peak_mib={name: _peak_mib(pid) for name, pid in lives.items() if pid},
        took_s=took,
        faults=found + [f"{name} ended" for name in FOUR if lives[name] != born[name]],
    )


async def _caught_up(
    installation: Installation, size: Size, *, upto: Mapping[TopicPartition, int] | None = None
) -> None:
    """Wait until the lanes of all services have read up to there, else all there is."""
    await all_read(KafkaSettings(installation.kafka), upto=upto, within_s=size.caught_up_s)


async def _ends(installation: Installation) -> dict[TopicPartition, int]:
    """Ask where every topic that is written to ends now."""
    partitions = [TopicPartition(topic, p) for topic, count in WHERE.items() for p in range(count)]
    async with consumer_of(KafkaSettings(installation.kafka)) as consumer:
        return await ends_of(consumer, partitions)


def _peak_mib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) // 1024


def main() -> int:
    """Run it on servers of its own, print what was found, end with 1 when something is not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--logs", type=Path, help="a folder for the services' logs, which are kept")
    parser.add_argument("--rate", type=float, default=20.0, help="normal requests and webhooks a second")
    given = parser.parse_args()
    size = Size(given.records, rate_per_s=given.rate, seed=given.seed)
    with both_servers() as (kafka, postgres, folder):
        shared = SharedKafka(kafka.bootstrap_servers), SharedPostgres(postgres.dsn())
        with installed(*shared, given.logs or folder) as installation:
            report = asyncio.run(run(installation, size))
    show(report)
    return 1 if report.faults else 0


def show(report: Report) -> None:
    """Print the figures."""
    for fault in report.faults[:20]:
        print(fault)  # noqa: T201 - for people
    said = {
        name: f"p50 {percentile(of, 0.5):.2f} s, p99 {percentile(of, 0.99):.2f} s"
        for name, of in (("alone", report.quiet), ("amid", report.fuzzed))
    }
    print(  # noqa: T201 - for people
        f"{report.written} arbitrary records written ({report.refused} refused by the broker), "
        f"done after {report.took_s:.0f} s, {report.dead_letters} dead letters; "
        f"{report.taken} requests decided ({said['alone']} alone; {said['amid']} amid), "
        f"{report.accepted} accepted by the platform; largest resident memory {report.peak_mib} MiB; "
        f"faults: {len(report.faults)}"
    )


if __name__ == "__main__":
    raise SystemExit(main())
