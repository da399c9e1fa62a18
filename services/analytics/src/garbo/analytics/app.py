"""The only file that knows every room of this service."""

from garbo.analytics.flow import Queries, RecordFacts
from garbo.analytics.inbound.facts import facts_lane
from garbo.analytics.inbound.http.app import http_app
from garbo.analytics.inbound.http.stream import LiveFunnel
from garbo.analytics.outbound.postgres_facts import PostgresFacts
from garbo.analytics.outbound.postgres_queries import PostgresFactQueries
from garbo.analytics.settings import AnalyticsSettings
from garbo.common.clock import SystemClock
from garbo.common.runtime.broker import kafka_of
from garbo.common.runtime.deliver import Deliveries
from garbo.common.runtime.health import health_routes
from garbo.common.runtime.http import HttpServer
from garbo.common.runtime.lifecycle import App
from garbo.common.runtime.migrations import SchemaCurrent
from garbo.common.runtime.postgres import Database
from garbo.common.runtime.producer import Producer
from garbo.common.runtime.telemetry import observe


def build(settings: AnalyticsSettings) -> App:
    """Wire the process: database, then Kafka, then the door."""
    telemetry = observe(settings)
    kafka = kafka_of(settings)
    dsn = settings.postgres_dsn.get_secret_value()
    database = Database(dsn, service=settings.service)
    producer = Producer(kafka=kafka, service=settings.service)
    lane = facts_lane(RecordFacts(PostgresFacts(database)))
    deliveries = Deliveries(kafka=kafka, service=settings.service, producer=producer, lanes=[lane])
    queries = Queries(PostgresFactQueries(database), SystemClock())
    live = LiveFunnel(queries, subscribers_count=settings.subscribers_count)
    health = health_routes(
        alive={"deliveries": lambda: deliveries.healthy},
        ready={"database": lambda: database.healthy, "deliveries": lambda: deliveries.ready},
    )
    server = HttpServer(http_app(queries, live, health=health), host=settings.host, port=settings.port)
    schema = SchemaCurrent(dsn, service=settings.service)
    return App(settings.service, [telemetry, database, schema, producer, deliveries, server, live])
