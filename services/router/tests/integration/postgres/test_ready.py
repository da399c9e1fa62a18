"""What may be free by now is found alike in memory and in PostgreSQL."""

from datetime import UTC, datetime

import pytest

from garbo.common.runtime.postgres import Database
from garbo.router.domain.values import replace
from garbo.router.outbound.postgres.jobs import PostgresJobStore
from garbo.router.ports.jobs import JobStore
from garbo.router.ports.store import Changes, Scope
from services.router.tests.support.memory_jobs import InMemoryJobStore
from services.router.tests.support.stored import from_now, met, waits

pytestmark = pytest.mark.integration


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest, database: Database) -> JobStore:
    return PostgresJobStore(database) if request.param == "postgres" else InMemoryJobStore(datetime.now(UTC))


async def test_ready_is_what_may_be_free_by_now_or_waits_since_another_policy(store: JobStore) -> None:
    whose, now = await met(store), "sha256:now"
    due = replace(waits(whose, from_now(-1)), policy_version=now)
    jittered = replace(waits(whose, from_now(5)), free_at_us=from_now(-1), policy_version=now)
    not_yet = replace(waits(whose, from_now(5)), policy_version=now)
    other_policy = replace(waits(whose, from_now(5)), policy_version="sha256:before")
    nobody_noted = waits(whose, from_now(5))
    gathers = replace(waits(whose, from_now(5), reason="gathering"), policy_version="sha256:before")
    of_another = replace(waits(await met(store), from_now(-1)), policy_version=now)
    some = [due, jittered, not_yet, other_policy, nobody_noted, gathers, of_another]
    async with store.transaction() as transaction:
        await transaction.save(Changes(deferred=some))
    async with store.transaction() as transaction:
        loaded = await transaction.load(Scope(ready_of=frozenset([whose]), policy_version=now))
    assert set(loaded.deferred) == {d.message_id for d in (due, jittered, other_policy, nobody_noted)}
    assert set(loaded.contacts) == {whose}, "who is decided again must be reachable"
