"""A router without its edges: flows over a store, with everything it tells within reach."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from garbo.cli.local.testing import SharedPostgres
from garbo.common.business import Business
from garbo.common.events.decisions import DecisionMade
from garbo.common.events.grants import SendGranted
from garbo.common.events.requests import SendRequested
from garbo.common.runtime.migrations import migrate
from garbo.common.runtime.postgres import Database
from garbo.router.domain.policy import Policy
from garbo.router.flow.ask import Asked
from garbo.router.flow.directory import Directory
from garbo.router.flow.events import Heard, RouterEvent, TakeEvents
from garbo.router.flow.requests import DecideRequests
from garbo.router.inbound.policy_file.load import read_policy
from garbo.router.outbound.postgres import PostgresStore
from garbo.router.outbound.postgres_templates import seeds
from garbo.router.ports import Store
from garbo.router.testing.build import HASH_KEY, business
from garbo.router.testing.memory import CountingMeter, InMemoryStore, RecordingAnnouncer

CLASSES = """
policy: test
version: 1
classes:
  - { id: auth,    when: { category: authentication } }
  - { id: promo,   when: { category: marketing } }
  - { id: promo,   when: { purpose: promo } }
  - { id: care,    when: { purpose: care } }
  - { id: utility, when: { purpose: utility, category: [utility, none] } }
  - { id: promo }
rules:
"""
RULES = """
  - { id: erased,     type: block, state: erased, hard: true }
  - { id: user-stop,  type: block, state: stopped, applies_to: { class: promo }, hard: true }
  - { id: opt-in,     type: consent, purpose: marketing, applies_to: { class: promo }, hard: true }
  - { id: wa-window,  type: window, open: 24h, applies_to: { form: free }, hard: true, on_hit: { fallback: template } }
  - { id: promo-week, type: cap, limit: 3, window: { rolling: 7d }, applies_to: { class: promo }, counts: { class: promo } }
"""


def policy_of(rules: str = RULES) -> Policy:
    return read_policy((CLASSES + rules).encode())


@dataclass
class Router:
    """The flows and what they tell."""

    store: Store
    policy: Policy = field(default_factory=policy_of)
    business: Business = field(default_factory=business)
    announcer: RecordingAnnouncer = field(default_factory=RecordingAnnouncer)
    meter: CountingMeter = field(default_factory=CountingMeter)

    @property
    def requests(self) -> DecideRequests:
        return DecideRequests(
            store=self.store,
            announcer=self.announcer,
            meter=self.meter,
            policy=self.policy,
            directory=Directory(self.business),
            hash_key=HASH_KEY,
        )

    @property
    def events(self) -> TakeEvents:
        return TakeEvents(
            store=self.store,
            announcer=self.announcer,
            meter=self.meter,
            policy=self.policy,
            directory=Directory(self.business),
            hash_key=HASH_KEY,
        )

    async def ask(self, *requests: SendRequested) -> list[DecisionMade]:
        """Decide requests in one batch; give what was told about them."""
        before = len(self.announcer.told)
        await self.requests.decide([Asked(request) for request in requests])
        return [t.event for t in self.announcer.told[before:] if isinstance(t.event, DecisionMade)]

    async def hear(self, *events: RouterEvent) -> None:
        await self.events.take([Heard(event) for event in events])

    @property
    def granted(self) -> list[SendGranted]:
        return [told.event for told in self.announcer.told if isinstance(told.event, SendGranted)]

    @property
    def decided(self) -> list[DecisionMade]:
        return [told.event for told in self.announcer.told if isinstance(told.event, DecisionMade)]


@pytest.fixture
def memory() -> InMemoryStore:
    store = InMemoryStore()
    store.know(seeds(business()))
    return store


@pytest.fixture
def router(memory: InMemoryStore) -> Router:
    return Router(memory)


@pytest.fixture
async def database(postgres: SharedPostgres) -> AsyncIterator[Database]:
    dsn = postgres.database()
    await migrate(dsn, "router")
    database = Database(dsn, service="router", size=6)
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
    return Router(store)
