"""The wiring of the sender: the only file that knows every room."""

import time
from datetime import timedelta

from garbo.common.business import Business
from garbo.common.runtime.background import Background
from garbo.common.runtime.broker import KafkaSettings, kafka_of
from garbo.common.runtime.deliver import Deliveries
from garbo.common.runtime.health import health_routes
from garbo.common.runtime.http import HttpServer, server_of
from garbo.common.runtime.lifecycle import App
from garbo.common.runtime.migrations import SchemaCurrent
from garbo.common.runtime.postgres import Database
from garbo.common.runtime.producer import Producer
from garbo.common.runtime.published import access_tokens, read_business
from garbo.common.runtime.settings import load
from garbo.common.runtime.telemetry import Telemetry, observe, tracer
from garbo.common.runtime.upkeep import Upkeep
from garbo.sender.flow.calls import Calls
from garbo.sender.flow.dependencies import Dependencies
from garbo.sender.flow.elsewhere import Elsewhere
from garbo.sender.flow.erasure import Forget
from garbo.sender.flow.inflight import Closing, InFlight
from garbo.sender.flow.pacer import Pacer
from garbo.sender.flow.recovery import Recovery
from garbo.sender.flow.send_grants import SendGrants
from garbo.sender.flow.settlement import SettleAttempts
from garbo.sender.inbound.http import http_app
from garbo.sender.inbound.lanes import grants_count, lanes
from garbo.sender.outbound.kafka import KafkaResults
from garbo.sender.outbound.postgres import PostgresAttempts
from garbo.sender.outbound.postgres_memories import PostgresMemories
from garbo.sender.outbound.postgres_rates import PostgresRateLeases
from garbo.sender.outbound.telemetry import Instruments
from garbo.sender.outbound.whatsapp import WhatsAppApi
from garbo.sender.ports import Results, WhatsApp
from garbo.sender.settings import SenderSettings


def build() -> App:
    """Wire the process from its environment; raises `StartRefused`."""
    settings = load(SenderSettings)
    business = read_business(settings.config, live=settings.live)
    return wire(settings, business, observe(settings), kafka=kafka_of(settings))


def wire(settings: SenderSettings, business: Business, telemetry: Telemetry, *, kafka: KafkaSettings) -> App:
    """Put the rooms together.

    The order is the start order; stopping is the reverse: nothing new begins, the consumers end their
    batches, calls under way are finished and published, then the ways out close.
    """
    database = Database(
        settings.postgres_dsn.get_secret_value(), service=settings.service, size=settings.connections
    )
    producer = Producer(kafka=kafka, service=settings.service)
    whatsapp = WhatsAppApi(
        url=settings.graph_url,
        version=settings.graph_version,
        tokens=access_tokens(business, live=settings.live),
    )
    inflight = InFlight()
    deps = _dependencies(database, KafkaResults(producer), whatsapp, inflight, business)
    settle_attempts = SettleAttempts(deps.attempts, deps.results, deps.telemetry)
    forget = Forget(PostgresMemories(database), timedelta(days=settings.keep_days))
    max_grants = grants_count(number.rate_per_s for number in business.numbers)
    deliveries = Deliveries(
        kafka=kafka,
        service=settings.service,
        producer=producer,
        lanes=lanes(SendGrants(deps), settle_attempts, forget, max_grants=max_grants),
    )
    server = _server(settings, deliveries, producer, database)
    recovery = Recovery(deps.attempts, deps.results, deps.telemetry)
    schema = SchemaCurrent(settings.postgres_dsn.get_secret_value(), service=settings.service)
    ways_out = (telemetry, database, schema, producer, whatsapp)
    upkeep = Background("upkeep", Upkeep("tidy", forget.tidy).run)
    ways_in = (Background("recovery", recovery.run), upkeep, deliveries, Closing(inflight), server)
    return App(settings.service, (*ways_out, inflight, *ways_in))


def _dependencies(
    database: Database, results: Results, whatsapp: WhatsApp, inflight: InFlight, business: Business
) -> Dependencies:
    attempts, telemetry, now = PostgresAttempts(database), Instruments(tracer()), time.monotonic
    ceilings_per_s = {number.id: number.rate_per_s for number in business.numbers}
    pacer = Pacer(PostgresRateLeases(database), ceilings_per_s=ceilings_per_s, now=now)
    calls = Calls(
        attempts=attempts, results=results, whatsapp=whatsapp, pacer=pacer, telemetry=telemetry, now=now
    )
    return Dependencies(attempts, results, calls, pacer, inflight, telemetry, Elsewhere(now), now)


def _server(
    settings: SenderSettings, deliveries: Deliveries, producer: Producer, database: Database
) -> HttpServer:
    health = health_routes(
        alive={"lanes": lambda: deliveries.healthy},
        ready={
            "kafka": lambda: producer.healthy,
            "postgres": lambda: database.healthy,
            "lanes": lambda: deliveries.ready,
        },
    )
    return server_of(settings, http_app(health))
