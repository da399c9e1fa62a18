"""Finding the router's own work: memory and PostgreSQL answer alike; and what only PostgreSQL can show."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from garbo.common.errors import RetryLater
from garbo.common.events.ids import ContactId, MessageId
from garbo.common.events.topics import DECISION_MADE
from garbo.common.runtime.postgres import Database
from garbo.router.domain.grant import Grant, day_of_instant, grant_id_of
from garbo.router.domain.instants import SECOND_US
from garbo.router.flow.records import rendered
from garbo.router.outbound.postgres.budgets import PostgresBudgetLeases
from garbo.router.outbound.postgres.jobs import PostgresJobStore
from garbo.router.outbound.postgres.outbox import PostgresOutbox
from garbo.router.outbound.postgres.retention import PostgresRetention
from garbo.router.ports.budgets import BudgetLeases, BudgetRequest
from garbo.router.ports.jobs import CampaignRef, GrantRef, JobStore, Outbox
from garbo.router.ports.publisher import OutgoingRecord
from garbo.router.ports.store import Changes, Scope, StoredDecision
from services.router.tests.support.build import requested
from services.router.tests.support.jobs import Jobs
from services.router.tests.support.memory_jobs import InMemoryBudgetLeases, InMemoryJobStore, InMemoryOutbox
from services.router.tests.support.stored import MINUTE_US, from_now, met, waits

pytestmark = pytest.mark.integration


@pytest.fixture(params=["memory", "postgres"])
def parts(request: pytest.FixtureRequest, database: Database) -> tuple[JobStore, BudgetLeases, Outbox]:
    if request.param == "postgres":
        return PostgresJobStore(database), PostgresBudgetLeases(database), PostgresOutbox(database)
    store = InMemoryJobStore(datetime.now(UTC))
    return store, InMemoryBudgetLeases(store), InMemoryOutbox(store)


@pytest.fixture
def store(parts: tuple[JobStore, BudgetLeases, Outbox]) -> JobStore:
    return parts[0]


def granted(contact_id: ContactId, until_us: int, *, version: str = "v1") -> tuple[StoredDecision, Grant]:
    message_id = MessageId(uuid4())
    decision = StoredDecision(message_id, "crm", UUID(int=7), b"h" * 32, contact_id, (b"{}",))
    grant = Grant(
        grant_id=grant_id_of(message_id, day_of_instant(from_now(0))),
        message_id=message_id,
        contact_id=contact_id,
        lane="promo",
        message_class="promo",
        brand="acme",
        number="1002",
        epoch=1,
        state="reserved",
        not_before_us=from_now(0),
        valid_until_us=until_us,
        campaign="spring",
        policy_version=version,
    )
    return decision, grant


async def written(store: JobStore, *pairs: tuple[StoredDecision, Grant]) -> None:
    async with store.transaction() as transaction:
        await transaction.save(
            Changes(decisions=[decision for decision, _ in pairs], grants=[grant for _, grant in pairs])
        )


async def test_due_recipients_are_found_and_others_are_not(store: JobStore) -> None:
    due, later, gone = await met(store), await met(store), ContactId(uuid4())
    both = [waits(due, from_now(-1)), waits(due, from_now(1))]
    async with store.transaction() as transaction:
        await transaction.save(Changes(deferred=[*both, waits(later, from_now(1))]))
    async with store.transaction() as transaction:
        assert list(await transaction.claim_due(10)) == [due]
        assert set(await transaction.claim([due, later, gone])) == {due, later, gone}
        assert len((await transaction.load(Scope(deferred_of=frozenset([due])))).deferred.values()) == 2
    orphan = waits(gone, from_now(-1))
    async with store.transaction() as transaction:
        await transaction.save(
            Changes(deferred=[orphan], no_longer_deferred=[one.message_id for one in both])
        )
    async with store.transaction() as transaction:
        assert list(await transaction.claim_due(10)) == [gone], "also of whom nothing is left"


async def test_slot_that_came_back_hastens_what_waits_for_it_and_nothing_else(store: JobStore) -> None:
    freed, other = await met(store), await met(store)
    later_us = from_now(10)
    hastened = waits(freed, later_us)
    reasons = ("not_before", "gathering")
    left = [*(waits(freed, later_us, reason=r) for r in reasons), waits(other, later_us)]
    anew = waits(freed, later_us)
    async with store.transaction() as transaction:
        await transaction.save(Changes(deferred=[hastened, *left]))
    async with store.transaction() as transaction:
        await transaction.save(Changes(contacts_to_recheck=[freed], deferred=[anew]))
    async with store.transaction() as transaction:
        now = {
            one.message_id: one
            for one in (
                await transaction.load(Scope(deferred_of=frozenset([freed, other])))
            ).deferred.values()
        }
    assert now[hastened.message_id].due_at_us < later_us
    assert now[hastened.message_id].free_at_us == now[hastened.message_id].due_at_us
    assert all(now[one.message_id] == one for one in (*left, anew)), "nor what waits in new terms"


async def test_ended_leases_and_grants_of_another_policy_are_found(store: JobStore) -> None:
    contact_id = await met(store)
    ended, fresh = granted(contact_id, from_now(-1)), granted(contact_id, from_now(5))
    other = granted(contact_id, from_now(5), version="v2")
    await written(store, ended, fresh, other)

    def held(*pairs: tuple[StoredDecision, Grant]) -> set[GrantRef]:
        return {GrantRef(grant.message_id, grant.contact_id) for _, grant in pairs}

    async with store.transaction() as transaction:
        found = await transaction.ended_leases(grace_us=2 * SECOND_US, limit=10)
        assert set(found.refs) == held(ended)
        assert from_now(-1) < found.until_us < from_now(1)
        assert (await transaction.ended_leases(grace_us=2 * MINUTE_US, limit=10)).refs == []
        assert set(await transaction.outdated("v1", 10)) == held(other)
        assert set(await transaction.outdated("v2", 10)) == held(fresh)
        assert len(await transaction.outdated("v3", 1)) == 1
        assert await transaction.is_newest_policy("v1"), "where no policy was kept"
        await transaction.save_watermark(found.until_us)


async def test_campaign_called_off_is_found_with_what_is_left_of_it(store: JobStore) -> None:
    contact_id = await met(store)
    pair, waiting = granted(contact_id, from_now(1)), waits(contact_id, from_now(1))
    await written(store, pair)
    spring, long_ago = CampaignRef("acme", "spring"), from_now(-60)
    async with store.transaction() as transaction:
        assert await transaction.next_cancelled_campaign() is None
        await transaction.save(Changes(deferred=[waiting], cancelled=[("acme", "spring", long_ago)]))
    async with store.transaction() as transaction:
        assert await transaction.next_cancelled_campaign() == spring
        assert {one.message_id for one in await transaction.remaining_of(spring, 10)} == {
            pair[1].message_id,
            waiting.message_id,
        }
        assert await transaction.remaining_of(CampaignRef("acme", "autumn"), 10) == []
        await transaction.mark_cancelled(spring)
    async with store.transaction() as transaction:
        assert await transaction.next_cancelled_campaign() is None


async def test_budget_is_spent_and_given_back_with_the_batch(
    parts: tuple[JobStore, BudgetLeases, Outbox],
) -> None:
    store, stock, _ = parts
    want = BudgetRequest("total", "acme/spring", 0, limit=10, count=10)
    lease_ids = await stock.fill([want])
    async with store.transaction() as transaction:
        (held,) = await transaction.lock_leases(lease_ids)
        assert (held.rule, held.scope, held.period, held.left) == ("total", "acme/spring", 0, 10)
        await transaction.save(Changes(budgets_spent={held.lease_id: 7}))
    async with store.transaction() as transaction:
        assert [one.left for one in await transaction.lock_leases(lease_ids)] == [3]
        await transaction.save(Changes(budgets_spent={held.lease_id: -2}))
    async with store.transaction() as transaction:
        assert [one.left for one in await transaction.lock_leases(lease_ids)] == [5]


async def test_outbox_gives_what_was_written_in_its_order_until_it_went_well(
    parts: tuple[JobStore, BudgetLeases, Outbox], stored_work: Jobs
) -> None:
    store, _, outbox = parts
    decided = await stored_work.router.ask(requested(), requested(to={"phone": "+393330000009"}))
    told = [
        OutgoingRecord(DECISION_MADE, rendered(d), ContactId(d.contact_id or uuid4()), None) for d in decided
    ]
    async with store.transaction() as transaction:
        await transaction.save(Changes(outbox=told))

    async def fail_to_publish() -> None:
        async with outbox.oldest(10) as parcels:
            assert [parcel.outgoing for parcel in parcels] == told
            raise RetryLater("kafka_publish:test")

    for _ in range(2):
        with pytest.raises(RetryLater):
            await fail_to_publish()
    async with outbox.oldest(1) as parcels:
        assert [parcel.outgoing for parcel in parcels] == told[:1]
    async with outbox.oldest(10) as parcels:
        assert [parcel.outgoing for parcel in parcels] == told[1:]
    async with outbox.oldest(10) as parcels:
        assert list(parcels) == []


async def test_one_router_at_a_time_has_the_outbox(stored_work: Jobs, database: Database) -> None:
    (decision,) = await stored_work.router.ask(requested())
    told = OutgoingRecord(DECISION_MADE, decision, ContactId(decision.contact_id or uuid4()), None)
    async with stored_work.store.transaction() as transaction:
        await transaction.save(Changes(outbox=[told]))
    async with PostgresOutbox(database).oldest(10) as parcels, PostgresOutbox(database).oldest(10) as others:
        assert (len(parcels), len(others)) == (1, 0)


async def test_who_is_held_by_another_router_is_passed_over(database: Database) -> None:
    first, second = PostgresJobStore(database), PostgresJobStore(database)
    people = [await met(first) for _ in range(4)]
    async with first.transaction() as transaction:
        await transaction.save(Changes(deferred=[waits(one, from_now(-1)) for one in people]))
    async with first.transaction() as here, second.transaction() as there:
        ours = set(await here.claim_due(2))
        theirs = set(await there.claim_due(10))
        assert (len(ours), ours | theirs, ours & theirs) == (2, set(people), set())
        assert set(await here.claim(people)) == ours


@asynccontextmanager
async def tidying_elsewhere(database: Database) -> AsyncIterator[None]:
    async with database.transaction() as connection:
        await connection.fetchval("SELECT pg_advisory_xact_lock(hashtext('router.tidy'))")
        yield


async def test_tables_are_made_ahead_and_dropped_after_their_keep_by_one_router(database: Database) -> None:
    upkeep = PostgresRetention(database)
    long_ago = datetime.now(UTC).date() - timedelta(days=120)
    async with database.connection() as connection:
        await connection.fetchval("SELECT router.make_partitions(0, $1)", long_ago)
    async with tidying_elsewhere(database):
        assert list(await upkeep.tidy(keep_days=90, ahead_days=7)) == []
    dropped = await upkeep.tidy(keep_days=90, ahead_days=7)
    assert f"send_grant_{long_ago:%Y%m%d}" in dropped
    assert f"decision_{long_ago:%Y%m%d}" in dropped
    assert len([name for name in dropped if name.startswith("decision")]) == 30
    async with database.connection() as connection:
        ahead = datetime.now(UTC).date() + timedelta(days=7)
        assert await connection.fetchval(f"SELECT to_regclass('router.decision_{ahead:%Y%m%d}')")
    assert list(await upkeep.tidy(keep_days=90, ahead_days=7)) == []


async def test_backlog_tells_what_waits_and_how_late_it_is(stored_work: Jobs, database: Database) -> None:
    contact_id = await met(stored_work.store)
    (decision,) = await stored_work.router.ask(requested())
    told = OutgoingRecord(DECISION_MADE, decision, contact_id, None)
    async with stored_work.store.transaction() as transaction:
        late, soon = waits(contact_id, from_now(-5)), waits(contact_id, from_now(1))
        await transaction.save(Changes(deferred=[late, soon], outbox=[told]))
    backlog = await PostgresRetention(database).backlog()
    assert (backlog.deferred, backlog.outbox) == (2, 1)
    assert backlog.oldest_due_s == pytest.approx(300, abs=60)
    assert 0 <= backlog.oldest_outbox_s < 60
