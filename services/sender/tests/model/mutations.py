"""`python -m services.sender.tests.model.mutations`: each guard is broken, and the explorer must see it."""

import asyncio
import re
import sys
from dataclasses import dataclass
from typing import Final

from garbo.common.events.decisions import Lane
from garbo.common.runtime.migrations import migrations_of
from garbo.sender.outbound import postgres_queue
from services.sender.tests.model.explorer import explore, machine_on, own_postgres
from services.sender.tests.model.kept import Kept
from services.sender.tests.model.machine import Machine
from services.sender.tests.model.world import World


@dataclass(frozen=True, slots=True)
class Mutation:
    """A guard and what stands in its place. `is_query`: it is one of the queue's statements."""

    name: str
    old: str
    new: str
    is_query: bool = False
    lane: Lane = "care"
    """Where it is to be seen."""
    also: tuple[str, str] | None = None
    """A second guard of the same, and what stands in its place."""
    workers: int = 2
    surprises: int = 2
    """So much of either it takes to see it, at most."""
    states: int = 60_000
    """All of promo's: that something is stuck is only sure when nothing is left to look at."""


FUNCTION: Final = re.compile(
    r"CREATE (?:OR REPLACE )?FUNCTION (?P<rest>(?P<name>[a-z_.]+)\(.*?\n\$\$;)", re.DOTALL
)
MUTATIONS: Final = (
    Mutation(
        "what was decided since it was told is forgotten",
        "AND (m.state <> t.outcome",
        "AND (false",
        is_query=True,
        lane="promo",
    ),
    Mutation(
        "a promo that may have arrived is begun again",
        "WHEN 'unknown' THEN in_lane = 'care' AND",
        "WHEN 'unknown' THEN",
        lane="promo",
        also=("IF in_lane = 'care' THEN", "IF true THEN"),
    ),
    Mutation(
        "care that may have arrived is begun again at once",
        "AND m.started_at < clock_timestamp() - resend_after\n               ELSE false END",
        "ELSE false END",
    ),
    Mutation(
        "what is under way or accepted is begun again",
        "ELSE false END\n           AND CASE WHEN m.grant_id",
        "ELSE true END\n           AND CASE WHEN m.grant_id",
    ),
    Mutation(
        "what was taken back is begun",
        "WHEN c.reason <> 'already_dispatched' THEN c.reason",
        "WHEN false THEN c.reason",
    ),
    Mutation(
        "an answer counts for another attempt",
        "WHERE m.message_id = f.message_id AND m.message_id = ANY (locked) AND m.n = f.n",
        "WHERE m.message_id = f.message_id AND m.message_id = ANY (locked)",
    ),
    Mutation(
        "an answer overrules what was decided",
        "AND (m.state = 'dispatching' OR (m.state = 'unknown' AND f.state <> 'unknown'))",
        "",
    ),
    Mutation(
        "a status overrules what was decided",
        "CASE WHEN m.n = ns[s.place] THEN m.state IN ('dispatching', 'unknown') OR m.reason = 'ambiguous'",
        "CASE WHEN m.n = ns[s.place] THEN true",
        also=(
            "WHERE m.state IN ('dispatching', 'unknown') OR m.reason = 'ambiguous' OR ns",
            "WHERE true OR ns",
        ),
    ),
    Mutation(
        "a status that comes again tells nothing",
        "OR ns[s.place] < m.n OR m.resolved_by = 'status:' || statuses[s.place]",
        "OR ns[s.place] < m.n",
        lane="promo",
        workers=1,
        surprises=3,
    ),
    Mutation(
        "care is sent once more after its lease",
        "AND (m.grant_id, m.epoch) = (EXCLUDED.grant_id, EXCLUDED.epoch) AND m.message_id = ANY (alive)",
        "AND (m.grant_id, m.epoch) = (EXCLUDED.grant_id, EXCLUDED.epoch)",
        states=250_000,
    ),
    Mutation(
        "what waits is forgotten with the same word of another grant",
        "OR (m.grant_id, m.epoch) <> (t.grant_id, t.epoch)",
        "",
        is_query=True,
        states=250_000,
    ),
    Mutation(
        "what waits is forgotten with the result of another grant",
        "AND (d.state IN ('accepted', 'unknown') OR d.reason = 'ambiguous'\n"
        "                    OR d.not_before > w.not_before)",
        "",
        is_query=True,
        lane="promo",
    ),
    Mutation(
        "what is under way is called unsent",
        "WHERE CASE m.state WHEN 'open' THEN true",
        "WHERE CASE m.state WHEN 'open' THEN true WHEN 'dispatching' THEN true",
    ),
    Mutation(
        "an older grant takes the place of a newer one",
        "WHERE CASE WHEN w.grant_id = EXCLUDED.grant_id THEN w.epoch < EXCLUDED.epoch",
        "WHERE true OR CASE WHEN w.grant_id = EXCLUDED.grant_id THEN w.epoch < EXCLUDED.epoch",
    ),
    Mutation(
        "care that may have arrived is forgotten",
        "OR (m.state = 'unknown' AND (m.reason",
        "OR (false AND (m.reason",
        is_query=True,
    ),
)


async def caught(dsn: str, mutation: Mutation) -> str | None:
    """Break a guard, and give the first fault that is found."""
    query = postgres_queue.FORGET
    try:
        async with machine_on(dsn, most_resends=1) as machine:
            if mutation.is_query:
                setattr(postgres_queue, "FORGET", broken(mutation))  # noqa: B010 - for this process
            else:
                await machine.connection.execute(broken(mutation))
            return await _first_fault(machine, mutation)
    finally:
        setattr(postgres_queue, "FORGET", query)  # noqa: B010 - as it was


def _function_with(text: str) -> str:
    """Give the function that holds a text, as its newest migration has it."""
    newest: dict[str, str] = {}
    for migration in migrations_of("sender"):
        for found in FUNCTION.finditer(migration.sql):
            newest[found["name"]] = f"CREATE OR REPLACE FUNCTION {found['rest']}"
    (holding,) = [function for function in newest.values() if text in function]
    return holding


def broken(mutation: Mutation) -> str:
    """Give the statement or function without its guard."""
    text = postgres_queue.FORGET if mutation.is_query else _function_with(mutation.old)
    for old, new in ((mutation.old, mutation.new), *((mutation.also,) if mutation.also else ())):
        assert text.count(old) == 1, mutation.name
        text = text.replace(old, new)
    return text


async def _first_fault(machine: Machine, mutation: Mutation) -> str | None:
    for surprises in range(1, mutation.surprises + 1):
        start = World(Kept(mutation.lane), workers=mutation.workers, surprises=surprises)
        found = await explore(machine, start, most=mutation.states)
        if found.faults:
            return found.faults[0].splitlines()[0]
    return None


def main() -> int:
    """Break each, or those whose name holds a word; 1 when one was not seen."""
    missed, words = 0, sys.argv[1:] or [""]
    with own_postgres() as postgres:
        for mutation in [one for one in MUTATIONS if any(word in one.name for word in words)]:
            fault = asyncio.run(caught(postgres.database("sender"), mutation))
            missed += fault is None
            print(f"{mutation.name}: {fault or 'NOT SEEN'}", flush=True)  # noqa: T201 - for people
    return int(missed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
