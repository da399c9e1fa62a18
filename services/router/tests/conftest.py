"""Routers over memory and over PostgreSQL, and policies in one line a rule."""

from collections.abc import AsyncIterator, Callable

import pytest

from garbo.common.runtime.postgres import Database
from garbo.router.domain.policy import Policy
from garbo.router.outbound.postgres.budgets import PostgresBudgetLeases
from garbo.router.outbound.postgres.jobs import PostgresJobStore
from garbo.router.outbound.postgres.outbox import PostgresOutbox
from garbo.router.outbound.postgres.store import PostgresStore, router_database
from garbo.router.outbound.postgres.templates import seeds
from services.router.tests.support.build import business
from services.router.tests.support.jobs import Jobs
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.memory_jobs import InMemoryBudgetLeases, InMemoryJobStore, InMemoryOutbox
from services.router.tests.support.policies import policy_of
from services.router.tests.support.router import Router
from tests.support.servers import SharedPostgres


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
