"""Routers over memory and over PostgreSQL, and policies in one line a rule."""

import dataclasses
from collections.abc import AsyncIterator, Callable

import pytest

from garbo.common.events.topics import TOPICS
from garbo.common.runtime.postgres import Database
from garbo.router.domain.policy import Policy
from garbo.router.outbound.postgres.budgets import PostgresBudgetLeases
from garbo.router.outbound.postgres.jobs import PostgresJobStore
from garbo.router.outbound.postgres.outbox import PostgresOutbox
from garbo.router.outbound.postgres.store import PostgresStore, router_database
from garbo.router.outbound.postgres.templates import seeds
from services.router.tests.support.build import business
from services.router.tests.support.jobs import Jobs
from services.router.tests.support.machine import Machine
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.memory_jobs import InMemoryBudgetLeases, InMemoryJobStore, InMemoryOutbox
from services.router.tests.support.policies import ONE_A_WEEK_BUT_FOR_A_LEAD, policy_of
from services.router.tests.support.router import Router
from tests.support.servers import SharedKafka, SharedPostgres


@pytest.fixture(scope="session")
def make_policy() -> Callable[..., Policy]:
    return policy_of


@pytest.fixture
def memory() -> InMemoryStore:
    store = InMemoryStore()
    store.know(seeds(business()))
    return store


@pytest.fixture
def router(memory: InMemoryStore) -> Router:
    return Router(memory, policy_of())


@pytest.fixture
def work() -> Jobs:
    """A router and its own work over memory."""
    store = InMemoryJobStore()
    store.know(seeds(business()))
    stock = InMemoryBudgetLeases(store)
    return Jobs(Router(store, policy_of(), budget_leases=stock), store, stock, InMemoryOutbox(store))


@pytest.fixture
async def database(postgres: SharedPostgres) -> AsyncIterator[Database]:
    database = router_database(postgres.database("router"), size=6)
    await database.start()
    try:
        yield database
    finally:
        await database.stop()


@pytest.fixture
async def stored(database: Database) -> Router:
    """A router over real PostgreSQL."""
    store = PostgresStore(database)
    await store.seed(business())
    return Router(store, policy_of(), outbox=PostgresOutbox(database))


@pytest.fixture
async def stored_work(database: Database) -> Jobs:
    """A router and its own work over real PostgreSQL."""
    store, stock = PostgresJobStore(database), PostgresBudgetLeases(database)
    await store.seed(business())
    return Jobs(Router(store, policy_of(), budget_leases=stock), store, stock, PostgresOutbox(database))


@pytest.fixture
def capped(router: Router) -> Router:
    """A router that lets one promo a week go and keeps the newest of a campaign."""
    router.policy = dataclasses.replace(policy_of(ONE_A_WEEK_BUT_FOR_A_LEAD), same_campaign="keep_newest")
    return router


@pytest.fixture
def dsn(postgres: SharedPostgres) -> str:
    """A database of the router's."""
    return postgres.database("router")


@pytest.fixture
async def own_database(dsn: str) -> AsyncIterator[Database]:
    """Connections to it without the router's statements."""
    database = Database(dsn, service="router", size=6)
    await database.start()
    try:
        yield database
    finally:
        await database.stop()


@pytest.fixture
async def machine(kafka: SharedKafka, database: Database) -> Machine:
    """Where batches run in processes that are to die."""
    await kafka.create_topics(TOPICS)
    store = PostgresStore(database)
    await store.seed(business())
    return Machine(database._dsn, kafka.bootstrap_servers, database, Router(store, policy_of()))
