"""The wiring of the sender: the only file that knows every room."""

import time
from dataclasses import dataclass

from opentelemetry.sdk.trace import TracerProvider
from starlette.applications import Starlette

from garbo.common.business import Business, load_business
from garbo.common.runtime import telemetry
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.deliver import Deliveries
from garbo.common.runtime.health import health_routes
from garbo.common.runtime.http import HttpServer
from garbo.common.runtime.lifecycle import App
from garbo.common.runtime.postgres import Database
from garbo.common.runtime.producer import Producer
from garbo.common.runtime.settings import load
from garbo.sender.flow.calls import Calls
from garbo.sender.flow.inflight import Closing, InFlight
from garbo.sender.flow.pacer import Pacer
from garbo.sender.flow.recovery import Recovery
from garbo.sender.flow.sending import Sending
from garbo.sender.flow.settling import Settling
from garbo.sender.inbound.lanes import lanes
from garbo.sender.outbound.kafka import KafkaResults
from garbo.sender.outbound.postgres import PostgresAttempts
from garbo.sender.outbound.postgres_rates import PostgresRateLeases
from garbo.sender.outbound.watch import Instruments
from garbo.sender.outbound.whatsapp import WhatsAppApi
from garbo.sender.settings import SenderSettings


@dataclass(frozen=True, slots=True)
class Tracing:
    """Sends the last spans when the process ends."""

    provider: TracerProvider

    async def start(self) -> None:
        """Nothing: spans are made from the moment it is wired."""

    async def stop(self) -> None:
        """Send what is left."""
        self.provider.shutdown()


def build() -> App:
    """Wire the process from its environment; raises `StartRefused`."""
    settings = load(SenderSettings)
    telemetry.configure(
        service=settings.service, log_format=settings.log_format, log_level=settings.log_level
    )
    tracing = Tracing(telemetry.trace_to(settings.otlp_endpoint, service=settings.service))
    business = load_business(settings.config)
    return wire(settings, business, tracing)


def wire(settings: SenderSettings, business: Business, tracing: Tracing) -> App:
    """Put the rooms together.

    The order is the start order; stopping is the reverse: nothing new begins, the consumers end their
    batches, calls under way are finished and told, then the ways out close.
    """
    kafka = kafka_of(settings)
    database = Database(
        settings.postgres_dsn.get_secret_value(), service=settings.service, size=settings.connections
    )
    producer = Producer(kafka=kafka, service=settings.service)
    whatsapp = WhatsAppApi(
        url=settings.graph_url,
        version=settings.graph_version,
        tokens={number.id: number.access_token() for number in business.numbers},
    )
    ceilings = {number.id: number.rate_per_s for number in business.numbers}
    attempts, results, watch, inflight = (
        PostgresAttempts(database),
        KafkaResults(producer),
        Instruments(),
        InFlight(),
    )
    pacer = Pacer(PostgresRateLeases(database), ceilings_per_s=ceilings, now=time.monotonic)
    calls = Calls(
        attempts=attempts, results=results, whatsapp=whatsapp, pacer=pacer, watch=watch, now=time.monotonic
    )
    sending = Sending(attempts, results, calls, pacer, inflight, watch, time.monotonic)
    recovery = Recovery(attempts, results, watch)
    deliveries = Deliveries(
        kafka=kafka,
        service=settings.service,
        producer=producer,
        lanes=lanes(sending, Settling(attempts, results, watch)),
    )
    health = health_routes(
        alive={"lanes": lambda: deliveries.healthy},
        ready={"kafka": lambda: producer.healthy, "postgres": lambda: database.healthy},
    )
    server = HttpServer(Starlette(routes=health), host=settings.host, port=settings.port)
    parts = (tracing, database, producer, whatsapp, inflight, recovery, deliveries, Closing(inflight), server)
    return App(settings.service, parts)


def kafka_of(settings: SenderSettings) -> KafkaSettings:
    """Give what clients need to reach Kafka."""
    password = settings.kafka_sasl_password
    return KafkaSettings(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        security_protocol=settings.kafka_security_protocol,
        sasl_mechanism=settings.kafka_sasl_mechanism,
        sasl_username=settings.kafka_sasl_username,
        sasl_password=password.get_secret_value() if password else None,
    )
