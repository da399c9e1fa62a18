"""The wiring of the sender: the only place that knows every room."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from starlette.routing import Route

from garbo.common.business import Business
from garbo.common.clock import SystemClock
from garbo.common.events.grants import SendGranted
from garbo.common.events.template_registry import TemplateRegistry
from garbo.common.runtime.background import Background
from garbo.common.runtime.broker import KafkaSettings, kafka_of
from garbo.common.runtime.deliver import Deliveries, Lane
from garbo.common.runtime.health import health_routes
from garbo.common.runtime.http import server_of
from garbo.common.runtime.lifecycle import App
from garbo.common.runtime.migrations import SchemaCurrent
from garbo.common.runtime.postgres import Database
from garbo.common.runtime.producer import Producer
from garbo.common.runtime.published import (
    WithTokens,
    access_tokens,
    read_business,
)
from garbo.common.runtime.settings import load
from garbo.common.runtime.telemetry import Telemetry, observe, tracer
from garbo.common.runtime.upkeep import Upkeep
from garbo.sender.app.following import Following
from garbo.sender.app.media import Media
from garbo.sender.app.sent_media import SentMedia
from garbo.sender.domain.line import MOST_MESSAGES
from garbo.sender.domain.queued_send import Draft
from garbo.sender.flow.dispatch import Closing, Dispatch
from garbo.sender.flow.dispatcher import Dispatcher
from garbo.sender.flow.erasure import Forget
from garbo.sender.flow.inbound_count import CountInbound
from garbo.sender.flow.paused_slots import SlotsUnlessPaused
from garbo.sender.flow.pauses import Pauses
from garbo.sender.flow.platform_changes import ObeyPlatform
from garbo.sender.flow.portfolios import Portfolios
from garbo.sender.flow.read_marks import MarkRead, SendSlots
from garbo.sender.flow.recorder import Recorder
from garbo.sender.flow.recovery import Recovery
from garbo.sender.flow.send_queue import SendQueue, Shards
from garbo.sender.flow.settlement import SettleAttempts
from garbo.sender.flow.slots import Slots
from garbo.sender.flow.take_grants import TakeGrants
from garbo.sender.inbound.http import http_app
from garbo.sender.inbound.lanes import AssignedShards, lanes
from garbo.sender.inbound.pauses import PausesByHand
from garbo.sender.inbound.read_marks import read_marks
from garbo.sender.inbound.template_changes import template_changes
from garbo.sender.outbound.graph import GraphClient
from garbo.sender.outbound.kafka import KafkaResults
from garbo.sender.outbound.kafka_pauses import KafkaPauseNews
from garbo.sender.outbound.numbers_in_force import NumbersInForce
from garbo.sender.outbound.pause_figures import PauseGauges
from garbo.sender.outbound.people_figures import PeopleGauges
from garbo.sender.outbound.postgres import PostgresAttempts
from garbo.sender.outbound.postgres_memories import PostgresMemories
from garbo.sender.outbound.postgres_pauses import PostgresPauses
from garbo.sender.outbound.postgres_portfolios import PostgresPeople
from garbo.sender.outbound.postgres_queue import PostgresQueue
from garbo.sender.outbound.postgres_rates import PostgresRateLeases
from garbo.sender.outbound.telemetry import Instruments
from garbo.sender.outbound.whatsapp import WhatsAppApi
from garbo.sender.outbound.whatsapp_endpoints import BothEndpoints
from garbo.sender.outbound.whatsapp_reads import WhatsAppReads
from garbo.sender.ports.outside import Results, WhatsApp
from garbo.sender.ports.outside import Telemetry as Instrumentation
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
    dsn = settings.postgres_dsn.get_secret_value()
    database = Database(dsn, service=settings.service, size=settings.connections)
    producer = Producer(kafka=kafka, service=settings.service)
    numbers = NumbersInForce(WithTokens(business, access_tokens(business, live=settings.live)))
    whatsapp, graph = _whatsapp(settings, numbers), _graph(settings, numbers)
    known, shards = TemplateRegistry(), AssignedShards()
    pauses = _pauses(database, producer, numbers)
    portfolios = Portfolios(PostgresPeople(database), PeopleGauges(), listed=lambda: numbers.portfolios)
    sending = Sending.on(
        database,
        whatsapp=BothEndpoints(whatsapp, business=lambda: numbers.business, templates=known),
        results=KafkaResults(producer),
        telemetry=Instruments(tracer()),
        pauses=pauses,
        portfolios=portfolios,
        rates=numbers.rates,
        siblings=numbers.siblings,
        shards=shards,
    )
    following = Following.of(
        settings, numbers, graph, sending.dispatch, database, producer=producer, known=known, kafka=kafka
    )
    forget = Forget(PostgresMemories(database), timedelta(days=settings.keep_days))
    media = Media.of(settings, numbers, graph, database, producer)
    sent = SentMedia.of(settings, database, graph, media, sending.queue, pauses)
    taken = (
        *sending.lanes(forget, ObeyPlatform(pauses, portfolios, lambda: numbers.listed), sent.draft_of),
        template_changes(following.templates),
        read_marks(_mark_read(graph, numbers, SlotsUnlessPaused(PostgresRateLeases(database), pauses))),
        *media.lanes,
    )
    deliveries = Deliveries(kafka=kafka, service=settings.service, producer=producer, lanes=taken)
    shards.deliveries = deliveries
    by_hand, health = PausesByHand(pauses, numbers), _health(deliveries, producer, database)
    server = server_of(settings, http_app(numbers, by_hand, sent.given, health=health))
    ways_out = (telemetry, database, SchemaCurrent(dsn, service=settings.service), producer, whatsapp, graph)
    upkeep = Background("upkeep", Upkeep("tidy", forget.tidy).run)
    recovery = Background("recovery", sending.recovery.run)
    sends = (sending.dispatch, *sent.work, *following.parts, deliveries, Closing(sending.dispatch), server)
    return App(settings.service, (*ways_out, *media.parts, recovery, upkeep, *sends))


@dataclass(frozen=True, slots=True)
class Sending:
    """The flow over its ways out, without what brings events in."""

    queue: SendQueue
    dispatch: Dispatch
    settle: SettleAttempts
    recovery: Recovery
    count_inbound: CountInbound

    def lanes(
        self, forget: Forget, platform: ObeyPlatform, drafts: Callable[[SendGranted], Draft]
    ) -> tuple[Lane[Any], ...]:
        """Give the lanes of what is sent, settled, counted, forgotten and paused."""
        take = TakeGrants(self.queue, draft_of=drafts, now=time.monotonic)
        return lanes(take, self.settle, self.count_inbound, forget, platform)

    @classmethod
    def on(  # noqa: PLR0913 - wired once
        cls,
        database: Database,
        *,
        whatsapp: WhatsApp,
        results: Results,
        telemetry: Instrumentation,
        pauses: Pauses,
        portfolios: Portfolios,
        rates: Mapping[str, float],
        siblings: Callable[[str], Mapping[str, float]],
        shards: Shards,
        in_memory: int = MOST_MESSAGES,
    ) -> "Sending":
        """Put it together; `rates` are sends a second by number, as they are at each moment."""
        now = time.monotonic
        attempts, waiting = PostgresAttempts(database), PostgresQueue(database)
        leases, recorder = PostgresRateLeases(database), Recorder(attempts, waiting, results)
        queue = SendQueue(waiting, attempts, recorder, shards=shards, now=now, in_memory=in_memory)

        def dispatcher(number: str) -> Dispatcher:
            return Dispatcher(
                number,
                queue=queue,
                pauses=pauses,
                portfolios=portfolios,
                slots=Slots(
                    leases,
                    number,
                    ceiling_per_s=lambda: rates[number],
                    now=now,
                    siblings=lambda: siblings(number),
                ),
                attempts=attempts,
                whatsapp=whatsapp,
                recorder=recorder,
                telemetry=telemetry,
                now=now,
            )

        dispatch = Dispatch(queue, recorder, pauses, portfolios, dispatcher)
        dispatch.serve(rates)
        return cls(
            queue,
            dispatch,
            SettleAttempts(attempts, results, waiting, telemetry),
            Recovery(attempts, results, waiting, telemetry),
            CountInbound(leases, queue.knows),
        )


def _whatsapp(settings: SenderSettings, numbers: NumbersInForce) -> WhatsAppApi:
    return WhatsAppApi(
        url=settings.graph_url, version=settings.graph_version, tokens=numbers, app_secret=settings.app_secret
    )


def _graph(settings: SenderSettings, numbers: NumbersInForce) -> GraphClient:
    return GraphClient(
        url=settings.graph_url,
        version=settings.graph_version,
        token_of=numbers.get,
        app_secret=settings.app_secret,
    )


def _mark_read(graph: GraphClient, numbers: NumbersInForce, slots: SendSlots) -> MarkRead:
    return MarkRead(
        business=lambda: numbers.business,
        slots=slots,
        platform=WhatsAppReads(graph),
        clock=SystemClock(),
        now=time.monotonic,
    )


def _pauses(database: Database, producer: Producer, numbers: NumbersInForce) -> Pauses:
    switches, news = PostgresPauses(database), KafkaPauseNews(producer)
    return Pauses(switches, news, PauseGauges(), account_of=numbers.account_of, now=time.monotonic)


def _health(deliveries: Deliveries, producer: Producer, database: Database) -> list[Route]:
    return health_routes(
        alive={"lanes": lambda: deliveries.healthy},
        ready={
            "kafka": lambda: producer.healthy,
            "postgres": lambda: database.healthy,
            "lanes": lambda: deliveries.ready,
        },
    )
