"""`python -m tests.chaos.sender_killed`: senders die at named points and at random instants under load.

Grants come over Kafka; the platform is the simulator, whose ledger is the truth. After all is settled: a
promo was accepted once at most; care at least once unless it was refused, and more than once only where
an attempt was unknown; every result was told; nothing waits.
"""

import argparse
import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import httpx

from garbo.common.events.grants import SendGranted
from garbo.common.events.ids import message_of_attempt
from garbo.common.events.results import SendResult
from garbo.common.events.topics import SEND_RESULT
from garbo.common.events.wire import decode
from libs.common.tests.support.waiting import until
from tests.chaos.dying_sender import POINTS
from tests.chaos.granted import Load, stand_in_for_the_router
from tests.chaos.installation import Installation, Process, installed
from tests.support.own_servers import both_servers
from tests.support.ports import free_ports
from tests.support.servers import SharedKafka, SharedPostgres

SENDERS: Final = 2
SETTLED_S: Final = 240.0
STOP_BUDGET_S: Final = 30.0
LOOK_S: Final = 1.0
# What waits for its time need not wait for ours: no call is under way any more when this is asked for.
HURRY: Final = """
WITH aged AS (
    UPDATE sender.message SET started_at = started_at - interval '2 min'
     WHERE state IN ('dispatching', 'unknown') RETURNING 1)
UPDATE sender.waiting SET parked_until = clock_timestamp() WHERE parked_until < 'infinity'
"""
OPEN: Final = """
SELECT (SELECT count(*) FROM sender.waiting)
     + (SELECT count(*) FROM sender.message WHERE state IN ('open', 'dispatching'))
"""
STORED: Final = "SELECT message_id, lane, state, n, reason, resent_count FROM sender.message"
INTERRUPTED: Final = """
SELECT (SELECT count(*) FROM sender.message WHERE reason = 'interrupted' OR state = 'unknown')
     + (SELECT count(*) FROM sender.former_attempt WHERE state = 'unknown')
"""


@dataclass
class Report:
    """What a run found."""

    granted: int = 0
    accepted: int = 0
    twice: int = 0
    """Care accepted more than once, each after an unknown attempt."""
    unknown: int = 0
    """Attempts that ended unknown, whatever became of them."""
    deaths: Counter[str] = field(default_factory=Counter)
    stopped_s: list[float] = field(default_factory=list)
    """How long each took to end on SIGTERM."""
    faults: list[str] = field(default_factory=list)

    def show(self) -> str:
        """Say it in a line or two."""
        took = f", ended within {max(self.stopped_s):.1f} s" if self.stopped_s else ""
        return (
            f"{self.granted} grants, {self.accepted} accepted, {self.twice} care twice after an unknown "
            f"attempt, {self.unknown} unknown at first; deaths: {dict(self.deaths)}{took}; "
            f"faults: {len(self.faults)}"
        )


@dataclass
class Stand:
    """The platform, its webhooks' way in, and senders that come and go."""

    installation: Installation
    load: Load
    report: Report = field(default_factory=Report)

    @classmethod
    async def up(cls, installation: Installation, *, rate_per_s: float, ambiguous_ratio: float) -> "Stand":
        """Start the platform and the senders."""
        await stand_in_for_the_router(installation)
        (hooks,) = free_ports(1)
        url = f"http://127.0.0.1:{hooks}/webhooks/whatsapp"
        simulator = installation.add("simulator", "garbo.simulator", GARBO_SIMULATOR_WEBHOOK_URL=url)
        ingest = installation.add("ingest", "garbo.ingest", GARBO_INGEST_PORT=str(hooks))
        ingest.port = hooks
        for process in (simulator, ingest):
            await asyncio.to_thread(process.wait_ready)
        installation.environ["GARBO_GRAPH_URL"] = simulator.url
        if ambiguous_ratio:
            fault = {"kind": "accept_then_drop", "ratio": ambiguous_ratio}
            async with httpx.AsyncClient(timeout=10) as client:
                answer = await client.patch(f"{simulator.url}/control", json={"faults": [fault]})
                answer.raise_for_status()
        stand = cls(installation, Load(installation, rate_per_s))
        for n in range(SENDERS):
            installation.add(f"sender-{n}", "tests.chaos.dying_sender")
        for n in range(SENDERS):
            await asyncio.to_thread(installation.processes[f"sender-{n}"].wait_ready)
        return stand

    def sender(self, n: int) -> Process:
        """Give one of the senders."""
        return self.installation.processes[f"sender-{n}"]

    async def die_at(self, point: str, *, dice: random.Random) -> None:
        """Let a sender be started that dies at a point, and start it anew."""
        sender = self.sender(dice.randrange(SENDERS))
        await asyncio.to_thread(sender.kill)
        calm, sender.environ = (
            sender.environ,
            {**sender.environ, "GARBO_CHAOS_DIE_AT": f"{point}:{dice.randint(1, 20)}"},
        )
        sender.start()
        await until(lambda: sender.child is not None and sender.child.poll() is not None, within_s=90)
        if sender.child is not None and sender.child.returncode != -9:
            self.report.faults.append(f"{point}: ended with {sender.child.returncode} instead of dying")
        self.report.deaths[point] += 1
        sender.environ = calm
        sender.start()

    async def die_sometime(self, *, dice: random.Random, within_s: float) -> None:
        """Kill a sender at a random instant, and start it anew."""
        await asyncio.sleep(dice.random() * within_s)
        sender = self.sender(dice.randrange(SENDERS))
        await asyncio.to_thread(sender.kill)
        self.report.deaths["any"] += 1
        sender.start()

    async def restart(self, n: int) -> None:
        """End a sender politely and start it anew, ready."""
        sender, begun = self.sender(n), time.monotonic()
        assert sender.child is not None
        sender.child.terminate()
        code = await asyncio.to_thread(sender.child.wait, STOP_BUDGET_S * 2)
        self.report.stopped_s.append(time.monotonic() - begun)
        self.report.deaths["SIGTERM"] += 1
        if code != 0 or self.report.stopped_s[-1] > STOP_BUDGET_S:
            self.report.faults.append(f"SIGTERM: exit code {code} after {self.report.stopped_s[-1]:.1f} s")
        sender.start()
        await asyncio.to_thread(sender.wait_ready)

    async def end(self, *, is_calm: bool) -> Report:
        """Wait until all is settled, and look at all that was granted."""
        for n in range(SENDERS):
            await asyncio.to_thread(self.sender(n).wait_ready)
        await until(
            self._settled, lambda seen: seen[1] == 0 and seen[0] >= len(self.load.granted), within_s=SETTLED_S
        )
        report = self.report
        report.unknown = int(await self.installation.value(INTERRUPTED))
        if is_calm and report.unknown:
            report.faults.append(f"{report.unknown} attempts were left unknown by ending politely")
        report.faults += await self._faults()
        return report

    async def _settled(self) -> tuple[int, int]:
        """Count what has a row, and what is open; what waits for its time is hurried."""
        await asyncio.sleep(LOOK_S)
        await self.installation.rows(HURRY)
        known = await self.installation.value("SELECT count(*) FROM sender.message")
        return int(known), int(await self.installation.value(OPEN))

    async def _faults(self) -> list[str]:
        stored = {row["message_id"]: row for row in await self.installation.rows(STORED)}
        entries = await self.installation.ledger()
        sent = Counter[UUID | None](message_of_attempt(entry["biz_opaque"]) for entry in entries)
        told = [decode(SEND_RESULT, value) for value in await self.installation.records(SEND_RESULT)]
        self.report.granted, self.report.accepted = len(self.load.granted), len(entries)
        self.report.twice = sum(n > 1 for n in sent.values())
        found = [f"{m} was granted and is known to nobody" for m in self.load.granted.keys() - stored.keys()]
        for message, grant in self.load.granted.items():
            if message in stored:
                found += faults_of(grant, stored[message], sent[message], told_of(message, told))
        letters = await self.installation.dead_letter_count()
        return found + ([f"{letters} dead letters"] if letters else [])


