"""The wiring of the router: the only file that knows every room."""

from dataclasses import dataclass
from pathlib import Path

from garbo.common.business import Business, load_business
from garbo.common.runtime.broker import kafka_of
from garbo.common.runtime.deliver import Deliveries
from garbo.common.runtime.health import health_routes
from garbo.common.runtime.http import HttpServer
from garbo.common.runtime.lifecycle import App, Component
from garbo.common.runtime.migrations import SchemaCurrent
from garbo.common.runtime.postgres import Database
from garbo.common.runtime.producer import Producer
from garbo.common.runtime.settings import load
from garbo.common.runtime.telemetry import Telemetry, observe
from garbo.router.flow.cancelling import SweepCampaigns
from garbo.router.flow.directory import Directory
from garbo.router.flow.erasing import EraseContact
from garbo.router.flow.events import TakeEvents
from garbo.router.flow.means import Means
from garbo.router.flow.outbox import EmptyOutbox
from garbo.router.flow.policies import Policies
from garbo.router.flow.previewing import PreviewRequests
from garbo.router.flow.reaping import EndLeases
from garbo.router.flow.rechecking import RecheckGrants
from garbo.router.flow.requests import DecideRequests
from garbo.router.flow.showing import ShowContacts
from garbo.router.flow.suppressing import Suppress
from garbo.router.flow.upkeep import KeepTidy
from garbo.router.flow.waking import WakeWaiting
from garbo.router.inbound.clockwork import BRIEF_REST_RATIO, Clockwork, Pace, Work
from garbo.router.inbound.http.api import Resource, http_app
from garbo.router.inbound.http.contacts import Contacts
from garbo.router.inbound.http.decisions import Decisions
from garbo.router.inbound.http.policies import PolicySimulations
from garbo.router.inbound.http.suppressions import Suppressions
from garbo.router.inbound.policy_file.watch import PolicyWatch
from garbo.router.inbound.subscribers import lanes
from garbo.router.outbound.kafka import KafkaAnnouncer
from garbo.router.outbound.metrics import PrometheusMeter, PrometheusPolicyMeter
from garbo.router.outbound.postgres import PostgresStore, router_database
from garbo.router.outbound.postgres_budget import PostgresStock
from garbo.router.outbound.postgres_outbox import PostgresOutbox
from garbo.router.outbound.postgres_policies import PostgresPolicies
from garbo.router.outbound.postgres_reading import PostgresContactReader, PostgresPreviewReader
from garbo.router.outbound.postgres_upkeep import PostgresUpkeep
from garbo.router.outbound.postgres_work import PostgresWorkStore
from garbo.router.outbound.simulation_process import simulate
from garbo.router.outbound.work_metrics import PrometheusWorkMeter
from garbo.router.settings import RouterSettings

CONNECTIONS_PER_LANE = 2
DAYS_AHEAD = 7
CONNECTIONS_FOR_HTTP = 4
CONNECTIONS_FOR_OWN_WORK = 6


@dataclass(frozen=True, slots=True)
class Seeding:
    """Makes room for the coming days, and the business file's templates known, before the first decision."""

    store: PostgresStore
    business: Business

    async def start(self) -> None:
        """Make what is missing; the days after these are made while the process runs."""
        await self.store.make_partitions(ahead_days=DAYS_AHEAD)
        await self.store.seed(self.business)

    async def stop(self) -> None:
        """Nothing: what is written stays."""


def build() -> App:
    """Wire the process from its environment; raises `StartRefused`."""
    settings = load(RouterSettings)
    return wire(settings, observe(settings))


