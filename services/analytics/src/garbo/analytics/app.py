"""The only file that knows every room of this service."""

from dataclasses import dataclass

from opentelemetry.sdk.trace import TracerProvider

from garbo.analytics.flow import KeepFacts, Tell
from garbo.analytics.inbound.facts import facts_lane
from garbo.analytics.inbound.http import http_app
from garbo.analytics.inbound.stream import LiveFunnel
from garbo.analytics.outbound.postgres_facts import PostgresFacts
from garbo.analytics.outbound.postgres_picture import PostgresPicture
from garbo.analytics.outbound.schema import SchemaCurrent
from garbo.analytics.settings import AnalyticsSettings
from garbo.common.clock import SystemClock
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.deliver import Deliveries
from garbo.common.runtime.health import health_routes
from garbo.common.runtime.http import HttpServer
from garbo.common.runtime.lifecycle import App
from garbo.common.runtime.postgres import Database
from garbo.common.runtime.producer import Producer
from garbo.common.runtime.telemetry import configure, trace_to


@dataclass(frozen=True, slots=True)
class Tracing:
    """Sends the last spans when the process ends."""

    provider: TracerProvider

    async def start(self) -> None:
        """Nothing: spans are made from the moment it is wired."""

    async def stop(self) -> None:
        """Send what is left."""
        self.provider.shutdown()


def build(settings: AnalyticsSettings) -> App:
    """Wire the process: database, then Kafka, then the door."""
    configure(service=settings.service, log_format=settings.log_format, log_level=settings.log_level)
    tracing = Tracing(trace_to(settings.otlp_endpoint, service=settings.service))
    kafka = kafka_of(settings)
    dsn = settings.postgres_dsn.get_secret_value()
    database = Database(dsn, service=settings.service)
    producer = Producer(kafka=kafka, service=settings.service)
    lane = facts_lane(KeepFacts(PostgresFacts(database)))
    deliveries = Deliveries(kafka=kafka, service=settings.service, producer=producer, lanes=[lane])
    tell = Tell(PostgresPicture(database), SystemClock())
    live = LiveFunnel(tell, subscribers_count=settings.subscribers_count)
    health = health_routes(
        alive={"deliveries": lambda: deliveries.healthy},
        ready={"database": lambda: database.healthy, "deliveries": lambda: deliveries.healthy},
    )
    server = HttpServer(http_app(tell, live, health=health), host=settings.host, port=settings.port)
    schema = SchemaCurrent(dsn)
    return App(settings.service, [tracing, database, schema, producer, deliveries, server, live])


def kafka_of(settings: AnalyticsSettings) -> KafkaSettings:
    """Say where Kafka is."""
    password = settings.kafka_sasl_password
    return KafkaSettings(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        security_protocol=settings.kafka_security_protocol,
        sasl_mechanism=settings.kafka_sasl_mechanism,
        sasl_username=settings.kafka_sasl_username,
        sasl_password=password.get_secret_value() if password else None,
    )
