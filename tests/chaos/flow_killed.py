"""`python -m tests.chaos.flow_killed`: hundreds of deaths a minute of the sender's flow, without Kafka.

As `sender_killed`, but grants go straight into the queue, results are appended to a file, and each process is
forked from one that has imported everything, so that a death costs a fraction of a second. The platform is
the simulator, in a process of its own, and its ledger is the truth. Of a part of what it accepts a status
comes at once. A round ends when all is settled.
"""

import argparse
import asyncio
import multiprocessing
import random
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final

import httpx

from garbo.common.events.grants import SendGranted
from garbo.common.events.ids import message_of_attempt
from garbo.common.events.results import SendResult
from garbo.common.runtime.postgres import Database
from garbo.sender.flow.settlement import SettleAttempts
from garbo.sender.outbound.postgres import PostgresAttempts
from garbo.sender.outbound.postgres_queue import PostgresQueue
from libs.common.tests.support.waiting import until
from services.sender.tests.model.explorer import own_postgres
from services.sender.tests.support.builders import a_send, a_status
from services.sender.tests.support.fakes import QuietTelemetry
from services.sender.tests.support.postgres import CLAIMS
from tests.chaos.forked_sender import AppendedResults, live
from tests.chaos.granted import BOOK, a_grant
from tests.chaos.installation import Installation, environment
from tests.chaos.sender_killed import HURRY, INTERRUPTED, OPEN, STORED, Report, faults_of, told_of

PROCESSES: Final = 3
SHARDS: Final = frozenset(range(6))
AT_ONCE: Final = 10
STATUS_RATIO: Final = 0.3
"""Of what was accepted has its status at once."""
OVERLAP_RATIO: Final = 0.2
"""Of the processes begin with everybody's partitions: two may think that they own one."""
SETTLED_S: Final = 120.0
LOOK_S: Final = 0.5


@dataclass
class Run:
    """One run: who lives, what was granted, what was found."""

    installation: Installation
    dsn: str
    """As the sender's own role."""
    results: AppendedResults
    dice: random.Random
    rate_per_s: float
    granted: dict[Any, SendGranted] = field(default_factory=dict)
    living: dict[int, BaseProcess] = field(default_factory=dict)
    report: Report = field(default_factory=Report)
    _read: int = 0

    def bear(self, n: int) -> None:
        """Start the nth process, with its part of the partitions or with all."""
        whole = self.dice.random() < OVERLAP_RATIO
        shards = SHARDS if whole else frozenset(s for s in SHARDS if s % PROCESSES == n)
        url = self.installation.processes["simulator"].url
        context = multiprocessing.get_context("forkserver")
        self.living[n] = context.Process(
            target=live, args=(self.dsn, url, shards, self.results.path), daemon=True
        )
        self.living[n].start()

    def end(self, n: int) -> None:
        """Kill the nth process; it must have lived until then."""
        if not self.living[n].is_alive():
            self.report.faults.append(f"a process ended by itself: {self.living[n].exitcode}")
        self.living[n].kill()
        self.living[n].join()

    async def grant_for_ever(self, queue: PostgresQueue) -> None:
        """Let grants come."""
        while True:
            grants = [a_grant(len(self.granted) + n) for n in range(AT_ONCE)]
            await self.installation.rows(BOOK, [g.grant_id for g in grants], [g.message_id for g in grants])
            self.granted |= {grant.message_id: grant for grant in grants}
            await queue.take_in([a_send(g, shard=self.dice.choice(sorted(SHARDS))) for g in grants])
            await asyncio.sleep(AT_ONCE / self.rate_per_s)

    async def settle_for_ever(self, settle: SettleAttempts) -> None:
        """Let statuses of some that were accepted come, some of them twice."""
        url = self.installation.processes["simulator"].url
        async with httpx.AsyncClient(base_url=url, timeout=30) as client:
            while True:
                entries = (await client.get(f"/ledger?after={self._read}&limit=10000")).json()
                self._read += len(entries)
                some = [e for e in entries if self.dice.random() < STATUS_RATIO]
                seen = [a_status(e["biz_opaque"], wamid=e["wamid"]) for e in some]
                for _ in range(self.dice.randint(1, 2)):
                    await settle.settle([(status, None) for status in seen])
                await asyncio.sleep(LOOK_S)

    async def round(self, kills: int, *, within_s: float, database: Database) -> None:
        """Kill so many under load, then wait until all is settled."""
        attempts, queue = PostgresAttempts(database), PostgresQueue(database)
        settle = SettleAttempts(attempts, self.results, queue, QuietTelemetry())
        working = [
            asyncio.create_task(self.grant_for_ever(queue)),
            asyncio.create_task(self.settle_for_ever(settle)),
        ]
        for _ in range(kills):
            await asyncio.sleep(self.dice.random() * within_s)
            n = self.dice.randrange(PROCESSES)
            self.end(n)
            self.report.deaths["any"] += 1
            self.bear(n)
        for task in working:
            assert not task.done(), task.exception()
            task.cancel()
        await asyncio.wait(working)
        await until(self._open, lambda left: left == 0, within_s=SETTLED_S)

    async def _open(self) -> int:
        await asyncio.sleep(LOOK_S)
        await self.installation.rows(HURRY)
        return int(await self.installation.value(OPEN))

    async def finish(self) -> Report:
        """Look at all that was granted."""
        stored = {row["message_id"]: row for row in await self.installation.rows(STORED)}
        entries = await self.installation.ledger()
        sent = Counter(message_of_attempt(entry["biz_opaque"]) for entry in entries)
        told: dict[Any, list[SendResult]] = {}
        for result in self.results.read():
            told.setdefault(result.message_id, []).append(result)
        report = self.report
        report.granted, report.accepted = len(self.granted), len(entries)
        report.twice = sum(n > 1 for n in sent.values())
        report.unknown = int(await self.installation.value(INTERRUPTED))
        for message, grant in self.granted.items():
            if message not in stored:
                report.faults.append(f"{message} was granted and is known to nobody")
                continue
            theirs = told_of(message, told.get(message, []))
            report.faults += faults_of(grant, stored[message], sent[message], theirs)
        return report