def told_of(message: UUID, told: Sequence[SendResult]) -> set[str]:
    """Give the outcomes told of a message."""
    return {result.outcome for result in told if result.message_id == message}


def faults_of(grant: SendGranted, row: Any, sent: int, told: set[str]) -> list[str]:  # noqa: ANN401 - a row
    """Say what is wrong with what became of a grant: how often the platform has it, and what was told."""
    name, found = f"{grant.lane} {grant.message_id} ({row['state']}, {row['reason']})", []
    if grant.lane == "promo" and sent > 1:
        found.append(f"{name} was accepted {sent} times")
    if grant.lane == "care" and sent > 1 + row["resent_count"]:
        found.append(f"{name} was accepted {sent} times, resent {row['resent_count']} times")
    if grant.lane == "care" and not sent and row["state"] != "failed":
        found.append(f"{name} was never accepted")
    if row["state"] == "accepted" and not sent:
        found.append(f"{name} is said to be accepted and never was")
    if row["state"] not in told:
        found.append(f"{name} was told {sorted(told)}")
    return found


async def run(installation: Installation, asked: argparse.Namespace) -> Report:
    """Let senders die under load, then look at all that was granted."""
    dice, over, calm = random.Random(asked.seed), asyncio.Event(), asked.rolling > 0
    stand = await Stand.up(
        installation, rate_per_s=asked.rate, ambiguous_ratio=0 if calm else asked.ambiguous
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(stand.load.flow(over))
        for point in [p for _ in range(asked.points) for p in POINTS]:
            await stand.die_at(point, dice=dice)
        for _ in range(asked.kills):
            await stand.die_sometime(dice=dice, within_s=asked.within)
        for n in range(asked.rolling):
            await stand.restart(n % SENDERS)
        over.set()
    return await stand.end(is_calm=calm)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it on servers of its own, print what was found, end with 1 when something is not as it must be."""
    asked = parsed(arguments)
    with both_servers() as (kafka, postgres, folder):
        shared = SharedKafka(kafka.bootstrap_servers), SharedPostgres(postgres.dsn())
        with installed(*shared, asked.logs or folder) as installation:
            report = asyncio.run(run(installation, asked))
    for fault in report.faults[:20]:
        print(fault)  # noqa: T201 - for people
    print(report.show())  # noqa: T201 - for people
    return int(bool(report.faults))


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read what is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--points", type=int, default=0, help="times that one dies at each named point")
    parser.add_argument("--kills", type=int, default=0, help="times that one dies at a random instant")
    parser.add_argument(
        "--within", type=float, default=6.0, help="seconds between two random deaths, at most"
    )
    parser.add_argument("--rolling", type=int, default=0, help="polite restarts, and nothing else goes wrong")
    parser.add_argument("--rate", type=float, default=50.0, help="grants a second")
    parser.add_argument(
        "--ambiguous", type=float, default=0.01, help="share of calls that are accepted, unanswered"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--logs", type=Path, help="a folder for the processes' logs, which are kept")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
