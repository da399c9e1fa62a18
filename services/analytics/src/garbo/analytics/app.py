"""The only file that knows every room of this service."""

from datetime import timedelta
from typing import Any

from garbo.analytics.flow import Forget, Queries, RecordFacts
from garbo.analytics.inbound.facts import erasures_lane, facts_lane
from garbo.analytics.inbound.http.app import http_app
from garbo.analytics.inbound.http.guard import Guard
from garbo.analytics.inbound.http.stream import LiveFunnel
from garbo.analytics.outbound.postgres_facts import PostgresFacts
from garbo.analytics.outbound.postgres_memories import PostgresMemories
from garbo.analytics.outbound.postgres_queries import PostgresFactQueries
from garbo.analytics.settings import AnalyticsSettings
from garbo.common.business import BusinessInForce
from garbo.common.clock import SystemClock
from garbo.common.runtime.background import Background
from garbo.common.runtime.broker import kafka_of
from garbo.common.runtime.deliver import Deliveries, Lane
from garbo.common.runtime.door.keyless import Keyless
from garbo.common.runtime.health import health_routes
from garbo.common.runtime.http import server_of
from garbo.common.runtime.lifecycle import App, Component
from garbo.common.runtime.migrations import SchemaCurrent
from garbo.common.runtime.postgres import Database
from garbo.common.runtime.producer import Producer
from garbo.common.runtime.published import read_business, watched_business
from garbo.common.runtime.telemetry import observe
from garbo.common.runtime.upkeep import Upkeep


def build(settings: AnalyticsSettings) -> App:
    """Wire the process: database, then Kafka, then the door."""
    telemetry = observe(settings)
    kafka = kafka_of(settings)
    dsn = settings.postgres_dsn.get_secret_value()
    database = Database(dsn, service=settings.service)
    producer = Producer(kafka=kafka, service=settings.service)
    forget = Forget(PostgresMemories(database), timedelta(days=settings.keep_days))
    lanes: list[Lane[Any]] = [facts_lane(RecordFacts(PostgresFacts(database))), erasures_lane(forget)]
    upkeep = Background("upkeep", Upkeep("tidy", forget.tidy).run)
    deliveries = Deliveries(kafka=kafka, service=settings.service, producer=producer, lanes=lanes)
    queries = Queries(PostgresFactQueries(database), SystemClock())
    live = LiveFunnel(queries, subscribers_count=settings.subscribers_count)
    health = health_routes(
        alive={"deliveries": lambda: deliveries.healthy},
        ready={
            "kafka": lambda: producer.healthy,
            "database": lambda: database.healthy,
            "deliveries": lambda: deliveries.ready,
        },
    )
    in_force = BusinessInForce(read_business(settings.config, live=settings.live))
    watched = watched_business(settings.config, live=settings.live, use=in_force.take)
    guard = Guard(in_force, Keyless(settings.open_to))
    server = server_of(settings, http_app(queries, live, guard, health=health))
    schema = SchemaCurrent(dsn, service=settings.service)
    first: list[Component] = [telemetry, watched, database, schema, producer]
    return App(settings.service, [*first, upkeep, deliveries, server, live])