async def run(run: Run, asked: argparse.Namespace) -> Report:
    """Live all rounds."""
    database = Database(run.dsn, service="sender")
    await database.start()
    fault = {"kind": "accept_then_drop", "ratio": asked.ambiguous}
    url = run.installation.processes["simulator"].url
    async with httpx.AsyncClient(timeout=10) as client:
        (await client.patch(f"{url}/control", json={"faults": [fault]})).raise_for_status()
    for n in range(PROCESSES):
        run.bear(n)
    left = asked.kills
    while left > 0:
        await run.round(min(left, asked.a_round), within_s=asked.within, database=database)
        left -= asked.a_round
    for n in range(PROCESSES):
        run.end(n)
    await database.stop()
    return await run.finish()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it on a PostgreSQL of its own, print what was found, end with 1 when something is wrong."""
    asked = parsed(arguments)
    multiprocessing.get_context("forkserver").set_forkserver_preload(["tests.chaos.forked_sender"])
    with own_postgres() as postgres, tempfile.TemporaryDirectory() as name:
        dsn, folder = postgres.database("sender"), Path(name)
        installation = Installation("127.0.0.1:9", dsn, folder, environment("127.0.0.1:9"), {})
        asyncio.run(installation.script(CLAIMS.read_text()))
        sender = postgres.as_services(dsn, "sender")["sender"]
        try:
            installation.add("simulator", "garbo.simulator").wait_ready()
            results = AppendedResults(folder / "results.jsonl")
            of_seed = Run(installation, sender, results, random.Random(asked.seed), asked.rate)
            report = asyncio.run(run(of_seed, asked))
        finally:
            installation.stop()
    for fault in report.faults[:20]:
        print(fault)  # noqa: T201 - for people
    print(report.show())  # noqa: T201 - for people
    return int(bool(report.faults))


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read what is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--a-round", type=int, default=100, help="deaths until all is waited for")
    parser.add_argument("--within", type=float, default=0.6, help="seconds between two deaths, at most")
    parser.add_argument("--rate", type=float, default=50.0, help="grants a second")
    parser.add_argument(
        "--ambiguous", type=float, default=0.02, help="share of calls that are accepted, unanswered"
    )
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
