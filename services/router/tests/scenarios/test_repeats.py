"""Scenarios 24, 25 and 28: a request that comes again, as it was or with another body."""

from datetime import timedelta

import pytest

from garbo.common.events.decisions import DecisionMade
from garbo.common.events.topics import DECISION_MADE, SEND_PROMO
from garbo.common.runtime.postgres import Database
from garbo.router.outbound.postgres.store import PostgresStore
from services.router.tests.support.batch_program import TRY_AGAIN
from services.router.tests.support.build import AT, consent, requested
from services.router.tests.support.machine import CAP, COUNTED, DECIDED, Machine, asked_by, judge, written
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.router import Router


def _contents() -> list[dict[str, object]]:
    return [
        {"type": "template", "template": {"name": name, "language": {"code": "it"}}}
        for name in ("sale", "shipped", "code", "nothing") * 3
    ]


async def test_scenario_24_repeat_gives_the_same_bytes_and_counts_once(
    router: Router, memory: InMemoryStore
) -> None:
    await router.hear(consent())
    asked = requested()
    await router.ask(asked, asked)
    memory.advance(timedelta(hours=25))
    await router.ask(asked)
    told = router.publisher.bytes_of(DECISION_MADE)
    assert len(told) == 3
    assert len(set(told)) == 1
    assert router.meter.repeats_count == 2
    (state,) = memory.tables.states.values()
    assert len(state.sends) == 1
    granted = router.publisher.bytes_of(SEND_PROMO)
    assert len(granted) == 2
    assert len(set(granted)) == 1


async def test_scenario_25_same_id_with_another_body_is_id_reused_and_changes_nothing(
    router: Router, memory: InMemoryStore
) -> None:
    await router.hear(consent())
    asked = requested()
    (first,) = await router.ask(asked)
    other = requested(request_id=asked.request_id, priority=51)
    (answer,) = await router.ask(other)
    assert (answer.verdict, answer.reason, answer.sequence) == ("deny", "id_reused", 0)
    (again,) = await router.ask(other)
    assert again.decision_id == answer.decision_id != first.decision_id
    stored = await memory.decision(asked.message_id)
    assert stored is not None
    assert len(stored.records) == 1
    assert len(router.granted) == 1


async def test_requested_at_is_no_part_of_the_body(router: Router) -> None:
    asked = requested()
    await router.ask(asked)
    (again,) = await router.ask(requested(request_id=asked.request_id, requested_at=AT + timedelta(hours=1)))
    assert again.reason == "not_opted_in"


@pytest.mark.integration
async def test_scenario_24_repeats_give_the_same_bytes_from_any_process(
    stored: Router, database: Database
) -> None:
    asked = [
        requested(to={"phone": f"+39333{n:07d}"}, content=content) for n, content in enumerate(_contents())
    ]
    await stored.hear(*[consent(to={"phone": request.to.phone}) for request in asked[::2]])
    await stored.ask(*asked)
    other = Router(PostgresStore(database), stored.policy)
    await other.ask(*reversed(asked))

    def told(router: Router) -> set[bytes]:
        return {*router.publisher.bytes_of(DECISION_MADE), *router.publisher.bytes_of(SEND_PROMO)}

    assert told(other) == told(stored)
    assert {g.model_dump_json() for g in other.granted} == {g.model_dump_json() for g in stored.granted}


@pytest.mark.integration
async def test_scenario_24_same_request_in_a_batch_in_two_processes_at_once_and_after_a_restart(
    machine: Machine,
) -> None:
    requests = await asked_by(machine)
    twice = written([*requests, *requests[::-1]])
    both = [machine.start(twice), machine.start(twice)]
    for process in both:
        await machine.finish(process)
    assert set(machine.ended) <= {0, TRY_AGAIN}
    await machine.run(twice)
    assert machine.ended[-1] == 0
    await judge(machine, requests)


@pytest.mark.integration
async def test_scenario_25_second_body_under_an_id_is_refused_by_a_process_that_never_saw_the_first(
    machine: Machine,
) -> None:
    requests = await asked_by(machine)
    await machine.run(written(requests))
    other = requests[0].model_copy(update={"priority": 99})
    await machine.run(written([other]))
    told = (await machine.told(DECISION_MADE, [other.message_id]))[other.message_id]
    reused = [d for d in map(DecisionMade.model_validate_json, told) if d.reason == "id_reused"]
    assert [d.sequence for d in reused] == [0]
    stored = await machine.rows(DECIDED, [other.message_id])
    assert [len(row["records"]) for row in stored] == [1]
    assert sum(r["count"] for r in await machine.rows(COUNTED, [r.message_id for r in requests])) == 3 * CAP


@pytest.mark.integration
async def test_scenario_28_batch_that_comes_again_is_answered_from_what_is_stored(machine: Machine) -> None:
    requests = await asked_by(machine)
    await machine.run(written(requests))
    parts = [requests[:7], requests[3:], list(reversed(requests)), requests]
    for part in parts:
        await machine.run(written(part))
    await judge(machine, requests)
