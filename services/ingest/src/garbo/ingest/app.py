"""The wiring of ingest: the only file that knows every room."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp

from garbo.common.business import Business
from garbo.common.clock import Clock, SystemClock
from garbo.common.events.template_registry import TemplateRegistry
from garbo.common.events.topics import TEMPLATE_OBSERVED
from garbo.common.runtime.broker import kafka_of
from garbo.common.runtime.deliver import Deliveries
from garbo.common.runtime.door.bodies import Pace
from garbo.common.runtime.followed_topic import FollowedTopic
from garbo.common.runtime.health import health_routes
from garbo.common.runtime.http import server_of
from garbo.common.runtime.lifecycle import App, Component
from garbo.common.runtime.openapi import openapi_routes
from garbo.common.runtime.operations import Endpoint, endpoints_of
from garbo.common.runtime.producer import Producer
from garbo.common.runtime.published import read_business, watched_business
from garbo.common.runtime.settings import files_of, load
from garbo.common.runtime.telemetry import observe
from garbo.common.runtime.watched_file import WatchedFile
from garbo.ingest.flow.submissions import TakeSubmissions
from garbo.ingest.flow.webhooks import TakeWebhooks, WebhookSecrets
from garbo.ingest.inbound.again import again_lane
from garbo.ingest.inbound.api import API
from garbo.ingest.inbound.freshness import Freshness
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


@dataclass(frozen=True, slots=True)
class Flows:
    """What ingest does: take webhooks, take submissions."""

    webhooks: TakeWebhooks
    submissions: TakeSubmissions


def build() -> App:
    """Wire the process from its environment; raises `StartRefused`."""
    settings = load(IngestSettings)
    telemetry = observe(settings)
    business = read_business(settings.config, live=settings.live)
    kafka = kafka_of(settings)
    producer = Producer(kafka=kafka, service=settings.service)
    templates = TemplateRegistry()
    followed = FollowedTopic(kafka, TEMPLATE_OBSERVED, templates.apply)
    publishers, clock = BusinessPublishers(business), SystemClock()
    log = KafkaEventLog(WideProduce(producer), clock)
    flows = flows_of(settings, publishers=publishers, log=log, templates=templates, clock=clock)
    freshness = Freshness(business)
    again = Deliveries(
        kafka=kafka, service=settings.service, producer=producer, lanes=[again_lane(flows.webhooks)]
    )
    health = health_routes(
        alive={"again": lambda: again.healthy},
        ready={"kafka": lambda: producer.healthy, "templates": lambda: followed.ready},
    )

    async def use(changed: Business) -> None:
        await publishers.take(changed)
        freshness.take(changed)

    watched = watched_business(settings.config, live=settings.live, use=use)
    server = server_of(settings, http_app(settings, flows, freshness=freshness, health=health))
    watching: list[Component] = [watched, *_watched_secrets(flows.webhooks)]
    return App(settings.service, (telemetry, *watching, producer, followed, again, server))


def flows_of(
    settings: IngestSettings,
    *,
    publishers: Publishers,
    log: EventLog,
    templates: TemplateRegistry,
    clock: Clock,
) -> Flows:
    """Wire the use cases."""
    hash_key = settings.hash_key.get_secret_value().encode()
    webhooks = TakeWebhooks(log=log, clock=clock, secrets=_secrets_of(settings), hash_key=hash_key)
    submissions = TakeSubmissions(
        log=log, clock=clock, publishers=publishers, templates=templates, hash_key=hash_key
    )
    return Flows(webhooks, submissions)


def http_app(
    settings: IngestSettings, flows: Flows, *, freshness: Freshness, health: Sequence[Route]
) -> ASGIApp:
    """Wire everything behind the port: endpoints, health, the API's description."""
    room = Room.of(
        count=settings.max_in_flight,
        max_bytes=settings.max_body_bytes,
        pace=Pace(whole_s=settings.body_timeout_s),
    )
    endpoints: list[Endpoint[Handler]] = [
        Endpoint(submission_operation(form), SubmissionEndpoint(flows.submissions, form, room).take)
        for form in FORMS
    ]
    endpoints += endpoints_of(WebhookEndpoint(flows.webhooks, room, freshness))
    return Gate(endpoints, rest=Starlette(routes=[*health, *openapi_routes(API)]))


def _watched_secrets(webhooks: TakeWebhooks) -> Iterator[WatchedFile[WebhookSecrets]]:
    """Watch the files of the secrets, where they are files: a new one is in force without a restart."""

    async def use(secrets: WebhookSecrets) -> None:
        webhooks.use(secrets)

    files = files_of(IngestSettings, fields=("whatsapp_app_secrets", "whatsapp_verify_token"))
    if files:
        watched = WatchedFile(
            "webhook secrets",
            files[0],
            lambda: _secrets_of(load(IngestSettings)),
            use=use,
            beside=lambda _: files[1:],
        )
        webhooks.use(watched.current)  # a file may have changed since the settings were read
        yield watched


def _secrets_of(settings: IngestSettings) -> WebhookSecrets:
    return WebhookSecrets(
        app_secrets=tuple(secret.get_secret_value().encode() for secret in settings.whatsapp_app_secrets),
        verify_token=settings.whatsapp_verify_token.get_secret_value(),
    )
