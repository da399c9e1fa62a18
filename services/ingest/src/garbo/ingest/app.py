"""The wiring of ingest: the only file that knows every room."""

from collections.abc import Iterator, Sequence

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp

from garbo.common.clock import Clock, SystemClock
from garbo.common.events.template_registry import TemplateRegistry
from garbo.common.events.topics import TEMPLATE_OBSERVED
from garbo.common.runtime.broker import kafka_of
from garbo.common.runtime.deliver import Deliveries
from garbo.common.runtime.door.bodies import Pace
from garbo.common.runtime.followed_topic import FollowedTopic
from garbo.common.runtime.health import health_routes
from garbo.common.runtime.http import server_of
from garbo.common.runtime.lifecycle import App
from garbo.common.runtime.openapi import openapi_routes
from garbo.common.runtime.operations import Endpoint, endpoints_of
from garbo.common.runtime.producer import Producer
from garbo.common.runtime.published import read_business, watched_business
from garbo.common.runtime.settings import load
from garbo.common.runtime.telemetry import observe
from garbo.ingest.flow.submissions import TakeSubmissions
from garbo.ingest.flow.webhooks import TakeWebhooks, WebhookSecrets
from garbo.ingest.inbound.again import again_lane
from garbo.ingest.inbound.api import API
from garbo.ingest.inbound.gate import Gate, Handler
from garbo.ingest.inbound.room import Room
from garbo.ingest.inbound.submission_operations import FORMS, submission_operation
from garbo.ingest.inbound.submissions import SubmissionEndpoint
from garbo.ingest.inbound.webhooks import WebhookEndpoint
from garbo.ingest.outbound.business import BusinessPublishers
from garbo.ingest.outbound.kafka import KafkaEventLog
from garbo.ingest.outbound.wide_produce import WideProduce
from garbo.ingest.ports import EventLog, Publishers
from garbo.ingest.settings import IngestSettings


def build() -> App:
    """Wire the process from its environment; raises `StartRefused`."""
    settings = load(IngestSettings)
    telemetry = observe(settings)
    publishers = BusinessPublishers(read_business(settings.config, live=settings.live))
    watched = watched_business(settings.config, live=settings.live, use=publishers.take)
    kafka = kafka_of(settings)
    producer = Producer(kafka=kafka, service=settings.service)
    clock, templates = SystemClock(), TemplateRegistry()
    followed = FollowedTopic(kafka, TEMPLATE_OBSERVED, templates.apply)
    log = KafkaEventLog(WideProduce(producer), clock)
    lanes = [again_lane(webhooks_of(settings, log, clock))]
    again = Deliveries(kafka=kafka, service=settings.service, producer=producer, lanes=lanes)
    app = http_app(
        settings,
        publishers=publishers,
        log=log,
        templates=templates,
        clock=clock,
        health=health_routes(
            alive={"again": lambda: again.healthy},
            ready={"kafka": lambda: producer.healthy, "templates": lambda: followed.ready},
        ),
    )
    server = server_of(settings, app)
    return App(settings.service, (telemetry, watched, producer, followed, again, server))


def http_app(
    settings: IngestSettings,
    *,
    publishers: Publishers,
    log: EventLog,
    templates: TemplateRegistry,
    clock: Clock,
    health: Sequence[Route],
) -> ASGIApp:
    """Wire everything behind the port: use cases, endpoints, health."""
    submissions = TakeSubmissions(
        log=log,
        clock=clock,
        publishers=publishers,
        templates=templates,
        hash_key=settings.hash_key.get_secret_value().encode(),
    )
    room = Room.of(
        count=settings.max_in_flight,
        max_bytes=settings.max_body_bytes,
        pace=Pace(whole_s=settings.body_timeout_s),
    )
    return Gate(
        _endpoints(webhooks_of(settings, log, clock), submissions, room),
        rest=Starlette(routes=[*health, *openapi_routes(API)]),
    )


def webhooks_of(settings: IngestSettings, log: EventLog, clock: Clock) -> TakeWebhooks:
    """Wire the use case behind webhooks, for the port and for what is read again."""
    secrets = WebhookSecrets(
        app_secrets=[secret.get_secret_value().encode() for secret in settings.whatsapp_app_secrets],
        verify_token=settings.whatsapp_verify_token.get_secret_value(),
    )
    hash_key = settings.hash_key.get_secret_value().encode()
    return TakeWebhooks(log=log, clock=clock, secrets=secrets, hash_key=hash_key)


def _endpoints(
    webhooks: TakeWebhooks, submissions: TakeSubmissions, room: Room
) -> Iterator[Endpoint[Handler]]:
    for form in FORMS:
        yield Endpoint(submission_operation(form), SubmissionEndpoint(submissions, form, room).take)
    yield from endpoints_of(WebhookEndpoint(webhooks, room))
