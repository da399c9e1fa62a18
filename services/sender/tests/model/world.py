"""One message, three workers, the platform and the router: every step any of them may take, anywhere.

Messages of several people, or of one, do not see each other in the machine (the test of batches holds it
to that), so whatever happens with two of them happens with each alone, the death of the worker both were
with included.
"""

from collections.abc import AsyncIterator
from typing import Final, NamedTuple

from services.sender.tests.model.kept import Grant, Kept, Told
from services.sender.tests.model.machine import Act, Machine

ANY_NUMBER: Final = -1
MOST_NOT_YET: Final = 2
"""Attempts from this one on are answered."""
Source = tuple[int, str] | None
"""The status a result comes from: it is read again until its result is told."""


class Job(NamedTuple):
    """What one worker has in hand.

    holds: a grant in memory. armed: an attempt that may leave. answered: its answer. tells: a result that
    is to be told. told: a message that is to be forgotten.
    """

    phase: str
    grant: int = 0
    epoch: int = 0
    n: int = 0
    outcome: str = ""
    result: Told | None = None
    source: Source = None


class World(NamedTuple):
    """All there is."""

    kept: Kept
    ledger: tuple[tuple[int, str], ...] = ()
    """Attempts the platform accepted: got, or failed to be delivered."""
    pending: frozenset[tuple[int, str]] = frozenset()
    """Statuses on their way."""
    told: frozenset[tuple[str, int, int]] = frozenset()
    """Results told: outcome, grant, epoch."""
    published: frozenset[tuple[int, int]] = frozenset({(0, 1)})
    unread: frozenset[tuple[int, int]] = frozenset({(0, 1)})
    """Grants the router published, and those nobody has taken in yet."""
    jobs: tuple[Job, ...] = ()
    """Of workers that have one."""
    workers: int = 3
    surprises: int = ANY_NUMBER
    """How much may still happen that does not come by itself."""

    @property
    def is_idle(self) -> bool:
        """Whether a worker has nothing in hand."""
        return len(self.jobs) < self.workers

    def having(self, old: Job | None, new: Job | None, kept: Kept | None = None) -> "World":
        """Put a job in the place of another."""
        jobs = list(self.jobs)
        if old is not None:
            jobs.remove(old)
        if new is not None:
            jobs.append(new)
        return self._replace(jobs=tuple(sorted(jobs, key=repr)), kept=kept or self.kept)


class Move(NamedTuple):
    """A step: what it is, where it leads, and whether it comes by itself in the end."""

    name: str
    world: World
    is_sure: bool = True


async def moves(machine: Machine, world: World) -> AsyncIterator[Move]:
    """Give every step that may follow, surprises while there are any left."""
    async for move in _moves(machine, world):
        if move.is_sure or world.surprises == ANY_NUMBER:
            yield move
        elif world.surprises > 0:
            yield move._replace(world=move.world._replace(surprises=world.surprises - 1))


async def _moves(machine: Machine, world: World) -> AsyncIterator[Move]:
    for move in _outside(world):
        yield move
    for job in dict.fromkeys(world.jobs):
        yield Move("a worker dies", world.having(job, None), is_sure=False)
        async for move in _work(machine, world, job):
            yield move
    async for move in _database(machine, world):
        yield move
    if world.is_idle:
        async for move in _idle(machine, world):
            yield move


def _outside(world: World) -> list[Move]:
    """The clock, the router, the platform's statuses."""
    kept, found = world.kept, list[Move]()
    old = kept.row._replace(is_old=True) if kept.row and kept.row.n else kept.row
    due = (
        kept.waiting._replace(parked="due")
        if kept.waiting and kept.waiting.parked == "later"
        else kept.waiting
    )
    found.append(Move("time passes", world._replace(kept=kept._replace(row=old, waiting=due))))
    late = kept.waiting._replace(is_late=True) if kept.waiting else None
    found.append(Move("leases end", world._replace(kept=kept._replace(is_over=True, waiting=late))))
    for n, fate in world.ledger:
        for status in ("delivered", "failed"):
            if fate in ("accepted", status):
                ledger = tuple(sorted({*world.ledger, (n, status)} - {(n, "accepted")}))
                come = world._replace(ledger=ledger, pending=world.pending | {(n, status)})
                found.append(Move(f"{status} of {n}", come, is_sure=False))
    if kept.is_over:
        return found
    first, second = kept.grants
    if first and first.state != "revoked":
        stopped = kept._replace(grants=(Grant(first.epoch, "revoked"), second))
        found.append(Move("a STOP", world._replace(kept=stopped), is_sure=False))
    if first and second is None and _may_be_granted_again(world):
        found.append(_granted(world, (first._replace(state="revoked"), Grant(1, "reserved")), (1, 1)))
        if first.epoch == 1:
            found.append(_granted(world, (Grant(2, "reserved"), None), (0, 2)))
    return found


