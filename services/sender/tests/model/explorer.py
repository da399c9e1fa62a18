"""`python -m services.sender.tests.model.explorer`: all that can happen to a message, on the SQL itself.

Breadth first, every state once. What must never be is looked for at each step; afterwards, whether from
every state the steps that come by themselves lead to a result that is told and a queue that has forgotten
the message.
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import asyncpg

from garbo.common.events.decisions import Lane
from garbo.sender.flow.send_queue import LANES
from services.sender.tests.model.kept import Kept
from services.sender.tests.model.machine import Act, Machine
from services.sender.tests.model.world import ANY_NUMBER, Move, World, moves
from services.sender.tests.support.postgres import CLAIMS
from tests.support.own_servers import OwnPostgres
from tests.support.servers import SharedPostgres

DECIDED: Final = ("accepted", "failed", "unknown", "not_sent")
REFUSALS: Final = ("revoked", "stale_epoch", "lease_expired")
"""Why care that was granted may not have been sent."""
SHOWN: Final = 40


@dataclass
class Explored:
    """What was found."""

    lane: Lane
    states: int = 0
    steps: int = 0
    calls: int = 0
    whole: bool = False
    """Whether there was nothing left to look at."""
    faults: list[str] = field(default_factory=list)


async def explore(machine: Machine, start: World, *, most: int, stop_at: int = 1) -> Explored:
    """Look at so many states at most; stop at so many faults."""
    found = Explored(start.kept.lane)
    came: dict[World, tuple[World, str] | None] = {start: None}
    back: dict[World, list[tuple[World, bool]]] = {}
    queue = deque([start])
    while queue and found.states < most and len(found.faults) < stop_at:
        world = queue.popleft()
        found.states += 1
        async for move in moves(machine, world):
            found.steps += 1
            if move.world not in came:
                came[move.world] = (world, move.name)
                queue.append(move.world)
            if move.is_sure:
                back.setdefault(move.world, []).append((world, move.name == "leases end"))
            for fault in wrong(world, move):
                found.faults.append(f"{fault}\n{_way(came, world, move.name)}")
    found.whole, found.calls = not queue, machine.calls
    if not found.faults:
        seen = [world for world in came if world not in set(queue)]
        found.faults += [f"{fault}\n{_way(came, world, '')}" for fault, world in _stuck(seen, queue, back)][
            :stop_at
        ]
    return found


def wrong(before: World, move: Move) -> Iterator[str]:
    """Say what may not have happened in this step."""
    world, row = move.world, move.world.kept.row
    got = [n for n, fate in world.ledger if fate != "failed"]
    if world.kept.lane == "promo" and len(got) > 1:
        yield "a promo was accepted twice"
    if len(got) > 1 + (row.resent if row else 0):
        yield "care was accepted twice, and no attempt was unknown at that moment"
    old = before.kept.row
    if old and old.state == "accepted" and (row is None or row.state != "accepted"):
        yield "what was accepted became something else"
    if move.name == "begin: begun":
        yield from _wrong_begin(before, world)
    armed = [(job.n) for job in world.jobs if job.phase == "armed"]
    if len(armed) != len(set(armed)):
        yield "one attempt is in two hands"
    lost = row and row.state == "not_sent" and row.reason not in (*REFUSALS, "unknown_grant")
    if world.kept.lane == "care" and lost:
        yield f"care was given up: {row.reason if row else None}"
    if (
        settled(world)
        and row
        and row.state != "accepted"
        and any(fate == "delivered" for _, fate in world.ledger)
    ):
        yield f"what was delivered is said to be {row.state}"
    for job in world.jobs:
        if job.result and job.result.outcome == "accepted" and len(got) > 1 and not job.result.is_marked:
            yield "a possible duplicate is not marked"


def _wrong_begin(before: World, world: World) -> Iterator[str]:
    row, old = world.kept.row, before.kept.row
    begun = next(job for job in world.jobs if world.jobs.count(job) > before.jobs.count(job))
    if row is None or (row.state, row.n, row.grant, row.epoch) != (
        "dispatching",
        begun.n,
        begun.grant,
        begun.epoch,
    ):
        yield "an attempt may leave that is not written"
    if old and old.state in ("accepted", "dispatching"):
        yield f"an attempt was begun of what was {old.state}"
    grant = before.kept.grants[begun.grant]
    if grant is None or grant.state == "revoked" or grant.epoch != begun.epoch:
        yield "an attempt was begun of what was taken back"
    if before.kept.is_over:
        yield "an attempt was begun after its lease"
    if old and old.state == "unknown" and (world.kept.lane == "promo" or not old.is_old):
        yield "what may have arrived was begun again, or too soon"


def settled(world: World) -> bool:
    """Whether nothing is left to be done: it has a result, that is told, and nobody waits."""
    row = world.kept.row
    return (
        not world.jobs
        and not world.unread
        and not world.pending
        and world.kept.waiting is None
        and row is not None
        and row.state in DECIDED
        and any(
            outcome == row.state and (grant, epoch) == (row.grant, row.epoch)
            for outcome, grant, epoch in world.told
        )
    )


def _stuck(
    seen: Sequence[World], frontier: Iterable[World], back: dict[World, list[tuple[World, bool]]]
) -> Iterator[tuple[str, World]]:
    """Find states from which what comes by itself leads to no end; beyond the frontier all is well."""
    ends = [*frontier, *(world for world in seen if settled(world))]
    can_end = _reaching(ends, back, also_over=True)
    for world in seen:
        if world not in can_end:
            yield "stuck: nothing that comes by itself ends this", world
    if seen and seen[0].kept.lane == "care":
        sent = [*frontier, *(world for world in seen if world.ledger or _is_over(world))]
        can_be_sent = _reaching(sent, back, also_over=False)
        for world in seen:
            if world not in can_be_sent:
                yield "care that may be sent is sent by nobody", world


def _is_over(world: World) -> bool:
    """Whether care need not be sent any more."""
    kept, row = world.kept, world.kept.row
    refused = row is not None and row.state in ("failed", "not_sent")
    spent = row is not None and row.resent > 0
    newest = next(grant for grant in reversed(kept.grants) if grant)
    return kept.is_over or kept.is_erased or refused or spent or newest.state == "revoked"


def _reaching(
    ends: Iterable[World], back: dict[World, list[tuple[World, bool]]], *, also_over: bool
) -> set[World]:
    found = set(ends)
    queue = deque(found)
    while queue:
        for world, is_end_of_leases in back.get(queue.popleft(), ()):
            if world not in found and (also_over or not is_end_of_leases):
                found.add(world)
                queue.append(world)
    return found


def _way(came: dict[World, tuple[World, str] | None], world: World, last: str) -> str:
    names, at = [last] if last else [], came[world]
    while at is not None:
        names.append(at[1])
        at = came[at[0]]
    way = " -> ".join(reversed(names[:SHOWN]))
    return f"  by: {way}\n  in: {world}"


@asynccontextmanager
async def machine_on(dsn: str, *, most_resends: int) -> AsyncIterator[Machine]:
    """Connect to a migrated database of one's own."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(CLAIMS.read_text())
        yield Machine(connection, most_resends)
    finally:
        await connection.close()


