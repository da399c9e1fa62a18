"""The wiring of the sender: the only file that knows every room."""

import time

from starlette.applications import Starlette

from garbo.common.business import Business, load_business
from garbo.common.runtime.broker import KafkaSettings, kafka_of
from garbo.common.runtime.deliver import Deliveries
from garbo.common.runtime.health import health_routes
from garbo.common.runtime.http import HttpServer
from garbo.common.runtime.lifecycle import App
from garbo.common.runtime.postgres import Database
from garbo.common.runtime.producer import Producer
from garbo.common.runtime.settings import load
from garbo.common.runtime.telemetry import Telemetry, observe, tracer
from garbo.sender.flow.calls import Calls
from garbo.sender.flow.inflight import Closing, InFlight
from garbo.sender.flow.pacer import Pacer
from garbo.sender.flow.recovery import Recovery
from garbo.sender.flow.sending import Sending
from garbo.sender.flow.settling import Settling
from garbo.sender.inbound.lanes import grants_count, lanes
from garbo.sender.outbound.kafka import KafkaResults
from garbo.sender.outbound.postgres import PostgresAttempts
from garbo.sender.outbound.postgres_rates import PostgresRateLeases
from garbo.sender.outbound.watch import Instruments
from garbo.sender.outbound.whatsapp import WhatsAppApi
from garbo.sender.settings import SenderSettings


def build() -> App:
    """Wire the process from its environment; raises `StartRefused`."""
    settings = load(SenderSettings)
    return wire(settings, load_business(settings.config), observe(settings), kafka=kafka_of(settings))


def wire(settings: SenderSettings, business: Business, telemetry: Telemetry, *, kafka: KafkaSettings) -> App:
    """Put the rooms together.

    The order is the start order; stopping is the reverse: nothing new begins, the consumers end their
    batches, calls under way are finished and told, then the ways out close.
    """
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
        Instruments(tracer()),
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
        lanes=lanes(sending, Settling(attempts, results, watch), max_grants=grants_count(ceilings.values())),
    )
    health = health_routes(
        alive={"lanes": lambda: deliveries.healthy},
        ready={"kafka": lambda: producer.healthy, "postgres": lambda: database.healthy},
    )
    server = HttpServer(Starlette(routes=health), host=settings.host, port=settings.port)
    parts = (
        telemetry,
        database,
        producer,
        whatsapp,
        inflight,
        recovery,
        deliveries,
        Closing(inflight),
        server,
    )
    return App(settings.service, parts)
