"""The wiring of the router: the only file that knows every room."""

from dataclasses import dataclass
from pathlib import Path

from garbo.common.business import Business, BusinessInForce
from garbo.common.runtime.broker import kafka_of
from garbo.common.runtime.deliver import Deliveries
from garbo.common.runtime.health import health_routes
from garbo.common.runtime.http import server_of
from garbo.common.runtime.lifecycle import App, Component
from garbo.common.runtime.migrations import SchemaCurrent
from garbo.common.runtime.postgres import Database
from garbo.common.runtime.producer import Producer
from garbo.common.runtime.published import read_business, watched_business
from garbo.common.runtime.settings import load
from garbo.common.runtime.telemetry import Telemetry, observe
from garbo.router.flow.commands.erase_contact import EraseContact
from garbo.router.flow.commands.import_suppressions import ImportSuppressions
from garbo.router.flow.commands.split_contact import SplitContact
from garbo.router.flow.decide_requests import DecideRequests
from garbo.router.flow.dependencies import Dependencies
from garbo.router.flow.directory import Directory
from garbo.router.flow.events.apply_events import ApplyEvents
from garbo.router.flow.jobs.cancel_campaigns import CancelCampaigns
from garbo.router.flow.jobs.expire_grants import ExpireGrants
from garbo.router.flow.jobs.lock_contacts import JobDependencies
from garbo.router.flow.jobs.reevaluate_grants import ReevaluateGrants
from garbo.router.flow.jobs.relay_outbox import RelayOutbox
from garbo.router.flow.jobs.retention import EnforceRetention, ReportBacklog
from garbo.router.flow.jobs.retry_deferred import RetryDeferred
from garbo.router.flow.policy_in_force import PolicyInForce
from garbo.router.flow.queries.contact import GetContact
from garbo.router.flow.queries.preview import PreviewRequests
from garbo.router.inbound.http.api import http_app
from garbo.router.inbound.http.contacts import Contacts
from garbo.router.inbound.http.decisions import Decisions
from garbo.router.inbound.http.policies import PolicySimulations
from garbo.router.inbound.http.suppressions import Suppressions
from garbo.router.inbound.lanes import lanes
from garbo.router.inbound.policy_file.watch import PolicyWatch
from garbo.router.inbound.scheduler import Job, Scheduler
from garbo.router.outbound.job_metrics import PrometheusJobMeter
from garbo.router.outbound.kafka import KafkaPublisher
from garbo.router.outbound.metrics import PrometheusMeter, PrometheusPolicyMeter
from garbo.router.outbound.postgres.budgets import PostgresBudgetLeases
from garbo.router.outbound.postgres.jobs import PostgresJobStore
from garbo.router.outbound.postgres.outbox import PostgresOutbox
from garbo.router.outbound.postgres.policies import PostgresPolicies
from garbo.router.outbound.postgres.queries import PostgresContactReader, PostgresPreviewReader
from garbo.router.outbound.postgres.retention import PostgresRetention
from garbo.router.outbound.postgres.store import PostgresStore, router_database
from garbo.router.outbound.simulation_process import simulate
from garbo.router.settings import RouterSettings

CONNECTIONS_PER_LANE = 2
DAYS_AHEAD = 7
CONNECTIONS_FOR_HTTP = 4
CONNECTIONS_FOR_OWN_WORK = 6


@dataclass(frozen=True, slots=True)
class Seeding:
    """Makes room for the coming days, and the business file's templates known, before the first decision."""

    store: PostgresStore
    business: BusinessInForce
    directory: Directory

    async def start(self) -> None:
        """Make what is missing; the days after these are made while the process runs."""
        await self.store.make_partitions(ahead_days=DAYS_AHEAD)
        await self.store.seed(self.business.current)

    async def take(self, business: Business) -> None:
        """Let a changed business file be in force; raises `RetryLater` while the database is away."""
        await self.store.seed(business)
        self.directory.take(business)
        await self.business.take(business)

    async def stop(self) -> None:
        """Nothing: what is written stays."""


def build() -> App:
    """Wire the process from its environment; raises `StartRefused`."""
    settings = load(RouterSettings)
    return wire(settings, observe(settings))