@contextmanager
def own_postgres() -> Iterator[SharedPostgres]:
    """Run a server of one's own."""
    with tempfile.TemporaryDirectory(prefix="garbo-model-") as name:
        home = Path(name)
        home.chmod(0o755)
        postgres = OwnPostgres(home=home / "postgres")
        try:
            postgres.start()
            yield SharedPostgres(postgres.dsn())
        finally:
            postgres.stop()


async def walk(machine: Machine, start: World, *, walks: int, steps: int = 80, seed: int = 1) -> Explored:
    """Go far instead of everywhere: take steps at random, and look at each."""
    dice, found = random.Random(seed), Explored(start.kept.lane)
    for _ in range(walks):
        world, way = start, list[str]()
        for _ in range(steps):
            move = dice.choice([move async for move in moves(machine, world)])
            found.steps += 1
            way.append(move.name)
            found.faults += [
                f"{fault}\n  by: {' -> '.join(way)}\n  in: {world}" for fault in wrong(world, move)
            ]
            world = move.world
        if found.faults:
            break
    found.calls = machine.calls
    return found


async def batches(machine: Machine, *, count: int, seed: int = 1) -> list[str]:
    """Put steps that were taken alone into one call, two by two; say where one saw the other."""
    dice, taken = random.Random(seed), defaultdict[tuple[str, Lane], list[tuple[Kept, Act]]](list)
    for kept, act in list(machine.known):
        taken[act.name, kept.lane].append((kept, act))
    found = []
    for _ in range(count):
        (one, first), (other, second) = dice.choices(taken[dice.choice(list(taken))], k=2)
        alone = [await machine.step(one, first), await machine.step(other, second)]
        if await machine.together([one, other], [first, second]) != alone:
            found.append(f"{first.name}: {one} and {other}")
    return found


async def _run(dsn: str, lane: Lane, asked: argparse.Namespace) -> Explored:
    async with machine_on(dsn, most_resends=asked.resends) as machine:
        begun = time.monotonic()
        start = World(Kept(lane), workers=asked.workers, surprises=asked.surprises)
        found = await explore(machine, start, most=asked.most)
        far = start._replace(workers=3, surprises=ANY_NUMBER)
        found.faults += (await walk(machine, far, walks=asked.walks)).faults
        found.faults += await batches(machine, count=asked.batches)
    print(  # noqa: T201 - for people
        f"{lane}: {found.states} states{'' if found.whole else ' (not all)'}, {found.steps} steps, "
        f"{found.calls} calls of the SQL, {time.monotonic() - begun:.0f} s; faults: {len(found.faults)}"
    )
    for fault in found.faults:
        print(fault)  # noqa: T201 - for people
    return found


def main() -> int:
    """Explore; 1 when something was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--most", type=int, default=10_000_000, help="states, at most, a lane")
    parser.add_argument("--resends", type=int, default=1, help="times that care is sent once more")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument(
        "--surprises", type=int, default=ANY_NUMBER, help="deaths, statuses ...; -1: any number"
    )
    parser.add_argument("--walks", type=int, default=1000, help="ways of 80 random steps, a lane")
    parser.add_argument("--batches", type=int, default=2000, help="pairs of steps that are put into one call")
    parser.add_argument("--lanes", nargs="+", choices=LANES, default=LANES)
    asked = parser.parse_args()
    with own_postgres() as postgres:
        found = [asyncio.run(_run(postgres.database("sender"), lane, asked)) for lane in asked.lanes]
    return int(any(one.faults for one in found))


if __name__ == "__main__":
    raise SystemExit(main())