def _may_be_granted_again(world: World) -> bool:
    """The router decides again what nobody has claimed, and what it was told was not sent."""
    first, row = world.kept.grants[0], world.kept.row
    unsent = row is not None and row.state in ("failed", "not_sent") and row.reason != "ambiguous"
    return first is not None and (first.state != "dispatched" or unsent)


def _granted(world: World, grants: tuple[Grant | None, Grant | None], new: tuple[int, int]) -> Move:
    kept = world.kept._replace(grants=grants)
    given = world._replace(kept=kept, published=world.published | {new}, unread=world.unread | {new})
    return Move(f"granted again {new}", given, is_sure=False)


async def _work(machine: Machine, world: World, job: Job) -> AsyncIterator[Move]:
    """Let a worker go on with what it has."""
    act = Act("", job.grant, job.epoch, job.n, job.outcome)
    match job.phase:
        case "holds":
            kept, (outcome, n, result) = await machine.step(world.kept, act._replace(name="begin"))
            new = Job("tells", result=result) if result else None
            if outcome == "begun":
                new = Job("armed", job.grant, job.epoch, n)
            yield Move(f"begin: {outcome}", world.having(job, new, kept))
        case "armed":
            for move in _calls(world, job):
                yield move
        case "answered":
            kept, result = await machine.step(world.kept, act._replace(name="record", word=job.outcome))
            new = Job("tells", result=result) if result else None
            if result is None and job.outcome == "not_yet":
                new = Job("holds", job.grant, job.epoch)
            yield Move(f"record {job.n}: {job.outcome}", world.having(job, new, kept))
        case "tells":
            assert job.result is not None
            said = (job.result.outcome, job.result.grant, job.result.epoch)
            told = world._replace(told=world.told | {said})
            yield Move(f"tell {said} and die", told.having(job, None), is_sure=False)
            forget = Act("forget", job.result.grant, job.result.epoch, word=job.result.outcome)
            kept, _ = await machine.step(world.kept, forget)
            done = told.having(job, None, kept)
            yield Move(
                f"tell {said}", done._replace(pending=world.pending - {job.source}) if job.source else done
            )


def _calls(world: World, job: Job) -> list[Move]:
    """Let an attempt leave: the platform takes it or not, and its answer comes or not."""
    found = list[Move]()
    for outcome in ("accepted", "failed", "unknown", "lost", "not_yet"):
        if outcome == "not_yet" and job.n > MOST_NOT_YET:
            continue
        seen = job._replace(phase="answered", outcome="unknown" if outcome == "lost" else outcome)
        answered = world.having(job, seen)
        if outcome in ("accepted", "unknown"):
            answered = answered._replace(ledger=tuple(sorted({*world.ledger, (job.n, "accepted")})))
        found.append(Move(f"call {job.n}: {outcome}", answered, is_sure=outcome in ("accepted", "failed")))
    return found


async def _database(machine: Machine, world: World) -> AsyncIterator[Move]:
    """What is done without anything in hand afterwards."""
    waiting = world.kept.waiting
    if waiting and waiting.parked == "due":
        kept, _ = await machine.step(world.kept, Act("wake"))
        yield Move("wake", world._replace(kept=kept))
    if not world.kept.is_erased:
        kept, _ = await machine.step(world.kept, Act("erase"))
        yield Move("erase", world._replace(kept=kept), is_sure=False)


async def _idle(machine: Machine, world: World) -> AsyncIterator[Move]:
    """What a worker with nothing in hand may begin."""
    for grant, epoch in world.published:
        kept, (answer, result) = await machine.step(world.kept, Act("take", grant, epoch))
        read = world._replace(unread=world.unread - {(grant, epoch)})
        sure = (grant, epoch) in world.unread
        job = Job("tells", result=result) if answer == "told" else None
        yield Move(f"read {grant, epoch}: {answer}", read.having(None, job, kept), is_sure=sure)
    kept, (copy, result) = await machine.step(world.kept, Act("load"))
    if copy or result:
        job = Job("holds", *copy) if copy else Job("tells", result=result)
        yield Move("load", world.having(None, job, kept))
    kept, (found, result) = await machine.step(world.kept, Act("late"))
    if found:
        yield Move("late", world.having(None, Job("tells", result=result) if result else None, kept))
    # An hour after an attempt nobody has its answer in hand any more.
    has_answer = any(job.phase in ("armed", "answered") for job in world.jobs)
    for name in ("abandon",) if has_answer else ("abandon", "unsettled"):
        kept, result = await machine.step(world.kept, Act(name))
        if result:
            yield Move(name, world.having(None, Job("tells", result=result), kept))
    for n, status in world.pending:
        kept, result = await machine.step(world.kept, Act("settle", n=n, word=status))
        settled = world.having(
            None, Job("tells", result=result, source=(n, status)) if result else None, kept
        )
        if result is None:
            settled = settled._replace(pending=world.pending - {(n, status)})
        yield Move(f"settle {n}: {status}", settled)