def wire(settings: RouterSettings, telemetry: Telemetry) -> App:
    """Wire the parts: databases first, then the producer, then what takes work in."""
    business = BusinessInForce(read_business(settings.config, live=settings.live))
    kafka = kafka_of(settings)
    producer = Producer(kafka=kafka, service=settings.service)
    rooms = Rooms(
        publisher=KafkaPublisher(producer),
        meter=PrometheusMeter(),
        policies=PolicyInForce(),
        directory=Directory(business.current),
        hash_key=settings.hash_key.get_secret_value().encode(),
    )
    sizes = (*(CONNECTIONS_PER_LANE,) * 3, CONNECTIONS_FOR_HTTP, CONNECTIONS_FOR_OWN_WORK)
    databases = [_database(settings, size) for size in sizes]
    for_care, for_promo, for_events, for_http, for_own_work = databases
    every = lanes(
        care=DecideRequests(rooms.dependencies(for_care)),
        promo=DecideRequests(rooms.dependencies(for_promo)),
        events=ApplyEvents(rooms.dependencies(for_events)),
        batch_records=settings.batch_records,
    )
    deliveries = Deliveries(kafka=kafka, service=settings.service, producer=producer, lanes=every)
    store = PostgresStore(for_http)
    ready = {
        "postgres": lambda: all(database.healthy for database in databases),
        "kafka": lambda: producer.healthy,
        "deliveries": lambda: deliveries.ready,
    }
    health = health_routes(alive={"deliveries": lambda: deliveries.healthy}, ready=ready)
    http = http_app(business, rooms.resources(for_http, keep_days=settings.keep_days), health=health)
    server = server_of(settings, http)
    seeding = Seeding(store, business, rooms.directory)
    watched = watched_business(settings.config, live=settings.live, use=seeding.take)
    schema = SchemaCurrent(settings.postgres_dsn.get_secret_value(), service=settings.service)
    policy = rooms.watch(settings.policy, for_http)
    first: tuple[Component, ...] = (telemetry, *databases, schema, policy, seeding, watched)
    scheduler = rooms.scheduler(for_own_work, keep_days=settings.keep_days)
    return App(settings.service, (*first, producer, scheduler, deliveries, server))


@dataclass(frozen=True, slots=True)
class Rooms:
    """What every use case needs; each brings its own store."""

    publisher: KafkaPublisher
    meter: PrometheusMeter
    policies: PolicyInForce
    directory: Directory
    hash_key: bytes

    def dependencies(self, database: Database) -> Dependencies:
        """Give what a use case works with, over these connections."""
        return Dependencies(
            store=PostgresStore(database),
            publisher=self.publisher,
            meter=self.meter,
            policies=self.policies,
            directory=self.directory,
            hash_key=self.hash_key,
            budget_leases=PostgresBudgetLeases(database),
        )

    def watch(self, path: Path, database: Database) -> PolicyWatch:
        """Give what keeps the policy in force in line with its file."""
        archive = PostgresPolicies(database)
        return PolicyWatch(path, policies=self.policies, archive=archive, meter=PrometheusPolicyMeter())

    def scheduler(self, database: Database, *, keep_days: int) -> Scheduler:
        """Give what the router does by itself, over these connections."""
        job_meter, retention = PrometheusJobMeter(), PostgresRetention(database)
        dependencies = JobDependencies(
            PostgresJobStore(database), self.meter, job_meter, self.policies, self.directory
        )
        jobs: tuple[Job, ...] = (
            RelayOutbox(PostgresOutbox(database), self.publisher, job_meter),
            RetryDeferred(dependencies, PostgresBudgetLeases(database)),
            ExpireGrants(dependencies),
            CancelCampaigns(dependencies),
            ReevaluateGrants(dependencies),
            EnforceRetention(retention, job_meter, self.policies, keep_days),
            ReportBacklog(retention, job_meter),
        )
        return Scheduler(jobs, job_meter)

    def resources(self, database: Database, *, keep_days: int) -> tuple[object, ...]:
        """Give what people ask over HTTP, over these connections."""
        dependencies = self.dependencies(database)
        contacts = GetContact(
            reader=PostgresContactReader(database),
            policies=self.policies,
            directory=self.directory,
            hash_key=self.hash_key,
        )
        previews = PreviewRequests(dependencies, PostgresPreviewReader(database))
        return (
            Decisions(previews=previews, store=dependencies.store),
            Contacts(
                contacts=contacts,
                erasing=EraseContact(dependencies, keep_days=keep_days),
                splitting=SplitContact(dependencies),
                directory=self.directory,
            ),
            Suppressions(
                suppress=ImportSuppressions(dependencies), directory=self.directory, hash_key=self.hash_key
            ),
            PolicySimulations(policies=self.policies, directory=self.directory, simulate=simulate),
        )


def _database(settings: RouterSettings, size: int) -> Database:
    return router_database(settings.postgres_dsn.get_secret_value(), size=size)