def wire(settings: RouterSettings, telemetry: Telemetry) -> App:
    """Wire the parts: databases first, then the producer, then what takes work in."""
    business = load_business(settings.config)
    kafka = kafka_of(settings)
    producer = Producer(kafka=kafka, service=settings.service)
    rooms = Rooms(
        announcer=KafkaAnnouncer(producer),
        meter=PrometheusMeter(),
        policies=Policies(),
        directory=Directory(business),
        hash_key=settings.hash_key.get_secret_value().encode(),
    )
    sizes = (*(CONNECTIONS_PER_LANE,) * 3, CONNECTIONS_FOR_HTTP, CONNECTIONS_FOR_OWN_WORK)
    databases = [_database(settings, size) for size in sizes]
    for_care, for_promo, for_events, for_http, for_own_work = databases
    every = lanes(
        care=DecideRequests(rooms.means(for_care)),
        promo=DecideRequests(rooms.means(for_promo)),
        events=TakeEvents(rooms.means(for_events)),
        batch_records=settings.batch_records,
    )
    deliveries = Deliveries(kafka=kafka, service=settings.service, producer=producer, lanes=every)
    store = PostgresStore(for_http)
    ready = {
        "postgres": lambda: all(database.healthy for database in databases),
        "kafka": lambda: producer.healthy,
    }
    alive = {"deliveries": lambda: deliveries.healthy}
    health = health_routes(alive=alive, ready=ready | alive)
    http = http_app(business, rooms.resources(for_http), health=health)
    server = HttpServer(http, host=settings.host, port=settings.port)
    seeding = Seeding(store, business)
    schema = SchemaCurrent(settings.postgres_dsn.get_secret_value(), service=settings.service)
    policy = rooms.watch(settings.policy, for_http)
    first: tuple[Component, ...] = (telemetry, *databases, schema, policy, seeding)
    clockwork = rooms.clockwork(for_own_work, keep_days=settings.keep_days)
    return App(settings.service, (*first, producer, clockwork, deliveries, server))


@dataclass(frozen=True, slots=True)
class Rooms:
    """What every use case needs; each brings its own store."""

    announcer: KafkaAnnouncer
    meter: PrometheusMeter
    policies: Policies
    directory: Directory
    hash_key: bytes

    def means(self, database: Database) -> Means:
        """Give what a use case works with, over these connections."""
        return Means(
            store=PostgresStore(database),
            announcer=self.announcer,
            meter=self.meter,
            policies=self.policies,
            directory=self.directory,
            hash_key=self.hash_key,
            stock=PostgresStock(database),
        )

    def watch(self, path: Path, database: Database) -> PolicyWatch:
        """Give what keeps the policy in force in line with its file."""
        archive = PostgresPolicies(database)
        return PolicyWatch(path, policies=self.policies, archive=archive, meter=PrometheusPolicyMeter())

    def clockwork(self, database: Database, *, keep_days: int) -> Clockwork:
        """Give what the router does by itself, over these connections."""
        store, meter, work = PostgresWorkStore(database), self.meter, PrometheusWorkMeter()
        policies, directory = self.policies, self.directory
        waking = WakeWaiting(store, PostgresStock(database), meter, work, policies, directory)
        tidying = KeepTidy(PostgresUpkeep(database), work, policies, keep_days)
        outbox = EmptyOutbox(PostgresOutbox(database), self.announcer, work)
        pace = Pace()
        works = (
            Work("outbox", outbox.once, pace.outbox_s, rest_ratio=BRIEF_REST_RATIO),
            Work("wake", waking.once, pace.waking_s),
            Work("reap", EndLeases(store, meter, work, policies).once, pace.reaping_s),
            Work("sweep", SweepCampaigns(store, meter, work, policies).once, pace.sweeping_s),
            Work("recheck", RecheckGrants(store, meter, work, policies, directory).once, pace.rechecking_s),
            Work("tidy", tidying.once, pace.tidying_s),
            Work("look", tidying.look, pace.showing_s),
        )
        return Clockwork(works, work)

    def resources(self, database: Database) -> tuple[Resource, ...]:
        """Give what people ask over HTTP, over these connections."""
        means = self.means(database)
        showing = ShowContacts(
            reader=PostgresContactReader(database),
            policies=self.policies,
            directory=self.directory,
            hash_key=self.hash_key,
        )
        previews = PreviewRequests(means, PostgresPreviewReader(database))
        return (
            Decisions(previews=previews, store=means.store),
            Contacts(showing=showing, erasing=EraseContact(means)),
            Suppressions(suppress=Suppress(means), hash_key=self.hash_key),
            PolicySimulations(policies=self.policies, simulate=simulate),
        )


def _database(settings: RouterSettings, size: int) -> Database:
    return router_database(settings.postgres_dsn.get_secret_value(), size=size)
