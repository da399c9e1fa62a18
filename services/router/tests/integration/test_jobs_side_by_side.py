"""The router's own work on a real database, by several routers at once."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest

from garbo.common.runtime.postgres import Database
from garbo.router.domain.policy import Policy
from garbo.router.outbound.postgres.retention import PostgresRetention
from services.router.tests.support.build import consent, requested
from services.router.tests.support.jobs import Jobs
from services.router.tests.support.policies import ONE_A_DAY
from services.router.tests.support.shared_database import (
    LEASES_END,
    another,
    count,
    person,
    records_of,
    run,
    until_done,
)

pytestmark = pytest.mark.integration
ALL_DUE = "UPDATE router.deferred SET due_at = now() - interval '1 s', free_at = now() - interval '1 s'"
SLOTS_FREE = "UPDATE router.recipient_state SET state = '{}'"


async def test_every_kind_of_work_is_quiet_where_there_is_none(stored_work: Jobs, database: Database) -> None:
    assert not await stored_work.retry()
    assert not await stored_work.expire()
    assert not await stored_work.publish()
    assert not await stored_work.reevaluate(stored_work.router.policy)
    assert not await stored_work.cancel()
    upkeep = PostgresRetention(database)
    assert await upkeep.tidy(keep_days=90, ahead_days=9) == []
    assert await upkeep.silent() == 0
    backlog = await upkeep.backlog()
    assert (backlog.deferred, backlog.outbox, backlog.oldest_due_s) == (0, 0, 0)
    assert backlog.unexpired_s < 60


async def test_four_routers_share_the_wakes_and_each_slot_is_given_once(
    stored_work: Jobs, database: Database, make_policy: Callable[..., Policy]
) -> None:
    stored_work.router.policy = make_policy(ONE_A_DAY)
    people = 300
    best = [requested(to=person(number), priority=90) for number in range(people)]
    others = [requested(to=person(n), priority=p) for n in range(people) for p in (99, 50, 10)]
    first = [one for one in others if one.priority == 99]
    await stored_work.router.ask(*first)
    await stored_work.router.ask(*best, *(one for one in others if one.priority < 99))
    await run(database, SLOTS_FREE)
    await run(database, ALL_DUE)
    routers = [stored_work, *(another(stored_work, database) for _ in range(3))]
    await until_done(*(router.retry for router in routers))
    woken = [len(router.meter.verdicts) for router in routers]
    assert sum(woken) == people * 3
    assert sum(count > 0 for count in woken) > 1, "they share"
    for asked in best:
        assert [r.verdict for r in await records_of(stored_work, asked)] == ["defer", "allow"]
    grants = await count(database, "SELECT message_id::text, 1 FROM router.send_grant")
    assert grants.keys() == {str(one.message_id) for one in (*first, *best)}
    states = await count(database, "SELECT state, count(*) FROM router.send_grant GROUP BY 1")
    assert states == {"reserved": people * 2}
    reasons = await count(database, "SELECT reason, count(*) FROM router.deferred GROUP BY 1")
    assert reasons == {"cap_reached": people * 2}
    assert not await stored_work.retry()


async def test_wakes_requests_and_events_at_once_never_deadlock(
    stored_work: Jobs, database: Database, make_policy: Callable[..., Policy]
) -> None:
    stored_work.router.policy = make_policy(ONE_A_DAY)
    people = [person(n) for n in range(60)]
    await stored_work.router.ask(*(requested(to=to) for to in people for _ in range(2)))
    await run(database, LEASES_END, timedelta(seconds=10))
    await run(database, ALL_DUE)
    other = another(stored_work, database)
    await asyncio.gather(
        until_done(stored_work.retry),
        until_done(other.retry),
        until_done(other.expire),
        stored_work.router.hear(*(consent(to=to) for to in reversed(people))),
        stored_work.router.ask(*(requested(to=to) for to in people)),
    )
    await until_done(other.expire)
    await until_done(other.retry)
    open_sends = await count(
        database, "SELECT contact_id::text, count(*) FROM router.counted_send GROUP BY 1"
    )
    assert set(Counter(open_sends.values())) == {1}, "one slot a person, whoever has it"
