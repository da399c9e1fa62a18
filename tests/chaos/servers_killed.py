"""`python -m tests.chaos.servers_killed`: PostgreSQL and Kafka die under load; no service is restarted."""

import argparse
import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

import httpx

from libs.common.tests.support.waiting import until
from tests.chaos.installation import Installation, installed
from tests.chaos.outcome import STORED, accepted_count, faults, settled
from tests.chaos.run import opt_in
from tests.chaos.traffic import FOUR, Traffic, all_four, pids
from tests.support.own_servers import both_servers
from tests.support.servers import SharedKafka, SharedPostgres

NEEDS: Final = {"postgres": ("router", "sender", "analytics"), "kafka": FOUR}
"""Who is not ready without it."""
NOTICE_S: Final = 20.0
RECOVER_S: Final = 90.0
LOOK_S: Final = 0.05


class Server(Protocol):
    """What is killed and started again."""

    def kill(self) -> None:
        """End it as kill -9 does."""
        ...

    def start(self) -> None:
        """Return once it answers."""
        ...


@dataclass
class Death:
    """One death of a server, as the services saw it."""

    server: str
    unready_s: dict[str, float | None]
    """From the kill until /readyz said so; None: not within `NOTICE_S`."""
    ready_s: float | None
    """From the server's first answer until all four were ready again; None: not within `RECOVER_S`."""
    back_at: datetime
    decided_s: float | None = None
    """From the server's first answer until the next decision."""


@dataclass
class Report:
    """What a run found."""

    deaths: list[Death]
    taken: int
    accepted: int
    stops: int
    refusals: int
    faults: list[str] = field(default_factory=list)


async def run(
    installation: Installation,
    servers: dict[str, Server],
    *,
    kills: int,
    between_s: float,
    people: Sequence[str],
    rate_per_s: float = 20.0,
) -> Report:
    """Kill each server so many times while traffic flows, then look at all that was taken."""
    all_four(installation)
    await opt_in(installation, people)
    born = pids(installation)
    traffic, over, deaths = Traffic(installation, people, rate_per_s), asyncio.Event(), []
    async with asyncio.TaskGroup() as group:
        flowing = group.create_task(traffic.flow(over))
        for name in [name for _ in range(kills) for name in servers]:
            await _flowed(traffic, flowing, seconds=between_s)
            deaths.append(await _die(installation, name, servers[name]))
        await _flowed(traffic, flowing, seconds=between_s)
        over.set()
    await settled(installation, traffic.asked)
    await _note_decisions(installation, traffic, deaths)
    found = await faults(installation, traffic)
    lives = pids(installation)
    found += [f"{name} ended" for name in FOUR if lives[name] != born[name]]
    found += [f"not ready {RECOVER_S:.0f} s after {d.server} was back" for d in deaths if d.ready_s is None]
    return Report(
        deaths,
        len(traffic.asked),
        await accepted_count(installation, traffic),
        len(traffic.stopped),
        traffic.refusals,
        found,
    )


async def _die(installation: Installation, name: str, server: Server) -> Death:
    killed_at = time.monotonic()
    server.kill()
    unready_s = dict(
        zip(
            NEEDS[name],
            await asyncio.gather(
                *[_until_ready(installation, s, name, is_ready=False, since=killed_at) for s in NEEDS[name]]
            ),
            strict=True,
        )
    )
    await asyncio.to_thread(server.start)
    back, back_at = time.monotonic(), datetime.now(UTC)
    again = await asyncio.gather(
        *[_until_ready(installation, s, name, is_ready=True, since=back) for s in FOUR]
    )
    ready_s = None if None in again else max(s for s in again if s is not None)
    return Death(name, unready_s, ready_s, back_at)


async def _until_ready(
    installation: Installation, service: str, server: str, *, is_ready: bool, since: float
) -> float | None:
    """Ask /readyz until it says so; give the seconds since then, None when it does not in time."""
    within_s = RECOVER_S if is_ready else NOTICE_S
    async with httpx.AsyncClient(timeout=2.0, verify=False) as client:
        while time.monotonic() < since + within_s:
            try:
                answer = await client.get(f"{installation.processes[service].url}/readyz")
            except httpx.TransportError:
                pass
            else:
                if (answer.status_code == httpx.codes.OK) is is_ready:
                    return time.monotonic() - since
            await asyncio.sleep(LOOK_S)
    return None


async def _flowed(traffic: Traffic, flowing: "asyncio.Task[None]", *, seconds: float) -> None:
    """Wait until as much has been taken as comes in so many seconds; a fault of the traffic ends the run."""
    enough = len(traffic.asked) + int(seconds * traffic.rate_per_s * 0.8)
    await until(lambda: flowing.done() or len(traffic.asked) >= enough, within_s=RECOVER_S)


async def _note_decisions(installation: Installation, traffic: Traffic, deaths: Sequence[Death]) -> None:
    rows = await installation.rows(STORED, [one.message_id for one in traffic.asked])
    decided = sorted(row["decided_at"] for row in rows)
    for death in deaths:
        after = next((at for at in decided if at > death.back_at), None)
        death.decided_s = (after - death.back_at).total_seconds() if after else None


def main() -> int:
    """Run it on servers of its own, print what was found, end with 1 when something is not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10, help="of each server")
    parser.add_argument("--people", type=int, default=4000)
    parser.add_argument("--rate", type=float, default=20.0, help="requests, webhooks and STOPs a second")
    parser.add_argument("--between", type=float, default=8.0, help="seconds of traffic between two deaths")
    parser.add_argument("--logs", type=Path, help="a folder for the services' logs, which are kept")
    given = parser.parse_args()
    people = [f"+39338{n:07d}" for n in range(given.people)]
    with both_servers() as (kafka, postgres, folder):
        servers: dict[str, Server] = {"postgres": postgres, "kafka": kafka}
        shared = SharedKafka(kafka.bootstrap_servers), SharedPostgres(postgres.dsn())
        with installed(*shared, given.logs or folder) as installation:
            work = run(
                installation,
                servers,
                kills=given.kills,
                between_s=given.between,
                people=people,
                rate_per_s=given.rate,
            )
            report = asyncio.run(work)
    show(report)
    return 1 if report.faults else 0


def show(report: Report) -> None:
    """Print the figures."""
    for fault in report.faults[:20]:
        print(fault)  # noqa: T201 - for people
    for server in sorted({death.server for death in report.deaths}):
        deaths = [death for death in report.deaths if death.server == server]
        print(  # noqa: T201 - for people
            f"{server} killed {len(deaths)} times: unready after {_spread(deaths, _slowest)}, "
            f"next decision {_spread(deaths, lambda d: d.decided_s)} after it answered, "
            f"all ready after {_spread(deaths, lambda d: d.ready_s)}"
        )
    print(  # noqa: T201 - for people
        f"{report.taken} requests taken, {report.accepted} accepted by the platform, {report.stops} STOPs, "
        f"{report.refusals} answers after which a client came again; faults: {len(report.faults)}"
    )


def _slowest(death: Death) -> float | None:
    known = list(death.unready_s.values())
    return None if None in known else max(s for s in known if s is not None)


def _spread(deaths: Sequence[Death], of: Callable[[Death], float | None]) -> str:
    known = sorted(s for d in deaths if (s := of(d)) is not None)
    missing = len(deaths) - len(known)
    said = f"{known[0]:.1f} to {known[-1]:.1f} s (median {known[len(known) // 2]:.1f})" if known else "never"
    return said + (f", {missing} times not at all" if missing and known else "")


if __name__ == "__main__":
    raise SystemExit(main())
