"""The wiring of the router: the only file that knows every room."""

from dataclasses import dataclass

from garbo.common.business import Business, load_business
from garbo.common.runtime.broker import kafka_of
from garbo.common.runtime.deliver import Deliveries
from garbo.common.runtime.health import health_routes
from garbo.common.runtime.http import HttpServer
from garbo.common.runtime.lifecycle import App
from garbo.common.runtime.migrations import SchemaCurrent
from garbo.common.runtime.postgres import Database
from garbo.common.runtime.producer import Producer
from garbo.common.runtime.settings import load
from garbo.common.runtime.telemetry import Telemetry, observe
from garbo.router.flow.directory import Directory
from garbo.router.flow.events import TakeEvents
from garbo.router.flow.policies import Policies
from garbo.router.flow.requests import DecideRequests
from garbo.router.inbound.http.api import http_app
from garbo.router.inbound.http.decisions import Decisions
from garbo.router.inbound.policy_file.load import load_policy
from garbo.router.inbound.subscribers import lanes
from garbo.router.outbound.kafka import KafkaAnnouncer
from garbo.router.outbound.metrics import PrometheusMeter
from garbo.router.outbound.postgres import PostgresStore
from garbo.router.settings import RouterSettings

CONNECTIONS_PER_LANE = 2
CONNECTIONS_FOR_HTTP = 4


@dataclass(frozen=True, slots=True)
class Seeding:
    """Makes the business file's templates known before the first decision."""

    store: PostgresStore
    business: Business

    async def start(self) -> None:
        """Write them."""
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
        policies=Policies(load_policy(settings.policy)),
        directory=Directory(business),
        hash_key=settings.hash_key.get_secret_value().encode(),
    )
    databases = [_database(settings, size) for size in (CONNECTIONS_PER_LANE,) * 2 + (CONNECTIONS_FOR_HTTP,)]
    for_requests, for_events, for_http = (PostgresStore(database) for database in databases)
    both = lanes(rooms.decider(for_requests), rooms.taker(for_events), batch_records=settings.batch_records)
    deliveries = Deliveries(kafka=kafka, service=settings.service, producer=producer, lanes=both)
    decisions = Decisions(requests=rooms.decider(for_http), store=for_http)
    ready = {
        "postgres": lambda: all(database.healthy for database in databases),
        "kafka": lambda: producer.healthy,
    }
    alive = {"deliveries": lambda: deliveries.healthy}
    http = http_app(business, [decisions], health=health_routes(alive=alive, ready=ready | alive))
    server = HttpServer(http, host=settings.host, port=settings.port)
    seeding = Seeding(for_http, business)
    schema = SchemaCurrent(settings.postgres_dsn.get_secret_value(), service=settings.service)
    return App(settings.service, (telemetry, *databases, schema, seeding, producer, deliveries, server))


@dataclass(frozen=True, slots=True)
class Rooms:
    """What every use case needs; each brings its own store."""

    announcer: KafkaAnnouncer
    meter: PrometheusMeter
    policies: Policies
    directory: Directory
    hash_key: bytes

    def decider(self, store: PostgresStore) -> DecideRequests:
        """Give the use case of requests, over these connections."""
        return DecideRequests(
            store=store,
            announcer=self.announcer,
            meter=self.meter,
            policies=self.policies,
            directory=self.directory,
            hash_key=self.hash_key,
        )

    def taker(self, store: PostgresStore) -> TakeEvents:
        """Give the use case of events, over these connections."""
        return TakeEvents(
            store=store,
            announcer=self.announcer,
            meter=self.meter,
            policies=self.policies,
            directory=self.directory,
            hash_key=self.hash_key,
        )


def _database(settings: RouterSettings, size: int) -> Database:
    return Database(settings.postgres_dsn.get_secret_value(), service=settings.service, size=size)
